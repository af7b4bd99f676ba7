"""`nexttick model`: what a model file is and costs here, and the registry of those taken in."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from ai.loading import Inspection, Question, inspect
from app.commands import Report, Result

SUMMARY = "look at a model file, convert it, measure it, keep it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    questions = parser.add_subparsers(dest="question", metavar="inspect", required=True)
    question = questions.add_parser(
        "inspect", parents=[shared], help="what a file is, and whether it is safe"
    )
    question.add_argument("file", nargs="+", type=Path, metavar="FILE")
    question.add_argument(
        "--trust", metavar="SHA256", help="run exactly this file's own code, in a process of its own"
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one question."""
    return _inspect(args.file, args.trust, report)


def _inspect(paths: list[Path], trust: str | None, report: Report) -> Result:
    found = []
    for path in paths:
        report(f"Looking at {path}")
        found.append(inspect(path, Question(trust=trust)))
    return _result([inspection_json(each) for each in found], [inspection_text(each) for each in found])


def _result(answers: list[dict[str, Any]], texts: list[str]) -> Result:
    """One file is answered by its object, several by a list of them."""
    return Result(answers[0] if len(answers) == 1 else {"models": answers}, "\n\n".join(texts))


def inspection_json(found: Inspection) -> dict[str, Any]:
    """Inspection as the documented JSON."""
    json: dict[str, Any] = msgspec.to_builtins(found)
    return json


def _shape(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]" if shape else ""


def inspection_text(found: Inspection) -> str:
    """Inspection as a person reads it."""
    lines = [f"{Path(found.path).name}  {found.format}, {found.size_bytes:,} bytes, sha256 {found.sha256}"]
    lines.append(
        f"  {'accepted' if found.accepted else 'REFUSED'}{': ' if found.reason else ''}{found.reason}"
    )
    for side, ports in (("input", found.inputs), ("output", found.outputs), ("weight", found.weights)):
        lines += [f"  {side:<8}{port.name}  {port.dtype} {_shape(port.shape)}".rstrip() for port in ports]
    if found.passport is not None:
        lines.append(f"  passport {found.passport.name}, {found.passport_from} the file")
    signs = {True: "ok", False: "FAILED", None: "not checked"}
    lines += [f"  {check.name:<8}{signs[check.ok]}: {check.told}" for check in found.checks]
    lines += [f"  beware  {warning}" for warning in found.warnings]
    if found.latency_us is not None:
        cost = found.latency_us
        lines.append(f"  costs   p50 {cost.p50:,.1f} µs, p99 {cost.p99:,.1f} µs ({found.runtime})")
    if found.memory_bytes is not None:
        lines.append(f"  memory  {found.memory_bytes / 1e6:,.1f} MB")
    return "\n".join(lines)
