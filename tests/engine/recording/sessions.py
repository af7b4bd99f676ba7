"""Sessions that are recorded, and what was recorded as whole columns."""

import errno
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.columns import Columns
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent
from engine.messages.frames import Recorder
from engine.messages.run import Run
from engine.recording.recorder import SessionRecorder
from engine.recording.recording import Recording, recordings
from engine.recording.writing import Keeping
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource
from tests.engine.session.markets import CRYPTO, crypto, crypto_columns

IMBALANCE: dict[str, Any] = {"strategy": "book_imbalance", "parameters": {"hold_s": 1}}
"""A strategy that trades on book updates about once a second."""

SMALL = 64 * 2**10
"""File size at which twenty seconds of the generated market take several files."""


def market() -> dict[str, Columns]:
    made = crypto()
    return {"quotes": made.quotes, "trades": made.trades, "deltas": made.deltas}


def record(
    root: Path,
    parts: Iterable[Mapping[str, Columns]],
    *,
    recorder: SessionRecorder | None = None,
    **keeping: Any,
) -> Recorder:
    """Hand parts over as a session does, and end; how it went."""
    recorder = recorder or SessionRecorder(Keeping(root=str(root), **keeping))
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset(market()))
    for part in parts:
        recorder.rows(part)
    recorder.close()
    return recorder.status()


def session(root: Path, *commands: AnyCommand, **given: Any) -> tuple[list[AnyEvent], Recorder]:
    """Run a session over the generated market, recorded; its events and how recording went."""
    recorder = given.pop("recorder", None) or SessionRecorder(Keeping(root=str(root)))
    made = ReplaySession(
        Run(instrument=CRYPTO.id, **(IMBALANCE | given)),
        ColumnsSource(CRYPTO, *crypto_columns(), rows=2_000),
        recorder=recorder,
    )
    for command in commands:
        made.handle(command)
        while made.advance(0.05):
            pass
    events = made.take_events()
    made.close()
    return events, recorder.status()


def only(root: Path) -> Recording:
    [found], problems = recordings(root)
    assert problems == []
    return found


def kept(recording: Recording) -> dict[str, Columns]:
    """All rows of a recording by kind."""
    return {
        kind: type(parts[0]).concat(parts)
        for kind, found in recording.market().items()
        if (parts := list(found.batches()))
    }


def same(left: Mapping[str, Columns], right: Mapping[str, Columns]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(array, right[kind].arrays()[name])
        for kind, rows in left.items()
        for name, array in rows.arrays().items()
    )


class FullDisk(io.FileIO):
    """A file on a disk that takes so many bytes more."""

    left = 0

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if size > FullDisk.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        FullDisk.left -= size
        return super().write(data) or 0


def on_full_disk(path: Path) -> BinaryIO:
    return io.BufferedWriter(FullDisk(path, "xb"), 1 << 14)
