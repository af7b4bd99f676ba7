"""Market data that a watcher has not seen yet: exact rows in, a picture's painted rows out.

What waits is bounded: beyond two pictures' worth it is conflated where it lies, and counted.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.book import Book, depth_columns
from engine.columns import Columns, Deltas, Int64, Quotes, Trades
from engine.messages.columns import DEPTH, DEPTH_LEVELS, LEVEL, QUOTE, TRADE, Rows, empty
from engine.messages.frames import Market
from engine.session.conflation import ROWS_PER_PICTURE, conflate

DEPTH_PER_PICTURE: Final = 1_000
"""Most heatmap columns in one picture (1 MB); where more closed, evenly spread ones are left."""

_MOST_BOUNDARIES: Final = 2 * DEPTH_PER_PICTURE


class Line:
    """Rows of one kind that wait, and how many of them were left out.

    Parameters
    ----------
    dtype : numpy.dtype
    lines : tuple of str
        See `conflate`.
    """

    def __init__(self, dtype: "np.dtype[np.void]", lines: tuple[str, ...]) -> None:
        self._dtype, self._lines = dtype, lines
        self._parts: list[Rows] = []
        self._waiting = 0
        self._conflated = 0

    def add(self, rows: Rows) -> None:
        """Take rows, in order."""
        self._parts.append(rows)
        self._waiting += len(rows)
        if self._waiting > 2 * ROWS_PER_PICTURE:
            self._shrink()

    def take(self) -> tuple[Rows, int]:
        """Rows since the last call, a picture's worth of them, and how many were left out."""
        if self._waiting > ROWS_PER_PICTURE:
            self._shrink()
        rows = np.concatenate(self._parts) if self._parts else empty(self._dtype)
        conflated, self._parts, self._waiting, self._conflated = self._conflated, [], 0, 0
        return rows, conflated

    def _shrink(self) -> None:
        kept = conflate(np.concatenate(self._parts), self._lines)
        self._conflated += self._waiting - len(kept)
        self._parts, self._waiting = [kept], len(kept)


class Tape:
    """One instrument's market as it passes.

    Parameters
    ----------
    instrument : str
    depth_interval_ns : int
        Market time per column of the depth heatmap; columns come from book updates alone.
    start_ns : int
        Market time of the start.
    """

    def __init__(self, instrument: str, depth_interval_ns: int, start_ns: int) -> None:
        self._instrument = instrument
        self._interval = depth_interval_ns
        self._quotes, self._trades = Line(QUOTE, ("bid", "ask")), Line(TRADE, ("price",))
        self._last_quote: Rows = empty(QUOTE)
        self._book = Book()
        self._scales = 1.0, 1.0
        self._has_deltas = False
        self._depth: list[Rows] = []
        self._column_at = start_ns

    def absorb(self, parts: Iterable[Mapping[str, Columns]], now: int) -> None:
        """Take rows that happened, in order, up to market time `now`."""
        for part in parts:
            for columns in part.values():
                if isinstance(columns, Quotes):
                    rows = quote_rows(columns)
                    self._quotes.add(rows)
                    self._last_quote = rows[-1:]
                elif isinstance(columns, Trades):
                    self._trades.add(trade_rows(columns))
                elif isinstance(columns, Deltas):
                    self._absorb_deltas(columns)
        if self._has_deltas:
            self._close_columns(now, None)

    def take(self) -> Market:
        """Everything since the last call, conflated where it is too much, and the latest book."""
        quotes, quotes_conflated = self._quotes.take()
        trades, trades_conflated = self._trades.take()
        bids, asks = self.levels()
        return Market(
            instrument=self._instrument,
            quotes=quotes,
            trades=trades,
            depth=self._take_depth(),
            bids=bids,
            asks=asks,
            quotes_conflated=quotes_conflated,
            trades_conflated=trades_conflated,
        )

    def _absorb_deltas(self, deltas: Deltas) -> None:
        self._has_deltas = True
        self._scales = 10.0**deltas.price_precision, 10.0**deltas.size_precision
        self._close_columns(int(deltas.ts_init[-1]), deltas)

    def _close_columns(self, until: int, deltas: Deltas | None) -> None:
        """Apply `deltas` and close the columns that lie before `until`; one at `until` itself may change."""
        first = self._column_at // self._interval + 1
        last = (until - 1) // self._interval
        stride = max(1, -(-(last - first + 1) // _MOST_BOUNDARIES))
        boundaries: Int64 = np.arange(last, first - 1, -stride, dtype=np.int64)[::-1] * self._interval
        if deltas is None:
            if not len(boundaries):
                return
            deltas = _no_deltas(self._scales)
        price, size = depth_columns(self._book, deltas, boundaries, DEPTH_LEVELS)
        if not len(boundaries):
            return
        self._column_at = int(boundaries[-1])
        columns = np.empty(len(boundaries), DEPTH)
        columns["ts"], columns["price"], columns["size"] = boundaries, price, size
        self._depth.append(columns)
        if sum(map(len, self._depth)) > _MOST_BOUNDARIES:
            self._depth = [self._thinned()]

    def _take_depth(self) -> Rows:
        depth, self._depth = self._thinned(), []
        return depth

    def _thinned(self) -> Rows:
        if not self._depth:
            return empty(DEPTH)
        columns = np.concatenate(self._depth)
        return columns[:: -(-len(columns) // DEPTH_PER_PICTURE)]

    def levels(self, levels: int = DEPTH_LEVELS) -> tuple[Rows, Rows]:
        """Best bids and asks of the latest book; of the latest quote where there are no book updates."""
        if self._has_deltas:
            return self._level_rows(self._book.bids(levels)), self._level_rows(self._book.asks(levels))
        if not len(self._last_quote):
            return empty(LEVEL), empty(LEVEL)
        bid, ask = np.empty(1, LEVEL), np.empty(1, LEVEL)
        for rows, side in ((bid, "bid"), (ask, "ask")):
            rows["price"], rows["size"] = self._last_quote[side], self._last_quote[f"{side}_size"]
        return bid, ask

    def _level_rows(self, levels: Int64) -> Rows:
        rows = np.empty(len(levels), LEVEL)
        rows["price"], rows["size"] = levels[:, 0] / self._scales[0], levels[:, 1] / self._scales[1]
        return rows


def quote_rows(quotes: Quotes) -> Rows:
    """Painted form of quotes, at the time they were received."""
    rows = np.empty(len(quotes), QUOTE)
    rows["ts"] = quotes.ts_init
    price, size = 10.0**quotes.price_precision, 10.0**quotes.size_precision
    rows["bid"], rows["ask"] = quotes.bid / price, quotes.ask / price
    rows["bid_size"], rows["ask_size"] = quotes.bid_size / size, quotes.ask_size / size
    return rows


def trade_rows(trades: Trades) -> Rows:
    """Painted form of trades, at the time they were received."""
    rows = np.empty(len(trades), TRADE)
    rows["ts"] = trades.ts_init
    rows["price"] = trades.price / 10.0**trades.price_precision
    rows["size"] = trades.size / 10.0**trades.size_precision
    rows["aggressor"] = trades.aggressor
    return rows


def _no_deltas(scales: tuple[float, float]) -> Deltas:
    none: npt.NDArray[np.int64] = np.empty(0, np.int64)
    byte: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
    price, size = (round(float(np.log10(scale))) for scale in scales)
    return Deltas(
        ts_event=none,
        ts_init=none,
        action=byte,
        side=byte,
        price=none,
        size=none,
        flags=byte,
        sequence=none,
        price_precision=price,
        size_precision=size,
    )
