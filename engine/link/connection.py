"""The byte pipe under a link: a local socket (a named pipe on Windows) that carries whole messages.

It stands on `multiprocessing.connection` for the platform's differences and its challenge of the shared key,
and uses the byte calls only: nothing is pickled.
"""

import secrets
import socket
import sys
import tempfile
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Protocol

MAX_FRAME_BYTES = 256 * 2**20
"""A longer message is no frame of ours; reading it would only fill the memory."""

MAX_COMMAND_BYTES = 2**20


class Connection(Protocol):
    """What both ends use of `multiprocessing.connection.Connection` and its Windows twin."""

    def send_bytes(self, buf: bytes, /) -> None:
        """Send one message; blocks while the peer does not read."""

    def recv_bytes(self, maxlength: int | None = None, /) -> bytes:
        """Next message; raises `EOFError` or `OSError` when there will be none."""

    def fileno(self) -> int:
        """Descriptor or handle."""

    def close(self) -> None:
        """Free the descriptor."""


def new_address() -> str:
    """An address that nobody uses, in a fresh folder that only its owner can enter."""
    if sys.platform == "win32":
        return rf"\\.\pipe\nexttick-{secrets.token_hex(16)}"
    # Not in the run folder: a socket's path is limited to 107 bytes, and a home folder can be deep.
    return str(Path(tempfile.mkdtemp(prefix="nexttick-")) / "engine")


def free_address(address: str) -> None:
    """Remove what `new_address` made; what is gone already is fine."""
    if sys.platform != "win32":
        Path(address).unlink(missing_ok=True)
        if Path(address).parent.exists():
            Path(address).parent.rmdir()


def listen(address: str, authkey: bytes | None, backlog: int = 1) -> Listener:
    """Listen at `address` for peers that know the key; None leaves it to the caller to ask them for it."""
    family = "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"
    return Listener(address, family=family, backlog=backlog, authkey=authkey)


def connect(address: str, authkey: bytes) -> Connection:
    """Reach who listens; raises `OSError` where nobody does, `AuthenticationError` for a wrong key."""
    family = "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"
    return Client(address, family=family, authkey=authkey)


def hang_up(connection: Connection) -> None:
    """End the conversation at once, also for threads that wait in it; the descriptor stays to be closed."""
    if sys.platform == "win32":
        connection.close()
        return
    # Closing a descriptor does not wake a thread that reads from it; shutting the socket down does.
    try:
        with socket.socket(fileno=_duplicate(connection.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the peer was faster, or it is closed already: hung up either way


def _duplicate(descriptor: int) -> int:
    return socket.dup(descriptor)
