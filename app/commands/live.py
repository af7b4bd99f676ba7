"""`nexttick live`: orders at a venue, after the account's name was typed."""

import argparse
import sys

import msgspec

from app.commands import Report, Result, run_arguments
from app.commands.watching import DEFAULT_MINUTES, check_minutes, watch
from app.connection_check import checked_before_trading
from app.engines import check_alone
from app.profiles import Profiles
from app.recordings import person_settings
from app.secrets import Secrets
from engine.errors import UserError
from engine.messages.commands import SetArmState

SUMMARY = "trade at a venue; refuses without the account's name"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    run_arguments.configure_traded(parser)
    where = parser.add_argument_group("where it trades")
    where.add_argument("--profile", metavar="NAME", required=True, help="a connection")
    where.add_argument(
        "--arm", metavar="ACCOUNT", help="the account's name, which lets orders out; asked for at a terminal"
    )
    where.add_argument(
        "--minutes", type=float, default=DEFAULT_MINUTES, metavar="N", help="how long (until Ctrl+C)"
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Trade until the time is up; raises `UserError` for what a person can mend."""
    check_minutes(args.minutes)
    profiles = Profiles()
    connection = profiles.tradable(args.profile, live_trading=person_settings().live_trading)
    account = connection.account
    described = run_arguments.run_of(args, "thread", connection)
    armed = args.arm if args.arm is not None else _typed(account)
    if armed != account:
        raise UserError(
            f"Nothing was started: {args.profile} trades on the account {account}, and {armed!r} was given; "
            f"write --arm {account} to let orders out."
        )
    live = msgspec.structs.replace(described, mode="live")
    check_alone(live)
    report(checked_before_trading(args.profile, Secrets(asks=True), profiles))
    arm = SetArmState(state="live", account=armed)
    outcome = watch(live, args.minutes, report, first=(arm,))
    return run_arguments.finished(outcome, args.fills)


def _typed(account: str) -> str:
    if not sys.stdin.isatty():
        raise UserError(
            f"Live sends orders to a venue, so it starts only armed: add --arm {account} to say that you "
            "mean this account."
        )
    return input(f"Type the account's name to let orders out ({account}): ").strip()
