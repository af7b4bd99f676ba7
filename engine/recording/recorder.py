"""The recorder of a session: takes references at no cost to trading, and writes them in a thread of its own.

The session's thread only appends to a queue of bounded bytes. What would exceed it is left out and counted;
the session never waits, neither for a lock nor for the disk. A disk that fails ends the recording, not the
session.
"""

import contextlib
import re
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np

from engine.columns import Columns
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent
from engine.messages.frames import Recorder
from engine.messages.instrument import Instrument
from engine.messages.orders import Denial, OrderIntent
from engine.messages.run import Run
from engine.recording import audit
from engine.recording.audit import AuditLog
from engine.recording.journal import OpenFile, create
from engine.recording.manifest import NAME, Manifest, write_manifest
from engine.recording.writing import Asked, Happened, Item, Keeping, Lost, Outbox, Rows, Writing
from engine.store.locking import exclusive

TURN_S: Final = 0.25
"""How often all that waits goes to the operating system, and how often the session hands over."""

QUEUE_BYTES: Final = 64 * 2**20
"""Most market data that wait; events may wait in as much again."""

_EVENT_BYTES: Final = 500  # about what one takes in memory
_TAKEN_AT_ONCE: Final = 16 * 2**20
_CLOSE_S: Final = 5.0
_OUTBOX_S: Final = 1.0
_SAME_SECOND: Final = 100
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
_SPARE: Final = ".spare"
"""Keeps the room on a disk that fills up in which the last manifest is written."""

_SPARE_BYTES: Final = 16_384
_NOTHING_OPENS: Final = " Until then no order leaves for the venue but what reduces."

type News = tuple[Literal["warning", "error"], str]


