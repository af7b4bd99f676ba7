"""What the questions over several instruments share: their range, and lengths of time such as `100ms`."""

import argparse
import re
from typing import Final

from app.commands.run_arguments import time_ns
from engine.cross_asset.stored import CLOCKS, PRICED_KINDS, Asked
from engine.errors import UserError, unknown_name

_SPAN: Final = re.compile(r"(\d+)(ns|us|ms|s|m|h|d)")
_UNIT_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def add_instruments(parser: argparse.ArgumentParser) -> None:
    """Declare the instruments, the kind of their rows and the range of `ts_event`."""
    parser.add_argument("instruments", nargs="+", metavar="INSTRUMENT")
    parser.add_argument("--kind", default="quotes", help="quotes (default) or trades")
    parser.add_argument("--from", dest="start", metavar="TIME", help="2019-02-04 or 2019-02-04T09:30")
    parser.add_argument("--to", dest="end", metavar="TIME", help="last time; a day alone is all of it")


def add_clock(parser: argparse.ArgumentParser) -> None:
    """Declare whose time the rows are compared by."""
    parser.add_argument("--by", default="event", help="event (default: the venue's time) | received")


def range_of(args: argparse.Namespace) -> tuple[int | None, int | None]:
    """First time, and the first time after the range, ns UTC; None is no limit."""
    start = None if args.start is None else time_ns(args.start)
    end = None if args.end is None else time_ns(args.end, end=True) + 1
    if start is not None and end is not None and start >= end:
        raise UserError("--to lies before --from; give a later --to.")
    return start, end


def asked_of(args: argparse.Namespace) -> Asked:
    """Rows that were asked for, by the clock that was asked for.

    Raises
    ------
    UserError
        An unknown kind or clock, or a bad range.
    """
    if args.kind not in PRICED_KINDS:
        raise unknown_name("kind", args.kind, PRICED_KINDS)
    by = next((each for each in CLOCKS if each == args.by), None)
    if by is None:
        raise unknown_name("clock", args.by, CLOCKS)
    start, end = range_of(args)
    return Asked(kind=args.kind, by=by, start_ns=start, end_ns=end)


def span_ns(text: str, option: str) -> int:
    """Length of time written as `100ms`, `1s` or `5m`, in ns.

    Raises
    ------
    UserError
        It is not written so, or is 0.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UserError(f"{option} {text!r} is no length of time; write for example 100ms, 1s, 5m or 1h.")
    return int(found[1]) * _UNIT_NS[found[2]]
