"""The engine's end of a link: runs a session and shows it to one watcher at a time.

Market data follows credit: without it no picture is taken, so the session conflates and the engine's speed
never depends on who watches. Events follow the journal: numbered from 1, in order, kept for the session's
life, so that a watcher who comes back gets exactly those it has not seen.
"""

import queue
import sys
import threading
import time
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import psutil

from engine.link.connection import MAX_COMMAND_BYTES, Connection, hang_up
from engine.link.journal import Journal
from engine.link.protocols import Session
from engine.link.told import UNKNOWN, Told
from engine.messages.commands import Acknowledge, AnyCommand, Attach, CancelAll, Kill, Stop
from engine.messages.events import AnyEvent, Numbered, Refused
from engine.messages.frames import Frame
from engine.messages.run import Run
from engine.messages.wire import decode_command, encode
from engine.risk.kill import KillSwitch

CREDITS: Final = 2
"""Frames on their way or unapplied at any time: one is shown while the next is made."""

FRAME_S: Final = 0.016
HEARTBEAT_S: Final = 0.5
SLICE_S: Final = 0.004
"""Longest stretch of the session's work before commands are looked at."""

EVENTS_PER_FRAME: Final = 2_000
HALTING_S: Final = 0.05
"""Longest rest while the kill switch is fired: a halt goes on by itself, also where nothing else happens."""

_MEMORY_EVERY_S: Final = 0.5
_FLUSH_S: Final = 0.5

type OnWatcherLost = Literal["stop", "cancel", "keep"]
"""What the engine does when its watcher is gone: end, cancel all working orders and run on, or just run on
until one comes back."""


