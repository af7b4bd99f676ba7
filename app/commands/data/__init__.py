"""`nexttick data`: what lies in the tick store, what is doubtful about it, what can be done about that.

Each question is a module beside this one, with `configure(parser)` and `run(args, report) -> Result`; only
the one that was asked is imported.
"""

import argparse
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from app.commands import Once, Report, Result
from app.paths import default_store
from engine.errors import UserError
from engine.store import Store

SUMMARY = "list, describe, export and check what is stored"

QUESTIONS: Final = {
    "list": "all instruments",
    "info": "one instrument: its facts, rows and times",
    "bars": "bars of one instrument as CSV",
    "check": "gaps, spikes, crossed and stale quotes, broken numbers, and a score with reasons",
    "book-check": "rebuild the book and compare it with the quotes",
    "merge": "several instruments' rows as one CSV in the order of their times",
    "sync": "prices of several instruments at common times, as CSV",
    "correlate": "how instruments move together, and which of two moves first",
    "repair": "drop, clip, fill forward or split-adjust rows: recorded and reversible",
    "repairs": "what was repaired, and undoing it",
    "verify": "whether every byte and row is as it was written",
    "sizes": "bytes of each kind, and of a million rows",
    "compact": "the same rows in smaller files",
    "prune": "delete days that are no longer wanted",
    "export": "rows as CSV, Arrow or NautilusTrader's catalog",
    "convert": "an amount in another currency, by the stored rates of a time",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.register("action", None, Once)
    shared.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    questions = parser.add_subparsers(
        dest="question",
        metavar=" | ".join(QUESTIONS),
        required=True,
        parser_class=_configured_when_asked(parser),
    )
    for name, summary in QUESTIONS.items():
        questions.add_parser(name, parents=[shared], help=summary)


def _configured_when_asked(parser: argparse.ArgumentParser) -> type[argparse.ArgumentParser]:
    """Kind of `parser` that learns a question's arguments, and imports its module, as it begins to parse."""

    class Question(type(parser)):  # type: ignore[misc]
        def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
            _module(self.prog.rpartition(" ")[2]).configure(self)
            return super().parse_known_args(args, namespace)

    return Question


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one question."""
    result: Result = _module(args.question).run(args, report)
    return result


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"app.commands.data.{name.replace('-', '_')}")


def opened(root: Path | None) -> Store:
    """The store that was named, which must be there, or the station's own, which need not yet."""
    if root is not None and not root.exists():
        raise UserError(
            f"There is no folder {root}; give the folder of a tick store, or import into it first."
        )
    return Store(root or default_store())
