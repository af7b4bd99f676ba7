"""`nexttick data bars`: bars of one instrument as CSV."""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from app.commands import Report, Result, check_output
from app.commands.data import opened
from engine.bars import BarBuilder, Bars, BarSpec, PriceType, price_and_size
from engine.errors import UserError
from engine.store import Store
from engine.store.book_check import exact


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument("--spec", required=True, metavar="STEP-AGGREGATION-PRICE", help="1-MINUTE-BID")
    parser.add_argument("--csv", required=True, type=Path, metavar="FILE")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Write the bars, answer how many."""
    return _bars(opened(args.store), args.instrument, args.spec, args.csv)


def _bars(store: Store, instrument: str, spec_text: str, path: Path) -> Result:
    spec = BarSpec.parse(spec_text)
    check_output("--csv", path)
    store.instrument(instrument)
    kind = "trades" if spec.price_type == PriceType.LAST else "quotes"
    if not store.files(instrument, kind):
        raise UserError(
            f"No {kind} of {instrument} are stored, which {spec} bars are made of; choose another price."
        )
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["ts_open_ns", "open", "high", "low", "close", "volume"])
            for bars in _built(store, instrument, kind, spec):
                writer.writerows(_rows(bars, halves=spec.price_type == PriceType.MID))
                count += len(bars)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); choose another."
        ) from error
    json = {"instrument": instrument, "spec": str(spec), "bars": count, "csv": str(path)}
    lines = [
        f"{count:,} bars {spec} of {instrument} written to {path}",
        f"  times are the venue's (ts_event, UTC); {_last_bar(spec)}",
    ]
    return Result(json, "\n".join(lines))


def _last_bar(spec: BarSpec) -> str:
    if spec.interval_ns:
        return "a bar opens at the start of its interval, and the last one ends with the data"
    return "a bar opens at its first tick, and a last one that is not full is left out"


def _built(store: Store, instrument: str, kind: str, spec: BarSpec) -> Iterator[Bars]:
    """Bars in order of time; the last time bar too, although nothing after it closed it."""
    builder: BarBuilder | None = None
    for columns in store.in_event_order(instrument, kind):
        ticks = price_and_size(spec, columns)
        builder = builder or BarBuilder(
            spec, price_precision=ticks.price_precision, size_precision=ticks.size_precision
        )
        yield builder.append(ticks.ts_event, ticks.price, ticks.size)
    if builder is not None and spec.interval_ns:
        yield builder.current


def _rows(bars: Bars, *, halves: bool) -> Iterator[list[str]]:
    """Exact texts; with `halves`, volumes have one digit more, for the half of an odd unit (see MID)."""
    arrays = bars.arrays()
    prices = [arrays[name].tolist() for name in ("open", "high", "low", "close")]
    for ts, volume, *four in zip(bars.ts_open.tolist(), bars.volume.tolist(), *prices, strict=True):
        texts = [exact(price, bars.price_precision) for price in four]
        if halves and volume % 10 == 0:
            amount = exact(volume // 10, bars.size_precision - 1)
        else:
            amount = exact(volume, bars.size_precision)
        yield [str(ts), *texts, amount]
