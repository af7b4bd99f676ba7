"""`nexttick data sync`: prices of several instruments at common times, as CSV."""

import argparse
import csv
from pathlib import Path

import numpy as np

from app.commands import Report, Result, check_output
from app.commands.data import opened
from app.commands.data.spans import add_clock, add_instruments, asked_of, span_ns
from engine.cross_asset.sampling import synchronised
from engine.cross_asset.stored import common_prices, common_times
from engine.errors import UserError, unknown_name

_SAMPLINGS = ("previous-tick", "refresh-time")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_instruments(parser)
    add_clock(parser)
    parser.add_argument("--sampling", default="previous-tick", help="previous-tick (default) | refresh-time")
    parser.add_argument("--every", default="1s", metavar="SPAN", help="step of previous-tick (default: 1s)")
    parser.add_argument("--csv", required=True, type=Path, metavar="FILE")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Write a row for each common time, answer how many."""
    if args.sampling not in _SAMPLINGS:
        raise unknown_name("sampling", args.sampling, _SAMPLINGS)
    check_output("--csv", args.csv)
    step_ns = span_ns(args.every, "--every")
    several = common_prices(opened(args.store), args.instruments, asked_of(args))
    times = common_times(several, args.sampling, step_ns)
    table = synchronised(several, times)
    known = ~np.isnan(table).any(axis=1)
    times, table = times[known], table[known]
    try:
        with args.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["ts_ns", *args.instruments])
            writer.writerows([ts, *row] for ts, row in zip(times.tolist(), table.tolist(), strict=True))
    except OSError as error:
        raise UserError(
            f"{args.csv} cannot be written ({(error.strerror or str(error)).lower()}); choose another."
        ) from error
    json = {"instruments": args.instruments, "sampling": args.sampling, "rows": len(times)}
    how = f"every {args.every}" if args.sampling == "previous-tick" else "whenever all have changed"
    text = f"{len(times):,} common times ({how}) of {len(args.instruments)} instruments written to {args.csv}"
    return Result(json | {"csv": str(args.csv)}, f"{text}\n  each price is the last at or before its time")
