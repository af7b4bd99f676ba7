"""The venue as a process: its setup is the first line of its input, every further line a command."""

import asyncio
import sys
import threading

import msgspec

from tests.venue.server import Server, decoder
from tests.venue.setup import Answer, Setup


async def main() -> None:
    """Serve until the input ends or the lifetime is over."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    # A thread reads, as a loop cannot wait for a pipe on every system.
    reading = threading.Thread(target=_read, args=(lines, asyncio.get_running_loop()), daemon=True)
    reading.start()
    setup = msgspec.json.decode(await lines.get(), type=Setup)
    commands = decoder()
    server = Server(setup)
    _write(await server.open())
    try:
        async with asyncio.timeout(setup.lifetime_s):
            while line := await lines.get():
                try:
                    _write(server.do(commands.decode(line)))
                except Exception as error:  # noqa: BLE001 - told to the test, which raises it
                    _write(Answer(error=repr(error)))
    except TimeoutError:
        pass
    finally:
        await server.close()


def _read(lines: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    # Unbuffered: a thread inside a buffer's lock would make the interpreter abort when it ends.
    stdin = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - it is never closed
    while True:
        line = stdin.readline()
        try:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        except RuntimeError:  # the loop is closed
            return
        if not line:
            return


def _write(message: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
