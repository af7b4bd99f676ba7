"""Random arrivals of orders on a price-time book: the mechanics behind `engine.feeds.simulated`.

Limit, market and cancel orders follow Cont, Stoikov and Talreja, "A stochastic model for order book dynamics"
(Operations Research 58, 2010): limit orders arrive at a rate that falls as a power of their distance, and
each resting order is cancelled at a constant rate. Market orders excite each other (Hawkes process with
exponential kernel, as in Bacry, Mastromatteo and Muzy, "Hawkes processes in finance", 2015).

That model alone reverts to its mean. Here distances are measured from a hidden reference price, a random walk
whose log-volatility is a slow autoregression (Taylor, "Modelling Financial Time Series", 1986), and market
orders pick off quotes that it has left behind: so the price wanders, in clusters of calm and turmoil.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, floor, sqrt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.columns import Int64
from engine.messages.instrument import Instrument

type _Order = list[int]
"""Side, price in ticks, remaining size in lots; size 0 when gone."""

BID, ASK = 0, 1
_AWAY = (-1, 1)
"""Direction in which a side's prices get worse."""

_STEP_S = 0.1
"""The reference price moves once in so long."""

_WARM_UP_S = 20.0
"""The book runs in for so long before the market starts."""

_DRAWS = 4096
"""Random numbers are drawn in arrays of this length, whatever the caller asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketProfile:
    """Rates and sizes of one simulated market; rates are per second.

    Attributes
    ----------
    start_price : Decimal
        Where the first orders are laid around.
    volatility_ticks, volatility_s, volatility_sd : float
        Median volatility of the reference price in ticks per square root of a second; time constant and
        standard deviation of its logarithm.
    limit_rate : float
        Limit orders a side, at distances of 1 to `reach` ticks from the reference price with probability
        proportional to `(distance + near) ** -decay`, but never through the opposite best.
    cancel_rate : float
        Cancels per resting order.
    market_rate, pick_off_rate : float
        Market orders a side at median volatility, and how many more for each tick by which the reference
        price has passed the best price of that side; both before excitation.
    excite_same, excite_other : float
        Mean number of market orders that one of them triggers directly on its own side and on the other;
        their sum, the branching ratio, is below 1.
    excite_s : float
        Time constant of the excitation.
    order_lots, market_lots, size_sd : float
        Median sizes of limit and market orders in lots, and the standard deviation of their logarithm.
    """

    instrument: Instrument
    start_price: Decimal
    volatility_ticks: float
    volatility_s: float
    volatility_sd: float
    limit_rate: float
    reach: int
    near: float
    decay: float
    cancel_rate: float
    market_rate: float
    pick_off_rate: float
    excite_same: float
    excite_other: float
    excite_s: float
    order_lots: float
    market_lots: float
    size_sd: float


class Tape(Protocol):
    """Where a market writes what shows of it."""

    def write(
        self,
        seconds: float,
        book: "RestingOrders",
        side: int,
        prices: Sequence[int],
        *,
        is_new: bool = False,
        traded: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Write one update: the levels at `prices` of one side as they now are, and the trades behind it.

        Parameters
        ----------
        seconds : float
            Since the start.
        side : int
            `BID` or `ASK`, the resting side.
        prices : in ticks
        is_new : bool
            Whether the level was not there before.
        traded : price in ticks and size in lots, by level
        """


