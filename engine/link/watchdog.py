"""Two threads beside a session that never wait for it: one opens the kill door, one watches from outside.

The door is an address of its own, so that a window or a command reaches it while the link's peer hangs. Who
comes in fires the session's kill switch; the session's thread then halts. Where that thread does not come
back to do so, the callback of a strategy that keeps it is interrupted, again and again; and where even that
does not help, the process is ended with a sentence and the threads' stacks in its log.
"""

import contextlib
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import AuthenticationError
from typing import Final

import msgspec
import psutil

from engine.callbacks import Callbacks
from engine.errors import UserError
from engine.link.connection import Connection, free_address, hang_up, listen
from engine.link.endpoint import Door
from engine.link.kill_channel import (
    MAX_BYTES,
    Ask,
    Fire,
    KillLine,
    Sight,
    admit,
    decode_ask,
    encode_sight,
)
from engine.link.server import Server
from engine.messages.events import HaltStep
from engine.messages.limits import KillRules
from engine.messages.run import Run
from engine.risk.kill import Cause, KillSwitch
from engine.risk.kill_rules import KillFacts, KillRuleWatch

TICK_S: Final = 0.05
INTERRUPT_S: Final = 0.5
"""For so long the session's thread may not come back once the switch is fired; then its callback is ended."""

STUCK_S: Final = 10.0
"""For so long it may not come back even so; then its process is ended."""

CALLBACK_S: Final = 30.0
"""Of a live or paper session: a callback that takes longer fires the switch."""

_LONGEST_TICK_S: Final = 0.25
_IDLE_S: Final = 10.0
_MEMORY_EVERY_S: Final = 0.5

_KNOCKS: Final = 16
"""Who may wait at the door at the same time."""

_OPEN: Final = (
    " Orders may still work and positions may be open: look at the venue, or start the session again and "
    "kill it then."
)


