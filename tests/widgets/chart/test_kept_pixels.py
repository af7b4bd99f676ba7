"""What is kept from picture to picture equals what would be made anew, and only new pixels are made."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.state.depth import DepthHistory
from app.state.tape import QuoteTape
from tests.widgets.chart.markets import SECOND, START, TICK, depth, quotes, theme
from widgets.chart.envelopes import KeptEnvelope
from widgets.chart.heat_layer import HeatLayer
from widgets.chart.palette import Palette
from widgets.chart.view import View

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pan"), st.integers(-60, 60)),
        st.tuples(st.just("append"), st.integers(1, 40)),
        st.tuples(st.just("zoom"), st.integers(0, 2)),
    ),
    min_size=1,
    max_size=25,
)
SCALES = (SECOND // 3, SECOND, 5 * SECOND)


def _view() -> View:
    view = View(scale_ns=SECOND)
    view.resize(120, 60)
    view.left_ns = START // SECOND * SECOND - 20 * SECOND
    view.low, view.high = 90.0, 110.0
    return view


def _zoom(view: View, to: int) -> None:
    view.zoom_time(60, SCALES[to] / view.scale_ns)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_a_kept_envelope_equals_a_new_one(steps: list[tuple[str, int]]) -> None:
    tape, view, known = QuoteTape(), _view(), 0
    kept = KeptEnvelope(tape, "bid")
    random = np.random.default_rng(2)
    for what, amount in steps:
        if what == "pan":
            view.pan(amount, 0)
        elif what == "zoom":
            _zoom(view, amount)
        else:
            seconds = known + np.sort(random.integers(0, 30, amount)) / 10
            tape.append(quotes(seconds, random.integers(90, 110, amount).astype(float)))
            known += 3
        got = kept.over(view)
        new = tape.envelope("bid", view.left_ns, view.right_ns, view.width)
        for name in ("count", "first", "last", "low", "high"):
            np.testing.assert_array_equal(getattr(got, name), getattr(new, name))
        np.testing.assert_equal(got.before, new.before)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_kept_heat_pixels_equal_new_ones(steps: list[tuple[str, int]]) -> None:
    history, view, palette, known = DepthHistory(), _view(), Palette(theme()), 0
    kept = HeatLayer(history, TICK)
    for what, amount in steps:
        if what == "pan":
            view.pan(amount, 0)
        elif what == "zoom":
            _zoom(view, amount)
        else:
            history.append(depth(np.arange(known, known + amount), wall=98.0 + known % 9))
            known += amount
        now = START + known * SECOND
        got, new = np.zeros((60, 120), np.uint32), np.zeros((60, 120), np.uint32)
        kept.draw(got, view, palette, now)
        fresh = HeatLayer(history, TICK)
        fresh.ends, fresh._tuned_at = kept.ends, 10**9
        fresh.tiles._anchor = kept.tiles._anchor
        fresh.draw(new, view, palette, now)
        np.testing.assert_array_equal(got, new)


def test_following_makes_only_the_new_columns() -> None:
    history, view = DepthHistory(), _view()
    history.append(depth(np.arange(100)))
    layer, palette = HeatLayer(history, TICK), Palette(theme())
    target = np.zeros((60, 120), np.uint32)
    layer.draw(target, view, palette, START + 99 * SECOND)
    assert layer.columns_made == 120
    history.append(depth(np.arange(100, 102)))
    view.left_ns += 2 * view.scale_ns
    layer.draw(target, view, palette, START + 101 * SECOND)
    assert layer.columns_made < 10
