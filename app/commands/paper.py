"""`nexttick paper`: live data, or recorded data served as if they were live, with simulated fills."""

import argparse
from pathlib import Path

import msgspec

from app.commands import Report, Result, run_arguments
from app.commands.replay import speed_of
from app.commands.watching import DEFAULT_MINUTES, check_minutes, watch
from app.paths import default_store
from engine.errors import UserError
from engine.messages.connection import Connection

SUMMARY = "trade on live or recorded data with simulated fills"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    run_arguments.configure_served(parser)
    where = parser.add_argument_group("how it is served")
    where.add_argument("--profile", metavar="NAME", help="a connection, on whose live market it trades")
    where.add_argument(
        "--speed", metavar="N", help="of recorded or generated data: market seconds per second (1)"
    )
    where.add_argument(
        "--minutes",
        type=float,
        default=DEFAULT_MINUTES,
        metavar="N",
        help="how long (until the data end, or Ctrl+C)",
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Trade until the time is up; raises `UserError` for what a person can mend."""
    check_minutes(args.minutes)
    _take_stored_instrument(args)
    connection = _connection(args.profile) if args.profile else None
    if connection is not None and args.speed:
        raise UserError("A live market has its own speed; leave out --speed.")
    run = run_arguments.run_of(args, "thread", connection)
    described = msgspec.structs.replace(run, mode="paper", speed=speed_of(args.speed or "1"), arm="paper")
    outcome = watch(described, args.minutes, report)
    return run_arguments.finished(outcome, args.fills)


def _take_stored_instrument(args: argparse.Namespace) -> None:
    """Let `--recording` name an instrument of the store too: what is stored was recorded as well."""
    if args.recording and not args.instrument and not Path(args.recording).is_dir():
        from engine.store import Store  # noqa: PLC0415 - Arrow takes a while to load

        if args.recording in Store(Path(args.store) if args.store else default_store()).instruments():
            args.instrument, args.recording = args.recording, None


def _connection(name: str) -> Connection:
    from app.profiles import Profiles  # noqa: PLC0415 - loads the adapters' parameters

    return Profiles().get(name)
