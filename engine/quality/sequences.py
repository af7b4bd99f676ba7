"""Numbers that a venue counts its messages with, and where they break."""

from collections.abc import Iterator

import numpy as np

from engine.columns import Action, Deltas, Flag, Int64, Trades
from engine.quality.calendars import Sessions
from engine.quality.limits import Limits
from engine.quality.rows import Piece, after
from engine.quality.stretches import DayCount, MarkedRows, Naming, Stretch

_LATE_ROWS = 256
"""Trades of one moment come in any order; a number may stand so many rows after the one that follows it."""


class TradeIds(MarkedRows):
    """Missing trade ids: numbers between two that are stored, which are not stored themselves.

    Where a venue counts the trades of all its instruments together, most numbers are missing here by nature;
    then none is told (`Limits.unnumbered_share`). Numbers of a time that was never imported
    (`Limits.hole_sessions`) are not missing.
    """

    def __init__(self, naming: Naming, limits: Limits, sessions: Sessions) -> None:
        super().__init__(naming, limits)
        self._sessions = sessions
        self._waiting: list[Int64] = [np.zeros((4, 0), np.int64)]
        """Number, time, row and number of file of the last rows."""
        self._days: list[str] = []
        self._last: tuple[int, int] | None = None
        """Highest number so far, and its time."""
        self._missing = self._seen = 0
        self._missing_of: dict[str, int] = {}

    def take(self, piece: Piece) -> None:
        """Find numbers that are left out, in all rows but the last few, which later ones may precede."""
        columns = piece.columns
        if not isinstance(columns, Trades):
            raise TypeError(f"{type(columns).__name__} have no trade ids")
        if not self._days or self._days[-1] != piece.day:
            self._days.append(piece.day)
        at = np.flatnonzero(columns.trade_id)
        file = np.full(len(at), len(self._days) - 1)
        new = np.stack([columns.trade_id[at], columns.ts_event[at], piece.first_row + at, file])
        rows = np.concatenate([*self._waiting, new], axis=1)
        rows = rows[:, np.argsort(rows[0], kind="stable")]
        settled = max(0, rows.shape[1] - _LATE_ROWS)
        self._settle(rows[:, :settled])
        self._waiting = [rows[:, settled:]]

    def _settle(self, rows: Int64) -> None:
        if not rows.shape[1]:
            return
        first, since = self._last or (int(rows[0, 0]) - 1, int(rows[1, 0]))
        missing = np.diff(rows[0], prepend=first) - 1
        at = np.flatnonzero(missing > 0)
        sessions = self._sessions.swallowed(after(since, rows[1])[at], rows[1, at])
        at = at[sessions <= self._limits.hole_sessions]
        order = at[np.lexsort((rows[2, at], rows[3, at]))]
        for file in np.unique(rows[3, order]).tolist():
            of_file = order[rows[3, order] == file]
            day = self._days[file]
            self._marked.add(day, rows[1, of_file], rows[2, of_file], missing[of_file])
            self._missing_of[day] = self._missing_of.get(day, 0) + int(missing[of_file].sum())
        self._missing += int(missing[at].sum())
        self._seen += rows.shape[1]
        self._last = max((first, since), (int(rows[0, -1]), int(rows[1, -1])))

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """What was found, by day; missing trades are what is affected."""
        self._settle(np.concatenate(self._waiting, axis=1))
        self._waiting = [np.zeros((4, 0), np.int64)]
        if self._missing > self._limits.unnumbered_share * (self._missing + self._seen):
            return
        found = self._marked.by_day(self._naming)
        for day, count in found.items():
            count.affected = self._missing_of[day]
        yield self._naming, found


class BookBreaks(MarkedRows):
    """Places where the venue's update numbers broke and the importer cleared the book: CLEAR, no snapshot."""

    def take(self, piece: Piece) -> None:
        """Find the breaks."""
        columns = piece.columns
        if not isinstance(columns, Deltas):
            raise TypeError(f"{type(columns).__name__} are no book updates")
        breaks = (columns.action == Action.CLEAR) & ((columns.flags & Flag.SNAPSHOT) == 0)
        at = np.flatnonzero(breaks)
        self._mark(piece, at)


def id_words(stretch: Stretch) -> tuple[float, str]:
    """Trades missing in the largest hole, and the sentence."""
    most = int(stretch.worst)
    if stretch.count == 1:
        numbers = "1 trade id is" if most == 1 else f"{most:,} trade ids are"
        return most, f"{numbers} missing before this trade."
    return most, f"Trade ids are missing in {stretch.count:,} places, up to {most:,} in one."


def break_words(stretch: Stretch) -> tuple[None, str]:
    """Return the sentence of a broken book; there is nothing to measure."""
    times = "once" if stretch.count == 1 else f"{stretch.count:,} times"
    return None, f"The venue's update numbers break {times}; the book is unknown until the next snapshot."
