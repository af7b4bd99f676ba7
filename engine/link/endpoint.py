"""What a process needs to know to host or to reach an engine: the start message and the endpoint file.

Both carry the keys of doors, so the first travels through the child's standard input and the second lies in
a folder that only its owner can read; neither ever stands in a command line or an environment. A venue's
keys are in the first alone.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, override

import msgspec
import psutil

from engine.errors import UserError
from engine.link.connection import free_address, new_address
from engine.link.server import OnWatcherLost
from engine.messages.run import Run

_SAME_START_S: Final = 2.0
"""A file's time may lie so long before that of the process that wrote it, on a coarse clock."""

type Secrets = Mapping[str, Mapping[str, str]]
"""Fields by connection profile: what a session needs to trade at a venue, and nobody else may see."""


class Door(msgspec.Struct, frozen=True):
    """An address, and the key that whoever knocks there must know."""

    address: str
    key: bytes

    @override
    def __repr__(self) -> str:
        return f"Door({self.address!r}, ••••)"


def new_door() -> Door:
    """A door that nobody uses, in a fresh folder that only its owner can enter."""
    return Door(new_address(), secrets.token_bytes(32))


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The one line of JSON that a spawned engine reads from its standard input.

    Attributes
    ----------
    door : Door
        Where its watcher comes in.
    kill_door : Door
        Where the kill switch is fired past a session that hangs.
    folder : str or None
        Where it leaves its endpoint for others; None where nobody may find it.
    joinable : bool
        Whether others may watch it, too, and not only stop it.
    secrets : dict
        Fields by connection profile; in no text of this object.
    """

    run: Run
    door: Door
    kill_door: Door
    on_watcher_lost: OnWatcherLost
    folder: str | None = None
    joinable: bool = True
    secrets: dict[str, dict[str, str]] = {}

    @override
    def __repr__(self) -> str:
        return f"Start({self.run!r}, secrets of {', '.join(self.secrets) or 'none'})"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running engine can be reached, and what it runs.

    Attributes
    ----------
    id : str
        Name of the session on this machine: its process, and a number where one process hosts several.
    door : Door or None
        Where a watcher may join; None of an engine that belongs to its window.
    """

    id: str
    door: Door | None
    kill_door: Door
    pid: int
    run: Run


def write_endpoint(folder: Path, endpoint: Endpoint) -> Path:
    """Leave the endpoint in `folder`, readable by its owner only; appears whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{endpoint.id}.json"
    draft = folder / f"{endpoint.id}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(endpoint))
    draft.replace(path)
    return path


def read_endpoint(path: Path) -> Endpoint:
    """Endpoint in this file.

    Raises
    ------
    UserError
        There is no such file, or it is not an endpoint.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Endpoint)
    except FileNotFoundError:
        raise UserError("This engine has ended; start the session anew.") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise UserError(f"{path} does not say where an engine runs ({error}); delete it.") from error


def endpoints(folder: Path) -> Iterator[tuple[Path, Endpoint]]:
    """Endpoints of engines that run, oldest first; what engines left behind that ended is tidied away."""
    for path in sorted(folder.glob("*.json"), key=_written_s):
        try:
            endpoint = read_endpoint(path)
        except UserError:
            continue
        if is_running(path, endpoint):
            yield path, endpoint
        else:
            remove_endpoint(path, endpoint)


def is_running(path: Path, endpoint: Endpoint) -> bool:
    """Whether the process that wrote this file runs, and not another one of the same number."""
    try:
        return psutil.Process(endpoint.pid).create_time() <= _written_s(path) + _SAME_START_S
    except psutil.NoSuchProcess:
        return False


def remove_endpoint(path: Path, endpoint: Endpoint) -> None:
    """Remove what an engine left that ended without a word."""
    path.unlink(missing_ok=True)
    for door in (endpoint.door, endpoint.kill_door):
        if door is not None:
            free_address(door.address)


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it ended meanwhile
        return 0.0
