"""`nexttick bench ai-backtest`: a model's back-test in four ways, in one run.

(a) *batch*: features and predictions of the whole range first, nothing cached, then the engine with what was
decided; (b) *per tick*: the same model asked at every quote; (c) *naive*: a torch module called inside
`on_quote`; and *bare*: the engine alone with a Python strategy that does nothing. All run the same generated
quotes from columns in memory, each in a process of its own. Imports and loading a model are not counted,
loading the market data is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from ai.runtime.bench import peak_mb
from app.commands import Report, Result
from app.paths import ROOT
from engine.columns import Quotes
from engine.errors import UserError

WAYS: Final = ("batch", "per-tick", "naive", "bare")
_COMPARED: Final = {"mlp": 1_000_000, "lstm": 100_000}
"""Most quotes over which the model is asked tick by tick."""
_NAIVE: Final = {"mlp": 100_000, "lstm": 20_000}
_TRIED: Final = 100_000
_LATENCY_US: Final = 100.0


def run_bench_ai_backtest(args: argparse.Namespace, report: Report) -> Result:
    """Measure both models; raises `UserError` for too few quotes."""
    if args.quotes < 20_000:
        raise UserError("The benchmark needs at least 20,000 quotes; give --quotes a larger number.")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("mlp", "lstm"):
            place = Path(folder) / kind
            place.mkdir()
            found[kind] = _measured(kind, place, args.quotes, args.rounds if kind == "mlp" else 1, report)
    return Result(found, "\n".join(_text(figures) for figures in found.values()))


def _measured(kind: str, folder: Path, quotes: int, rounds: int, report: Report) -> dict[str, Any]:
    made = _in_child("make", kind, str(folder), quotes, quotes, (0.0, 0.0))
    report(f"{made['model']}: enters at {made['enter']:.4f}, leaves below {made['exit']:.4f}")
    compared, naive = min(quotes, _COMPARED[kind]), min(quotes, _NAIVE[kind])
    counts = {"batch": quotes, "bare": quotes, "per-tick": compared, "naive": naive}

    def once(way: str, count: int) -> dict[str, Any]:
        figures = _in_child(way, kind, made["file"], quotes, count, (made["enter"], made["exit"]))
        report(
            f"{kind:<5}{way:<9}{figures['ticks_per_s']:>10,.0f} ticks/s over {count:,}, "
            f"peak {figures['peak_mb'] or 0:,.0f} MB, {figures['orders']:,} orders"
        )
        return figures

    measured: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in ("batch", "bare", "naive") if number % 2 == 0 else ("naive", "bare", "batch"):
            measured[way].append(once(way, counts[way]))
    measured["per-tick"].append(once("per-tick", compared))
    same_range = measured["batch"][0] if compared == quotes else once("batch", compared)
    return _compared(made, counts, measured, same_range)


def _compared(
    made: dict[str, Any],
    counts: dict[str, int],
    measured: dict[str, list[dict[str, Any]]],
    same_range: dict[str, Any],
) -> dict[str, Any]:
    rate = {way: float(median(each["ticks_per_s"] for each in measured[way])) for way in WAYS}
    work = {way: float(median(each["us_of_processor"] for each in measured[way])) for way in WAYS}
    batch, per_tick = measured["batch"][0], measured["per-tick"][0]
    return {
        "model": made["model"],
        "batch_over_naive": rate["batch"] / rate["naive"],
        "batch_over_bare": rate["batch"] / rate["bare"],
        "processor_batch_over_naive": work["naive"] / work["batch"],
        "processor_batch_over_bare": work["bare"] / work["batch"],
        "per_tick_over_naive": rate["per-tick"] / rate["naive"],
        "same_orders": [same_range[each] for each in ("orders", "fills_sha256")]
        == [per_tick[each] for each in ("orders", "fills_sha256")],
        "compared_quotes": counts["per-tick"],
        "orders": batch["orders"],
        "fills": batch["fills"],
        "predictions": batch["predictions"],
        "predictions_per_s": batch["predictions_per_s"],
        "ticks_per_s": rate,
        "processor_us_per_tick": work,
        "quotes": counts,
        "peak_mb": {way: measured[way][0]["peak_mb"] for way in WAYS},
        "enter": made["enter"],
        "exit": made["exit"],
    }


def _text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['model']}: {found['orders']:,} orders, {found['predictions']:,} predictions at "
        f"{found['predictions_per_s']:,.0f} a second in batches"
    ]
    for way in WAYS:
        is_part = found["quotes"][way] < found["quotes"]["batch"]
        told = f"  on the first {found['quotes'][way]:,} quotes" if is_part else ""
        memory = f"{found['peak_mb'][way] or 0:,.0f} MB"
        work = f"{found['processor_us_per_tick'][way]:.2f}"
        lines.append(
            f"  {way:<10}{found['ticks_per_s'][way]:>12,.0f} ticks/s{work:>10} µs of processor a tick"
            f"{memory:>12}{told}"
        )
    same = "the same orders" if found["same_orders"] else "OTHER ORDERS"
    work = f"{found['processor_batch_over_naive']:.1f} and {found['processor_batch_over_bare']:.2f}"
    lines.append(
        f"  batch over naive {found['batch_over_naive']:.1f}, over the bare engine "
        f"{found['batch_over_bare']:.2f} (by processor time {work}); "
        f"{same} as per tick over {found['compared_quotes']:,} quotes"
    )
    return "\n".join(lines)


def _in_child(
    way: str, kind: str, file: str, drawn: int, count: int, levels: tuple[float, float]
) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "app.commands.bench_ai_backtest"]
    arguments = [way, kind, file, str(drawn), str(count), *map(repr, levels)]
    with tempfile.TemporaryDirectory() as empty:  # no predictions are kept there yet
        environment = os.environ | {"NEXTTICK_HOME": empty}
        done = subprocess.run(  # noqa: S603 - this very program
            [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"the {way} run of {kind} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


# -- in a process of its own ------------------------------------------------------------------------------


def _make(kind: str, folder: Path, drawn: int) -> dict[str, Any]:
    from app.commands.bench_ai_models import (  # noqa: PLC0415 - only children need the engine
        DEMO,
        INSTRUMENT,
        make_model,
        passport_of,
        quotes_of,
        thresholds,
    )
    from app.models import open_model  # noqa: PLC0415

    path = make_model(kind, folder, drawn)
    model = open_model(_inference(path, "batch"), INSTRUMENT)
    enter, leave = thresholds(model, quotes_of(drawn, _TRIED))
    model.close()
    architecture = passport_of(path).architecture
    sizes = "" if architecture is None else f" {json.dumps(architecture.sizes)}"
    name = "the demo model" if path == DEMO else f"an untrained {kind}"
    return {"model": f"{name}{sizes}", "file": str(path), "enter": enter, "exit": leave}


def _inference(path: Path, mode: str) -> Any:
    from engine.messages.run import Inference, ModelUse  # noqa: PLC0415

    used = {"models": (ModelUse(file=str(path)),), "mode": mode, "device": "cpu", "latency_us": _LATENCY_US}
    return msgspec.convert(used, Inference, from_attributes=True)


def _asked(mode: str, path: Path, quotes: Quotes, enter: float, leave: float) -> dict[str, Any]:
    from app.commands.bench_ai_models import INSTRUMENT  # noqa: PLC0415
    from app.models import open_model  # noqa: PLC0415
    from engine.messages.run import Run  # noqa: PLC0415
    from engine.session.backtest import backtest  # noqa: PLC0415
    from engine.session.source import ColumnsSource  # noqa: PLC0415

    inference = _inference(path, mode)
    run = Run(
        instrument=INSTRUMENT.id,
        strategy="ai_signal",
        parameters={"enter": enter, "exit": leave, "trade_size": str(INSTRUMENT.lot_size)},
        inference=inference,
    )
    source = ColumnsSource(INSTRUMENT, quotes)
    model = open_model(inference, INSTRUMENT)
    begun, processor = time.perf_counter(), time.process_time()
    outcome = backtest(run, source, model)
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    results = outcome.results
    told = results.inference
    return {
        "ticks_per_s": len(quotes) / seconds,
        "us_of_processor": processor / len(quotes) * 1e6,
        "orders": results.orders,
        "fills": results.fills,
        "fills_sha256": results.fills_sha256,
        "predictions": told.predictions if told is not None else 0,
        "predictions_per_s": told.predictions_per_s if told is not None else 0.0,
    }


def _driven(way: str, path: Path, quotes: Quotes, enter: float, leave: float) -> dict[str, Any]:
    from app.commands.bench_ai_models import INSTRUMENT, SEED, passport_of, weights_of  # noqa: PLC0415
    from app.commands.bench_ai_naive import idle_strategy, naive_strategy  # noqa: PLC0415
    from engine.messages.events import AnyEvent, Filled  # noqa: PLC0415
    from engine.messages.run import VenueRules  # noqa: PLC0415
    from engine.nautilus.engine import SimulatedVenue  # noqa: PLC0415
    from engine.session.fills import fills_sha256  # noqa: PLC0415
    from engine.strategies import Parameters  # noqa: PLC0415

    strategy = idle_strategy()
    if way == "naive":
        from ai.runtime.bench_naive import NaiveModule  # noqa: PLC0415 - torch

        passport = passport_of(path)
        architecture = passport.architecture
        if architecture is None:
            raise RuntimeError(f"the passport of {path} does not tell its architecture")
        module = NaiveModule(architecture.name, architecture.sizes, SEED, weights_of(path))
        strategy = naive_strategy(passport, module, enter, leave)
    events: list[AnyEvent] = []
    venue = SimulatedVenue(
        INSTRUMENT,
        VenueRules(),
        kinds=frozenset({"quotes"}),
        strategy=strategy,
        parameters=Parameters(),
        emit=events.append,
    )
    begun, processor = time.perf_counter(), time.process_time()
    venue.load({"quotes": quotes})
    venue.run_to(int(quotes.ts_init[-1]))
    venue.finish()
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    failure = venue.failure
    venue.dispose()
    if failure:
        raise RuntimeError(failure)
    fills = [event for event in events if isinstance(event, Filled)]
    return {
        "ticks_per_s": len(quotes) / seconds,
        "us_of_processor": processor / len(quotes) * 1e6,
        "orders": len({fill.order_id for fill in fills}),
        "fills": len(fills),
        "fills_sha256": fills_sha256(fills),
    }


def _main(way: str, kind: str, file: str, drawn: str, count: str, enter: str, leave: str) -> None:
    if way == "make":
        print(json.dumps(_make(kind, Path(file), int(drawn))))
        return
    from app.commands.bench_ai_models import quotes_of  # noqa: PLC0415

    run = _asked if way in {"batch", "per-tick"} else _driven
    figures = run(way, Path(file), quotes_of(int(drawn), int(count)), float(enter), float(leave))
    print(json.dumps(figures | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