class SessionRecorder:
    """Records one session; `begin` starts its thread and `close` ends it.

    All methods belong to the session's thread. None raises, and none but `close` and `unwritten` waits.

    Parameters
    ----------
    keeping : Keeping
    program : str
        Version of the program.
    outbox : Outbox, optional
        Where complete files go besides.
    queue_bytes : int
    turn_s : float
    open_file : callable
        See `OpenFile`.
    """

    def __init__(
        self,
        keeping: Keeping,
        program: str = "",
        *,
        outbox: Outbox | None = None,
        queue_bytes: int = QUEUE_BYTES,
        turn_s: float = TURN_S,
        open_file: OpenFile = create,
    ) -> None:
        self._keeping, self._program, self._outbox = keeping, program, outbox
        self._queue_bytes, self._turn_s, self._open_file = queue_bytes, turn_s, open_file
        self._queue: deque[Item] = deque()
        # Each count is written by one thread alone, so neither needs a lock.
        self._offered = self._taken = 0
        self._losing: dict[str, int] = {}
        self._received = self._kept = 0
        self._furthest: dict[str, int] = {}
        self._known_to: dict[str, int] = {}
        self._handed_over_s = 0.0
        self._written = Recorder(state="recording", cap_bytes=keeping.cap_bytes)
        self._problem = self._outbox_problem = ""
        self._audit = AuditLog(open_file)
        self._audit_problem = self._meanwhile = ""
        self._news: deque[News] = deque()
        self._took_of_others = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.thread_s = 0.0
        """Processor time that the recorder's thread took."""

    # What the session calls ------------------------------------------------------------------------------

    def begin(self, run: Run, instrument: Instrument, kinds: frozenset[str]) -> None:
        """Record from now on."""
        manifest = Manifest(
            program=self._program,
            run=run,
            instrument=instrument,
            kinds=tuple(sorted(kinds)),
            market=self._keeping.market,
            started_ns=time.time_ns(),
        )
        self._meanwhile = _NOTHING_OPENS if run.mode == "live" else ""
        self._thread = threading.Thread(target=self._record, args=(manifest,), name="recorder", daemon=True)
        self._thread.start()

    @property
    def is_due(self) -> bool:
        """Whether market data that happened should be handed over now."""
        return time.monotonic() - self._handed_over_s >= self._turn_s

    def rows(self, part: Mapping[str, Columns]) -> None:
        """Take market data, each kind in the order of receipt; those of an earlier epoch are passed over."""
        self._handed_over_s = time.monotonic()
        if not self._keeping.market:
            return
        part = {kind: fresh for kind, rows in part.items() if len(fresh := self._fresh(kind, rows))}
        if part:
            self._offer_rows(part)

    def rewound(self) -> None:
        """The session runs again from its start: what was recorded comes once more."""
        self._known_to = dict(self._furthest)

    def events(self, events: Sequence[AnyEvent]) -> None:
        """Take events, in order."""
        if events:
            self._audit.events(events)
            self._offer_lines(Happened(events, time.time_ns(), len(events) * _EVENT_BYTES))

    def command(self, command: AnyCommand, ts: int) -> None:
        """Take a command that was given at market time `ts`."""
        self._audit.command(command, ts)
        self._offer_lines(Asked(command, ts, time.time_ns(), _EVENT_BYTES))

    def verdict(self, intent: OrderIntent, order_id: str, denial: Denial | None, ts: int) -> None:
        """Take what the gate said of an intent at market time `ts`; only the audit log has it."""
        self._audit.verdict(intent, order_id, denial, ts)

    def last_verdict(self, intent: OrderIntent, order_id: str, denial: Denial | None, ts: int) -> None:
        """Take what the last check before a venue said of what passed the gate; as `verdict`."""
        self._audit.verdict(intent, order_id, denial, ts, last=True)

    def unwritten(self) -> str:
        """Why the verdicts so far are not written; empty once they are. Waits a moment for the disk."""
        return self._audit.unwritten()

    def status(self) -> Recorder:
        """How it is doing."""
        written = self._written
        if self._problem:
            lost = self._received - self._kept
            return msgspec.structs.replace(written, state="stopped", text=self._problem, rows_lost=lost)
        return msgspec.structs.replace(
            written,
            text=written.text or self._outbox_problem,
            rows_lost=written.rows_lost + sum(self._losing.values()),
        )

    def take_news(self) -> list[News]:
        """Sentences for the session's log since the last call: the cap was reached, or it stopped."""
        if self._audit.problem != self._audit_problem:
            self._audit_problem = self._audit.problem
            self._news.append(("error", self._audit_problem + self._meanwhile))
        return [self._news.popleft() for _ in range(len(self._news))]

    def close(self) -> None:
        """Write what waits and end the recording; waits a few seconds at most for a disk that hangs."""
        if self._thread is None:
            return
        self._offer_loss()
        self._audit.end()
        self._closing.set()
        self._thread.join(_CLOSE_S)
        self._audit.join()

    # In the session's thread -----------------------------------------------------------------------------

    def _fresh(self, kind: str, rows: Columns) -> Columns:
        """Rows that no earlier epoch showed."""
        known_to = self._known_to.get(kind)
        if known_to is not None:
            rows = rows.take(slice(int(np.searchsorted(rows.ts_init, known_to, side="right")), None))
        if len(rows):
            self._known_to.pop(kind, None)
            self._furthest[kind] = int(rows.ts_init[-1])
        return rows

    def _offer_rows(self, part: Mapping[str, Columns]) -> None:
        self._received += sum(map(len, part.values()))
        if self._problem:
            return
        size = sum(array.nbytes for rows in part.values() for array in rows.arrays().values())
        waiting = self._offered - self._taken
        # A queue that was full has to empty by half first, so that losses lie together.
        most = self._queue_bytes // 2 if self._losing else self._queue_bytes
        if waiting and waiting + size > most:
            for kind, rows in part.items():
                self._losing[kind] = self._losing.get(kind, 0) + len(rows)
            return
        self._offer_loss()
        self._offer(Rows(part, size))

    def _offer_loss(self) -> None:
        if self._losing:
            losing, self._losing = self._losing, {}
            self._offer(Lost(losing))

    def _offer_lines(self, item: Happened | Asked) -> None:
        if self._problem or not self._keeping.lines:
            return
        if self._offered - self._taken + item.bytes > 2 * self._queue_bytes:
            self._stop(
                "The recording stopped: events came faster than the disk takes them. The session goes on; "
                "choose a faster disk for recordings and restart the session to record again."
            )
            return
        self._offer(item)

    def _offer(self, item: Item) -> None:
        self._offered += item.bytes
        self._queue.append(item)

    def _stop(self, problem: str) -> None:
        self._problem = problem
        self._news.append(("error", problem))

    # In the recorder's thread -----------------------------------------------------------------------------

    def _record(self, manifest: Manifest) -> None:
        folder = root = Path(self._keeping.root)
        with contextlib.ExitStack() as held:
            try:
                folder = _new_folder(root, manifest)
                held.enter_context(exclusive(folder, folder.name))
                self._written = msgspec.structs.replace(self._written, folder=str(folder))
                write_manifest(folder, manifest)
                self._audit.open(folder / audit.NAME, manifest)
                (folder / _SPARE).write_bytes(bytes(_SPARE_BYTES))
                if self._outbox is not None:
                    self._outbox.begin(manifest)
                    held.callback(self._outbox.close, _OUTBOX_S)
                self._work(Writing(folder, self._keeping, self._open_file, self._outbox))
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                self._stop(
                    f"The recording stopped: {reason} ({folder}). The session goes on; make room or choose "
                    "another folder, and restart the session to record again."
                )
            except Exception as error:  # noqa: BLE001 - whatever is wrong with recording must not end trading
                traceback.print_exception(error, file=sys.stderr)
                what = traceback.format_exception_only(error)[-1].strip()
                self._stop(f"The recording stopped: {what}. The session goes on; restart it to record again.")
            self._audit.give_up()
            if self._closing.is_set():
                self._audit.join()
            if folder != root:
                self._end(folder, manifest)
        self._tell_outbox()
        self._queue.clear()
        self.thread_s = time.thread_time()

    def _work(self, writing: Writing) -> None:
        try:
            closing = behind = False
            while not (closing or self._problem):
                closing = self._closing.wait(0.0 if behind else self._turn_s)
                behind = self._take_waiting(writing, to_the_end=closing)
                writing.flush()
                self._tell(writing)
        except BaseException:
            writing.abandon()
            raise
        writing.close()
        self._tell(writing)

    def _take_waiting(self, writing: Writing, *, to_the_end: bool) -> bool:
        """Write what waits, for one turn at most unless it is `to_the_end`; whether more waits."""
        until = time.monotonic() + self._turn_s
        while self._queue and (to_the_end or time.monotonic() < until):
            items: list[Item] = []
            size = 0
            while self._queue and size < _TAKEN_AT_ONCE:
                items.append(self._queue.popleft())
                size += items[-1].bytes
            writing.take(items)
            self._taken += size
        return bool(self._queue)

    def _tell(self, writing: Writing) -> None:
        before, self._written, self._kept = self._written, writing.status(), writing.rows_kept
        if self._written.state != before.state:
            self._news.append(("warning", self._written.text))
        if writing.taken_of_others and not self._took_of_others:
            self._took_of_others = True
            self._news.append(("warning", writing.taken_of_others))
        self._tell_outbox()

    def _tell_outbox(self) -> None:
        problem = "" if self._outbox is None else self._outbox.problem
        if problem and problem != self._outbox_problem:
            self._news.append(("warning", problem))
        self._outbox_problem = problem

    def _end(self, folder: Path, manifest: Manifest) -> None:
        ended = msgspec.structs.replace(
            manifest, ended_ns=time.time_ns(), problem=self._problem, rows_received=self._received
        )
        # Where even that fails, the recording looks like one of a killed session.
        with contextlib.suppress(OSError):
            (folder / _SPARE).unlink(missing_ok=True)
            write_manifest(folder, ended)
            if self._outbox is not None:
                self._outbox.offer(folder / NAME)
                self._outbox.offer(folder / audit.NAME)


def _new_folder(root: Path, manifest: Manifest) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    began = datetime.fromtimestamp(manifest.started_ns // 1_000_000_000, UTC)
    # A symbol may hold what no folder's name can, such as the slash of BTC/USD.KRAKEN.
    name = f"{began:%Y%m%d-%H%M%S}-{_NO_NAME.sub('_', manifest.instrument.id)}"
    for number in range(1, _SAME_SECOND + 1):
        folder = root / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise FileExistsError(f"{_SAME_SECOND} sessions began in one second")