class RestingOrders:
    """Orders on a price-time book; a level's size is the sum of its orders."""

    def __init__(self) -> None:
        self.levels: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.best = [0, 0]
        self.live = 0
        self._queues: tuple[dict[int, deque[_Order]], dict[int, deque[_Order]]] = ({}, {})
        self._orders: list[_Order] = []

    def add(self, side: int, price: int, size: int) -> None:
        """Rest an order behind those at its price."""
        levels, order = self.levels[side], [side, price, size]
        if price in levels:
            levels[price] += size
            self._queues[side][price].append(order)
        else:
            if not levels or (price - self.best[side]) * _AWAY[side] < 0:
                self.best[side] = price
            levels[price] = size
            self._queues[side][price] = deque((order,))
        self._orders.append(order)
        self.live += 1

    def cancel(self, uniform: Iterator[float]) -> tuple[int, int] | None:
        """Remove one order chosen at random; its side and price, or None to keep a side's last level."""
        orders = self._orders
        while True:
            at = int(next(uniform) * len(orders))
            side, price, size = order = orders[at]
            levels = self.levels[side]
            if size and levels[price] == size and len(levels) == 1:
                return None
            orders[at] = orders[-1]
            orders.pop()
            if size:
                order[2] = 0
                self._reduce(side, price, size)
                self._forget_gone(side, price)
                self.live -= 1
                return side, price

    def execute(self, side: int, size: int) -> list[tuple[int, int]]:
        """Take up to `size` from `side`, best first; (price, traded) by level. One level always stays."""
        levels, traded = self.levels[side], []
        while size:
            price = self.best[side]
            part = min(size, levels[price])
            if part == levels[price] and len(levels) == 1:
                break
            self._fill(self._queues[side][price], part)
            self._reduce(side, price, part)
            traded.append((price, part))
            size -= part
        return traded

    def _fill(self, queue: deque[_Order], size: int) -> None:
        while size:
            order = queue[0]
            part = min(size, order[2])
            order[2] -= part
            size -= part
            if not order[2]:
                queue.popleft()
                self.live -= part > 0

    def _reduce(self, side: int, price: int, size: int) -> None:
        levels = self.levels[side]
        if levels[price] > size:
            levels[price] -= size
            return
        del levels[price], self._queues[side][price]
        if price == self.best[side]:
            step = _AWAY[side]
            while price not in levels:
                price += step
            self.best[side] = price

    def _forget_gone(self, side: int, price: int) -> None:
        """Drop cancelled orders from the front, so that a queue never outgrows its oldest live order."""
        queue = self._queues[side].get(price)
        while queue and not queue[0][2]:
            queue.popleft()


