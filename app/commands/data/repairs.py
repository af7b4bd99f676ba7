"""`nexttick data repairs`: what was repaired of one instrument, and undoing it."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.progress import tenths
from app.commands.import_ import stamp
from engine.messages.data import Repair
from engine.store.repairs import finish, interrupted, listed, undo


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument("--undo", type=int, metavar="N", help="put back what repair N changed")


def run(args: argparse.Namespace, report: Report) -> Result:
    """List the repairs, or undo one; a repair that was interrupted is completed first."""
    store, instrument = opened(args.store), args.instrument
    if interrupted(store, instrument):
        finish(store, instrument)
        report(f"A repair of {instrument} had been interrupted; it is complete now")
    if args.undo is None:
        repairs = listed(store, instrument)
        lines = [_line(repair) for repair in repairs] or [f"{instrument} was never repaired"]
        return Result({"repairs": msgspec.to_builtins(repairs)}, "\n".join(lines))
    undone = undo(store, instrument, args.undo, tenths(report))
    lines = [
        f"Repair {args.undo} of {instrument} is undone",
        f"  {undone.rows_restored:,} {undone.repair.kind} are back, {undone.rows_taken:,} of its own gone",
    ]
    if undone.rows_missing:
        lines.append(f"  {undone.rows_missing:,} of the repair's rows were not there any more")
    if undone.rows_replaced:
        lines.append(f"  {undone.rows_replaced:,} stay out; an import has revised them since")
    return Result(msgspec.to_builtins(undone), "\n".join(lines))


def _line(repair: Repair) -> str:
    told = ", ".join(f"{name} {value}" for name, value in repair.parameters.items())
    changed = f"{repair.rows_removed:,} rows out, {repair.rows_added:,} in"
    state = " (undone)" if repair.undone else ""
    reason = f"  {repair.reason}" if repair.reason else ""
    return (
        f"{repair.number:>4}  {stamp(repair.made_ns)[:19]}  {repair.kind}  {repair.action} {told}  "
        f"{stamp(repair.start_ns)} to {stamp(repair.end_ns)}: {changed}{state}{reason}"
    )
