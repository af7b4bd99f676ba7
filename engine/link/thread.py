"""A session in a background thread of this process: the same bytes, the same loop, no second process.

For debugging and for machines that cannot spawn; the window and the engine then share one interpreter lock.
"""

import threading
import traceback
from collections.abc import Callable
from multiprocessing import Pipe

from engine.errors import UserError
from engine.link.channel import Channel
from engine.link.connection import Connection
from engine.link.protocols import LinkDown, Session
from engine.link.server import serve
from engine.messages.commands import AnyCommand, Stop
from engine.messages.frames import Frame


class ThreadLink:
    """Hosts what `make_session` makes; it is called in the session's own thread."""

    def __init__(self, make_session: Callable[[], Session]) -> None:
        self._channel = Channel()
        self._down: LinkDown | None = None
        self._closed = False
        ours, theirs = Pipe()
        self._threads = [
            threading.Thread(target=self._host, args=(make_session, theirs), name="session", daemon=True),
            threading.Thread(target=self._watch, args=(ours,), name="link-frames", daemon=True),
        ]
        self._failure: LinkDown | None = None
        for thread in self._threads:
            thread.start()

    def _host(self, make_session: Callable[[], Session], connection: Connection) -> None:
        try:
            serve(connection, make_session())
        except UserError as error:
            self._failure = LinkDown(str(error), [], expected=False)
        except Exception as error:  # noqa: BLE001 -- any crash of the session ends the link, never the window
            lines = traceback.format_exception(error)
            self._failure = LinkDown(
                f"The engine stopped: {lines[-1].strip()}. Restart the session to go on.",
                "".join(lines).splitlines()[-20:],
                expected=False,
            )
        finally:
            connection.close()

    def _watch(self, connection: Connection) -> None:
        problem = self._channel.run(connection)
        if problem:
            self._down = LinkDown(f"The engine sent what cannot be read ({problem}).", [], expected=False)
            return
        self._threads[0].join()
        if self._closed:
            self._down = LinkDown("The session was closed.", [], expected=True)
        else:
            self._down = self._failure or LinkDown("The session ended.", [], expected=True)

    def send(self, command: AnyCommand) -> None:
        """Queue a command for the session."""
        self._channel.send(command)

    def drain(self) -> list[Frame]:
        """Frames that arrived since the last call."""
        return self._channel.drain()

    @property
    def down(self) -> LinkDown | None:
        """Why the session ended, with its traceback's last lines."""
        return self._down

    @property
    def silent_s(self) -> float:
        """Seconds for which the session could have sent a frame, and did not."""
        return self._channel.silent_s

    def close(self) -> None:
        """End the session; `join` waits for its threads."""
        self._closed = True
        self._channel.send(Stop())

    def join(self, timeout_s: float) -> bool:
        """Wait for the session's threads to end; False where one is still at work."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)