class _Watcher:
    """One connection: a thread that reads commands, one that writes frames, and the credit given.

    A kill is heard by the thread that reads: the session's may be in a callback that does not come back.
    """

    def __init__(
        self, connection: Connection, inbox: "queue.SimpleQueue[_Item]", kill_switch: KillSwitch
    ) -> None:
        self.attached = False
        self.heard_s = time.monotonic()
        self.unacknowledged: set[int] = set()
        self._connection = connection
        self._inbox = inbox
        self._kill_switch = kill_switch
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._read, name="link-commands", daemon=True),
            # Frames are written by a thread, so that a watcher who does not read never holds the engine up.
            threading.Thread(target=self._write, name="link-frames", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def has_credit(self) -> bool:
        return self.attached and len(self.unacknowledged) < CREDITS

    def show(self, number: int, data: bytes) -> None:
        self.unacknowledged.add(number)
        self._outbox.put(data)

    def part(self, flush_s: float) -> None:
        """End the connection and both threads; frames still queued get `flush_s` to leave."""
        self._outbox.put(None)
        self._threads[1].join(flush_s)
        hang_up(self._connection)
        for thread in self._threads:
            thread.join()
        self._connection.close()

    def _read(self) -> None:
        while True:
            try:
                data = self._connection.recv_bytes(MAX_COMMAND_BYTES)
            except (EOFError, OSError):
                self._inbox.put(_Gone(self))
                return
            self.heard_s = time.monotonic()
            try:
                command = decode_command(data)
            except msgspec.MsgspecError as error:
                self._inbox.put(_Garbled(self, error))
                continue
            if isinstance(command, Kill):
                self._kill_switch.fire(command.reason or "The kill switch was pressed.")
            self._inbox.put(_Said(self, command))

    def _write(self) -> None:
        while (data := self._outbox.get()) is not None:
            try:
                self._connection.send_bytes(data)
            except OSError:
                self._inbox.put(_Gone(self))
                return


@dataclass(frozen=True, slots=True)
class _Arrived:
    connection: Connection


@dataclass(frozen=True, slots=True)
class _Said:
    watcher: _Watcher
    command: AnyCommand


@dataclass(frozen=True, slots=True)
class _Garbled:
    watcher: _Watcher
    error: msgspec.MsgspecError


@dataclass(frozen=True, slots=True)
class _Gone:
    watcher: _Watcher


@dataclass(frozen=True, slots=True)
class _Woken:
    pass


type _Item = _Arrived | _Said | _Garbled | _Gone | _Woken


class Server:
    """Runs one session; `run` belongs to the thread that made the session, `welcome` to any.

    Parameters
    ----------
    session : Session
        Closed when `run` ends, however it ends.
    on_watcher_lost : {'stop', 'cancel', 'keep'}
        See `OnWatcherLost`.
    run : Run
        What the session runs.

    Attributes
    ----------
    told : Told
        What the session told of itself; for any thread, as are `turns` and `watched_s`.
    turns : int
        Rounds of the loop; they go on unless something keeps its thread.
    rests : bool
        It waits for a command, with nothing to do.
    """

    def __init__(
        self,
        session: Session,
        *,
        on_watcher_lost: OnWatcherLost = "stop",
        run: Run = UNKNOWN,
    ) -> None:
        self.told = Told(run)
        self.turns = 0
        self.rests = False
        self._session = session
        self._rule = on_watcher_lost
        self._inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._watcher: _Watcher | None = None
        self._journal = Journal()
        self._shown = 0  # events of the journal that went out to this watcher
        self._frames = 0
        self._frame_at = -HEARTBEAT_S
        self._changed = True
        self._market_now = 0
        self._longest_turn_s = 0.0
        self._memory = (-_MEMORY_EVERY_S, 0.0)
        self._process = psutil.Process()
        self._watched_s: float | None = None

    def wake(self) -> None:
        """End the loop's rest: there is something to do; any thread may."""
        self._inbox.put(_Woken())

    @property
    def watched_s(self) -> float | None:
        """When a watcher was last heard of, on the monotonic clock; None before the first."""
        watcher = self._watcher
        return self._watched_s if watcher is None else watcher.heard_s

    def welcome(self, connection: Connection) -> None:
        """Let this connection's peer watch, in place of whoever watches now."""
        self._inbox.put(_Arrived(connection))

    def run(self) -> None:
        """Serve until `Stop`, or until the watcher is gone and the rule says to stop.

        Raises whatever the session raises: that is a crash, and for the caller to report.
        """
        try:
            while self._turn():
                pass
        finally:
            if self._watcher is not None:
                self._watcher.part(_FLUSH_S)
            self._session.close()

    def _turn(self) -> bool:
        started = time.monotonic()
        self.turns += 1
        try:
            while True:
                if not self._take(self._inbox.get_nowait()):
                    return False
        except queue.Empty:
            pass
        before = time.monotonic()
        busy = self._session.advance(SLICE_S)
        worked_s = time.monotonic() - before
        self._collect(self._session.take_events())
        self._changed |= busy
        self._longest_turn_s = max(self._longest_turn_s, time.monotonic() - started)
        if self._has_credit and self._wait_for_frame_s() <= 0:
            self._show()
        if not busy:
            return self._wait(self._wait_for_frame_s() if self._has_credit else None)
        # A session that was asked and had nothing to do is not asked again at once: that would burn a core.
        return self._wait(0.001) if worked_s < 0.0002 else True

    @property
    def _has_credit(self) -> bool:
        return self._watcher is not None and self._watcher.has_credit

    def _wait_for_frame_s(self) -> float:
        fresh = self._changed or self._shown < len(self._journal)
        return self._frame_at + (FRAME_S if fresh else HEARTBEAT_S) - time.monotonic()

    def _wait(self, timeout_s: float | None) -> bool:
        if self._session.kill_switch.pending is not None:
            timeout_s = HALTING_S if timeout_s is None else min(timeout_s, HALTING_S)
        self.rests = True
        try:
            item = self._inbox.get(timeout=None if timeout_s is None else max(timeout_s, 0.0))
        except queue.Empty:
            return True
        finally:
            self.rests = False
        return self._take(item)

    def _take(self, item: _Item) -> bool:
        """Do what one item of the inbox says; False ends the session."""
        if isinstance(item, _Arrived):
            if self._watcher is not None:
                self._watcher.part(0.0)
            self._watcher = _Watcher(item.connection, self._inbox, self._session.kill_switch)
        elif isinstance(item, _Woken):
            pass
        elif item.watcher is not self._watcher:
            pass  # the last words of a watcher who was replaced
        elif isinstance(item, _Gone):
            item.watcher.part(0.0)
            self._watched_s = item.watcher.heard_s
            self._watcher = None
            return self._left_alone()
        elif isinstance(item, _Garbled):
            self._refuse(item.error)
        else:
            return self._obey(item.watcher, item.command)
        return True

    def _left_alone(self) -> bool:
        """Do what the rule says where nobody watches any more; False ends the session."""
        if self._rule == "cancel":
            self._session.handle(CancelAll())
            self._collect(self._session.take_events())
        return self._rule != "stop"

    def _obey(self, watcher: _Watcher, command: AnyCommand) -> bool:
        match command:
            case Stop():
                return False
            case Attach(last_event):
                self._attach(watcher, last_event)
            case Acknowledge(number):
                watcher.unacknowledged.discard(number)
            case _:
                self._session.handle(command)
                self._collect(self._session.take_events())
                self._changed = True
        return True

    def _attach(self, watcher: _Watcher, last_event: int) -> None:
        # A number from beyond the journal belongs to another session: whoever says it has nothing of ours.
        self._shown = last_event if 0 <= last_event <= len(self._journal) else 0
        watcher.attached = True
        if self._frames:
            self._session.rewatch()
        self._changed = True

    def _refuse(self, error: msgspec.MsgspecError) -> None:
        print(f"A command could not be read: {error}", file=sys.stderr, flush=True)
        text = f"The engine does not know this command ({error}); use a window of the engine's version."
        self._collect([Refused(ts=self._market_now, command="unreadable", text=text)])

    def _collect(self, events: list[AnyEvent]) -> None:
        self._journal.add(events)
        for event in events:
            self.told.note(event)

    def _show(self) -> None:
        assert self._watcher is not None  # noqa: S101 -- callers checked the credit
        picture = self._session.take_picture()
        self._collect(self._session.take_events())
        self._market_now = picture.transport.now
        self.told.account = picture.control.account
        waiting = len(self._journal) - self._shown
        first = self._shown
        self._shown = min(first + EVENTS_PER_FRAME, len(self._journal))
        self._frames += 1
        frame = Frame(
            number=self._frames,
            epoch=picture.epoch,
            transport=picture.transport,
            markets=picture.markets,
            risks=picture.risks,
            events=[
                Numbered(number, event)
                for number, event in enumerate(self._journal.part(first, self._shown), first + 1)
            ],
            health=msgspec.structs.replace(
                picture.health,
                events_queued=waiting,
                loop_ms=self._longest_turn_s * 1e3,
                memory_mb=self._memory_mb(),
            ),
            instruments=picture.instruments,
            predictions=picture.predictions,
            models=picture.models,
            explanation=picture.explanation,
            recorder=picture.recorder,
            control=picture.control,
            account_risk=picture.account_risk,
            preview=picture.preview,
        )
        self._watcher.show(frame.number, encode(frame))
        self._frame_at = time.monotonic()
        # A picture with market in it may be one of many: a watcher who joined late is told all there was.
        self._changed = any(
            len(news.quotes) + len(news.trades) + len(news.depth) for news in picture.markets
        ) or any(len(news.rows) for news in picture.predictions)
        self._longest_turn_s = 0.0

    def _memory_mb(self) -> float:
        now = time.monotonic()
        if now - self._memory[0] >= _MEMORY_EVERY_S:
            self._memory = now, self._process.memory_info().rss / 2**20
        return self._memory[1]


def serve(connection: Connection, session: Session, *, on_watcher_lost: OnWatcherLost = "stop") -> None:
    """Run the session for the peer of one connection; see `Server.run`."""
    server = Server(session, on_watcher_lost=on_watcher_lost)
    server.welcome(connection)
    server.run()
