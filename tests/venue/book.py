"""The book that the venue shows: the market's levels, less what own orders took, plus own resting orders."""

from collections.abc import Iterable, Iterator

from tests.venue.symbol import AWAY, BUY, SELL

type Levels = dict[int, int]


class Book:
    """Two sides of levels by scaled price.

    The market does not know of own orders, so what they take of a level is remembered until the market says
    anew how large that level is; nothing is sold twice.
    """

    def __init__(self) -> None:
        self.market: tuple[Levels, Levels] = ({}, {})
        self.own: tuple[Levels, Levels] = ({}, {})
        self._best: list[int] = [0, 0]
        self.changed: set[tuple[int, int]] = set()
        """Levels, as (side, price), that look different since the last depth update."""

    def clear(self) -> None:
        """Forget the market's levels; own orders stay."""
        for side in (BUY, SELL):
            self.changed.update((side, price) for price in self.market[side])
            self.market[side].clear()
            self._best[side] = 0

    def set(self, levels: Iterable[tuple[int, int, int]]) -> None:
        """Take the market's word for some levels; a level that it crosses is gone."""
        for side, price, size in levels:
            self._set(side, price, size)
            if size:
                for other in self.through(1 - side, price):
                    self._set(1 - side, other, 0)

    def take(self, side: int, price: int, size: int) -> None:
        """Remove what an own order took of a level."""
        self._set(side, price, self.market[side][price] - size)

    def rest(self, side: int, price: int, size: int) -> None:
        """Add to (or, negative, remove from) what own orders show at a level."""
        left = self.own[side].get(price, 0) + size
        if left:
            self.own[side][price] = left
        else:
            self.own[side].pop(price, None)
        self.changed.add((side, price))

    def size(self, side: int, price: int) -> int:
        """What is shown at a level."""
        return self.market[side].get(price, 0) + self.own[side].get(price, 0)

    def best(self, side: int) -> int:
        """The market's best price, 0 where it has none."""
        return self._best[side]

    def shown_best(self, side: int) -> tuple[int, int]:
        """Best price and its size, own orders included; zeros where there is none."""
        pick = max if side == BUY else min
        prices = [*([self._best[side]] if self._best[side] else []), *self.own[side]]
        price = pick(prices, default=0)
        return price, self.size(side, price)

    def through(self, side: int, limit: int) -> Iterator[int]:
        """The market's prices on a side at which one may trade up to `limit`, best first; levels may go."""
        while (price := self._best[side]) and (price - limit) * AWAY[side] <= 0:
            yield price
            if self._best[side] == price:
                return

    def shown(self, side: int, limit: int) -> list[tuple[int, int]]:
        """The best levels as price and size, own orders included."""
        prices = sorted(self.market[side].keys() | self.own[side].keys(), reverse=side == BUY)[:limit]
        return [(price, self.size(side, price)) for price in prices]

    def _set(self, side: int, price: int, size: int) -> None:
        levels = self.market[side]
        if levels.get(price, 0) == size:
            return
        self.changed.add((side, price))
        best = self._best[side]
        if size:
            levels[price] = size
            if not best or (price - best) * AWAY[side] < 0:
                self._best[side] = price
        else:
            del levels[price]
            if price == best:
                self._best[side] = (max if side == BUY else min)(levels, default=0)
