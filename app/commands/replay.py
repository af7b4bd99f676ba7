"""`nexttick replay`: run a strategy as a replay session, in the window or headless."""

import argparse
import math
from typing import Final

from app.commands import Report, Result, run_arguments
from app.engine_main import model_of
from engine.errors import UserError
from engine.session.pace import FASTEST, SLOWEST

SUMMARY = "run it as a replay session, with its windows and link"

_SPEEDS: Final = f"{SLOWEST:g} to {FASTEST:g}, or max"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    run_arguments.configure(parser)
    how = parser.add_argument_group("how it is replayed")
    how.add_argument("--headless", action="store_true", help="without a window, to the end")
    how.add_argument(
        "--speed",
        metavar="N",
        help=f"market seconds per second: {_SPEEDS} (1 in the window, max without one)",
    )
    how.add_argument(
        "--windows", choices=("fixed", "random"), default="fixed", help="sizes of the engine's windows"
    )
    how.add_argument("--engine", choices=("process", "thread"), default="process", help="where it is hosted")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Replay; raises `UserError` for what a person can mend."""
    described = run_arguments.run_of(args)
    speed = speed_of(args.speed or ("max" if args.headless else "1"))
    if not args.headless:
        if args.record:
            raise UserError("A window records its sessions as its settings say; leave out --record.")
        from app import gui  # noqa: PLC0415 - Qt, only where there is a window

        return Result({}, "", gui.open_run(described, engine=args.engine, speed=speed))

    from engine.session.backtest import random_windows, replay_headless  # noqa: PLC0415 - 0.3 s to import

    source = run_arguments.checked_source(described)
    report(f"Replaying {described.strategy} over {source.instrument.id} …")
    model = model_of(described, source)
    recorder = run_arguments.recorder_of(args)
    if args.windows == "random":
        windows = random_windows(described.seed)
        outcome = replay_headless(
            described, source, model, speed=speed, window_events=windows, recorder=recorder
        )
    else:
        outcome = replay_headless(described, source, model, speed=speed, recorder=recorder)
    return run_arguments.finished(outcome, args.fills, recorder)


def speed_of(text: str) -> float:
    """Speed as a session takes it, where 0 is maximum; raises `UserError` for one that is none."""
    if text == "max":
        return 0.0
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = math.nan
    if not SLOWEST <= speed <= FASTEST:
        raise UserError(f"--speed {text!r} is not possible; write {_SPEEDS}.")
    return speed
