"""What is said at an engine's kill door, and how one knocks there.

Questions and answers alternate over one connection, MessagePack as on the link. Nobody waits for ever: not
the engine for a window that hangs, and not who knocks for an engine that does.
"""

import os
import socket
import struct
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from types import TracebackType
from typing import Any, Final, Self, cast

import msgspec

from engine.errors import UserError
from engine.link.connection import Connection as AnyConnection
from engine.link.connection import connect
from engine.link.endpoint import Door
from engine.messages.events import HaltStep
from engine.messages.run import ArmState, Mode
from engine.risk.kill import Holding

ANSWER_S: Final = 2.0
"""Longest that an answer is waited for; the watchdog needs a thousandth of that."""

ENDED: Final = "This session has ended."

MAX_BYTES: Final = 2**20


class Look(msgspec.Struct, frozen=True, tag_field="ask", tag="look"):
    """Say what there is."""


class Fire(msgspec.Struct, frozen=True, tag_field="ask", tag="fire"):
    """Fire the kill switch; one that was fired already stays so."""

    reason: str


type Ask = Look | Fire


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What the watchdog sees of its session, as of the session's newest event.

    Attributes
    ----------
    loading : bool
        The session is not up yet, so that there is nothing to halt; one that was fired halts when it is.
    fired : str or None
        Why the kill switch was fired; None while it is not.
    step : HaltStep
        Where the halt is, and `text` what it said last.
    orders : int
        Orders at work or on their way.
    silent_s : float
        Seconds for which the session's thread has not come back; 0 where it rests.
    callback : str
        Callback of a strategy that it is in.
    note : str
        What the watchdog did or cannot do, in a sentence.
    """

    pid: int
    instrument: str
    strategy: str
    mode: Mode
    account: str = ""
    arm: ArmState = "view"
    loading: bool = False
    fired: str | None = None
    step: HaltStep = HaltStep.NONE
    text: str = ""
    orders: int = 0
    positions: list[Holding] = []
    silent_s: float = 0.0
    callback: str = ""
    note: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether no order works and nothing is held."""
        return not self.orders and not self.positions

    @property
    def is_halted(self) -> bool:
        """Whether the halt is complete: flat, and nothing new passes."""
        return self.step is HaltStep.HALTED and self.is_flat

    @property
    def text_now(self) -> str:
        """How the session stands, for a person."""
        if self.loading:
            return "still loading" + ("; it halts when it is up" if self.fired is not None else "")
        stands = "flat" if self.is_flat else self.left
        return f"{self.step if self.fired is not None else self.arm}, {stands}"

    @property
    def left(self) -> str:
        """Orders at work and what is held, for a person."""
        held = ", ".join(f"{each.quantity:+f} {each.instrument}" for each in self.positions)
        orders = "1 working order" if self.orders == 1 else f"{self.orders} working orders"
        return f"{orders}, {held or 'no position'}"


class Unanswered(UserError):  # noqa: N818 - a sentence for the person, not an error of the program
    """The engine's process is there, and its watchdog does not answer."""


class KillLine:
    """A conversation at a kill door; over once an answer did not come, as it may come later.

    Raises
    ------
    UserError
        Nobody is behind the door any more, or the key is wrong.
    Unanswered
        Nobody answers in time.
    """

    def __init__(self, door: Door, answer_s: float = ANSWER_S) -> None:
        try:
            self._connection = _knock(door, answer_s)
        except _SLOW as error:
            raise _unanswered(answer_s) from error
        except (OSError, EOFError, AuthenticationError) as error:
            raise UserError(ENDED) from error
        self._answer_s = answer_s

    def ask(self, what: Ask) -> Sight:
        """Ask, and wait for the answer; see the class for what it raises."""
        try:
            self._connection.send_bytes(_encoder.encode(what))
            return _sights.decode(self._connection.recv_bytes(MAX_BYTES))
        except _SLOW as error:
            raise _unanswered(self._answer_s) from error
        except (OSError, EOFError) as error:
            raise UserError(ENDED) from error
        except msgspec.MsgspecError as error:
            raise UserError(
                f"The engine is of another version ({error}); use the one it came with."
            ) from error

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def admit(connection: AnyConnection, key: bytes, patience_s: float) -> None:
    """Ask who knocked for the key; raises `OSError`, `EOFError` or `AuthenticationError` where it is wrong.

    From then on neither side of the connection waits longer than `patience_s` for the other.
    """
    _limit_waits(connection.fileno(), patience_s)
    known = cast("Connection[Any, Any]", connection)  # or its twin on Windows
    deliver_challenge(known, key)
    answer_challenge(known, key)


def decode_ask(data: bytes) -> Ask:
    """Question of these bytes; raises `msgspec.MsgspecError` for anything else."""
    return _asks.decode(data)


def encode_sight(sight: Sight) -> bytes:
    """Bytes of an answer."""
    return _encoder.encode(sight)


def _knock(door: Door, answer_s: float) -> AnyConnection:
    if sys.platform == "win32":
        return connect(door.address, door.key)  # a pipe has no time limit; its peer is a thread that has one
    with socket.socket(socket.AF_UNIX) as sock:
        _limit_waits(sock.fileno(), answer_s)  # before it connects: a full backlog keeps one waiting, too
        sock.connect(door.address)
        connection = Connection(sock.detach())
    try:
        answer_challenge(connection, door.key)
        deliver_challenge(connection, door.key)
    except BaseException:
        connection.close()
        raise
    return connection


def _limit_waits(descriptor: int, seconds: float) -> None:
    if sys.platform == "win32":
        return
    limit = struct.pack("ll", int(seconds), round(seconds % 1 * 1e6))
    with socket.socket(fileno=os.dup(descriptor)) as twin:  # what is set holds for both
        twin.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        twin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _unanswered(seconds: float) -> Unanswered:
    return Unanswered(f"The engine does not answer for {seconds:g} s.")


_SLOW: Final = (BlockingIOError, TimeoutError)
_encoder = msgspec.msgpack.Encoder()
_asks: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
_sights = msgspec.msgpack.Decoder(Sight)
