"""The command line: `nexttick COMMAND …`; each command imports what it needs, when it is asked for."""

import argparse
import importlib
import sys
from pathlib import Path
from types import ModuleType

import msgspec

from engine.errors import UserError, unknown_name

COMMANDS = {
    "gui": "open the station's window (the default)",
    "demo": "watch a generated market; nothing to install, nothing to import",
    "import": "read recorded files into the tick store",
    "data": "list, describe, export and check what is stored",
    "backtest": "run a strategy over stored data at full speed",
    "replay": "run it as a replay session, with its windows and link",
    "bench": "measure the station against a peer and print the ratio",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; argparse would print the whole usage before it."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UserError(f"{message[0].upper()}{message[1:]}; see '{self.prog} --help'.")


def _command_module(name: str) -> ModuleType:
    return importlib.import_module(f"app.commands.{'import_' if name == 'import' else name}")


def _overview() -> str:
    lines = [f"  {name:<10}{summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        ["usage: nexttick [COMMAND] [OPTIONS]", "", *lines, "", "nexttick COMMAND --help says more."]
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
        print(_overview())
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
    result = module.run(args, (lambda _line: None) if machine else _to_person)
    if args.json is not None:
        encoded = msgspec.json.format(msgspec.json.encode(result.json), indent=2).decode() + "\n"
        if machine:
            sys.stdout.write(encoded)
        else:
            Path(args.json).write_text(encoded, encoding="utf-8")
    if not machine and result.text:
        print(result.text)
    return int(result.exit_code)


def _to_person(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 is success, 2 is a mistake the user can mend (one sentence on standard error)."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        print(f"nexttick: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
