"""The audit log: every intent, verdict, command and event of orders, risk, arming and halts, chained by hash.

Layout
------
`audit.jsonl` in the recording's folder: one JSON object a line, `number` from 1. `what` it is: `head` (what
runs), `command`, `verdict` (of the gate, with the intent), `event`, or `seal`, the last line of a session
that ended. `at_ns` is the wall clock and `ts` market time (ns UTC), `kind` the message's own name, `cause`
what led to it, as far as it is known: `command 12` names a line.

`hash` is the SHA-256, in hexadecimal digits, of the line before's `hash` (64 zeros for the first line)
followed by the line itself without its first member, `"hash":"…",`, and without the line end. So a line
that was changed, left out, put in or moved breaks the chain there; a log that was cut has no seal. Whoever
could write the whole file anew could chain it anew: keep the seal's hash, or a copy, where they cannot.

A thread of its own writes. A line is with the operating system within milliseconds, so it outlives the
process, and on the disk within a quarter of a second, so at most that much is lost with the machine's power.
Market data never hold it up, nor does it hold up the session.
"""

import contextlib
import hashlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import msgspec

from engine.messages.commands import Acknowledge, AnyCommand, Attach, Explain, Preview
from engine.messages.events import (
    AnyEvent,
    Event,
    Logged,
    Phase,
    PhaseChanged,
    Published,
    Results,
    SignalJudged,
)
from engine.messages.orders import Denial, OrderIntent
from engine.recording.causes import Causes
from engine.recording.journal import OpenFile, create

NAME: Final = "audit.jsonl"
SCHEMA: Final = 1
GENESIS: Final = "0" * 64

_SYNC_S: Final = 0.25
_CLOSE_S: Final = 5.0
_PATIENCE_S: Final = 1.0
_AT_ONCE: Final = 1_000
_MOST_WAITING: Final = 500_000
"""Lines that wait for a disk that hangs, about 500 MB."""

