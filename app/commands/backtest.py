"""`nexttick backtest`: run a strategy over market data at full speed and print what came of it."""

import argparse

from app.commands import Report, Result, run_arguments
from app.engine_main import model_of

SUMMARY = "run a strategy over stored data at full speed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    run_arguments.configure(parser)


def run(args: argparse.Namespace, report: Report) -> Result:
    """Run to the end; raises `UserError` for what a person can mend."""
    described = run_arguments.run_of(args, "batch")
    from engine.session.backtest import backtest  # noqa: PLC0415 - the engine takes 0.3 s to import

    source = run_arguments.checked_source(described)
    report(f"Running {described.strategy} over {source.instrument.id} …")
    recorder = run_arguments.recorder_of(args)
    outcome = backtest(described, source, model_of(described, source), recorder)
    return run_arguments.finished(outcome, args.fills, recorder)
