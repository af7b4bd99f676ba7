"""The subcommands of `nexttick`, one file each; `app.__main__` imports only the one that was asked for.

A command module has `SUMMARY` (one line for the help), `configure(parser)` (its arguments) and
`run(args, report) -> Result`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

type Report = Callable[[str], None]
"""Takes one line of progress or explanation for a person; silent under `--json -`."""


class Result(msgspec.Struct, frozen=True):
    """What a command answers: one JSON object, the text a person reads instead, and the exit code."""

    json: dict[str, Any]
    text: str
    exit_code: int = 0
