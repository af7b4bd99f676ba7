"""`nexttick model`: what a model file is and costs here, and the registry of those taken in."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from ai.loading import Inspection, Question, inspect
from ai.loading.conversion import convert
from ai.loading.opening import measure_runtimes
from ai.registry import Entry, Registry
from ai.runtime.choosing import Choice, Measured
from ai.runtime.devices import resolve_device
from app.commands import Report, Result
from app.paths import default_store, home
from engine.errors import UserError

_LISTED = ("accuracy", "log_loss", "r2")
_LINES = ("logistic", "linear")

SUMMARY = "look at a model file, convert it, measure it, keep it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    questions = parser.add_subparsers(
        dest="question", metavar="inspect | map | convert | bench | import | list", required=True
    )
    for name, summary in (
        ("inspect", "what a file is, and whether it is safe"),
        ("map", "write the passport of a stranger's model"),
        ("convert", "write TorchScript, torch.export or weights with a passport as ONNX"),
        ("bench", "measure every runtime that is present"),
        ("import", "take a file into the registry"),
        ("list", "all models in the registry"),
    ):
        question = questions.add_parser(name, parents=[shared], help=summary)
        if name in {"import", "list", "map"}:
            question.add_argument(
                "--registry", type=Path, metavar="DIR", help=f"(default: {_default_registry()})"
            )
        if name == "list":
            continue
        question.add_argument("file", nargs="+", type=Path, metavar="FILE")
        question.add_argument(
            "--trust", metavar="SHA256", help="let exactly this file's own code run, in a process of its own"
        )
        if name == "map":
            _configure_map(question)
        if name == "convert":
            question.add_argument("--out", type=Path, metavar="FILE.onnx", help="(default: beside the file)")
        if name == "bench":
            question.add_argument("--device", default="auto", help="auto, cpu or cuda:N")
        if name == "import":
            question.add_argument("--name", help="(default: the passport's name, or the file's)")
            question.add_argument("--notes", default="", help="a line to remember it by")


def _configure_map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", metavar="NAME", help="the feature set that feeds it, or a TOML file of one")
    parser.add_argument("--output", default="", metavar="NAME", help="the output that is the prediction")
    meanings = ("probabilities", "logits", "class", "value")
    parser.add_argument("--meaning", choices=meanings, help="what that output's numbers are")
    parser.add_argument("--classes", metavar="A,B,C", help="class names in the model's order")
    parser.add_argument("--window", type=int, metavar="ROWS", help="where its shape leaves the window free")
    parser.add_argument("--horizon", default="", metavar="ROWS|TIME", help="how far it looks ahead: 100, 10s")
    parser.add_argument(
        "--instrument", metavar="ID", help="fit the z-score on what is stored of SYMBOL.VENUE"
    )
    parser.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    parser.add_argument("--rows", type=int, metavar="N", help="first rows to fit on (default: 200,000)")
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--out", type=Path, metavar="FILE.json", help="(default: model.json beside the file)")
    goal.add_argument(
        "--import", dest="into_registry", action="store_true", help="keep both in the registry instead"
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one of the questions."""
    if args.question == "list":
        return _list(Registry(args.registry or _default_registry()))
    answers, texts = [], []
    question = Question(trust=args.trust, known_features=known_features)
    for path in args.file:
        report(f"Looking at {path}")
        answer, text = _answered(path, args, question, report)
        answers.append(answer)
        texts.append(text)
    return Result(answers[0] if len(answers) == 1 else {"models": answers}, "\n\n".join(texts))


def _answered(
    path: Path, args: argparse.Namespace, question: Question, report: Report
) -> tuple[dict[str, Any], str]:
    if args.question == "map":
        return _map(path, args, question, report)
    found = inspect(path, question)
    if args.question == "convert":
        return _convert(found, args)
    if args.question == "bench":
        return _bench(found, args.device)
    if args.question == "import":
        return _import(found, args)
    return inspection_json(found), inspection_text(found)


def known_features() -> Mapping[str, str]:
    """Code hash of each feature of this station by its name."""
    from ai.features import FEATURES  # noqa: PLC0415 - polars, only where a passport names features
    from ai.features.code_hash import code_hash  # noqa: PLC0415

    kinds: Mapping[str, type] = FEATURES
    return {name: code_hash(kind) for name, kind in kinds.items()}


def _default_registry() -> Path:
    return home() / "models"


# -- the answers ------------------------------------------------------------------------------------------


def inspection_json(found: Inspection) -> dict[str, Any]:
    """Inspection as the documented JSON; golden tensors stay in the passport's own file."""
    json: dict[str, Any] = msgspec.to_builtins(found)
    if json["passport"] is not None and json["passport"]["golden"] is not None:
        golden = json["passport"]["golden"]
        for side in ("inputs", "outputs"):
            golden[side] = {
                name: {"dtype": t["dtype"], "shape": t["shape"]} for name, t in golden[side].items()
            }
    return json


