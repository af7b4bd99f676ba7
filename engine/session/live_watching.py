"""What the watcher of a live session is still to see; what was seen is kept, as a live market has no file."""

from typing import Final

import msgspec
import numpy as np

from engine.messages.columns import DEPTH, QUOTE, TRADE, Rows, empty
from engine.messages.frames import Market
from engine.messages.instrument import Instrument
from engine.session.conflation import conflate
from engine.session.tape import Tape

HISTORY_ROWS: Final = 400_000
"""Most quotes or trades that are kept for a watcher who joins late (16 MB); beyond, conflated to half."""

_LOOSE: Final = 500
"""Most pictures' rows that are kept each by itself: they are few, and each array has its price."""

_DEPTH_KEPT: Final = 20_000
_ROWS_SHOWN_AGAIN: Final = 100_000
_DEPTH_SHOWN_AGAIN: Final = 1_000


class _Past:
    """Rows of one kind that were shown.

    Parameters
    ----------
    dtype : numpy.dtype
    lines : tuple of str
        See `conflate`; empty where rows are thinned out evenly instead.
    most : int
    """

    def __init__(self, dtype: "np.dtype[np.void]", lines: tuple[str, ...], most: int) -> None:
        self._parts: list[Rows] = [empty(dtype)]
        self._loose: list[Rows] = []
        self._lines, self._most, self._count = lines, most, 0

    def add(self, rows: Rows) -> None:
        if len(rows):
            self._loose.append(rows)
            self._count += len(rows)
        if len(self._loose) > _LOOSE:
            self._parts.append(np.concatenate(self._loose))
            self._loose.clear()
        if self._count > self._most:
            kept = self.all()
            kept = conflate(kept, self._lines, self._most // 2) if self._lines else kept[::2]
            self._parts, self._loose, self._count = [kept], [], len(kept)

    def all(self) -> Rows:
        return np.concatenate([*self._parts, *self._loose])


class LiveWatching:
    """One instrument's tape, and what it has shown.

    Parameters
    ----------
    instrument : Instrument
    depth_interval_ns, start_ns : int
        As of `Tape`.

    Attributes
    ----------
    tape : Tape
        Takes what happens.
    """

    def __init__(self, instrument: Instrument, depth_interval_ns: int, start_ns: int) -> None:
        self.tape = Tape(instrument.id, depth_interval_ns, start_ns)
        self._instrument = instrument
        self._quotes = _Past(QUOTE, ("bid", "ask"), HISTORY_ROWS)
        self._trades = _Past(TRADE, ("price",), HISTORY_ROWS)
        self._depth = _Past(DEPTH, (), _DEPTH_KEPT)
        self._again: list[Market] = []
        self._introduce = True

    def take(self) -> tuple[Market, list[Instrument]]:
        """News of the market, history first; and the instrument in the first picture of a watcher."""
        instruments, self._introduce = [self._instrument] if self._introduce else [], False
        if not self._again:
            return self._fresh(), instruments
        bids, asks = self.tape.levels()
        return msgspec.structs.replace(self._again.pop(0), bids=bids, asks=asks), instruments

    def again(self) -> None:
        """Show all that the tape has taken so far, from the start."""
        self._fresh()
        quotes, trades, depth = self._quotes.all(), self._trades.all(), self._depth.all()
        rows, columns = _ROWS_SHOWN_AGAIN, _DEPTH_SHOWN_AGAIN
        pictures = max(1, *(-(-len(part) // rows) for part in (quotes, trades)), -(-len(depth) // columns))
        self._again = [
            Market(
                instrument=self._instrument.id,
                quotes=quotes[at * rows : (at + 1) * rows],
                trades=trades[at * rows : (at + 1) * rows],
                depth=depth[at * columns : (at + 1) * columns],
            )
            for at in range(pictures)
        ]
        self._introduce = True

    def _fresh(self) -> Market:
        market = self.tape.take()
        self._quotes.add(market.quotes)
        self._trades.add(market.trades)
        self._depth.add(market.depth)
        return market
