"""Trades at prices that no quote around them allows.

A trade at `p` is outside the book if it is above every ask or below every bid that was in force from
`Limits.trade_window_ns` before it to as long after it, by receive time: the one clock that two streams of a
venue share. So neither a quote that arrives a little late nor a sweep, which the quotes follow, is an alarm.
Where no quote came in the minute before that stretch or in it, nothing can be said.
"""

import numpy as np

from engine.columns import Int64, Quotes, Trades
from engine.quality.limits import SECOND_NS, Limits
from engine.quality.rows import Piece
from engine.quality.stretches import MarkedRows, Naming, Stretch
from engine.store.book_check import exact
from engine.store.row_groups import RowGroup
from engine.store.stream import KindStream, chunks

_OLDEST_NS = 60 * SECOND_NS
_QUOTES_AT_ONCE = 65_536


class TradesOutside(MarkedRows):
    """Compares trades with the quotes around them, which it reads alongside in bounded memory."""

    def __init__(
        self, naming: Naming, limits: Limits, quotes: list[RowGroup], precisions: tuple[int, int]
    ) -> None:
        super().__init__(naming, limits)
        self._groups, self._precisions = quotes, precisions

    def take(self, piece: Piece) -> None:
        """Find trades outside; how far outside is the measure, as a scaled price."""
        trades = piece.columns
        if not isinstance(trades, Trades):
            raise TypeError(f"{type(trades).__name__} are no trades")
        outside = np.zeros(len(trades), np.int64)
        order = np.argsort(trades.ts_init, kind="stable")
        window = self._limits.trade_window_ns
        low = int(trades.ts_init[order[0]]) - window - _OLDEST_NS
        high = int(trades.ts_init[order[-1]]) + window + 1
        quotes: Quotes | None = None
        stream = KindStream("quotes", self._groups, self._precisions, low, high)
        for chunk in chunks({"quotes": stream}, low, high, _QUOTES_AT_ONCE):
            new = chunk.columns["quotes"]
            if not isinstance(new, Quotes):
                raise TypeError(f"{type(new).__name__} are no quotes")
            quotes = new if quotes is None else Quotes.concat([quotes, new])
            last = len(order) if chunk.end_ns >= high else self._ready(trades, order, chunk.end_ns)
            self._compare(trades, order[:last], quotes, outside)
            order = order[last:]
            if not len(order):
                break
            oldest = int(trades.ts_init[order[0]]) - window - _OLDEST_NS
            quotes = quotes.take(slice(int(np.searchsorted(quotes.ts_init, oldest)), None))
        if quotes is not None and len(order):  # the quotes end before these trades
            self._compare(trades, order, quotes, outside)
        at = np.flatnonzero(outside)
        self._mark(piece, at, outside[at])

    def _ready(self, trades: Trades, order: Int64, end_ns: int) -> int:
        """How many of the trades have all quotes of their window before `end_ns`."""
        return int(np.searchsorted(trades.ts_init[order] + self._limits.trade_window_ns, end_ns))

    def _compare(self, trades: Trades, rows: Int64, quotes: Quotes, outside: Int64) -> None:
        """Write into `outside` how far the trades at `rows` lie beyond the quotes around them."""
        times, window = trades.ts_init[rows], self._limits.trade_window_ns
        first = np.searchsorted(quotes.ts_init, times - window, side="right") - 1
        too_old = (first >= 0) & (quotes.ts_init[first] < times - window - _OLDEST_NS)
        first = np.where((first < 0) | too_old, first + 1, first)
        end = np.searchsorted(quotes.ts_init, times + window, side="right")
        told = first < end
        rows, first, end = rows[told], first[told], end[told]
        if not len(rows):
            return
        price = trades.price[rows]
        spans = np.stack([first, end], axis=1).reshape(-1)
        # `reduceat` wants every edge inside the array: one more quote that counts for nothing.
        highest = np.maximum.reduceat(np.append(quotes.ask, quotes.ask[-1]), spans)[::2]
        lowest = np.minimum.reduceat(np.append(quotes.bid, quotes.bid[-1]), spans)[::2]
        outside[rows] = np.maximum(0, np.maximum(price - highest, lowest - price))


def outside_words(stretch: Stretch, price_precision: int) -> tuple[float, str]:
    """Distance at most, in the quote currency, and the sentence."""
    by = int(stretch.worst)
    trades = "1 trade is" if stretch.count == 1 else f"{stretch.count:,} trades are"
    return by / 10**price_precision, f"{trades} outside all quotes of the moment, by up to " + (
        f"{exact(by, price_precision)}."
    )
