"""`nexttick data repair`: one recorded, reversible change of stored rows."""

import argparse
import shlex
from pathlib import Path
from typing import Final, cast, get_args

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.progress import tenths
from app.commands.import_ import stamp
from app.commands.run_arguments import time_ns
from app.corrections import exact_price
from engine.errors import UserError, unknown_name
from engine.messages.data import Repair
from engine.quality.limits import Limits
from engine.quality.spikes import spiked_rows
from engine.store import Store
from engine.store.corrections import Correction, Where
from engine.store.repairs import Example, Preview, apply, preview

_ACTIONS: Final = ("drop", "clip", "fill_forward", "split_adjust")
_WHICH: Final = "crossed | locked | spike | outside:LOW:HIGH"
_SPIKE: Final = "spike"
_PRICED: Final = ("quotes", "trades", "depth")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument("--kind", required=True, metavar="KIND", help="quotes, trades, deltas, depth, bars-…")
    what = parser.add_argument_group("what to do, one of")
    what.add_argument("--drop", metavar="WHICH", help=f"take rows out: {_WHICH} | all (of a range of time)")
    what.add_argument(
        "--fill-forward", metavar="WHICH", help=f"the last good quote's values in place of bad ones: {_WHICH}"
    )
    what.add_argument(
        "--clip", nargs=2, metavar=("LOW", "HIGH"), help="prices outside become LOW or HIGH: invents prices"
    )
    what.add_argument(
        "--split-adjust",
        metavar="NEW:OLD",
        help="divide prices and multiply sizes before the split, exactly; 4:1 is four new shares for one",
    )
    parser.add_argument("--from", dest="start", metavar="TIME", help="2019-02-04 or 2019-02-04T09:30")
    parser.add_argument("--to", dest="end", metavar="TIME", help="last time; a day alone is all of it")
    parser.add_argument("--before", metavar="TIME", help="first time that stays as it is, as of a split")
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept with the repair")
    parser.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Repair, or tell what would be repaired."""
    store = opened(args.store)
    correction = _correction(args, store)
    shown = preview(store, args.instrument, correction, tenths(report))
    if args.dry_run or not shown.rows_removed:
        done = {"dry_run": args.dry_run, "preview": msgspec.to_builtins(shown)}
        return Result(done, "\n".join(told(shown, "would")))
    repair = apply(store, args.instrument, correction, tenths(report))
    json = {"dry_run": False, "preview": msgspec.to_builtins(shown), "repair": msgspec.to_builtins(repair)}
    return Result(json, "\n".join([*told(shown, "did"), *_undo_lines(repair, args.store)]))


def _correction(args: argparse.Namespace, store: Store) -> Correction:
    given = [name for name in _ACTIONS if getattr(args, name) is not None]
    if len(given) != 1:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in _ACTIONS)
        raise UserError(f"Say one thing to do, not {len(given)}: {options}.")
    action = given[0]
    asked = Correction(
        kind=args.kind,
        action=action.replace("_", "-"),  # type: ignore[arg-type]
        start_ns=None if args.start is None else time_ns(args.start),
        end_ns=_end(args),
        reason=args.reason,
    )
    if getattr(args, action) == _SPIKE:
        return _with_spikes(asked, store, args.instrument)
    if action in ("drop", "fill_forward"):
        return _with_which(asked, getattr(args, action))
    if action == "clip":
        return _with_bounds(asked, *args.clip)
    return msgspec.structs.replace(asked, ratio=args.split_adjust)


def _with_spikes(asked: Correction, store: Store, instrument: str) -> Correction:
    """The rows of spikes, by the rule of `data check`."""
    if asked.kind not in _PRICED:
        raise UserError(f"Spikes are looked for in {', '.join(_PRICED)}, not in {asked.kind}.")
    rows = spiked_rows(store, instrument, asked.kind, Limits())
    reason = asked.reason or "spikes, as data check finds them"
    return msgspec.structs.replace(asked, rows=rows, reason=reason)


def _end(args: argparse.Namespace) -> int | None:
    if args.before is not None and args.end is not None:
        raise UserError("--to and --before both end the range; give one of them.")
    if args.before is not None:
        return time_ns(args.before) - 1
    return None if args.end is None else time_ns(args.end, end=True)


def _with_which(asked: Correction, text: str) -> Correction:
    where, _, bounds = text.partition(":")
    if where == "all":
        return asked
    if where not in get_args(Where.__value__):
        raise unknown_name("kind of bad row", where, [*get_args(Where.__value__), _SPIKE, "all"])
    asked = msgspec.structs.replace(asked, where=cast("Where", where))
    if where != "outside":
        return asked
    low, colon, high = bounds.partition(":")
    if not colon:
        raise UserError("Write the bounds behind outside, as in outside:1.05:1.20.")
    return _with_bounds(asked, low, high)


def _with_bounds(asked: Correction, low: str, high: str) -> Correction:
    return msgspec.structs.replace(asked, low=exact_price(low), high=exact_price(high))


def told(shown: Preview, mood: str) -> list[str]:
    """What changed, or would change, with the first rows of it."""
    replaced = shown.rows_added
    dropped = shown.rows_removed - replaced
    if not shown.rows_removed:
        return [f"{shown.instrument}: none of {shown.rows:,} {shown.kind} are like this; nothing to repair"]
    would = "would be " if mood == "would" else ""
    head = f"{shown.instrument}: {shown.rows_removed:,} of {shown.rows:,} {shown.kind}"
    lines = [
        f"{head} in {shown.files:,} file{'s' if shown.files != 1 else ''}",
        *([f"  {would}taken out  {dropped:,}"] if dropped else []),
        *([f"  {would}changed    {replaced:,}"] if replaced else []),
    ]
    for name, more in (("prices", shown.price_decimals), ("sizes", shown.size_decimals)):
        if more:
            lines.append(f"  {name} {would or 'are '}kept with {more} more decimals")
    return [*lines, *(f"  {_example(each)}" for each in shown.examples)]


def _example(example: Example) -> str:
    after = example.after
    if after is None:
        values = ", ".join(f"{name} {value}" for name, value in example.before.items())
        return f"{stamp(example.ts_event_ns)}  {values}  goes"
    values = ", ".join(
        f"{name} {old} → {after[name]}" for name, old in example.before.items() if old != after[name]
    )
    return f"{stamp(example.ts_event_ns)}  {values}"


def _undo_lines(repair: Repair, store: Path | None) -> list[str]:
    named = "" if store is None else f" --store {shlex.quote(str(store))}"
    undo = f"nexttick data repairs {repair.instrument} --undo {repair.number}{named}"
    lines = [f"  repair {repair.number}; undo: {undo}"]
    if repair.action == "clip":
        lines.insert(0, "  prices at the bounds are invented; --drop outside:LOW:HIGH invents none")
    return lines
