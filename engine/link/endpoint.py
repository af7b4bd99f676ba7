"""What a process needs to know to host or to reach an engine: the start message and the endpoint file.

Both carry the key of the connection, so the first travels through the child's standard input and the second
lies in a folder that only its owner can read; neither ever stands in a command line or an environment.
"""

import os
from pathlib import Path

import msgspec

from engine.errors import UserError
from engine.link.server import OnWatcherLost
from engine.messages.run import Run


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The one line of JSON that a spawned engine reads from its standard input.

    `folder` is where it leaves its endpoint for others to attach to; None where nobody may.
    """

    run: Run
    address: str
    authkey: bytes
    on_watcher_lost: OnWatcherLost
    folder: str | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running engine can be reached, and what it runs."""

    address: str
    authkey: bytes
    pid: int
    run: Run
    log: str = ""


def write_endpoint(folder: Path, endpoint: Endpoint) -> Path:
    """Leave the endpoint in `folder`, readable by its owner only; appears whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{endpoint.pid}.json"
    draft = folder / f"{endpoint.pid}.draft"
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