class OrderFlow:
    """Arrivals by thinning (Ogata, "On Lewis' simulation method for point processes", 1981)."""

    def __init__(self, profile: MarketProfile, seed: int) -> None:
        self.book = RestingOrders()
        self._profile = profile
        self._random = random = np.random.default_rng(seed)
        weights = (np.arange(1, profile.reach + 1) + profile.near) ** -profile.decay
        chances = np.cumsum(weights / weights.sum())
        chances[-1] = 1.0
        self._uniform: Iterator[float] = _draws(lambda: random.random(_DRAWS))
        self._wait: Iterator[float] = _draws(lambda: random.standard_exponential(_DRAWS))
        self._distance: Iterator[int] = _draws(
            lambda: chances.searchsorted(random.random(_DRAWS), side="right") + 1
        )
        self._order_size: Iterator[int] = _draws(lambda: _lots(random, profile.order_lots, profile.size_sd))
        self._market_size: Iterator[int] = _draws(lambda: _lots(random, profile.market_lots, profile.size_sd))
        self._excitement = [0.0, 0.0]
        """Rate of market orders above the base, by the side they take from."""
        self._log_volatility = profile.volatility_sd * float(random.standard_normal())
        self._reference = float(profile.start_price / profile.instrument.tick_size)
        self._time = self._next_step = -_WARM_UP_S
        self._candidate: float | None = None
        """Time of the next arrival, drawn at the rates since the last; kept when a block ends before it."""
        self._market_rates = (0.0, 0.0)
        self._rate = 0.0
        self._lay_first_orders()
        self.advance(0.0, _Blank())

    def advance(self, until: float, tape: Tape) -> None:
        """Run to `until`, in seconds from the start, and write what shows."""
        excitement, decay_s = self._excitement, self._profile.excite_s
        while True:
            if self._candidate is None:
                self._set_rates()
                self._candidate = self._time + next(self._wait) / self._rate
            moment = min(self._candidate, self._next_step)
            if moment >= until:
                return
            decay = exp((self._time - moment) / decay_s)
            excitement[BID] *= decay
            excitement[ASK] *= decay
            arrived = moment == self._candidate
            self._time, self._candidate = moment, None
            if arrived:
                self._arrive(tape)
            else:
                self._begin_step()

    def _set_rates(self) -> None:
        """Rates of market orders before excitation, and of all arrivals; they hold until the next arrival."""
        profile, (bid, ask) = self._profile, self.book.best
        base = profile.market_rate * exp(self._log_volatility)
        self._market_rates = (
            base + profile.pick_off_rate * max(0.0, bid - self._reference),
            base + profile.pick_off_rate * max(0.0, self._reference - ask),
        )
        resting = 2 * profile.limit_rate + profile.cancel_rate * self.book.live
        self._rate = resting + sum(self._market_rates) + sum(self._excitement)

    def _begin_step(self) -> None:
        profile, shocks = self._profile, self._random.standard_normal(2).tolist()
        keep = exp(-_STEP_S / profile.volatility_s)
        self._log_volatility *= keep
        self._log_volatility += profile.volatility_sd * sqrt(1 - keep * keep) * shocks[0]
        step = profile.volatility_ticks * sqrt(_STEP_S) * exp(self._log_volatility) * shocks[1]
        self._reference = max(self._reference + step, 2.0 * profile.reach)
        self._next_step += _STEP_S

    def _arrive(self, tape: Tape) -> None:
        """Let one order arrive, or none where the excitement has decayed since the candidate was drawn."""
        limit_rate, book = self._profile.limit_rate, self.book
        level = next(self._uniform) * self._rate
        if level < 2 * limit_rate:
            self._add(BID if level < limit_rate else ASK, tape)
            return
        level -= 2 * limit_rate + self._profile.cancel_rate * book.live
        if level < 0:
            cancelled = book.cancel(self._uniform)
            if cancelled:
                tape.write(self._time, book, cancelled[0], (cancelled[1],))
            return
        for side in (BID, ASK):
            level -= self._market_rates[side] + self._excitement[side]
            if level < 0:
                self._execute(side, tape)
                return

    def _add(self, side: int, tape: Tape) -> None:
        book = self.book
        price = self._limit_price(side)
        is_new = price not in book.levels[side]
        book.add(side, price, next(self._order_size))
        tape.write(self._time, book, side, (price,), is_new=is_new)

    def _limit_price(self, side: int) -> int:
        bid, ask = self.book.best
        if side == BID:
            return min(floor(self._reference) + 1 - next(self._distance), ask - 1)
        return max(floor(self._reference) + next(self._distance), bid + 1)

    def _execute(self, side: int, tape: Tape) -> None:
        profile, excitement = self._profile, self._excitement
        traded = self.book.execute(side, next(self._market_size))
        excitement[side] += profile.excite_same / profile.excite_s
        excitement[1 - side] += profile.excite_other / profile.excite_s
        if traded:
            tape.write(self._time, self.book, side, [price for price, _ in traded], traded=traded)

    def _lay_first_orders(self) -> None:
        profile, middle = self._profile, floor(self._reference)
        for _ in range(int(profile.limit_rate / profile.cancel_rate)):
            self.book.add(BID, middle + 1 - next(self._distance), next(self._order_size))
            self.book.add(ASK, middle + next(self._distance), next(self._order_size))


class _Blank:
    """A tape for the warm-up, of which nothing shows."""

    def write(self, *_: object, **__: object) -> None:
        pass


def _draws(draw: Callable[[], npt.NDArray[Any]]) -> Iterator[Any]:
    while True:
        yield from draw().tolist()


def _lots(random: np.random.Generator, median: float, sd: float) -> Int64:
    """Log-normal sizes in whole lots, none below one lot or beyond three standard deviations."""
    spread = np.clip(random.standard_normal(_DRAWS), -3, 3)
    return np.maximum(np.rint(median * np.exp(sd * spread)), 1).astype(np.int64)
