"""How much stands before each own limit order: an estimate, made of what the window sees anyway.

When an order comes to rest, the size of its level stands before it. Trades at its price take from the front
of the level. What else leaves the level was cancelled before or behind the order, by their shares of it; what
comes to the level comes behind the order. That is E. Rigtorp, "Estimating order queue position" (2013), with
f(x) = x: the change of the level that trades do not explain is shared out pro rata.

It stays an estimate. Frames carry the book as it is at their end, so what came and went between two of them
is not seen; trades that a frame left out count as cancelled; a venue that does not match by price and time
has no such queue. Where the level was not in sight when the order came to rest, nothing is said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from app.state.book import BookState
from engine.columns import Aggressor
from engine.messages.columns import Rows
from engine.messages.events import AnyEvent, EpochBegan, OrderChanged
from engine.messages.frames import Market
from engine.messages.instrument import Instrument
from engine.messages.orders import ENDED

KNOWN_FOR_NS: Final = 1_000_000_000
"""Market time after which a book that has changed since says no more what stood at a level."""

_RESTING: Final = frozenset({"ACCEPTED", "PENDING_UPDATE", "PENDING_CANCEL", "PARTIALLY_FILLED"})


class QueueMarket(Protocol):
    """An instrument and its book."""

    instrument: Instrument
    book: BookState


def size_at(levels: Rows, digits: int, points: int, *, buys: bool) -> float | None:
    """Size that rests at a price on one side of a book.

    Parameters
    ----------
    levels : array of dtype `LEVEL`, best price first
    digits, points : int
        The price is `points / 10**digits`.
    buys : bool
        Whether the levels are bids.

    Returns
    -------
    float or None
        0 between or before the levels; None beyond the last one, which is as far as the book is seen, and
        where the source tells no sizes.
    """
    if not len(levels):
        return None
    prices = np.rint(levels["price"] * 10.0**digits).astype(np.int64)
    here = np.flatnonzero(prices == points)
    if len(here):
        size = float(levels["size"][here[0]])
        return size if size > 0 else None
    last = int(prices[-1])
    return 0.0 if (points > last if buys else points < last) else None


@dataclass(slots=True)
class _Place:
    """An order in its queue; `level` is what others had at its price when that was last seen."""

    order: OrderChanged
    points: int
    since_ns: int
    ahead: float | None
    level: float | None

    @property
    def buys(self) -> bool:
        return self.order.side == "BUY"

    def trade(self, size: float) -> None:
        """Take what traded from the front of the level."""
        if self.ahead is not None:
            self.ahead = max(0.0, self.ahead - size)
        if self.level is not None:
            self.level = max(0.0, self.level - size)

    def see(self, size: float | None) -> None:
        """Share out what else left the level; None where it is out of sight."""
        if size is not None:
            if self.ahead is None:
                self.ahead = 0.0 if size == 0 else None  # nobody else is there
            else:
                if self.level and size < self.level:
                    self.ahead *= size / self.level
                self.ahead = min(self.ahead, size)
        self.level = size


class QueueState:
    """Queue estimates of a session's resting limit orders, for one epoch.

    Attributes
    ----------
    version : int
        Grows with every change.
    """

    def __init__(self) -> None:
        self.version = 0
        self._places: dict[str, _Place] = {}
        self._books: dict[str, tuple[Rows, Rows]] = {}
        self._seen_ns = 0

    def of(self, order_id: str) -> float | None:
        """Size that stands before an order; None where it is not known, or the order is in no queue."""
        place = self._places.get(order_id)
        return None if place is None else place.ahead

    def queues(self, order_id: str) -> bool:
        """Whether an order stands in a queue, known or not."""
        return order_id in self._places

    def apply(
        self,
        markets: Iterable[Market],
        now: Mapping[str, QueueMarket],
        events: Iterable[AnyEvent],
        now_ns: int,
        *,
        own_in_book: bool = False,
    ) -> None:
        """Take one frame.

        Parameters
        ----------
        markets : iterable of Market
            Its news.
        now : mapping
            Markets by instrument with that news in their books.
        events : iterable of events
            In order.
        now_ns : int
            Its market time.
        own_in_book : bool
            Whether the books hold this station's own orders, as those of a real venue do.
        """
        for event in events:
            match event:
                case OrderChanged():
                    self._take(event, now.get(event.instrument))
                case EpochBegan():
                    self._places.clear()
        if self._places:
            self._move_up({market.instrument: market for market in markets}, now, own_in_book=own_in_book)
        self._books = {name: (market.book.bids, market.book.asks) for name, market in now.items()}
        self._seen_ns = now_ns

    def _take(self, order: OrderChanged, market: QueueMarket | None) -> None:
        known = self._places.get(order.order_id)
        if order.status in ENDED or order.price is None or market is None:
            if self._places.pop(order.order_id, None) is not None:
                self.version += 1
            return
        if known is None and not _comes_to_rest(order):
            return
        self.version += 1
        points = round(order.price.scaleb(market.instrument.price_precision))
        # A new price, or more at the same one, goes to the back of the queue.
        if known is None or known.points != points or order.quantity > known.order.quantity:
            level = self._level_before(order, market, points)
            known = self._places[order.order_id] = _Place(order, points, order.ts, level, level)
        known.order = order
        if order.filled > 0:
            known.ahead = 0.0

    def _level_before(self, order: OrderChanged, market: QueueMarket, points: int) -> float | None:
        """Size of its level just before an order came to rest, from the last book before that."""
        name, buys = order.instrument, order.side == "BUY"
        if name not in self._books:
            return None
        before = self._books[name][0 if buys else 1]
        changed = before is not (market.book.bids if buys else market.book.asks)
        if changed and order.ts - self._seen_ns > KNOWN_FOR_NS:
            return None
        return size_at(before, market.instrument.price_precision, points, buys=buys)

    def _move_up(
        self, news: Mapping[str, Market], now: Mapping[str, QueueMarket], *, own_in_book: bool
    ) -> None:
        for place in self._places.values():
            name = place.order.instrument
            if name not in news or name not in now:
                continue
            book, digits = now[name].book, now[name].instrument.price_precision
            before = place.ahead
            place.trade(_traded(news[name].trades, digits, place))
            place.since_ns = 0
            levels = book.bids if place.buys else book.asks
            # A book that came before these trades would say that what they took came back.
            if name not in self._books or levels is not self._books[name][0 if place.buys else 1]:
                size = size_at(levels, digits, place.points, buys=place.buys)
                if size is not None and own_in_book:
                    size = max(0.0, size - self._own_at(place))
                place.see(size)
            self.version += place.ahead != before

    def _own_at(self, place: _Place) -> float:
        """What all own orders have left at an order's price."""
        return sum(
            float(other.order.quantity - other.order.filled)
            for other in self._places.values()
            if (other.order.instrument, other.points, other.buys)
            == (place.order.instrument, place.points, place.buys)
        )


def _comes_to_rest(order: OrderChanged) -> bool:
    if order.type == "LIMIT":
        return order.status in _RESTING
    return order.type == "STOP_LIMIT" and order.status == "TRIGGERED"


def _traded(trades: Rows, digits: int, place: _Place) -> float:
    """Size taken from an order's level since it came to rest; without end where a trade went through it."""
    own_side = Aggressor.BUYER if place.buys else Aggressor.SELLER
    against = trades[(trades["ts"] > place.since_ns) & (trades["aggressor"] != own_side)]
    prices = np.rint(against["price"] * 10.0**digits).astype(np.int64)
    if (prices < place.points if place.buys else prices > place.points).any():
        return float("inf")
    return float(against["size"][prices == place.points].sum())
