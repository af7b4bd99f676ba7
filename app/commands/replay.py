"""`nexttick replay`: run a strategy as a replay session, in the window or headless."""

import argparse

from app.commands import Report, Result, run_arguments
from engine.errors import UserError

SUMMARY = "run it as a replay session, with its windows and link"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    run_arguments.configure(parser)
    how = parser.add_argument_group("how it is replayed")
    how.add_argument("--headless", action="store_true", help="without a window, to the end")
    how.add_argument(
        "--speed", metavar="N", help="market seconds per second, or max (the default without a window)"
    )
    how.add_argument(
        "--windows", choices=("fixed", "random"), default="fixed", help="sizes of the engine's windows"
    )
    how.add_argument("--engine", choices=("process", "thread"), default="process", help="where it is hosted")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Replay; raises `UserError` for what a person can mend."""
    described = run_arguments.run_of(args)
    if not args.headless:
        from app import gui  # noqa: PLC0415 - Qt, only where there is a window

        return Result({}, "", gui.open_run(described, engine=args.engine, speed=_speed(args.speed or "1")))

    from engine.session.backtest import random_windows, replay_headless  # noqa: PLC0415 - 0.3 s to import

    report(f"Replaying {described.strategy} over {described.instrument or described.simulate} …")
    speed = _speed(args.speed or "max")
    if args.windows == "random":
        outcome = replay_headless(described, speed=speed, window_events=random_windows(described.seed))
    else:
        outcome = replay_headless(described, speed=speed)
    return run_arguments.finished(outcome, args.fills)


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        return float(text.removesuffix("x"))
    except ValueError:
        raise UserError(f"--speed {text!r} is no speed; write a number from 0.1 to 1000, or max.") from None
