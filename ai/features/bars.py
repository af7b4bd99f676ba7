"""Indicators in TA-Lib's conventions: seeds, first rows and rounding as there.

Their batch form runs the streaming form over the rows (see `ai.features.averages` for why). A value that is
not finite stays in a recurrence for good, so the input must be clean: bars are.
"""

from array import array
from dataclasses import dataclass
from math import sqrt
from typing import override

import numpy as np
import polars as pl

from ai.features.averages import exponential, wilder
from ai.features.feature import Feature, Market, Row, Takes, Update, WarmUp, real, whole
from ai.features.windows import NAN, Window, summing

_TALIB = "TA-Lib 0.4, "


class Stepped(Feature):
    """Base of features whose batch form runs their streaming form row by row."""

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        columns = ["ts", *self.takes.value]
        count = len(self.outputs)
        table = pl.struct(columns).map_batches(
            lambda rows: self._replayed(market, rows.struct.unnest()),
            return_dtype=pl.Struct({str(place): pl.Float64 for place in range(count)}),
        )
        return tuple(table.struct.field(str(place)) for place in range(count))

    def _replayed(self, market: Market, rows: pl.DataFrame) -> pl.Series:
        out: Row = array("d", [NAN] * len(self.outputs))
        update = self.stream(market, out, 0)
        values = array("d")
        for row in zip(*(rows[name].to_list() for name in ("ts", *self.takes.value)), strict=True):
            update(*row)
            values.extend(out)
        table = np.frombuffer(values, np.float64).reshape(-1, len(out)) if values else np.empty((0, len(out)))
        return pl.DataFrame({str(place): table[:, place] for place in range(len(out))}).to_struct()


@dataclass(frozen=True)
class Ema(Stepped):
    """Exponential moving average of the price."""

    name = "ema"
    takes = Takes.PRICE
    source = _TALIB + "EMA"
    nan = "for good after a missing price"

    period: int = whole(20, 1, 100_000, "rows; the weight of a new price is 2 / (period + 1)")

    @property
    def warm_up(self) -> WarmUp:
        """The rows whose mean is the seed."""
        return WarmUp(self.period - 1)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        step = exponential(self.period)

        def update(_ts: int, price: float) -> None:
            out[at] = step(price)

        return update


@dataclass(frozen=True)
class Rsi(Stepped):
    """Relative strength index, 0 to 100; 0 where the price never moved."""

    name = "rsi"
    takes = Takes.PRICE
    source = _TALIB + "RSI; Wilder (1978)"
    nan = "for good after a missing price"

    period: int = whole(14, 2, 100_000, "changes of price")

    @property
    def warm_up(self) -> WarmUp:
        """The first price has no change."""
        return WarmUp(self.period)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        gains, losses = wilder(self.period), wilder(self.period)
        before, started = NAN, False

        def update(_ts: int, price: float) -> None:
            nonlocal before, started
            change, before = price - before, price
            if not started:
                started = True
                return
            gain, loss = gains(max(change, 0.0)), losses(max(-change, 0.0))
            both = gain + loss
            out[at] = 100.0 * (gain / both) if both else 0.0

        return update


@dataclass(frozen=True)
class Macd(Stepped):
    """Difference of a fast and a slow EMA, its signal line (an EMA of it), and the difference of the two.

    TA-Lib seeds both averages at the same row: the fast one with the mean of the last `fast` of the first
    `slow` prices. All three lines begin where the signal line does.
    """

    name = "macd"
    takes = Takes.PRICE
    source = _TALIB + "MACD"
    nan = "for good after a missing price"

    fast: int = whole(12, 2, 100_000, "rows of the fast average")
    slow: int = whole(26, 3, 100_000, "rows of the slow average")
    signal: int = whole(9, 1, 100_000, "rows of the signal line")

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be smaller than slow={self.slow}")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Line, signal, histogram."""
        stem = f"macd_{self.fast}_{self.slow}_{self.signal}"
        return (stem, f"{stem}_signal", f"{stem}_histogram")

    @property
    def warm_up(self) -> WarmUp:
        """Seed of the slow average, then of the signal line."""
        return WarmUp(self.slow + self.signal - 2)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        fast, slow, smooth = exponential(self.fast), exponential(self.slow), exponential(self.signal)
        skipped = self.slow - self.fast
        seen = 0

        def update(_ts: int, price: float) -> None:
            nonlocal seen
            seen += 1
            slow_average = slow(price)
            if seen <= skipped:
                return
            line = fast(price) - slow_average
            if line != line:  # noqa: PLR0124 - NaN: the slow average is not seeded yet
                return
            signal = smooth(line)
            out[at + 1] = signal
            if signal == signal:  # noqa: PLR0124 - not NaN: the signal line is seeded
                out[at] = line
                out[at + 2] = line - signal

        return update


@dataclass(frozen=True)
class Atr(Stepped):
    """Average true range, in units of price."""

    name = "atr"
    takes = Takes.BAR
    source = _TALIB + "ATR; Wilder (1978)"
    nan = "for good after a missing price"

    period: int = whole(14, 1, 100_000, "bars")

    @property
    def warm_up(self) -> WarmUp:
        """The first bar has no close before it."""
        return WarmUp(self.period)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        average = wilder(self.period)
        before, started = NAN, False

        def update(_ts: int, _open: float, high: float, low: float, close: float, _volume: float) -> None:
            nonlocal before, started
            if started:
                out[at] = average(max(high - low, abs(high - before), abs(low - before)))
            before, started = close, True

        return update


@dataclass(frozen=True)
class Bollinger(Stepped):
    """Moving average of the price and the bands `deviations` population standard deviations from it.

    Sums are taken of the distance from the first price, which keeps the digits that TA-Lib's sums of squared
    prices lose.
    """

    name = "bollinger"
    takes = Takes.PRICE
    source = _TALIB + "BBANDS (simple average)"
    nan = "while a missing price is in the window"

    period: int = whole(20, 2, 100_000, "rows")
    deviations: float = real(2.0, 0.0, 100.0, "standard deviations from the average to a band")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Upper band, average, lower band."""
        stem = f"bollinger_{self.period}_{self.deviations:g}"
        return (f"{stem}_upper", f"{stem}_middle", f"{stem}_lower")

    @property
    def warm_up(self) -> WarmUp:
        """A whole window."""
        return WarmUp(self.period - 1)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        window = Window(self.period, rows=self.period)
        add, add_square = summing(window), summing(window)
        period, deviations = float(self.period), self.deviations
        origin = NAN

        def update(ts: int, price: float) -> None:
            nonlocal origin
            if origin != origin:  # noqa: PLR0124 - NaN: the first price
                origin = price
            distance = price - origin
            mean = add(ts, distance) / period
            variance = add_square(ts, distance * distance) / period - mean * mean
            width = deviations * sqrt(max(variance, 0.0)) if variance == variance else NAN  # noqa: PLR0124
            out[at] = origin + mean + width
            out[at + 1] = origin + mean
            out[at + 2] = origin + mean - width

        return update
