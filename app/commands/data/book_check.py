"""`nexttick data book-check`: the proof of a stored book."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from engine.store.book_check import check_book


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Rebuild the book and compare."""
    store, instrument = opened(args.store), args.instrument
    store.instrument(instrument)
    report(f"Rebuilding the book of {instrument}")
    check = check_book(store, instrument)
    best = " / ".join(
        "empty" if side is None else f"{side[0]} × {side[1]}" for side in (check.final_bid, check.final_ask)
    )
    unequal = check.bbo_compared - check.bbo_equal
    lines = [
        f"{instrument}: {check.updates:,} book updates",
        f"  best prices  {check.bbo_compared:,} compared to quotes by {check.paired_by}: {unequal:,} differ",
        f"  crossed      {check.crossed:,}",
        f"  gaps         {check.gaps:,}",
        f"  at the end   {best}",
    ]
    return Result(msgspec.to_builtins(check), "\n".join(lines))
