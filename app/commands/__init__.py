"""The subcommands of `nexttick`, one file each; `app.__main__` imports only the one that was asked for.

A command module has `SUMMARY` (one line for the help), `configure(parser)` (its arguments) and
`run(args, report) -> Result`.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, override

import msgspec

from engine.errors import UserError

type Report = Callable[[str], None]
"""Takes one line of progress or explanation for a person; silent under `--json -`."""


class Result(msgspec.Struct, frozen=True):
    """What a command answers: one JSON object, the text a person reads instead, and the exit code."""

    json: dict[str, Any]
    text: str
    exit_code: int = 0


class Once(argparse.Action):
    """Stores an option's value, and refuses a second one: of two instruments, one would be lost unseen."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("_given", set())
        if option_string is not None and self.dest in given:
            raise UserError(f"{option_string} was given twice; give it once.")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def check_output(option: str, path: str | Path) -> None:
    """Raise `UserError` where a file could not be written, before the work whose result it is to hold."""
    file = Path(path).absolute()
    if not file.parent.is_dir():
        why = f"there is no folder {file.parent}; make it or choose another"
    elif file.is_dir():
        why = "it is a folder; add a file name"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        why = "permission denied; choose another place"
    else:
        return
    raise UserError(f"{option} {path} could not be written: {why}.")
