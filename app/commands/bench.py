"""`nexttick bench`: measure the station against a peer in the same run and print the ratio."""

import argparse
import importlib
from collections.abc import Callable
from typing import Final

from app.commands import Report, Result
from app.commands.demo import LONGEST_S
from engine.errors import UserError, unknown_name

SUMMARY = "measure the station against a peer and print the ratio"

BENCHES: Final = {
    "replay": "a full session, watched over its link, against the bare engine",
    "ui": "frame intervals and latencies of the window under load",
    "import": "rows a second per file format, against a plain reader",
    "store": "quotes by generator stored and scanned at growing lengths, sizes beside CSV.gz and the catalog",
    "features": "feature sets in batch and streaming, against pandas",
    "inference": "what one prediction costs in every runtime that is here, and rows a second",
    "ai-backtest": "a model's back-test in batches and per tick, against the naive way and the bare engine",
    "recorder": "events and rows recorded a second, against json and csv, and what a session pays",
    "soak": "a live session at a faulty exchange on this machine; all must agree at the end",
    "order-latency": "the gate, and click to painted row through an exchange, against the exchange alone",
    "start": "from the start of the process to the first painted window",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(f"  {name:<12}{summary}" for name, summary in BENCHES.items())
    parser.add_argument("what", metavar="WHAT", help=", ".join(BENCHES))
    parser.add_argument(
        "--quotes",
        type=int,
        default=1_000_000,
        metavar="N",
        help="replay, features, ai-backtest, recorder: how many",
    )
    parser.add_argument("--formats", default="", metavar="NAME,…", help="import: only these (default: all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the median counts")
    parser.add_argument(
        "--long", action="store_true", help="replay: also five times as many quotes from a store"
    )
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[1_000_000, 10_000_000],
        metavar="N",
        help="store: lengths of the histories",
    )
    parser.add_argument(
        "--largest", type=int, default=0, metavar="N", help="store: one more length, such as 100000000"
    )
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="soak: how long")
    parser.add_argument("--faults", type=int, default=1, metavar="SEED", help="soak: seed of its faults")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="ui: how long")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Run one benchmark; raises `UserError` for an unknown one."""
    if args.what not in BENCHES:
        raise unknown_name("benchmark", args.what, BENCHES)
    if args.quotes < 1 or args.rounds < 1 or not 0 < args.seconds <= LONGEST_S:
        raise UserError(
            f"--quotes and --rounds must be at least 1, and --seconds above 0 and at most {LONGEST_S:,}."
        )
    name = args.what.replace("-", "_")
    module = importlib.import_module(f"app.commands.bench_{name}")
    bench: Callable[[argparse.Namespace, Report], Result] = getattr(module, f"run_bench_{name}")
    return bench(args, report)
