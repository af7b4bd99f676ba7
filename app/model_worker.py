"""The process that looks at models for the window: one request on standard input, replies on standard output.

`python -m app.model_worker` is started by `app.windows.model_work`; one process answers one request.
"""

import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import msgspec

from app.model_loading import answer
from app.model_messages import Broke, Failed, Reply, Request, Working
from engine.errors import UserError


def main() -> int:
    """Answer the one request; 0."""
    # What a library prints must not stand among the replies.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGTERM, _on_terminated)
    encoder = msgspec.json.Encoder()

    def reply(told: Reply) -> None:
        replies.write(encoder.encode(told) + b"\n")
        replies.flush()

    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        reply(answer(request, lambda text: reply(Working(text))))
    except UserError as error:
        reply(Failed(str(error)))
    except Exception:  # noqa: BLE001 - the window shows it as a fault of the program
        reply(Broke(traceback.format_exc()))
    return 0


def _on_terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    # Raised where the work is, so that the processes and folders which it opened are closed.
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
