"""What the streaming form promises its caller: one row in place, warm-up told, order of equal times free."""

import math
import tracemalloc
from array import array

import numpy as np
import pytest

from ai.features import FEATURES, FeatureSet
from ai.features.batch import evaluate
from ai.features.line_code import LineCode
from ai.features.proof import streamed
from ai.features.sources import STREAMS, Source
from ai.features.values import before, column
from tests.ai.features.markets import SECOND, TICK, VARIANTS, everything, table


def one(name: str, clock: str, **parameters: object) -> FeatureSet:
    return FeatureSet.of(
        name, {"clock": clock, "bars": "1-MINUTE-LAST", "feature": [{"name": name, **parameters}]}
    )


@pytest.mark.parametrize("name", [name for name, kind in FEATURES.items() if kind.streams[0] in STREAMS])
def test_the_first_value_stands_where_the_warm_up_says(name: str) -> None:
    kind = FEATURES[name]
    for clock in kind.streams:
        for variant in VARIANTS.get(name, [{}]):
            features = one(name, clock, **variant)
            feature = features.entries[0].feature
            frame = table(clock, 400, seed=7).collect()
            full = frame.with_columns(  # whole books and sizes, so that only the warm-up makes NaN
                **{c: frame[c].fill_nan(100.0) for c in frame.columns if "price" in c},
                **{c: frame[c] + 1.0 for c in frame.columns if "size" in c or c == "volume"},
            )
            values = features.batch({clock: full.lazy()}, TICK).collect().drop("ts").to_numpy()
            ts, rows = full["ts"].to_numpy(), np.arange(full.height)
            warm = (rows >= feature.warm_up.rows) & (ts - ts[0] >= feature.warm_up.ns)
            assert (~np.isnan(values).any(axis=1) == warm).all(), features.outputs
            assert warm.any()


@pytest.mark.parametrize("clock", ["quotes", "trades", "book", "bars"])
def test_ready_turns_true_with_the_first_whole_row(clock: str) -> None:
    features = one("return", clock, window=5)
    stream = features.stream(TICK)
    frame = table(clock, 8).collect()
    for row in range(8):
        prefix = {clock: frame.head(row + 1).lazy()}
        assert not stream.ready or row > 5
        feed(stream, clock, frame.row(row))
        assert stream.ready == (row >= 5)
        if clock != "book":
            assert stream.ready != math.isnan(stream.values[0])
        np.testing.assert_array_equal(streamed(features, prefix, TICK)[-1], stream.values)


def feed(stream: object, clock: str, row: tuple[float, ...]) -> None:
    handler = stream.handler(clock)  # type: ignore[attr-defined]
    if clock == "book":
        handler(row[0], row[1::4], row[2::4], row[3::4], row[4::4])
    elif clock == "bars":
        handler(row[0], *row[2:])
    else:
        handler(*row)


def test_ready_waits_for_the_other_streams_too() -> None:
    features = FeatureSet.of(
        "joined",
        {
            "clock": "quotes",
            "feature": [{"name": "mid"}, {"name": "rolling_volume", "window": 2, "on": "trades"}],
        },
    )
    stream = features.stream(TICK)
    stream.on_quote(1 * SECOND, 9.0, 11.0, 1.0, 1.0)
    assert not stream.ready
    stream.on_trade(2 * SECOND, 10.0, 3.0, 1)
    stream.on_trade(3 * SECOND, 10.0, 4.0, 1)
    stream.on_quote(3 * SECOND, 9.0, 11.0, 1.0, 1.0)
    assert not stream.ready, "the second trade has the quote's own time"
    stream.on_quote(4 * SECOND, 9.0, 11.0, 1.0, 1.0)
    assert [stream.ready, *stream.values.tolist()] == [True, 10.0, 7.0]


def test_events_of_equal_time_may_come_in_any_order() -> None:
    features = FeatureSet.of(
        "joined", {"clock": "quotes", "feature": [{"name": "rolling_volume", "window": 1, "on": "trades"}]}
    )
    rows = []
    for trade_first in (True, False):
        stream = features.stream(TICK)
        stream.on_trade(1, 10.0, 3.0, 1)
        if trade_first:
            stream.on_trade(2, 10.0, 4.0, 1)
        stream.on_quote(2, 9.0, 11.0, 1.0, 1.0)
        if not trade_first:
            stream.on_trade(2, 10.0, 4.0, 1)
        rows.append(stream.values.tolist())
        stream.on_quote(3, 9.0, 11.0, 1.0, 1.0)
        assert stream.values.tolist() == [4.0]
    assert rows == [[3.0], [3.0]]


def test_a_stream_that_the_set_does_not_read_is_ignored() -> None:
    stream = one("mid", "quotes").stream(TICK)
    stream.on_trade(1, 10.0, 1.0, 1)
    stream.on_quote(2, 9.0, 11.0, 1.0, 1.0)
    assert stream.values.tolist() == [10.0]


def test_values_are_the_same_memory_and_nothing_grows_while_ticks_come() -> None:
    features = everything("quotes")
    stream = features.stream(TICK)
    rows = table("quotes", 4_000).collect().rows()
    values = stream.values
    for row in rows[:2_000]:
        stream.on_quote(*row)
    tracemalloc.start()
    for row in rows[2_000:]:
        stream.on_quote(*row)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stream.values is values
    assert grown < 20_000, "only the numbers that replaced others"


def test_the_source_of_the_function_can_be_read() -> None:
    text = one("spread", "quotes", unit="ticks").stream(TICK).sources["quotes"]
    assert "ask_ - bid_" in text


def test_each_of_two_values_before_takes_over_the_one_before_it() -> None:
    twice = before(before(column("bid")))
    out = array("d", [0.0])
    handler, _ = LineCode(Source("quotes"), [(twice, 0)]).made(out, None)
    seen = []
    for ts in range(4):
        handler(ts, float(ts), 0.0, 0.0, 0.0)
        seen.append(out[0])
    (batch,) = evaluate(
        [twice], np.arange(4), lambda _name, start, end: np.arange(start, end, dtype=np.float64)
    )
    np.testing.assert_array_equal(seen, [math.nan, math.nan, 0.0, 1.0])
    np.testing.assert_array_equal(batch, seen)
