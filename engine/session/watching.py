"""What the watcher of a session is still to see: what happens, and on request all that happened before."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from engine.messages.frames import Market
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.session.source import Source
from engine.session.tape import Tape

_ROWS_READ_PER_PICTURE: Final = 200_000
"""Rows of history that one picture stands for, so that no picture takes long to make."""


class Watching:
    """The tape of a session's epoch, and its history for a watcher who joined late.

    Attributes
    ----------
    tape : Tape
        Takes what happens.
    """

    def __init__(self, run: Run, source: Source) -> None:
        self._run, self._source = run, source
        self.tape = self._new_tape()
        self._history: Iterator[Market] | None = None
        self._introduce = True

    def restart(self) -> None:
        """Begin a new epoch with nothing seen."""
        self.tape = self._new_tape()
        self._history = None
        self._introduce = True

    def again(self, now: int) -> None:
        """Show all from the start of the epoch to `now`, up to which the tape has taken the market."""
        self.tape.take()
        self._history = self._read(now)
        self._introduce = True

    def take(self) -> tuple[Market, list[Instrument]]:
        """News of the market, history first; and the instrument in the first picture of a watcher."""
        instruments, self._introduce = [self._source.instrument] if self._introduce else [], False
        past = next(self._history, None) if self._history is not None else None
        if past is None:
            self._history = None
            return self.tape.take(), instruments
        bids, asks = self.tape.levels()
        return msgspec.structs.replace(past, bids=bids, asks=asks), instruments

    def _read(self, until: int) -> Iterator[Market]:
        tape, read = self._new_tape(), 0
        for chunk in self._source.chunks():
            part = {
                kind: columns.take(slice(0, int(np.searchsorted(columns.ts_init, until, side="right"))))
                for kind, columns in chunk.columns.items()
            }
            part = {kind: columns for kind, columns in part.items() if len(columns)}
            if not part:
                break
            tape.absorb([part], max(int(columns.ts_init[-1]) for columns in part.values()))
            read += sum(map(len, part.values()))
            if read >= _ROWS_READ_PER_PICTURE:
                yield tape.take()
                read = 0
        tape.absorb([], until)
        yield tape.take()

    def _new_tape(self) -> Tape:
        return Tape(self._source.instrument.id, self._run.depth_interval_ns, self._source.start_ns)
