"""`nexttick download`: files of a vendor into the cache, and from there into the tick store."""

import argparse
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from app.commands import Report, Result
from app.commands.import_ import crossed_policy, known_instruments, progress_lines, report_text
from app.downloads import cache_folder, downloads_for, import_downloaded
from app.paths import default_store
from engine.downloads.downloading import Missing
from engine.downloads.plan import Order
from engine.downloads.report import FetchReport
from engine.downloads.sources import SOURCES, source_named
from engine.errors import UserError
from engine.feeds.reader import Source as ImportSource
from engine.store import Store, checked_id

SUMMARY: Final = "fetch files of a vendor, and import them"

_LISTED: Final = 20
"""Missing files that are named; the others are counted."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="SOURCE", help=" | ".join(SOURCES))
    parser.add_argument(
        "instrument", metavar="SYMBOL.VENUE", help="for example EURUSD.DUKASCOPY or BTCUSDT-PERP.BINANCE"
    )
    parser.add_argument("--from", dest="first", required=True, metavar="YYYY-MM-DD", help="first day, UTC")
    parser.add_argument("--to", dest="last", required=True, metavar="YYYY-MM-DD", help="last day, included")
    kinds = "; ".join(f"{name}: {', '.join(each.kinds)}" for name, each in SOURCES.items())
    parser.add_argument(
        "--kind",
        default="",
        metavar="KIND",
        help=f"in the vendor's words, its first is the default ({kinds})",
    )
    parser.add_argument(
        "--symbol",
        default="",
        metavar="SYMBOL",
        help="the vendor's own, where the instrument does not tell it",
    )
    parser.add_argument(
        "--dataset", default="", metavar="NAME", help="Databento's dataset or Tardis' exchange, likewise"
    )
    parser.add_argument(
        "--offline", action="store_true", help=f"use only what is in the cache ({cache_folder()})"
    )
    parser.add_argument(
        "--refetch", action="store_true", help="fetch again what is in the cache (a vendor may charge again)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="import nothing where the vendor lacks a file of the order"
    )
    parser.add_argument("--no-import", action="store_true", help="leave the files in the cache")
    parser.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    parser.add_argument(
        "--crossed",
        default="fail",
        metavar="POLICY",
        help="quotes with bid above ask: keep | drop | fail (default)",
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Fetch, import, and answer both reports."""
    if args.offline and args.refetch:
        raise UserError("--offline fetches nothing, and --refetch everything; leave one of them out.")
    source = source_named(args.source)
    order = Order(
        instrument=checked_id(args.instrument),
        kind=args.kind,
        first=_day("--from", args.first),
        last=_day("--to", args.last),
        symbol=args.symbol,
        dataset=args.dataset,
    )
    how = ImportSource(crossed=crossed_policy(args.crossed))
    known = known_instruments()
    if not args.no_import:
        known.find(order.instrument)
    downloads = downloads_for(source, order)
    try:
        got = downloads.fetch(
            order, offline=args.offline, refetch=args.refetch, progress=progress_lines(report)
        )
    except Missing as error:
        _list(error.names, report)
        raise
    _list(got.report.missing, report)
    if args.strict and got.report.missing:
        raise UserError(
            f"{source.title} lacks {len(got.report.missing):,} of the {got.report.files:,} files, so nothing "
            "was imported; leave out --strict to import the others."
        )
    answer: dict[str, Any] = {"download": msgspec.to_builtins(got.report), "import": None}
    text = _fetched(got.report)
    if args.no_import:
        return Result(answer, text)
    store = Store(args.store or default_store())
    done = import_downloaded(downloads, got, store, known, how, progress_lines(report))
    return Result({**answer, "import": msgspec.to_builtins(done)}, f"{text}\n{report_text(done)}")


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{option} {text!r} is no day of the calendar; write it as 2024-08-01.") from error


def _list(names: list[str], report: Report) -> None:
    for name in names[:_LISTED]:
        report(f"missing  {name}")
    if len(names) > _LISTED:
        report(f"missing  {len(names) - _LISTED:,} more")


def _fetched(done: FetchReport) -> str:
    counts = [
        f"{done.fetched:,} fetched ({done.size_bytes / 1e6:,.1f} MB)",
        f"{done.from_cache:,} from the cache",
        *([f"{len(done.missing):,} missing"] if done.missing else []),
        *([f"{done.absent:,} of them empty at the source"] if done.absent else []),
        *([f"{done.verified:,} with the published checksum"] if done.verified else []),
        *([f"{done.repeated:,} requests repeated"] if done.repeated else []),
    ]
    lines = [
        f"{SOURCES[done.source].title}: {done.kind} of {done.instrument}, {done.first} to {done.last}",
        f"  files        {', '.join(counts)}",
        f"  cache        {done.folder}",
        *(f"  {note}" for note in done.notes),
    ]
    return "\n".join(lines)
