"""One symbol's market and the own orders in it: what they take, how they queue and when they fill.

- What crosses the shown book takes its levels, best first, at their prices.
- What rests waits for the size that was at its price when it came. Trades at its price work that queue off,
  then fill it; a level that shrinks shortens the queue; trades beyond its price, and quotes that cross it,
  fill it outright, each by no more than its own size.
- Own orders fill by price, then by time, and no size is dealt out twice.
"""

from itertools import count
from typing import Protocol

from tests.venue.book import Book
from tests.venue.feed import Update
from tests.venue.orders import Order
from tests.venue.symbol import AWAY, BUY, SELL, Symbol


class Account(Protocol):
    """Whose orders they are."""

    def fillable(self, order: Order) -> int:
        """Size of an order that may fill now: what is left, or what it may still reduce."""

    def filled(self, order: Order, price: int, size: int, *, is_maker: bool) -> None:
        """Take a fill."""

    def self_traded(self, order: Order) -> None:
        """Learn that an own order stood in the way of another and was taken out of the book."""


_TAPE = 1000
"""Public trades kept for `trades`."""


class Market:
    """Book, resting own orders and public trades of one symbol."""

    def __init__(self, symbol: Symbol, account: Account) -> None:
        self.symbol, self._account = symbol, account
        self.book = Book()
        self.resting: tuple[list[Order], list[Order]] = ([], [])
        self.last = 0
        """Price of the last trade; the first best price before there is one."""
        self.tape: list[tuple[int, int, int, int]] = []
        """Public trades as number, price, size and side of the aggressor; newest last."""
        self.trade_ids = count(1)

    @property
    def mark(self) -> int:
        """Mark price: the middle of the book, on the grid, or the last trade's."""
        bid, ask = self.book.best(BUY), self.book.best(SELL)
        return (bid + ask) // 2 if bid and ask else self.last or bid or ask

    # The market moves -------------------------------------------------------------------------------------

    def apply(self, update: Update) -> None:
        """Take the market's next update and fill what it reaches."""
        for price, size, aggressor in update.trades:
            self.print_trade(price, size, aggressor)
            self._traded(price, size, aggressor)
        if update.clears:
            self.book.clear()
        if update.levels:
            self.book.set(update.levels)
            for side, price, _ in update.levels:
                self._shorten(side, price)
        if update.levels or update.clears:
            self._cross()
        if not self.last:
            self.last = self.mark

    def print_trade(self, price: int, size: int, aggressor: int) -> int:
        """Put a trade on the public tape and return its number."""
        number = next(self.trade_ids)
        self.last = price
        self.tape.append((number, price, size, aggressor))
        if len(self.tape) > 2 * _TAPE:
            del self.tape[:_TAPE]
        return number

    def _traded(self, price: int, size: int, aggressor: int) -> None:
        """Let a public trade work off the queues that it met."""
        side = 1 - aggressor
        for order in list(self.resting[side]):
            if size <= 0 or (order.price - price) * AWAY[side] > 0:
                return
            if not order.is_open:
                continue
            if order.price == price:
                met = min(order.ahead, size)
                self._advance(side, price, met)
                size -= met
            taken = min(self._account.fillable(order), size)
            if taken:
                size -= taken
                self._fill(order, order.price, taken)

    def _advance(self, side: int, price: int, size: int) -> None:
        for order in self.resting[side]:
            if order.price == price:
                order.ahead -= min(order.ahead, size)

    def _shorten(self, side: int, price: int) -> None:
        shown = self.book.market[side].get(price, 0)
        for order in self.resting[side]:
            if order.price == price:
                order.ahead = min(order.ahead, shown)

    def _cross(self) -> None:
        """Fill resting orders that the other side's levels now reach."""
        for side in (BUY, SELL):
            for order in list(self.resting[side]):
                for price in self.book.through(1 - side, order.price):
                    taken = min(self._account.fillable(order), self.book.market[1 - side][price])
                    if not taken:
                        break
                    self.book.take(1 - side, price, taken)
                    self.print_trade(order.price, taken, 1 - side)
                    self._fill(order, order.price, taken)

    def _fill(self, order: Order, price: int, size: int) -> None:
        self.book.rest(order.side, order.price, -size)
        self._account.filled(order, price, size, is_maker=True)
        if not order.is_open and order in self.resting[order.side]:
            self.resting[order.side].remove(order)

    # Own orders -------------------------------------------------------------------------------------------

    def takes(self, side: int, limit: int) -> int:
        """Size that an order could take at once up to `limit` (0: at any price)."""
        levels = self.book.market[1 - side]
        return sum(
            size for price, size in levels.items() if not limit or (price - limit) * AWAY[1 - side] <= 0
        )

    def crosses(self, side: int, limit: int) -> bool:
        """Whether a limit order would trade at once, with the market or with an own order."""
        best, _ = self.book.shown_best(1 - side)
        return bool(best) and (best - limit) * AWAY[1 - side] <= 0

    def take(self, order: Order) -> None:
        """Let an order take what it reaches; own orders in its way expire (`EXPIRE_MAKER`)."""
        other = 1 - order.side
        limit = order.price or (2**62 if order.side == BUY else 0)
        while size := self._account.fillable(order):
            price = next(self.book.through(other, limit), 0)
            mine = self._in_the_way(other, limit, price)
            if mine is not None:
                self.remove(mine)
                self._account.self_traded(mine)
                continue
            if not price:
                return
            size = min(size, self.book.market[other][price])
            self.book.take(other, price, size)
            self.print_trade(price, size, order.side)
            self._account.filled(order, price, size, is_maker=False)

    def _in_the_way(self, side: int, limit: int, price: int) -> Order | None:
        """The own order that would be hit before the market's best level at `price` (0: it has none)."""
        for mine in self.resting[side][:1]:
            is_reached = (mine.price - limit) * AWAY[side] <= 0
            if is_reached and (not price or (mine.price - price) * AWAY[side] < 0):
                return mine
        return None

    def rest(self, order: Order) -> None:
        """Put what is left of an order into the book, behind what is there."""
        order.ahead = self.book.market[order.side].get(order.price, 0)
        self.book.rest(order.side, order.price, order.left)
        queue = self.resting[order.side]
        queue.append(order)
        queue.sort(key=lambda each: each.price * AWAY[order.side])

    def remove(self, order: Order) -> None:
        """Take a resting order out of the book."""
        if order in self.resting[order.side]:
            self.resting[order.side].remove(order)
            self.book.rest(order.side, order.price, -order.left)