def inspection_text(found: Inspection) -> str:
    """Inspection as a person reads it."""
    lines = [f"{Path(found.path).name}  {found.format}, {found.size_bytes:,} bytes, sha256 {found.sha256}"]
    lines.append(
        f"  {'accepted' if found.accepted else 'REFUSED'}{': ' if found.reason else ''}{found.reason}"
    )
    if found.unfit:
        lines.append(f"  CANNOT BE TRADED: {found.unfit}")
    for side, ports in (("input", found.inputs), ("output", found.outputs), ("weight", found.weights)):
        lines += [f"  {side:<9}{port.name}  {port.dtype} {_shape(port.shape)}".rstrip() for port in ports]
    if found.passport is not None:
        lines.append(f"  passport {found.passport.name}, {found.passport_from} the file")
    signs = {True: "ok", False: "FAILED", None: "not checked"}
    lines += [f"  {check.name:<9}{signs[check.ok]}: {check.told}" for check in found.checks]
    lines += [f"  beware   {warning}" for warning in found.warnings]
    if found.latency_us is not None:
        cost = found.latency_us
        lines.append(f"  costs    p50 {cost.p50:,.1f} µs, p99 {cost.p99:,.1f} µs ({found.runtime})")
    if found.memory_bytes is not None:
        lines.append(f"  memory   {found.memory_bytes / 1e6:,.1f} MB")
    return "\n".join(lines)


def _shape(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]" if shape else ""


def _map(
    path: Path, args: argparse.Namespace, question: Question, report: Report
) -> tuple[dict[str, Any], str]:
    from app.commands.model_map import map_file  # noqa: PLC0415 - polars, only where features are named

    if args.out is not None and len(args.file) > 1:
        raise UserError("--out names one file and several are given; map them one by one.")
    registry = Registry(args.registry or _default_registry())
    after, besides, lines = map_file(path, args, question, registry, report)
    return inspection_json(after) | besides, "\n".join([*lines, inspection_text(after)])


def _convert(found: Inspection, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if args.out is not None and len(args.file) > 1:
        raise UserError("--out names one file and several are given; convert them one by one.")
    source = Path(found.path)
    target = args.out or source.with_suffix(".onnx")
    if target.exists():
        raise UserError(f"{target} is there already; name another with --out.")
    made = convert(found, target, Question(trust=args.trust))
    after = inspect(target, Question(known_features=known_features))
    answer = inspection_json(after) | {
        "converted_from": found.path,
        "max_abs_difference": made.max_abs_difference,
        "batches": made.batches,
    }
    told = (
        f"{source.name} written as {target}; answers differ by at most {made.max_abs_difference:.2g} "
        f"at batches of {', '.join(str(batch) for batch in made.batches)}"
    )
    return answer, f"{told}\n{inspection_text(after)}"


def _bench(found: Inspection, device_setting: str) -> tuple[dict[str, Any], str]:
    device = resolve_device(device_setting)
    choice = measure_runtimes(found, device)
    best = next((each for each in choice.measured if each.name == choice.best), None)
    answer = inspection_json(found) | {
        "runtime": choice.best,
        "latency_us": {"p50": best.p50_us, "p99": best.p99_us} if best is not None else None,
        "runtimes": [asdict(each) for each in choice.measured],
        "device": device.told,
    }
    return answer, f"{inspection_text(found)}\n{_choice_text(choice)}"


def _choice_text(choice: Choice) -> str:
    lines = [f"  {'runtime':<22}{'p50 µs':>10}{'p99 µs':>10}{'rows/s':>14}"]
    lines += [f"  {_mark(each, choice)}{each.name:<20}{_figures(each)}" for each in choice.measured]
    lines.append(f"  fastest and right: {choice.best or 'none'}")
    return "\n".join(lines)


def _mark(each: Measured, choice: Choice) -> str:
    return "* " if each.name == choice.best else "  "


def _figures(each: Measured) -> str:
    if each.p50_us is None or each.p99_us is None or each.rows_per_s is None:
        return f"    {'WRONG: ' if each.right is False else ''}{each.told}"
    return f"{each.p50_us:>10,.1f}{each.p99_us:>10,.1f}{each.rows_per_s:>14,.0f} (at {each.batch:,})"


def _import(found: Inspection, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    registry = Registry(args.registry or _default_registry())
    entry = registry.add(found, name=args.name, notes=args.notes)
    answer = inspection_json(found) | {"entry": msgspec.to_builtins(entry)}
    return answer, f"{entry.name} version {entry.version} is in {registry.root}\n{inspection_text(found)}"


def _list(registry: Registry) -> Result:
    entries = registry.entries()
    answer = {"models": [msgspec.to_builtins(entry) for entry in entries]}
    if not entries:
        return Result(answer, f"No model is in {registry.root} yet; see 'nexttick model import --help'.")
    width = max(len(entry.name) for entry in entries)
    return Result(answer, "\n".join(_entry_line(entry, width) for entry in entries))


def _entry_line(entry: Entry, width: int) -> str:
    figures = [name for name in _LISTED if name in entry.metrics]
    parts = [
        f"{entry.name:<{width}} {entry.version:>3}  {entry.format:<12}{entry.sha256[:12]}",
        ", ".join(_beside_baseline(name, entry.metrics) for name in figures),
        entry.notes,
    ]
    return "  ".join(part for part in parts if part)


def _beside_baseline(name: str, metrics: Mapping[str, float]) -> str:
    """One figure, and the same of the straight line: `log loss 1.014 (logistic 1.053)`."""
    told = [f"{line} {metrics[f'{line}_{name}']:.4g}" for line in _LINES if f"{line}_{name}" in metrics]
    return f"{name.replace('_', ' ')} {metrics[name]:.4g}" + (f" ({told[0]})" if told else "")
