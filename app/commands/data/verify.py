"""`nexttick data verify`: whether what is stored is what was written."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.progress import tenths
from engine.store.verifying import verify


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", nargs="?", metavar="INSTRUMENT", help="only this one (default: all)")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Check every byte and every row; the exit code is 2 where something is wrong."""
    found = verify(opened(args.store), args.instrument, tenths(report))
    state = f"something is wrong ({len(found.problems):,})" if found.problems else "all as they were written"
    files = f"{found.files:,} file{'s' if found.files != 1 else ''}"
    lines = [f"{files}, {found.rows:,} rows, {found.size_bytes:,} bytes: {state}"]
    if found.without_checksum:
        lines.append(
            f"  {found.without_checksum:,} files are from before there were checksums, so only their rows "
            "were looked at; 'nexttick data compact' gives them one"
        )
    if found.records_without_checksum:
        lines.append(
            f"  {found.records_without_checksum:,} of instrument.json and repair.json are from before they "
            "had checksums, so a changed value in them cannot be told"
        )
    lines += [f"  {problem.text}" for problem in found.problems]
    return Result(msgspec.to_builtins(found), "\n".join(lines), 2 if found.problems else 0)
