"""Each formula against one written out row by row from its source, with nothing shared with the package."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from ai.features import FeatureSet, Market
from tests.ai.features.markets import SECOND, TICK, table

ROWS = 160
NAN = math.nan


def values(name: str, frame: pl.DataFrame, clock: str, **parameters: object) -> np.ndarray[Any, Any]:
    given = {"clock": clock, "bars": "1-MINUTE-LAST", "feature": [{"name": name, **parameters}]}
    features = FeatureSet.of(name, given)
    return features.batch({clock: frame.lazy()}, TICK).collect().drop("ts").to_numpy()


def expected(frame: pl.DataFrame, at: Callable[[list[dict[str, Any]], int], Any]) -> np.ndarray[Any, Any]:
    rows = frame.to_dicts()
    return np.array([np.atleast_1d(at(rows, row)) for row in range(len(rows))], np.float64)


def same(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float = 1e-9) -> None:
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=1e-12)
    assert np.isfinite(wanted).any()


@pytest.fixture(params=["quotes", "book"])
def top(request: pytest.FixtureRequest) -> tuple[str, pl.DataFrame, list[tuple[float, ...]]]:
    """Clock, table, and (bid, ask, bid size, ask size) of each row."""
    clock: str = request.param
    frame = table(clock, ROWS).collect()
    columns = ["bid", "ask", "bid_size", "ask_size"]
    if clock == "book":
        columns = ["bid_price_1", "ask_price_1", "bid_size_1", "ask_size_1"]
    return clock, frame, frame.select(columns).rows()


def test_features_of_the_best_prices(top: tuple[str, pl.DataFrame, list[tuple[float, ...]]]) -> None:
    clock, frame, rows = top

    def each(of: Callable[..., float]) -> np.ndarray[Any, Any]:
        return np.array([[of(*row)] for row in rows])

    def microprice(b: float, a: float, p: float, q: float) -> float:
        return (b * q + a * p) / (p + q) if p + q else NAN

    same(values("mid", frame, clock), each(lambda b, a, p, q: (a + b) / 2))
    same(values("spread", frame, clock, unit="ticks"), each(lambda b, a, p, q: (a - b) / 0.01))
    same(values("spread", frame, clock, unit="bps"), each(lambda b, a, p, q: (a - b) / ((a + b) / 2) * 1e4))
    same(values("top_imbalance", frame, clock), each(lambda b, a, p, q: (p - q) / (p + q) if p + q else NAN))
    same(values("microprice", frame, clock, unit="price"), each(microprice))
    same(
        values("microprice", frame, clock, unit="bps"),
        each(lambda b, a, p, q: (microprice(b, a, p, q) / ((a + b) / 2) - 1) * 1e4),
        1e-7,
    )


def cont_kukanov_stoikov(old: tuple[float, ...], new: tuple[float, ...]) -> float:
    """Equation 2 as printed; an empty side has the worst possible price."""
    (b0, a0, p0, q0), (b1, a1, p1, q1) = old, new
    b0, b1 = (-math.inf if math.isnan(x) else x for x in (b0, b1))
    a0, a1 = (math.inf if math.isnan(x) else x for x in (a0, a1))
    return (b1 >= b0) * p1 - (b1 <= b0) * p0 - (a1 <= a0) * q1 + (a1 >= a0) * q0


def test_order_flow_imbalance_is_the_papers(top: tuple[str, pl.DataFrame, list[tuple[float, ...]]]) -> None:
    clock, frame, rows = top
    events = [NAN] + [cont_kukanov_stoikov(old, new) for old, new in pairwise(rows)]
    wanted = [[sum(events[row - 6 : row + 1])] if row >= 6 else [NAN] for row in range(ROWS)]
    same(values("order_flow_imbalance", frame, clock, window=7), np.array(wanted))


def window_rows(rows: list[dict[str, Any]], row: int, seconds: float) -> list[int] | None:
    """Rows of `(ts - seconds, ts]`, or None before that much time has passed."""
    limit = rows[row]["ts"] - int(seconds * SECOND)
    if rows[0]["ts"] > limit:
        return None
    return [k for k in range(row + 1) if rows[k]["ts"] > limit]


def test_windows_of_time_hold_what_is_younger_than_their_length() -> None:
    frame = table("trades", ROWS).collect()

    def volume(rows: list[dict[str, Any]], row: int) -> float:
        within = window_rows(rows, row, 5)
        return NAN if within is None else math.fsum(rows[k]["size"] for k in within)

    def vwap(rows: list[dict[str, Any]], row: int) -> float:
        within = window_rows(rows, row, 5)
        if within is None or not volume(rows, row):
            return NAN
        average = math.fsum(rows[k]["price"] * rows[k]["size"] for k in within) / volume(rows, row)
        return float((rows[row]["price"] / average - 1) * 1e4)

    def change(rows: list[dict[str, Any]], row: int) -> float:
        past = [k for k in range(row) if rows[k]["ts"] <= rows[row]["ts"] - 5 * SECOND]
        return math.log(rows[row]["price"] / rows[past[-1]]["price"]) if past else NAN

    def volatility(rows: list[dict[str, Any]], row: int) -> float:
        within = window_rows(rows, row, 5)
        if within is None:
            return NAN
        return math.sqrt(sum(math.log(rows[k]["price"] / rows[k - 1]["price"]) ** 2 for k in within))

    same(values("rolling_volume", frame, "trades", window="5s"), expected(frame, volume))
    same(values("vwap_deviation", frame, "trades", window="5s"), expected(frame, vwap), 1e-7)
    same(values("return", frame, "trades", window="5s"), expected(frame, change), 1e-7)
    same(values("realised_volatility", frame, "trades", window="5s"), expected(frame, volatility), 1e-7)


def test_windows_of_rows() -> None:
    frame = table("quotes", ROWS).collect()
    mids = ((frame["bid"] + frame["ask"]) / 2).to_list()
    sizes = (frame["bid_size"] + frame["ask_size"]).to_list()
    logs = [NAN, *np.diff(np.log(mids)).tolist()]
    sums = [[sum(sizes[k - 19 : k + 1])] if k >= 19 else [NAN] for k in range(ROWS)]
    same(values("rolling_volume", frame, "quotes", window=20), np.array(sums))
    wanted = [[math.log(mids[k] / mids[k - 20])] if k >= 20 else [NAN] for k in range(ROWS)]
    same(values("return", frame, "quotes", window=20), np.array(wanted), 1e-7)
    squares = [
        [math.sqrt(sum(x * x for x in logs[k - 19 : k + 1]))] if k >= 20 else [NAN] for k in range(ROWS)
    ]
    same(values("realised_volatility", frame, "quotes", window=20), np.array(squares), 1e-7)


def test_trade_signs_take_the_venues_word_and_then_the_tick_rule() -> None:
    prices, takers = [10.0, 10.0, 10.5, 10.5, 10.0, 11.0], [0.0, 2.0, 2.0, 0.0, 1.0, 0.0]
    frame = pl.DataFrame(
        {"ts": range(6), "price": prices, "size": [1.0, 2, 4, 8, 16, 32], "aggressor": takers}
    )
    assert values("trade_sign", frame, "trades", rule="tick")[:, 0].tolist() == [0, 0, 1, 1, -1, 1]
    assert values("trade_sign", frame, "trades", rule="aggressor")[:, 0].tolist() == [0, -1, -1, 1, 1, 1]
    signed = values("signed_volume", frame, "trades", window=2, rule="tick")[:, 0].tolist()
    assert math.isnan(signed[0])
    assert signed[1:] == [0, 4, 12, -8, 16]


def test_levels_of_the_book() -> None:
    frame = table("book", ROWS).collect()

    def weighed(levels: int, decay: float) -> Callable[[list[dict[str, Any]], int], float]:
        def at(rows: list[dict[str, Any]], row: int) -> float:
            weights = [math.exp(-decay * k) for k in range(levels)]
            bids = sum(w * rows[row][f"bid_size_{k + 1}"] for k, w in enumerate(weights))
            asks = sum(w * rows[row][f"ask_size_{k + 1}"] for k, w in enumerate(weights))
            return float((bids - asks) / (bids + asks)) if bids + asks else NAN

        return at

    for levels in (1, 5, 10):
        same(values("imbalance", frame, "book", levels=levels), expected(frame, weighed(levels, 0.0)))
    same(values("depth_score", frame, "book", levels=10, decay=0.5), expected(frame, weighed(10, 0.5)))
    deep = values("deeplob", frame, "book", levels=10)
    assert deep.shape == (ROWS, 40)
    for place, name in {
        0: "ask_price_1",
        1: "ask_size_1",
        2: "bid_price_1",
        3: "bid_size_1",
        4: "ask_price_2",
    }.items():
        np.testing.assert_array_equal(deep[:, place], frame[name].to_numpy())


def talib_ema(prices: list[float], period: int, start: int = 0) -> list[float]:
    """Seeded with the mean of `period` prices from `start`; NaN before the seed's last row."""
    first = start + period - 1
    out = [NAN] * first + [sum(prices[start : first + 1]) / period]
    for price in prices[first + 1 :]:
        out.append(out[-1] + 2 / (period + 1) * (price - out[-1]))
    return out


