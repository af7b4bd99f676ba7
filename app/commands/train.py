"""`nexttick train`: a model of the user's own data, or of a generated market, with its passport."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai.features import FeatureSet
from ai.training.demo import RECIPES, Recipe
from ai.training.folder import Origin, check_out, check_rerun
from ai.training.plan import PLANS, Plan
from ai.training.stretches import Stretch
from app.commands import Report, Result
from app.commands.features import find_set, role_of
from app.commands.run_arguments import time_ns
from app.paths import default_store
from app.training_rows import simulated_rows, stored_rows
from engine.errors import UserError, unknown_name
from engine.messages.run import Run
from engine.store import Store

if TYPE_CHECKING:
    from ai.loading import Inspection
    from ai.training.trainer import Trained

SUMMARY = "train a model on your data, and judge it beside its baselines"

_PLANNED = tuple(name for name in Plan.__struct_fields__ if name != "architecture")
_FIGURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "brier": "Brier score",
    "mcc": "Matthews correlation",
    "ece": "calibration error",
    "r2": "R²",
    "ic": "correlation (IC)",
    "sign_accuracy": "sign accuracy",
    "mae": "mean error, bps",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    data = parser.add_argument_group("the data")
    data.add_argument("--instrument", metavar="ID", help="SYMBOL.VENUE, as stored")
    data.add_argument(
        "--of", metavar="ROLE=ID", action="append", default=[], help="another instrument that the set reads"
    )
    data.add_argument(
        "--series",
        metavar="NAME",
        action="append",
        help="news to read, may be repeated (default: all stored)",
    )
    data.add_argument("--simulate", metavar="MARKET", help="a generated market instead: fx or crypto")
    data.add_argument("--start", metavar="T", help="first market time: ISO date or time (UTC), or ns")
    data.add_argument("--end", metavar="T", help="last market time, inclusive; a date means all of it")
    data.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    data.add_argument("--set", metavar="NAME", help="feature set, or a TOML file of one (default: tick)")
    label = parser.add_argument_group("what is to be told")
    label.add_argument("--label", choices=("horizon",), help="the move over a fixed horizon (the only kind)")
    label.add_argument("--horizon", metavar="SPAN", help="rows (10) or a time (10s); default: 10 rows")
    label.add_argument(
        "--threshold",
        type=_threshold,
        metavar="BPS",
        help="a smaller move is flat; auto balances the classes",
    )
    label.add_argument("--task", choices=("classification", "regression"), help="default: classification")
    model = parser.add_argument_group("the model")
    model.add_argument("--model", metavar="KIND", help="mlp or lstm (default: mlp)")
    model.add_argument("--window", type=int, metavar="ROWS", help="rows of one prediction (mlp 1, lstm 50)")
    model.add_argument("--stride", type=int, metavar="ROWS", help="rows between predictions (default: 1)")
    model.add_argument("--hidden", type=int, metavar="N", help="width (mlp 32, lstm 64)")
    model.add_argument("--name", help="default: of the kind, the set, the instrument and the horizon")
    loop = parser.add_argument_group("the training")
    loop.add_argument(
        "--embargo", metavar="SPAN", help="left out between parts (default: as inputs look back)"
    )
    loop.add_argument("--epochs", type=int, metavar="N", help="at most; it stops early (default: 40)")
    loop.add_argument("--batch", type=int, metavar="N", help="windows of one step (default: 256)")
    loop.add_argument(
        "--epoch-windows", type=int, metavar="N", help="at most drawn in an epoch (mlp 50,000, lstm 20,000)"
    )
    loop.add_argument("--seed", type=int, metavar="N", help="of weights, draws and a generated market")
    loop.add_argument("--threads", type=int, metavar="N", help="of the processor (default: 1)")
    loop.add_argument("--recipe", metavar="NAME", help="a committed recipe instead of all this: demo")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="for the model and its record")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Train, judge and write a model."""
    task = _from_recipe(args) if args.recipe is not None else _asked(args)
    task.plan.check()
    check_out(args.out, task.name)
    if not task.is_recipe:
        check_rerun(args.out, task.plan, task.features)
    report(f"Computing the features of {task.features.name}")
    origin, stretches = task.read(report)
    if not task.is_recipe:
        check_rerun(args.out, task.plan, task.features, stretches)
    from ai.training.artifact import write  # noqa: PLC0415 - torch takes seconds to load
    from ai.training.trainer import train  # noqa: PLC0415

    trained = train(task.plan, task.features, stretches, report, task.borders_ns)
    return _answer(task.name, trained, write(trained, origin, args.out), args.out)


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    plan: Plan
    features: FeatureSet
    read: Callable[[Report], tuple[Origin, list[Stretch]]]
    borders_ns: tuple[int, int] | None = None
    is_recipe: bool = False
    """Then it replaces what an earlier version of the recipe made."""


def _threshold(text: str) -> float | None:
    return None if text == "auto" else float(text)


