"""`nexttick data merge`: several instruments' rows as one CSV in the order of their times."""

import argparse
import csv
from pathlib import Path

from app.commands import Report, Result, check_output
from app.commands.data import opened
from app.commands.data.spans import add_instruments, asked_of
from engine.columns import Columns, Quotes, Trades
from engine.cross_asset.merging import merged
from engine.cross_asset.stored import clocks_doubt
from engine.errors import UserError
from engine.store.book_check import exact

_HEADERS = {
    "quotes": ["bid", "ask", "bid_size", "ask_size"],
    "trades": ["price", "size", "aggressor", "trade_id"],
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_instruments(parser)
    parser.set_defaults(by="event")
    parser.add_argument("--csv", required=True, type=Path, metavar="FILE")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Write the rows, answer how many of each."""
    store, names, asked = opened(args.store), args.instruments, asked_of(args)
    kind = asked.kind
    check_output("--csv", args.csv)
    counts = dict.fromkeys(names, 0)
    try:
        with args.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["ts_event_ns", "instrument", *_HEADERS[kind]])
            for part in merged(store, names, kind, asked.start_ns, asked.end_ns):
                texts = [_texts(rows) for rows in part.parts]
                for which, row in zip(part.which.tolist(), part.row.tolist(), strict=True):
                    ts, *fields = texts[which][row]
                    writer.writerow([ts, names[which], *fields])
                for name, rows in zip(names, part.parts, strict=True):
                    counts[name] += len(rows)
    except OSError as error:
        raise UserError(
            f"{args.csv} cannot be written ({(error.strerror or str(error)).lower()}); choose another."
        ) from error
    doubt = clocks_doubt(store, names, asked)
    lines = [
        f"{sum(counts.values()):,} {kind} of {len(names)} instruments written to {args.csv}",
        *(f"  {count:>14,} {name}" for name, count in counts.items()),
        "  by ts_event; rows of one time follow the order in which the instruments were named",
        *([f"  {doubt}"] if doubt else []),
    ]
    return Result({"kind": kind, "rows": counts, "csv": str(args.csv), "doubt": doubt}, "\n".join(lines))


def _texts(rows: Columns) -> list[tuple[str, ...]]:
    """Each row's time and its fields, exact."""

    def prices(*names: str) -> list[list[str]]:
        return [[exact(v, rows.price_precision) for v in getattr(rows, name).tolist()] for name in names]

    def sizes(*names: str) -> list[list[str]]:
        return [[exact(v, rows.size_precision) for v in getattr(rows, name).tolist()] for name in names]

    times = [str(ts) for ts in rows.ts_event.tolist()]
    if isinstance(rows, Quotes):
        return list(zip(times, *prices("bid", "ask"), *sizes("bid_size", "ask_size"), strict=True))
    assert isinstance(rows, Trades)  # noqa: S101 - `asked_of` lets only these two through
    whole = [[str(v) for v in array.tolist()] for array in (rows.aggressor, rows.trade_id)]
    return list(zip(times, *prices("price"), *sizes("size"), *whole, strict=True))
