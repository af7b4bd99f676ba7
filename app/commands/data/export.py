"""`nexttick data export`: stored rows for other programs."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from app.commands import Report, Result, check_output
from app.commands.data import opened
from app.commands.data.progress import tenths
from app.commands.run_arguments import time_ns
from engine.errors import UserError, unknown_name
from engine.nautilus.catalog import write_catalog
from engine.store import Store
from engine.store.exporting import Exported, to_arrow, to_csv

_FILES: Final[dict[str, Callable[..., Exported]]] = {"csv": to_csv, "arrow": to_arrow}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument(
        "--to",
        dest="target",
        required=True,
        nargs=2,
        metavar=("FORMAT", "PATH"),
        help="csv FILE | arrow FILE | nautilus DIR (a new folder, for NautilusTrader's catalog)",
    )
    parser.add_argument("--kind", metavar="KIND", help="quotes, trades …; nautilus takes all it can hold")
    parser.add_argument("--from", dest="start", metavar="TIME", help="2019-02-04 or 2019-02-04T09:30")
    parser.add_argument("--until", dest="end", metavar="TIME", help="last time; a day alone is all of it")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Write the rows, answer how many."""
    store, (form, path) = opened(args.store), args.target
    start = None if args.start is None else time_ns(args.start)
    end = None if args.end is None else time_ns(args.end, end=True) + 1
    if start is not None and end is not None and start >= end:
        raise UserError("--until lies before --from; give a later --until.")
    store.instrument(args.instrument)
    if form == "nautilus":
        return _catalog(store, args, Path(path), (start, end), report)
    if form not in _FILES:
        raise unknown_name("format", form, [*_FILES, "nautilus"])
    if args.kind is None:
        raise UserError(f"A {form} file holds one kind; say which with --kind, for example --kind quotes.")
    check_output(f"--to {form}", path)
    done = _FILES[form](store, args.instrument, args.kind, Path(path), start, end, tenths(report))
    text = f"{done.rows:,} {done.kind} of {done.instrument} written to {path}, {done.size_bytes:,} bytes"
    return Result(msgspec.to_builtins(done), f"{text}\n  in the order of ts_event, ns UTC")


def _catalog(
    store: Store, args: Any, folder: Path, span: tuple[int | None, int | None], report: Report
) -> Result:
    kinds = None if args.kind is None else [args.kind]
    done = write_catalog(store, args.instrument, folder, kinds, *span, tenths(report))
    lines = [f"Catalog of {done.instrument} written to {folder}, {done.size_bytes:,} bytes"]
    lines += [f"  {rows:>14,} {kind}" for kind, rows in done.rows.items()]
    if done.left_out:
        lines.append(f"  left out: {', '.join(done.left_out)}")
    return Result(msgspec.to_builtins(done), "\n".join(lines))