_PASSED_OVER: Final = (Logged, Published, Results, SignalJudged)
_WITHOUT_EFFECT: Final = (Acknowledge, Attach, Explain, Preview)
_PHASES: Final = frozenset({Phase.FINISHED, Phase.FAILED})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line, without its hash; see the module."""

    number: int
    at_ns: int
    ts: int
    what: Literal["head", "command", "verdict", "event", "seal"]
    kind: str
    cause: str = ""
    body: Any = None


class _Said(msgspec.Struct, frozen=True):
    at_ns: int
    ts: int
    thing: Any
    cause: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, tag="verdict"):
    """What the gate said of an intent: a denial, or nothing where it passed."""

    intent: OrderIntent
    order_id: str
    denial: Denial | None


class LastVerdict(Verdict, frozen=True, kw_only=True, tag="last_verdict"):
    """What the last gate before a venue said of what was about to leave."""


class AuditLog:
    """Writes the audit log of one session; all methods that do not say so belong to the session's thread.

    None raises, and none but `join` and `unwritten` waits.

    Attributes
    ----------
    problem : str
        Why it is not written any more, one sentence; empty while all is well.
    """

    def __init__(self, open_file: OpenFile = create) -> None:
        self.problem = ""
        self._taken = self._written = 0
        self._turned = threading.Condition()
        self._late_at: int | None = None
        """How much was written when it was waited for in vain."""
        self._open_file = open_file
        self._waiting: queue.SimpleQueue[_Said | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self, path: Path, head: msgspec.Struct) -> None:
        """Begin the file with what runs, and write what waits already; once, from any thread."""
        self._thread = threading.Thread(target=self._run, args=(path, head), name="audit", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Take nothing more where it was never opened, nor keep what waits; from any thread."""
        if self._thread is None:
            self.problem = (
                "The audit log is not written, as its recording could not be begun; mend that and restart "
                "the session."
            )
            self._waiting = queue.SimpleQueue()
            self._turn(0)

    def command(self, command: AnyCommand, ts: int) -> None:
        """Take a command that was given at market time `ts`."""
        if not isinstance(command, _WITHOUT_EFFECT):
            self._take(ts, command)

    def verdict(
        self, intent: OrderIntent, order_id: str, denial: Denial | None, ts: int, *, last: bool = False
    ) -> None:
        """Take what the gate said of an intent, or the last one before a venue."""
        kind = LastVerdict if last else Verdict
        self._take(ts, kind(intent=intent, order_id=order_id, denial=denial))

    def events(self, events: Sequence[AnyEvent]) -> None:
        """Take events, in order; those that concern no order, risk, arming or halt are passed over."""
        for event in events:
            if isinstance(event, PhaseChanged):
                if event.phase in _PHASES:
                    self._take(event.ts, event)
            elif not isinstance(event, _PASSED_OVER):
                self._take(event.ts, event)

    def unwritten(self) -> str:
        """Why all that was taken is not with the operating system yet; empty once it is.

        Waits for a disk that is busy, but for one that hangs only the first time.
        """
        with self._turned:
            hangs = self._late_at == self._written  # nothing was written since it was late
            done = self._turned.wait_for(self._is_settled, 0.0 if hangs else _PATIENCE_S)
            self._late_at = None if done else self._written
        if not done:
            return (
                "The disk does not take the audit log; wait until it does, or choose another for recordings."
            )
        return self.problem

    def _is_settled(self) -> bool:
        return bool(self.problem) or self._written >= self._taken

    def end(self) -> None:
        """Nothing more comes: what waits is written, and sealed."""
        self._waiting.put(None)

    def join(self) -> None:
        """Wait after `end` until it is sealed, a few seconds at most; any thread may."""
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _take(self, ts: int, thing: Any) -> None:
        if self.problem:
            return
        if self._waiting.qsize() >= _MOST_WAITING:
            self.problem = (
                "The audit log stopped: events came faster than the disk takes them. Choose a faster disk "
                "for recordings and restart the session."
            )
            return
        self._taken += 1
        self._waiting.put(_Said(time.time_ns(), ts, thing))

    # In the log's thread ---------------------------------------------------------------------------------

    def _run(self, path: Path, head: msgspec.Struct) -> None:
        try:
            with self._open_file(path) as file:
                self._write(_Chain(file, head))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            self.problem = (
                f"The audit log stopped: {reason} ({path}). Make room or choose another folder for "
                "recordings, and restart the session."
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a log must not end trading
            traceback.print_exception(error, file=sys.stderr)
            what = traceback.format_exception_only(error)[-1].strip()
            self.problem = f"The audit log stopped: {what}. Restart the session to write it again."
        finally:
            self._turn(0)

    def _turn(self, written: int) -> None:
        """Let the session's thread know how far it is."""
        with self._turned:
            self._written += written
            self._turned.notify_all()

    def _write(self, chain: "_Chain") -> None:
        synced_s = time.monotonic()
        dirty = True
        while True:
            due_s = max(0.0, synced_s + _SYNC_S - time.monotonic()) if dirty else None
            said: list[_Said | None] = []
            with contextlib.suppress(queue.Empty):
                said.append(self._waiting.get(timeout=due_s))
                while len(said) < _AT_ONCE:
                    said.append(self._waiting.get_nowait())
            for each in said:
                if each is None:
                    chain.seal()
                    return
                chain.add(each)
                dirty = True
            chain.flush()
            self._turn(len(said))
            if dirty and time.monotonic() >= synced_s + _SYNC_S:
                chain.sync()
                synced_s, dirty = time.monotonic(), False


class _Chain:
    """Appends lines, each with the hash of itself and of all before it."""

    def __init__(self, file: BinaryIO, head: msgspec.Struct) -> None:
        self._file = file
        self._hash = GENESIS
        self._number = 0
        self._causes = Causes()
        self._append("head", "run", _Said(time.time_ns(), 0, {"schema": SCHEMA, **msgspec.to_builtins(head)}))

    def add(self, said: _Said) -> None:
        thing, number = said.thing, self._number + 1
        kind = str(type(thing).__struct_config__.tag)
        if isinstance(thing, Verdict):
            self._append("verdict", kind, said, self._causes.of_intent(thing.intent, thing.order_id))
        elif isinstance(thing, Event):
            self._append("event", kind, said, self._causes.of_event(cast("AnyEvent", thing)))
        else:
            self._causes.take(thing, number)
            self._append("command", kind, said)

    def seal(self) -> None:
        self._append("seal", "seal", _Said(time.time_ns(), 0, {"lines": self._number}))
        self.flush()
        self.sync()

    def flush(self) -> None:
        self._file.flush()

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def _append(
        self,
        what: Literal["head", "command", "verdict", "event", "seal"],
        kind: str,
        said: _Said,
        cause: str = "",
    ) -> None:
        self._number += 1
        line = Line(
            number=self._number,
            at_ns=said.at_ns,
            ts=said.ts,
            what=what,
            kind=kind,
            cause=cause,
            body=said.thing,
        )
        text = _encoder.encode(line)
        self._hash = chained(self._hash, text)
        self._file.write(b'{"hash":"%s",%s\n' % (self._hash.encode(), text[1:]))


def chained(before: str, text: bytes) -> str:
    """Hash of a line whose own text, without its hash, is `text`."""
    return hashlib.sha256(before.encode() + text).hexdigest()


_encoder = msgspec.json.Encoder(order="sorted")
