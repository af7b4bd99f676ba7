"""`nexttick data info`: one instrument's facts, rows and times."""

import argparse
from typing import Any

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.import_ import stamp
from engine.store import KindInfo


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Describe what is stored of one instrument."""
    store = opened(args.store)
    facts = store.instrument(args.instrument)
    kinds = store.info(args.instrument)
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


def _kind_json(kind: str, info: KindInfo) -> dict[str, Any]:
    told: dict[str, Any] = {"rows": info.rows, "first_ts_ns": info.first_ts_ns, "last_ts_ns": info.last_ts_ns}
    if kind == "trades":
        told["volume"] = f"{info.volume:f}" if info.volume is not None else "0"
    return told


def _percent(fraction: Any) -> str:
    return f"{(fraction * 100).normalize():f} %"
