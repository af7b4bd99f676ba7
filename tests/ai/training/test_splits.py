import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.features import FeatureSet
from ai.features.windows import Window
from ai.training.labels import moves
from ai.training.plan import PLANS
from ai.training.samples import looks_back, samples
from ai.training.splits import Gap, borders_by_share, split
from ai.training.stretches import Stretch, joined
from app.commands.features import find_set
from tests.ai.training.markets import SECOND_NS, features, stretch


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 5), min_size=60, max_size=150),
    horizon=st.one_of(
        st.integers(1, 12).map(Window.parse), st.integers(1, 20).map(lambda n: Window("", ns=n))
    ),
    embargo=st.builds(Gap, rows=st.integers(0, 9), ns=st.integers(0, 9)),
)
def test_no_label_reaches_into_a_later_part(gaps: list[int], horizon: Window, embargo: Gap) -> None:
    ts = np.cumsum(gaps).astype(np.int64)
    rows = joined([Stretch(ts, np.zeros((len(ts), 1), np.float32), np.ones(len(ts)))])
    ahead = moves(rows, horizon)
    if ahead.known.sum() < 20:
        return
    borders = borders_by_share(ahead.known, (0.6, 0.2))
    parts = split(ahead.known, ts, ahead.until_ns, borders, (embargo,))
    for part, border in ((parts.train, borders[0]), (parts.validation, borders[1])):
        assert (ahead.until_ns[part] < ts[border]).all()
    for part, border in ((parts.validation, borders[0]), (parts.test, borders[1])):
        assert (part >= border + embargo.rows).all()
        assert (ts[part - embargo.rows] >= ts[border] + embargo.ns).all()
    everywhere = np.concatenate((parts.train, parts.validation, parts.test))
    assert (np.diff(everywhere) > 0).all(), "in time order, and no row in two parts"


def test_the_parts_have_their_shares_and_tell_their_gaps() -> None:
    ts = np.arange(1000) * SECOND_NS
    usable = np.ones(1000, bool)
    parts = split(usable, ts, ts + 10 * SECOND_NS, borders_by_share(usable, (0.7, 0.15)), (Gap(rows=20),))
    assert (parts.train[0], parts.train[-1]) == (0, 689)
    assert (parts.validation[0], parts.validation[-1]) == (720, 839)
    assert (parts.test[0], parts.test[-1]) == (870, 999)
    assert parts.embargo_ns == 20 * SECOND_NS
    assert parts.purge_ns == 11 * SECOND_NS - 1


def test_the_embargo_is_as_long_as_the_inputs_look_back() -> None:
    rows, time = looks_back(PLANS["lstm"], find_set("tick"))
    assert (rows, time) == (Gap(rows=150), Gap(rows=49, ns=60 * SECOND_NS))
    assert looks_back(PLANS["mlp"], find_set("demo"))[1] == Gap(ns=10 * SECOND_NS), "one row: the time alone"


def test_the_oldest_row_of_a_window_does_not_look_back_at_what_trained() -> None:
    """Five rows, one every 3 s, whose oldest reads the 10 s before it: 4 rows after the first 10 s."""
    returns = {"name": "return", "window": "10s", "as": "c0"}
    features = FeatureSet.of("made", {"clock": "quotes", "feature": [returns]})
    plan = msgspec.structs.replace(PLANS["mlp"], window=5, horizon="2")
    one = stretch(2_000, columns=1)
    parts = samples(
        plan, features, [Stretch(one.ts[0] + np.arange(2_000) * 3 * SECOND_NS, one.x, one.price)]
    ).split
    for before, after in ((parts.train, parts.validation), (parts.validation, parts.test)):
        border = before[-1] + 3  # the label of the last row looks at the two rows after it
        assert after[0] == border + 8, "the first row at least 10 s, so 12, after the border, and 4 more"
        oldest_s, last_label_s = 3 * (after[0] - 4), 3 * (before[-1] + 2)
        assert oldest_s - 10 > last_label_s
    assert parts.embargo_ns == 8 * 3 * SECOND_NS


def test_what_comes_later_changes_nothing_of_the_training() -> None:
    """The normaliser, the drift bins and the threshold know the training part alone."""
    plan, one = PLANS["mlp"], stretch(2_000)  # labels look 10 rows ahead
    x, price = one.x.copy(), one.price.copy()
    x[1_400:] = x[1_400:] * 50 + 7
    price[1_400:] = 3 * price[1_400:] + 50 * np.arange(600)
    first, second = (samples(plan, features(), [each]) for each in (one, Stretch(one.ts, x, price)))
    assert first.split.train.tolist() == second.split.train.tolist()
    assert 1_350 < first.split.train[-1] + 10 < 1_400
    assert first.normaliser == second.normaliser
    assert first.bins == second.bins
    assert first.threshold == second.threshold
    train = first.split.train
    assert first.normaliser.mean == pytest.approx(one.x[train].mean(axis=0), abs=1e-6)
    assert first.x[train].std(axis=0) == pytest.approx(np.ones(3), abs=1e-4)
