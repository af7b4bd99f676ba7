"""The watcher's end of a link: two threads that keep reading and writing, so that the GUI never does.

Frames wait in a queue until they are drained; draining one acknowledges it, which is the credit the engine
sends the next for.
"""

import queue
import threading
import time
from collections import deque

import msgspec

from engine.link.connection import MAX_FRAME_BYTES, Connection, hang_up
from engine.messages.commands import Acknowledge, AnyCommand, Attach, Command
from engine.messages.frames import Frame
from engine.messages.wire import decode_frame, encode


class Channel:
    """Sends commands and receives frames over one connection, once there is one.

    Parameters
    ----------
    last_event : int
        Number of the last event the watcher knows; 0 where it knows none.
    """

    def __init__(self, last_event: int = 0) -> None:
        self._frames: deque[Frame] = deque()
        self._outbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._outbox.put(Attach(last_event))
        self._open = True
        self._engines_turn_since: float | None = None

    def run(self, connection: Connection) -> str:
        """Serve the connection until it ends; an empty string, or what was wrong with what came.

        Blocks; for a background thread of the link.
        """
        writer = threading.Thread(target=self._write, args=(connection,), name="link-commands", daemon=True)
        writer.start()
        try:
            return self._read(connection)
        finally:
            self.close()
            hang_up(connection)
            writer.join()
            connection.close()

    def _read(self, connection: Connection) -> str:
        while True:
            try:
                data = connection.recv_bytes(MAX_FRAME_BYTES)
                frame = decode_frame(data)
            except EOFError:
                return ""
            except OSError as error:
                # `recv_bytes` says so of a length that no message has; everything else is a broken pipe.
                return "a message of impossible length" if "length" in str(error) else ""
            except (msgspec.MsgspecError, KeyError, ValueError) as error:
                return str(error)
            self._frames.append(frame)
            self._engines_turn_since = time.monotonic()

    def _write(self, connection: Connection) -> None:
        while (command := self._outbox.get()) is not None:
            try:
                connection.send_bytes(encode(command))
            except OSError:
                return  # the reader sees the same end, and reports it

    def send(self, command: AnyCommand) -> None:
        """Queue a command; nothing after `close`."""
        if self._open:
            self._outbox.put(command)

    def drain(self) -> list[Frame]:
        """Frames that arrived since the last call, each acknowledged."""
        frames: list[Frame] = []
        while self._frames:
            frame = self._frames.popleft()
            frames.append(frame)
            self.send(Acknowledge(frame.number))
        if frames:
            self._engines_turn_since = time.monotonic()
        return frames

    @property
    def silent_s(self) -> float:
        """Seconds since a frame came; 0 before the first, and while some wait here for us to drain."""
        if self._frames or self._engines_turn_since is None:
            return 0.0
        return time.monotonic() - self._engines_turn_since

    def close(self) -> None:
        """Take no further commands; those queued still leave."""
        self._open = False
        self._outbox.put(None)