class Watchdog:
    """Watches one session; made in the session's thread, before the session.

    Parameters
    ----------
    door : Door
        Where it listens.
    run : Run
    callbacks : Callbacks
        Of the session's thread.
    end : callable
        Ends the process with this sentence; None where it is not the session's own, and may only be told.
    stuck_s, callback_s : float
        See `STUCK_S` and `CALLBACK_S`.
    """

    def __init__(
        self,
        door: Door,
        run: Run,
        callbacks: Callbacks,
        *,
        end: Callable[[str], None] | None = None,
        stuck_s: float = STUCK_S,
        callback_s: float = CALLBACK_S,
    ) -> None:
        callbacks.allow_interrupts()
        self._door, self._run, self._callbacks = door, run, callbacks
        self._end, self._stuck_s, self._callback_s = end, stuck_s, callback_s
        self._listener = listen(door.address, None, _KNOCKS)
        self._talks: dict[Connection, threading.Thread] = {}
        self._over = threading.Event()
        self._server: Server | None = None
        self._switch = KillSwitch()  # until the session brings its own
        self._silence = _Silence()
        self._rules = _Rules(run.policy.kill)
        self._note = ""
        self._unseen = Sight(
            pid=os.getpid(), instrument=run.instrument, strategy=run.strategy, mode=run.mode, arm=run.arm
        )
        self._threads = [
            threading.Thread(target=self._open_door, name="kill-door", daemon=True),
            threading.Thread(target=self._watch, name="watchdog", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def lead_to(self, server: Server, switch: KillSwitch) -> None:
        """The session is up; what was fired before is fired now."""
        early, self._switch = self._switch, switch
        self._server = server
        if (fired := early.pending) is not None:
            self._fire(fired.reason, fired.by)

    def close(self) -> None:
        """End all threads and free the door; in the session's thread, which alone may free the session."""
        self._over.set()
        with contextlib.suppress(UserError):
            KillLine(self._door).close()  # ends the wait for the next one who knocks
        for thread in self._threads:
            thread.join()
        for connection, talk in self._talks.copy().items():
            hang_up(connection)
            talk.join()
        self._listener.close()
        free_address(self._door.address)

    def _fire(self, reason: str, by: Cause) -> None:
        self._switch.fire(reason, by)
        if self._server is not None:
            self._server.wake()

    # The door ----------------------------------------------------------------------------------------------

    def _open_door(self) -> None:
        while not self._over.is_set():
            try:
                connection = self._listener.accept()
            except OSError as error:
                print(f"The kill door failed for a moment: {error!r}", file=sys.stderr, flush=True)
                self._over.wait(TICK_S)  # where all descriptors are taken, it fails again at once
                continue
            # Each in a thread of its own: one who knocks and then hangs must not keep the next one out.
            talk = threading.Thread(target=self._receive, args=(connection,), name="kill-talk", daemon=True)
            self._talks[connection] = talk
            talk.start()

    def _receive(self, connection: Connection) -> None:
        try:
            admit(connection, self._door.key, _IDLE_S)
            while not self._over.is_set():
                self._answer(connection, decode_ask(connection.recv_bytes(MAX_BYTES)))
        except AuthenticationError as error:
            print(f"A knock at the kill door was refused: {error!r}", file=sys.stderr, flush=True)
        except (OSError, EOFError, msgspec.MsgspecError):
            pass  # it left, or said nothing for too long, or nothing that means anything
        finally:
            del self._talks[connection]
            connection.close()

    def _answer(self, connection: Connection, ask: Ask) -> None:
        if isinstance(ask, Fire):
            self._fire(ask.reason, "channel")
        connection.send_bytes(encode_sight(self.look()))

    def look(self) -> Sight:
        """What there is to see now."""
        server, fired = self._server, self._switch.pending
        reason = None if fired is None else fired.reason
        if server is None:
            return msgspec.structs.replace(self._unseen, loading=True, fired=reason)
        told, halt = server.told, server.told.halt
        return msgspec.structs.replace(
            self._unseen,
            account=told.account,
            arm=told.arm,
            fired=reason,
            step=HaltStep.NONE if halt is None else halt.step,
            text="" if halt is None else halt.text,
            orders=told.orders,
            positions=told.positions,
            silent_s=self._silence.seconds,
            callback=self._callbacks.running,
            note=self._note,
        )

    # The watch ---------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._over.wait(TICK_S):
            try:
                self._look_after(self._server)
            except Exception:  # noqa: BLE001 - whatever is wrong with one look, the next one must come
                traceback.print_exc()

    def _look_after(self, server: Server | None) -> None:
        self._silence.sample(server)
        if self._switch.pending is not None:
            self._see_it_taken(server)
            return
        self._note = ""
        if server is not None and (broken := self._rules.broken(server) or self._endless_callback()):
            self._fire(broken, "rule")

    def _endless_callback(self) -> str:
        """Why a strategy is to be stopped that keeps a market waiting which goes on without it."""
        silent_s = self._silence.seconds
        if self._run.mode == "replay" or not self._callbacks.running or silent_s < self._callback_s:
            return ""
        return f"The strategy did not come back from {self._callbacks.running} for {silent_s:.1f} s."

    def _see_it_taken(self, server: Server | None) -> None:
        silent_s = self._silence.seconds
        if silent_s >= self._stuck_s and server is not None and not _is_halted(server):
            self._give_up(silent_s)
        elif silent_s >= INTERRUPT_S:
            sentence = (
                f"The strategy did not come back for {silent_s:.1f} s and was stopped by the kill switch."
            )
            if self._callbacks.interrupt(sentence):
                self._note = sentence
            elif not self._callbacks.running:
                self._note = f"The engine is at work and has not answered for {silent_s:.1f} s."

    def _give_up(self, silent_s: float) -> None:
        told = f"The engine hung and took no kill for {silent_s:.0f} s"
        live = _OPEN if self._run.mode == "live" else ""
        if self._end is None:
            self._note = f"{told}; its thread cannot be ended alone, so end the program.{live}"
            return
        faulthandler.dump_traceback(all_threads=True)
        self._end(f"{told}, so its process was ended; how it hung is in the log.{live}")


def _is_halted(server: Server) -> bool:
    return server.told.halt is not None and server.told.halt.step is HaltStep.HALTED


class _Silence:
    """How long a session's thread has not come back to its loop."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._turns = -1
        self._sampled_s = time.monotonic()

    def sample(self, server: Server | None) -> None:
        """Look at the session's loop; one that is not up yet has not come back since this began."""
        now = time.monotonic()
        turns = 0 if server is None else server.turns
        if turns != self._turns or (server is not None and server.rests):
            self._turns, self.seconds = turns, 0.0
        else:
            # A process that was stopped as a whole finds hours gone by, in which nothing could come back.
            self.seconds += min(now - self._sampled_s, _LONGEST_TICK_S)
        self._sampled_s = now


class _Rules:
    """Kill rules that a session which hangs could not watch itself."""

    def __init__(self, rules: KillRules) -> None:
        self._rules = KillRuleWatch(rules)
        self._process = psutil.Process()
        self._memory_mb = 0.0
        self._measured_s = 0.0

    def broken(self, server: Server) -> str:
        """Why the switch is to be fired, in a sentence; empty where nothing is wrong."""
        now, heard_s = time.monotonic(), server.watched_s
        if now - self._measured_s >= _MEMORY_EVERY_S:
            self._measured_s, self._memory_mb = now, self._process.memory_info().rss / 2**20
        facts = KillFacts(
            window_silent_s=None if heard_s is None else now - heard_s, memory_mb=self._memory_mb
        )
        self._rules.rules = server.told.rules
        return self._rules.check(facts)
