"""Stops that move with the market, and only ever towards it: average true range, chandelier, break-even.

Wilder, "New Concepts in Technical Trading Systems" (1978): the true range of a bar is the largest of high -
low, |high - previous close| and |low - previous close|; its average begins as the mean of `period` values and
goes on as (average x (period - 1) + value) / period. The chandelier exit (Le Beau; Elder, "Come Into My
Trading Room", 2002) hangs `multiple` average true ranges from the best price since the entry.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, override

from engine.messages.instrument import Instrument
from engine.messages.orders import Side
from engine.risk.valuing import ZERO, Valuing

_MULTIPLE: Final = Decimal(3)


class AverageTrueRange:
    """Wilder's average true range of bars as they close.

    Attributes
    ----------
    value : Decimal or None
        None until `period` bars closed.
    """

    def __init__(self, period: int) -> None:
        self._period = period
        self._close: Decimal | None = None
        self._seed: list[Decimal] = []
        self.value: Decimal | None = None

    def close(self, high: Decimal, low: Decimal, close: Decimal) -> Decimal | None:
        """Take a bar; the average now."""
        reach = high - low
        if self._close is not None:
            reach = max(reach, abs(high - self._close), abs(low - self._close))
        self._close = close
        if self.value is not None:
            self.value = (self.value * (self._period - 1) + reach) / self._period
        else:
            self._seed.append(reach)
            if len(self._seed) == self._period:
                self.value = sum(self._seed, ZERO) / self._period
        return self.value


class AtrStop:
    """A stop that follows each bar's close at a distance of `multiple` average true ranges.

    Parameters
    ----------
    position : str
        `BUY` where a long position is protected, `SELL` of a short one.
    tick : Decimal
        Grid of prices; the stop is put on it away from the market.
    period : int
        Bars of the average.
    multiple : Decimal

    Attributes
    ----------
    trigger : Decimal or None
        Where the stop stands; None until there is an average.
    """

    def __init__(
        self, position: Side, tick: Decimal, period: int = 14, multiple: Decimal = _MULTIPLE
    ) -> None:
        self._is_long, self._tick, self._multiple = position == "BUY", tick, multiple
        self._range = AverageTrueRange(period)
        self.trigger: Decimal | None = None

    def seed(self, high: Decimal, low: Decimal, close: Decimal) -> None:
        """Take a bar of before the position: it counts for the average alone."""
        self._range.close(high, low, close)

    def close(self, high: Decimal, low: Decimal, close: Decimal) -> Decimal | None:
        """Take a bar; where the stop stands now."""
        average = self._range.close(high, low, close)
        anchor = self._anchor(high, low, close)
        if average is not None:
            away = average * self._multiple
            wanted = on_grid(
                anchor - away if self._is_long else anchor + away, self._tick, down=self._is_long
            )
            self.trigger = tightened(self.trigger, wanted, is_long=self._is_long)
        return self.trigger

    def _anchor(self, high: Decimal, low: Decimal, close: Decimal) -> Decimal:  # noqa: ARG002 - others need them
        """Price that the stop hangs from."""
        return close


class ChandelierStop(AtrStop):
    """A stop that hangs from the best price since the entry."""

    def __init__(
        self, position: Side, tick: Decimal, period: int = 22, multiple: Decimal = _MULTIPLE
    ) -> None:
        super().__init__(position, tick, period, multiple)
        self._best: Decimal | None = None

    @override
    def _anchor(self, high: Decimal, low: Decimal, close: Decimal) -> Decimal:
        self._best = tightened(self._best, high if self._is_long else low, is_long=self._is_long)
        return self._best


def break_even(instrument: Instrument, held: Decimal, average_open: Decimal, fees_paid: Decimal) -> Decimal:
    """Trigger at which closing a position loses nothing, fees paid so far and the exit's taker fee included.

    Parameters
    ----------
    held : Decimal
        Signed size, not 0.
    average_open : Decimal
        Average price of the entry.
    fees_paid : Decimal
        Of the entry, positive, in the currency of settlement.
    """
    valuing = Valuing(instrument, instrument.quote)
    is_long, fee = held > ZERO, instrument.taker_fee
    # Linear: q(p - entry) - fees - |q| p fee = 0; inverse the same in 1/p; each is linear in `level(p)`.
    cost = valuing.level(average_open) * held + fees_paid
    share = held - abs(held) * fee if not instrument.inverse else held + abs(held) * fee
    return on_grid(valuing.price_at(cost / share), instrument.tick_size, down=not is_long)


def tightened(before: Decimal | None, wanted: Decimal, *, is_long: bool) -> Decimal:
    """The better of two for a position: a stop that protects never gives way."""
    if before is None:
        return wanted
    return max(before, wanted) if is_long else min(before, wanted)


def on_grid(price: Decimal, tick: Decimal, *, down: bool) -> Decimal:
    """The next price on the grid, below or above."""
    return (price / tick).to_integral_value(ROUND_FLOOR if down else ROUND_CEILING) * tick
