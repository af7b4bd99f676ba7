"""`nexttick bench inference`: what one prediction costs in every runtime that is here, and rows a second."""

import argparse

from ai.runtime.bench import measure
from app.commands import Report, Result


def run_bench_inference(_args: argparse.Namespace, report: Report) -> Result:
    """Measure in child processes; `python -m ai.runtime.bench` does the same without the station."""
    measured = measure(report)
    return Result(measured.json(), measured.text())