def _asked(args: argparse.Namespace) -> _Task:
    kind = args.model or "mlp"
    if kind not in PLANS:
        raise unknown_name("model", kind, PLANS)
    if args.instrument is None and args.simulate is None:
        raise UserError(
            "Say what to train on: --instrument SYMBOL.VENUE for stored data, or --simulate fx or crypto."
        )
    given = {name: getattr(args, name, None) for name in _PLANNED}
    plan = msgspec.structs.replace(PLANS[kind], **{k: v for k, v in given.items() if v is not None})
    features = find_set(args.set or "tick")
    start_ns = None if args.start is None else time_ns(args.start)
    end_ns = None if args.end is None else time_ns(args.end, end=True)
    instrument = args.instrument or str(args.simulate)
    ahead = plan.look_ahead
    horizon = f"{ahead.rows}rows" if ahead.rows else str(ahead.text)
    name = args.name or f"{kind}-{features.name}-{instrument}-{horizon}"

    def simulated(_report: Report) -> tuple[Origin, list[Stretch]]:
        drawn = Run(
            instrument=args.instrument or "",
            simulate=args.simulate,
            seed=plan.seed,
            start_ns=start_ns,
            end_ns=end_ns,
        )
        found, stretch = simulated_rows(drawn, features)
        return Origin(name, (found,), simulated=True), [stretch]

    def stored(_report: Report) -> tuple[Origin, list[Stretch]]:
        instruments = {"": args.instrument} | dict(map(role_of, args.of))
        store = Store(args.store or default_store())
        for each in instruments.values():
            store.instrument(each)
        rows = stored_rows(store, features, instruments, start_ns, end_ns, args.series)
        return Origin(name, (args.instrument,)), [rows]

    return _Task(name, plan, features, stored if args.simulate is None else simulated)


def _from_recipe(args: argparse.Namespace) -> _Task:
    if args.recipe not in RECIPES:
        raise unknown_name("recipe", args.recipe, RECIPES)
    told = ("instrument", "series", "simulate", "start", "end", "set", "label", "model", "name", *_PLANNED)
    given = [name for name in told if getattr(args, name, None) is not None]
    if given or args.of:
        option = (given or ["of"])[0].replace("_", "-")
        raise UserError(f"--recipe {args.recipe} says all of it; leave out --{option}.")
    recipe: Recipe = RECIPES[args.recipe]
    features = find_set(recipe.features)

    def drawn(report: Report) -> tuple[Origin, list[Stretch]]:
        instruments: set[str] = set()
        stretches: list[Stretch] = []
        for seed, start_ns in recipe.draws:
            report(f"Drawing market {len(stretches) + 1} of {len(recipe.draws)} (seed {seed})")
            end_ns = start_ns + recipe.seconds * 10**9 - 1
            one = Run(instrument="", simulate=recipe.market, seed=seed, start_ns=start_ns, end_ns=end_ns)
            instrument, stretch = simulated_rows(one, features)
            instruments.add(instrument)
            stretches.append(stretch)
        return Origin(recipe.name, tuple(instruments), simulated=True, licence=recipe.licence), stretches

    return _Task(recipe.name, recipe.plan, features, drawn, recipe.borders_ns, is_recipe=True)


# -- the answer -------------------------------------------------------------------------------------------


def _answer(name: str, trained: "Trained", found: "Inspection", out: Path) -> Result:
    parts, cost = trained.samples.split, found.latency_us
    json = {
        "name": name,
        "file": found.path,
        "sha256": found.sha256,
        "out": str(out),
        "accepted": found.accepted,
        "golden_ok": found.golden_ok,
        "windows": {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "threshold_bps": trained.samples.threshold,
        "epochs": len(trained.fitted.curve),
        "best_epoch": trained.fitted.best,
        "validation": trained.validation,
        "test": trained.test,
        "notes": list(trained.notes),
        "latency_us": None if cost is None else msgspec.to_builtins(cost),
        "seconds": trained.seconds,
    }
    return Result(json, _text(trained, json))


def _text(trained: "Trained", json: dict[str, Any]) -> str:
    names = list(trained.test)
    judged, windows = int(trained.test["model"]["n"]), len(trained.samples.split.test)
    of = f"{judged:,} of {windows:,}" if judged < windows else f"{windows:,}"
    lines = [f"{f'test part, {of} windows':<38}" + "".join(f"{name:>12}" for name in names)]
    for figure, told in _FIGURES.items():
        if figure in trained.test["model"]:
            values = "".join(f"{trained.test[name][figure]:>12.4f}" for name in names)
            lines.append(f"  {told:<36}{values}")
    lines.append(trained.notes[-1])
    cost = json["latency_us"]
    measured = f", {cost['p50']:,.1f} µs a prediction" if cost is not None else ""
    lines.append(
        f"{json['name']} written to {json['out']}: {json['epochs']} epochs in {json['seconds']:,.0f} s, best "
        f"{json['best_epoch']}; its file gave its golden outputs{measured}"
    )
    return "\n".join(lines)
