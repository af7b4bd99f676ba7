"""Rows that stand twice, and receive times that cannot be.

Several rows at one time are usual for trades and books; only rows that agree in everything but their receive
time say something. A receive time before the event's time means that the recorder's clock was behind the
venue's; one before that of the row above, that a clock was set back, or that two recordings were merged.
"""

import numpy as np

from engine.columns import VendorBars
from engine.quality.limits import Limits
from engine.quality.rows import Piece, after
from engine.quality.stretches import MarkedRows, Naming, Stretch
from engine.store.merging import Mask

_MS_NS = 1_000_000


class Duplicates(MarkedRows):
    """Rows that repeat the row before them, receive time aside; of bars, two that open at the same time."""

    def __init__(self, naming: Naming, limits: Limits) -> None:
        super().__init__(naming, limits)
        self._last: Piece | None = None

    def take(self, piece: Piece) -> None:
        """Find repeated rows."""
        same: Mask = np.zeros(len(piece.columns), np.bool_)
        same[1:] = _alike(piece, 1, piece, 0, len(same) - 1)
        if self._last is not None:
            same[:1] = _alike(piece, 0, self._last, len(self._last.columns) - 1, 1)
        at = np.flatnonzero(same)
        self._mark(piece, at)
        self._last = piece


def _alike(one: Piece, from_one: int, other: Piece, from_other: int, rows: int) -> Mask:
    """Whether `rows` rows of `one` and of `other` from these places on are pairwise the same message."""
    mine = one.columns.take(slice(from_one, from_one + rows))
    theirs = other.columns.take(slice(from_other, from_other + rows))
    same: Mask = mine.ts_event == theirs.ts_event
    if isinstance(mine, VendorBars) or not same.any():
        return same
    others = theirs.arrays()
    for name, array in mine.arrays().items():
        if name not in {"ts_event", "ts_init"}:
            if array.ndim == 2 and array.shape != others[name].shape:
                return np.zeros(len(same), np.bool_)
            equal = array == others[name]
            same &= equal if equal.ndim == 1 else equal.all(axis=1)
    return same


class ClockBehind(MarkedRows):
    """Rows that were received before they happened."""

    def take(self, piece: Piece) -> None:
        """Find such rows; how far the recorder's clock was behind is the measure, in ns."""
        columns = piece.columns
        behind = columns.ts_event - columns.ts_init
        at = np.flatnonzero(behind > 0)
        self._mark(piece, at, behind[at])


class SetBack(MarkedRows):
    """Rows that were received before the row above them, which happened no later."""

    def __init__(self, naming: Naming, limits: Limits) -> None:
        super().__init__(naming, limits)
        self._last: int | None = None

    def take(self, piece: Piece) -> None:
        """Find such rows; the step back is the measure, in ns."""
        received = piece.columns.ts_init
        back = after(int(received[0]) if self._last is None else self._last, received) - received
        at = np.flatnonzero(back > self._limits.same_time_ns)
        self._mark(piece, at, back[at])
        self._last = int(received[-1])


def duplicate_words(stretch: Stretch) -> tuple[None, str]:
    """Return the sentence of repeated rows; there is nothing to measure."""
    rows = "1 row repeats" if stretch.count == 1 else f"{stretch.count:,} rows repeat"
    return None, f"{rows} the row before, at the same time."


def behind_words(stretch: Stretch) -> tuple[float, str]:
    """Milliseconds at most, and the sentence."""
    ms = stretch.worst / _MS_NS
    rows = "1 row was" if stretch.count == 1 else f"{stretch.count:,} rows were"
    return ms, f"{rows} received up to {ms:,.3f} ms before the event: the recorder's clock was behind."


def set_back_words(stretch: Stretch) -> tuple[float, str]:
    """Milliseconds at most, and the sentence."""
    ms = stretch.worst / _MS_NS
    rows = "1 row was" if stretch.count == 1 else f"{stretch.count:,} rows were"
    return ms, f"{rows} received up to {ms:,.3f} ms before the row above."
