"""`nexttick data sizes`: what each kind of each instrument takes on the disk."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from engine.errors import UserError
from engine.store.maintenance import KindSize, sizes


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", nargs="?", metavar="INSTRUMENT", help="only this one (default: all)")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Tell the sizes; an instrument with a damaged file stands below the others, and the exit code is 2."""
    store = opened(args.store)
    found: list[KindSize] = []
    damaged: dict[str, str] = {}
    for instrument in [args.instrument] if args.instrument else store.instruments():
        try:
            found += sizes(store, instrument)
        except UserError as error:
            if args.instrument:
                raise
            damaged[instrument] = str(error)
    width = max((len(each.instrument) for each in found), default=10)
    lines = [f"{'instrument':<{width}}  {'kind':<16}{'rows':>16}{'bytes':>18}{'per million rows':>20}"]
    lines += [
        f"{each.instrument:<{width}}  {each.kind:<16}{each.rows:>16,}{each.size_bytes:>18,}"
        f"{_per_million(each)}"
        for each in found
    ]
    lines.append(f"{'in all':<{width}}  {'':<32}{sum(each.size_bytes for each in found):>18,}")
    lines += [f"{instrument}: {problem}" for instrument, problem in damaged.items()]
    json = {
        "sizes": [
            msgspec.to_builtins(each) | {"bytes_per_million": each.bytes_per_million} for each in found
        ],
        "damaged": [{"instrument": name, "problem": problem} for name, problem in damaged.items()],
    }
    return Result(json, "\n".join(lines), 2 if damaged else 0)


def _per_million(size: KindSize) -> str:
    return f"{'–':>20}" if size.bytes_per_million is None else f"{size.bytes_per_million:>20,}"
