"""`nexttick import`: recorded files into the tick store, with a report that hides nothing."""

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import msgspec

from app.commands import Report, Result, mapping
from app.paths import CONFIGS, default_store, home
from engine.errors import UserError, unknown_name
from engine.feeds.decoded import Rejected
from engine.feeds.formats import CHOICES, checked_format
from engine.feeds.importing import DONE, import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.feeds.report import CrossedPolicy, ImportReport
from engine.store import Store

SUMMARY = "read recorded files into the tick store"


def known_instruments() -> KnownInstruments:
    """Instruments of the station's list and of the user's own."""
    return KnownInstruments.load(CONFIGS / "instruments.toml", home() / "instruments.toml")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="data file, or a folder of them")
    parser.add_argument(
        "--instrument", required=True, metavar="SYMBOL.VENUE", help="for example EURUSD.DUKASCOPY"
    )
    parser.add_argument(
        "--date", metavar="YYYY-MM-DD", help="day of the data, where neither path nor rows tell it"
    )
    parser.add_argument(
        "--format", default="auto", metavar="NAME", help=" | ".join(CHOICES) + " (default: auto)"
    )
    parser.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    parser.add_argument(
        "--crossed",
        default="fail",
        metavar="POLICY",
        help="quotes with bid above ask: keep | drop | fail (default)",
    )
    parser.add_argument(
        "--columns",
        metavar="OURS=THEIRS,…",
        default="",
        help="columns of a table by name or number from 1, for example time=1,bid=2,ask=3; ours are time, "
        "received, bid, ask, bid_size, ask_size, price, size, side, id",
    )
    mapping.configure(parser)


def run(args: argparse.Namespace, report: Report) -> Result:
    """Import and answer the report; or propose a mapping."""
    table = mapping.said(args)
    if args.propose:
        return mapping.propose(args)
    source = Source(
        format=checked_format(args.format),
        day=_day(args.date),
        columns=_columns(args.columns),
        crossed=crossed_policy(args.crossed),
        **table,
    )
    done = import_files(
        args.files,
        args.instrument,
        Store(args.store or default_store()),
        known_instruments(),
        source,
        progress=progress_lines(report),
    )
    return Result(msgspec.to_builtins(done), report_text(done))


def progress_lines(report: Report) -> Callable[[float, str], None]:
    """A line whenever another percent is done, so that a long import is seen to move but never floods."""
    told = -1

    def progress(fraction: float, what: str) -> None:
        nonlocal told
        percent = 100 if what == DONE else min(99, int(fraction * 100))
        if percent > told:
            told = percent
            report(f"{percent:>3} %  {what}")

    return progress


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"--date {text!r} is no day of the calendar; write it as 2019-02-04.") from error


def crossed_policy(text: str) -> CrossedPolicy:
    """Policy of this name; raises UserError with the others."""
    for policy in get_args(CrossedPolicy.__value__):
        if policy == text:
            return policy  # type: ignore[no-any-return]
    raise unknown_name("policy for crossed quotes", text, get_args(CrossedPolicy.__value__))


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in filter(None, text.split(",")):
        ours, equals, theirs = part.partition("=")
        if not (ours.strip() and equals and theirs.strip()):
            raise UserError(f"--columns {part!r} is not OURS=THEIRS; write for example time=1,bid=2,ask=3.")
        pairs.append((ours.strip(), theirs.strip()))
    return tuple(pairs)


def stamp(ts_ns: int | None) -> str:
    """`ts_ns` as a person reads it, to the last digit that is not 0; a dash for none."""
    if ts_ns is None:
        return "–"
    seconds, fraction = divmod(ts_ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}{'.' if digits else ''}{digits} UTC"


def report_text(done: ImportReport) -> str:
    """The report as a person reads it."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in done.kinds.items()) or "no rows"
    lines = [
        f"{done.instrument}: {kinds} from {done.files} file{'s' if done.files != 1 else ''}"
        f" ({', '.join(done.formats)})",
        f"  stored       {done.added:,} new rows, {done.duplicates:,} were stored already",
        f"  time         {stamp(done.first_ts_ns)}  to  {stamp(done.last_ts_ns)}",
        *(f"               {each}" for each in done.timestamps),
        f"  decimals     {done.price_precision} in prices, {done.size_precision} in sizes",
        f"  crossed      {done.crossed:,}{_policy_said(done)}",
        f"  out of order {done.out_of_order:,}{' (stored in order)' if done.out_of_order else ''}",
        f"  gaps         {done.gaps:,}",
        f"  rejected     {sum(each.count for each in done.rejected):,}",
        *(f"               {each.count:,} × {each.reason} ({_where(done, each)})" for each in done.rejected),
    ]
    return "\n".join([*lines, *(f"  {note}" for note in done.notes)])


def _policy_said(done: ImportReport) -> str:
    if not done.crossed:
        return ""
    return {"keep": " (kept)", "drop": " (dropped)", "fail": ""}[done.crossed_policy]


def _where(done: ImportReport, rejected: Rejected) -> str:
    line = f"first in line {rejected.first_line:,}"
    return f"{line} of {rejected.file}" if done.files > 1 else line
