"""What a live session must know again when it is started anew: whose the account's position and orders were.

A venue keeps orders and positions, but not which strategy they belong to. So that is written down whenever it
changes, in one small file, and read before the next session of the same strategy on the same instrument.
Nor does it keep what the account was worth at midnight, from which the loss of a day is counted.
"""

import os
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.risk.losses import DAY_NS

_EVERY_S: Final = 0.5


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The strategy of a session, what it held when last seen, and its words to itself; those of the hand."""

    strategy: str
    instrument: str
    held: Decimal
    orders: tuple[str, ...] = ()
    state: dict[str, str] = {}
    hand: dict[str, str] = {}

    @property
    def is_involved(self) -> bool:
        """Whether it had anything to take over again."""
        return bool(self.held or self.orders)


class SessionMemory:
    """One file.

    Parameters
    ----------
    path : Path
        Made with its folder when there is something to be remembered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: Remembered | None = None
        self._written_s = 0.0
        self._problem = ""

    def read(self, strategy: str, instrument: str) -> Remembered | None:
        """What was remembered of this strategy and the hand; of the hand alone where it was another strategy.

        None where that is nothing.
        """
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            print(f"{self._path} cannot be read and is passed over: {error}", file=sys.stderr, flush=True)
            return None
        if found.instrument != instrument:
            return None
        if found.strategy == strategy:
            return found
        # What another strategy left stays nobody's, so the hand takes nothing over with it.
        hand = {**found.hand, "involved": ""} if found.is_involved and found.hand else found.hand
        alone = Remembered(strategy=strategy, instrument=instrument, held=Decimal(0), hand=hand)
        return alone if found.hand else None

    @property
    def is_due(self) -> bool:
        """Whether it is time to look for changes again."""
        return time.monotonic() - self._written_s >= _EVERY_S

    def write(self, now: Remembered) -> str:
        """Remember this from now on; why it cannot be, where that is new: no reason to end trading."""
        self._written_s = time.monotonic()
        if now == self._written:
            return ""
        before = self._problem
        try:
            _put(self._path, now)
        except OSError as error:
            self._problem = (
                f"What this session must know after a restart cannot be written to {self._path} "
                f"({error.strerror}); make room there, or take over its orders and position by hand then."
            )
            return "" if self._problem == before else self._problem
        self._written, self._problem = now, ""
        return ""


class DayStart(msgspec.Struct, frozen=True):
    """What an account was worth when a day began, or with its first session of that day."""

    day: int
    currency: str
    equity: Decimal


class DayMemory:
    """The newest day's start of one account, in a file that all its sessions share.

    Parameters
    ----------
    path : Path
        Made with its folder once a session runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: DayStart | None = None

    def kept(self, now_ns: int, currency: str, equity: Decimal) -> Decimal:
        """Equity at the start of this day: as it was kept before, or this one, kept from now on."""
        day = now_ns // DAY_NS
        if self._known is None:
            self._known = self._read()
        known = self._known
        if known is not None and (known.day, known.currency) == (day, currency):
            return known.equity
        self._known = DayStart(day, currency, equity)
        try:
            _put(self._path, self._known)
        except OSError as error:
            print(f"{self._path} cannot be written: {error}", file=sys.stderr, flush=True)
        return equity

    def _read(self) -> DayStart | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=DayStart)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            print(f"{self._path} cannot be read and is passed over: {error}", file=sys.stderr, flush=True)
            return None


def _put(path: Path, what: msgspec.Struct) -> None:
    """Put a whole file in place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(what))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
