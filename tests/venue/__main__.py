"""The venue as a process: its setup is the first line of its input, every further line a command."""

import asyncio
import sys

import msgspec

from tests.venue.server import Server, decoder
from tests.venue.setup import Answer, Setup


async def main() -> None:
    """Serve until the input ends or the lifetime is over."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    setup = msgspec.json.decode(await reader.readline(), type=Setup)
    commands = decoder()
    server = Server(setup)
    _write(await server.open())
    try:
        async with asyncio.timeout(setup.lifetime_s):
            while line := await reader.readline():
                try:
                    _write(server.do(commands.decode(line)))
                except Exception as error:  # noqa: BLE001 - told to the test, which raises it
                    _write(Answer(error=repr(error)))
    except TimeoutError:
        pass
    finally:
        await server.close()


def _write(message: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
