"""Kinds of market data that were recorded side by side, put together again in the order of receipt."""

from collections.abc import Iterator, Mapping

import numpy as np

from engine.columns import Columns

_EVER = 2**63 - 1


def merged(streams: Mapping[str, Iterator[Columns]], rows: int) -> Iterator[dict[str, Columns]]:
    """Cut streams at common times, with about `rows` rows of each kind at most; no part is empty.

    Each stream gives its rows in the order of `ts_init`, in pieces of any size, of which one is held at a
    time. Rows of one `ts_init` never part.
    """
    held = {kind: _Held(stream) for kind, stream in streams.items()}
    while True:
        until = min((each.horizon(rows) for each in held.values()), default=_EVER)
        parts = {kind: part for kind, each in held.items() if (part := each.take_before(until)) is not None}
        if parts:
            yield parts
        if until == _EVER:
            return


class _Held:
    """One stream, and the rows of it that were read and not yet given."""

    def __init__(self, stream: Iterator[Columns]) -> None:
        self._stream = stream
        self._rows: Columns | None = next(stream, None)

    def horizon(self, rows: int) -> int:
        """Time before which at most about `rows` rows lie, all of them read; the end of time for the rest."""
        while self._rows is not None:
            times = self._rows.ts_init
            if len(times) > rows:
                until = max(int(times[rows]), int(times[0]) + 1)
                if until <= times[-1]:
                    return until
            following = next(self._stream, None)
            if following is None:
                break
            self._rows = type(following).concat([self._rows, following])
        return _EVER

    def take_before(self, until: int) -> Columns | None:
        """Rows received before this time; all for the end of time."""
        if self._rows is None:
            return None
        count = len(self._rows) if until == _EVER else int(np.searchsorted(self._rows.ts_init, until))
        taken = self._rows.take(slice(0, count))
        self._rows = self._rows.take(slice(count, None))
        if not len(self._rows):
            self._rows = next(self._stream, None)
        return taken if count else None