def wilder(changes: list[float], period: int) -> list[float]:
    """The first change is missing; the seed is the mean of the next `period`."""
    out = [NAN] * period + [sum(changes[1 : period + 1]) / period]
    for change in changes[period + 1 :]:
        out.append((out[-1] * (period - 1) + change) / period)
    return out


def test_indicators_follow_talib() -> None:
    bars = table("bars", ROWS).collect()
    close, high, low = (bars[name].to_list() for name in ("close", "high", "low"))
    same(values("ema", bars, "bars", period=5), np.array([talib_ema(close, 5)]).T)

    change = [NAN, *np.diff(close).tolist()]
    up, down = (wilder([max(s * c, 0.0) for c in change], 14) for s in (1, -1))
    same(
        values("rsi", bars, "bars", period=14),
        np.array([[100 - 100 / (1 + u / d)] for u, d in zip(up, down, strict=True)]),
    )

    fast, slow = talib_ema(close, 12, start=14), talib_ema(close, 26)
    line = [f - s for f, s in zip(fast, slow, strict=True)]
    signal = [NAN] * 25 + talib_ema(line[25:], 9)
    wanted = [(m, s, m - s) if s == s else (NAN, NAN, NAN) for m, s in zip(line, signal, strict=True)]
    same(values("macd", bars, "bars"), np.array(wanted), 1e-7)

    span = [NAN] + [max(high[k], close[k - 1]) - min(low[k], close[k - 1]) for k in range(1, ROWS)]
    same(values("atr", bars, "bars", period=14), np.array([wilder(span, 14)]).T)

    bands = []
    for k in range(ROWS):
        part = close[k - 19 : k + 1] if k >= 19 else [NAN]
        mean, sd = np.mean(part), np.std(part)
        bands.append((mean + 2 * sd, mean, mean - 2 * sd))
    same(values("bollinger", bars, "bars", period=20, deviations=2.0), np.array(bands))


