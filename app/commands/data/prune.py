"""`nexttick data prune`: deleting days that are no longer wanted."""

import argparse
from datetime import date

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from engine.errors import UserError
from engine.store.maintenance import Pruned, prune


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument("--kind", metavar="KIND", help="only this kind (default: all)")
    parser.add_argument("--before", metavar="DAY", help="first UTC day that stays (default: none stays)")
    parser.add_argument("--yes", action="store_true", help="delete; without it, only tell what would go")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Tell what would go, or delete it."""
    kinds = None if args.kind is None else [args.kind]
    pruned = prune(opened(args.store), args.instrument, kinds, _day(args.before), delete=args.yes)
    return Result(msgspec.to_builtins(pruned), "\n".join(_told(pruned)))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"--before {text!r} is no day of the calendar; write it as 2019-02-04.") from error


def _told(pruned: Pruned) -> list[str]:
    if not pruned.files:
        return [f"{pruned.instrument}: nothing lies wholly before that day; nothing to delete"]
    files = f"{pruned.files:,} file{'s' if pruned.files != 1 else ''}"
    what = f"{files} of {pruned.rows:,} rows, {pruned.first_day} to {pruned.last_day}"
    if pruned.deleted:
        rest = "; nothing of it is stored any more" if pruned.whole_instrument else ""
        return [f"{pruned.instrument}: deleted {what}; {pruned.size_bytes:,} bytes are free{rest}"]
    rest = ", and nothing of it would be left" if pruned.whole_instrument else ""
    return [
        f"{pruned.instrument}: would delete {what}; {pruned.size_bytes:,} bytes{rest}",
        "  nothing was deleted; say --yes to delete",
    ]
