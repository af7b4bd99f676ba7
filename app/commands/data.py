"""`nexttick data`: what lies in the tick store, bars of it as CSV, and the proof of a stored book."""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.commands import Once, Report, Result, check_output
from app.commands.import_ import stamp
from app.paths import default_store
from engine.bars import BarBuilder, Bars, BarSpec, PriceType, price_and_size
from engine.columns import KINDS
from engine.errors import UserError
from engine.store import KindInfo, Store
from engine.store.book_check import check_book, exact

SUMMARY = "list, describe, export and check what is stored"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the four questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.register("action", None, Once)
    shared.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    questions = parser.add_subparsers(
        dest="question", metavar="list | info | bars | book-check", required=True
    )
    questions.add_parser("list", parents=[shared], help="all instruments")
    for name, summary in (
        ("info", "one instrument: its facts, rows and times"),
        ("bars", "bars of one instrument as CSV"),
        ("book-check", "rebuild the book and compare it with the quotes"),
    ):
        question = questions.add_parser(name, parents=[shared], help=summary)
        question.add_argument("instrument", metavar="INSTRUMENT")
        if name == "bars":
            question.add_argument(
                "--spec", required=True, metavar="STEP-AGGREGATION-PRICE", help="1-MINUTE-BID"
            )
            question.add_argument("--csv", required=True, type=Path, metavar="FILE")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one of the four questions."""
    store = _store(args.store)
    if args.question == "list":
        return _list(store)
    if args.question == "info":
        return _info(store, args.instrument)
    if args.question == "bars":
        return _bars(store, args.instrument, args.spec, args.csv)
    store.instrument(args.instrument)
    report(f"Rebuilding the book of {args.instrument}")
    return _book_check(store, args.instrument)


def _store(root: Path | None) -> Store:
    """The store that was named, which must be there, or the station's own, which need not yet."""
    if root is not None and not root.exists():
        raise UserError(
            f"There is no folder {root}; give the folder of a tick store, or import into it first."
        )
    return Store(root or default_store())


def _list(store: Store) -> Result:
    """All instruments; one with a damaged file stands below the others, and the exit code is 2."""
    infos: dict[str, dict[str, KindInfo]] = {}
    damaged: dict[str, str] = {}
    for instrument in store.instruments():
        try:
            infos[instrument] = store.info(instrument)
        except UserError as error:
            damaged[instrument] = str(error)
    if not infos and not damaged:
        return Result(
            {"instruments": [], "damaged": []},
            f"Nothing is stored in {store.root} yet; see 'nexttick import --help'.",
        )
    width = max(len(instrument) for instrument in (*infos, "instrument"))
    lines = [f"{'instrument':<{width}}{''.join(f'{kind:>14}' for kind in KINDS)}"]
    lines += [
        f"{instrument:<{width}}{''.join(f'{kind.rows:>14,}' for kind in kinds.values())}"
        for instrument, kinds in infos.items()
    ]
    lines += [f"{instrument}: {problem}" for instrument, problem in damaged.items()]
    json = {
        "instruments": [
            {"instrument": instrument, **{kind: info.rows for kind, info in kinds.items()}}
            for instrument, kinds in infos.items()
        ],
        "damaged": [{"instrument": name, "problem": problem} for name, problem in damaged.items()],
    }
    return Result(json, "\n".join(lines if infos else lines[1:]), 2 if damaged else 0)


def _kind_json(kind: str, info: KindInfo) -> dict[str, Any]:
    told: dict[str, Any] = {"rows": info.rows, "first_ts_ns": info.first_ts_ns, "last_ts_ns": info.last_ts_ns}
    if kind == "trades":
        told["volume"] = f"{info.volume:f}" if info.volume is not None else "0"
    return told


def _info(store: Store, instrument: str) -> Result:
    facts = store.instrument(instrument)
    kinds = store.info(instrument)
    lines = [
        f"{facts.id}  {facts.kind}, {facts.base} priced in {facts.quote}",
        f"  tick {facts.tick_size:f}, lot {facts.lot_size:f}; {facts.price_precision} decimals in prices, "
        f"{facts.size_precision} in sizes",
        f"  fees maker {_percent(facts.maker_fee)}, taker {_percent(facts.taker_fee)} of the notional",
    ]
    for kind, info in kinds.items():
        times = f"  {stamp(info.first_ts_ns)}  to  {stamp(info.last_ts_ns)}" if info.rows else ""
        volume = f", volume {info.volume:,f} {facts.base}" if info.rows and info.volume is not None else ""
        lines.append(f"  {kind:<7}{info.rows:>14,}{times}{volume}")
    json = {"instrument": msgspec.to_builtins(facts)}
    return Result(json | {kind: _kind_json(kind, info) for kind, info in kinds.items()}, "\n".join(lines))


def _percent(fraction: Any) -> str:
    return f"{(fraction * 100).normalize():f} %"


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


def _book_check(store: Store, instrument: str) -> Result:
    check = check_book(store, instrument)
    best = " / ".join(
        "empty" if side is None else f"{side[0]} × {side[1]}" for side in (check.final_bid, check.final_ask)
    )
    unequal = check.bbo_compared - check.bbo_equal
    lines = [
        f"{instrument}: {check.updates:,} book updates",
        f"  best prices  {check.bbo_compared:,} compared to quotes by {check.paired_by}: {unequal:,} differ",
        f"  crossed      {check.crossed:,}",
        f"  gaps         {check.gaps:,}",
        f"  at the end   {best}",
    ]
    return Result(msgspec.to_builtins(check), "\n".join(lines))