def test_an_rsi_of_a_price_that_never_moved_is_0() -> None:
    bars = table("bars", 30).collect().with_columns(close=pl.lit(5.0))
    assert values("rsi", bars, "bars", period=14)[14:, 0].tolist() == [0.0] * 16


def test_time_of_day_has_no_edge_at_midnight() -> None:
    day = 86_400 * SECOND
    frame = table("quotes", 4).collect().with_columns(ts=np.array([0, day // 4, day - 1, day]) + 7 * day)
    found = values("time_of_day", frame, "quotes")
    np.testing.assert_allclose(found, [[0, 1], [1, 0], [0, 1], [0, 1]], atol=1e-9)


def test_the_volatility_of_a_price_that_stands_still_is_0_and_not_less() -> None:
    frame = table("quotes", 3_000).collect()
    still = frame.with_columns(
        bid=pl.when(pl.int_range(pl.len()) < 2_000).then("bid").otherwise(99.0),
        ask=pl.when(pl.int_range(pl.len()) < 2_000).then("ask").otherwise(100.0),
    )
    assert values("realised_volatility", still, "quotes", window=50)[2_100:, 0].tolist() == [0.0] * 900


def test_market_facts_reach_the_formula() -> None:
    frame = table("quotes", 5).collect()
    features = FeatureSet.of("s", {"clock": "quotes", "feature": [{"name": "spread", "unit": "ticks"}]})
    one, half = (
        features.batch({"quotes": frame.lazy()}, Market(tick)).collect()["spread_ticks"].to_numpy()
        for tick in (0.01, 0.005)
    )
    np.testing.assert_allclose(half, 2 * one)
