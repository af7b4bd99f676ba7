"""`nexttick data compact`: the same rows in smaller files."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.progress import tenths
from engine.errors import UserError
from engine.store.maintenance import COMPACT_LEVEL, Compacted, compact

_LEVELS = range(1, 23)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", nargs="?", metavar="INSTRUMENT", help="only this one (default: all)")
    parser.add_argument("--kind", metavar="KIND", help="only this kind (default: all)")
    parser.add_argument(
        "--level", type=int, default=COMPACT_LEVEL, help=f"ZSTD's, 1 to 22 (default: {COMPACT_LEVEL})"
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Rewrite what gets smaller, and tell the bytes before and after."""
    if args.level not in _LEVELS:
        raise UserError(f"--level {args.level} is none of ZSTD's; give 1 to 22.")
    store = opened(args.store)
    if args.instrument is None and args.kind is not None:
        raise UserError("--kind is of one instrument; name it before.")
    kinds = None if args.kind is None else [args.kind]
    names = [args.instrument] if args.instrument else store.instruments()
    done = [compact(store, name, kinds, args.level, tenths(report)) for name in names]
    before, after = (sum(getattr(each, f"bytes_{when}") for each in done) for when in ("before", "after"))
    lines = [_line(each) for each in done]
    lines.append(f"{before:,} bytes are {after:,} now; no row has changed")
    json = {"compacted": msgspec.to_builtins(done), "bytes_before": before, "bytes_after": after}
    return Result(json, "\n".join(lines))


def _line(done: Compacted) -> str:
    freed = 1 - done.bytes_after / done.bytes_before if done.bytes_before else 0.0
    return f"{done.instrument}: {done.rewritten:,} of {done.files:,} files rewritten, {freed:.0%} smaller"
