"""The screen's bars are the engine's exact bars, however ticks are batched and however many are shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.state.bars import BarsState
from app.state.tape import QuoteTape, TradeTape
from engine.bars import BarSpec, bars_of
from engine.columns import Trades
from tests.app.state.market_rows import SECOND, quotes, trades

SPECS = ["5-SECOND-LAST", "1-MINUTE-LAST", "7-TICK-LAST", "50-VOLUME-LAST"]


def _trade_columns(count: int, seed: int) -> Trades:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.integers(0, SECOND, count))
    return Trades(
        ts_event=times,
        ts_init=times,
        price=10_000 + np.cumsum(random.integers(-3, 4, count)),
        size=random.integers(1, 4000, count),
        aggressor=random.integers(1, 3, count).astype(np.uint8),
        trade_id=np.arange(count),
        price_precision=2,
        size_precision=2,
    )


def _state(spec: str, tape: QuoteTape | TradeTape) -> BarsState:
    return BarsState(BarSpec.parse(spec), tape, price_precision=2, size_precision=2)


def _append(tape: TradeTape, columns: Trades, some: slice) -> None:
    tape.append(
        trades(
            columns.ts_event[some],
            columns.price[some] / 100,
            columns.size[some] / 100,
            columns.aggressor[some],
        )
    )


@pytest.mark.parametrize("spec", SPECS)
@given(batch=st.integers(1, 300), seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_any_batching_gives_the_engine_s_bars(spec: str, batch: int, seed: int) -> None:
    columns = _trade_columns(600, seed)
    tape = TradeTape()
    state = _state(spec, tape)
    for start in range(0, 600, batch):
        _append(tape, columns, slice(start, start + batch))
        state.update()
    shown = state.candles(0, int(columns.ts_event[-1]) + 1, 10_000)
    expected = bars_of(BarSpec.parse(spec), columns)
    assert len(shown) - len(expected) in (0, 1)  # a tick or volume bar may still be open
    shown = shown[: len(expected)]
    assert shown["ts"].tolist() == expected.ts_open.tolist()
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(np.rint(shown[name] * 100), getattr(expected, name))


def test_mid_bars_keep_half_ticks() -> None:
    tape = QuoteTape()
    tape.append(quotes([0, 1, 2], [1.00, 1.02, 1.01], spread=0.01))
    state = _state("1-SECOND-MID", tape)
    state.update()
    bar = state.candles(0, SECOND, 10)[0]
    assert [bar["open"], bar["high"], bar["low"], bar["close"]] == [1.005, 1.025, 1.005, 1.015]
    assert bar["end"] == SECOND


def test_more_bars_than_asked_for_are_merged_truthfully() -> None:
    columns = _trade_columns(4000, 1)
    tape = TradeTape()
    _append(tape, columns, slice(None))
    state = _state("1-TICK-LAST", tape)
    state.update()
    everything = state.candles(0, 2**62, 10_000)
    merged = state.candles(0, 2**62, 250)
    assert len(merged) == 250
    assert merged["high"].tolist() == everything["high"].reshape(250, 16).max(axis=1).tolist()
    assert merged["low"].tolist() == everything["low"].reshape(250, 16).min(axis=1).tolist()
    assert merged["open"].tolist() == everything["open"][::16].tolist()
    assert merged["close"].tolist() == everything["close"][15::16].tolist()
    assert (merged["end"][:-1] == merged["ts"][1:]).all()


def test_panning_does_not_change_merged_bars() -> None:
    columns = _trade_columns(4000, 2)
    tape = TradeTape()
    _append(tape, columns, slice(None))
    state = _state("1-TICK-LAST", tape)
    state.update()
    times = columns.ts_event
    one = state.candles(int(times[500]), int(times[2500]), 250)
    other = state.candles(int(times[507]), int(times[2507]), 250)
    assert set(one["ts"][1:-1].tolist()) <= set(other["ts"].tolist()) | {int(one["ts"][1])}


def test_bars_outlive_the_ticks_that_the_tape_forgot() -> None:
    tape = QuoteTape(limit=1000)
    state = _state("1-SECOND-BID", tape)
    for second in range(500):
        tape.append(quotes(np.arange(10) + second * SECOND, np.full(10, float(second))))
        state.update()
    assert tape.dropped > 0
    assert state.candles(0, 500 * SECOND, 1000)["open"].tolist() == [float(n) for n in range(500)]
