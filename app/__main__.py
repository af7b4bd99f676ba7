"""The command line: `nexttick COMMAND …`; each command imports what it needs, when it is asked for."""

import argparse
import importlib
import os
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from app import passphrase
from app.commands import Once, check_output
from engine.errors import UserError, unknown_name

READER_LEFT: Final = 141
"""Exit code of programs whose standard output was closed by its reader, by a shell's custom."""

COMMANDS = {
    "gui": "open the station's window (the default)",
    "demo": "watch a generated market; nothing to install, nothing to import",
    "import": "read recorded files into the tick store",
    "download": "fetch files of a vendor, and import them",
    "keys": "keep keys of vendors and connections, and test them",
    "data": "list, describe, export and check what is stored",
    "series": "keep news and economic calendars beside the ticks",
    "backtest": "run a strategy over stored data at full speed",
    "replay": "run it as a replay session, with its windows and link",
    "paper": "trade on live or recorded data with simulated fills",
    "live": "trade at a venue; refuses without the account's name",
    "risk": "show the limits in force, and what the gate says to an order",
    "kill": "halt a running session: cancel all, block what is new, flatten",
    "recordings": "list, describe, export, import and delete recorded sessions",
    "features": "build feature columns from stored data, and prove them",
    "model": "look at a model file, convert it, measure it, keep it",
    "train": "train a model on your data, and judge it beside its baselines",
    "bench": "measure the station against a peer and print the ratio",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; argparse would print the whole usage before it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (None, "store"):
            self.register("action", name, Once)

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UserError(f"{message[0].upper()}{message[1:]}; see '{self.prog} --help'.")


def _command_module(name: str) -> ModuleType:
    return importlib.import_module(f"app.commands.{'import_' if name == 'import' else name}")


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: nexttick [COMMAND] [OPTIONS]",
            "",
            *lines,
            "",
            "nexttick COMMAND --help says more; nexttick --version says which this is.",
        ]
    )


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    """Tell the command from its arguments; without one it is `gui`."""
    if not arguments or arguments[0].startswith("-"):
        return "gui", arguments
    if arguments[0] not in COMMANDS:
        raise unknown_name("command", arguments[0], COMMANDS)
    return arguments[0], arguments[1:]


def _run(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        print(_overview(), flush=True)
        return 0
    if arguments[:1] == ["--version"]:
        print(f"nexttick {version('nexttick-station')}", flush=True)
        return 0
    name, rest = _split(arguments)
    module = _command_module(name)
    parser = _Parser(prog=f"nexttick {name}", description=COMMANDS[name])
    parser.add_argument(
        "--json", metavar="PATH", help="write the result as one JSON object; - is standard output"
    )
    module.configure(parser)
    args = parser.parse_args(rest)
    machine = args.json == "-"
    if args.json is not None and not machine:
        check_output("--json", args.json)
    result = module.run(args, (lambda _line: None) if machine else _to_person)
    if args.json is not None:
        _write_json(result.json, args.json)
    if not machine and result.text:
        print(result.text, flush=True)  # here, where a reader who left is noticed, not as Python ends
    return int(result.exit_code)


def _write_json(answer: dict[str, Any], path: str) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n"
    if path == "-":
        sys.stdout.write(encoded)
        sys.stdout.flush()
        return
    try:
        Path(path).write_text(encoded, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--json {path} could not be written: {error.strerror}; choose another.") from error


def _to_person(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 is success, 2 is a mistake the user can mend (one sentence on standard error)."""
    passphrase.take_from_environment()  # before anything is started that would inherit it
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        print(f"nexttick: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read standard output has seen enough; nothing may be written to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
