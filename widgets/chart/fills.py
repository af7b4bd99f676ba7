"""Own fills as columns, each read once from the session's growing list, so that they are found by time."""

from collections.abc import Sequence

import numpy as np

from engine.messages.columns import Rows, empty
from engine.messages.events import Filled
from engine.messages.executions import standing

FILL = np.dtype([("ts", "<i8"), ("price", "<f8"), ("quantity", "<f8"), ("sells", "<i8")])


class FillColumns:
    """Fills of one instrument, in order of time."""

    def __init__(self, instrument: str) -> None:
        self._instrument = instrument
        self._seen = 0
        self._rows: Rows = empty(FILL)

    def take(self, fills: Sequence[Filled]) -> None:
        """Read what was appended since the last time; a shorter list is a new one.

        What was taken back is shown no more, as if it had never been.
        """
        corrected = any(fill.corrects for fill in fills[self._seen :])
        if len(fills) < self._seen or corrected:
            self._seen, self._rows = 0, empty(FILL)
        new = [
            (fill.ts, float(fill.price), float(fill.quantity), fill.side == "SELL")
            for fill in standing(fills[self._seen :])
            if fill.instrument == self._instrument
        ]
        self._seen = len(fills)
        if new:
            self._rows = np.concatenate([self._rows, np.array(new, FILL)])

    def between(self, start_ns: int, end_ns: int) -> Rows:
        """Fills of a stretch of time."""
        first, last = np.searchsorted(self._rows["ts"], (start_ns, end_ns))
        return self._rows[first:last]
