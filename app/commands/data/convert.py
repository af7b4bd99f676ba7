"""`nexttick data convert`: an amount in another currency, by the stored rates of a time."""

import argparse
from decimal import Decimal, InvalidOperation

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.import_ import stamp
from app.commands.run_arguments import time_ns
from engine.cross_asset.conversion import CurrencyConverter
from engine.errors import UserError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("amount", metavar="AMOUNT")
    parser.add_argument("source", metavar="FROM", help="currency of the amount, for example USDT")
    parser.add_argument("account", metavar="TO", help="currency of the account, for example EUR")
    parser.add_argument("--at", required=True, metavar="TIME", help="2019-02-04T13:30:00 UTC, or ns")


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Answer the amount and the way of its rates."""
    try:
        amount = Decimal(args.amount)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise UserError(f"{args.amount!r} is no amount; write for example 1250.50.")
    source, account = args.source.upper(), args.account.upper()
    ts = time_ns(args.at)
    converter = CurrencyConverter(opened(args.store), account)
    rate = converter.rate(source, ts)
    steps = converter.way(source)
    path = " and ".join(f"1 / {step.instrument}" if step.inverted else step.instrument for step in steps)
    value = amount * rate
    json = {"amount": f"{value:f}", "currency": account, "rate": f"{rate:f}", "ts_ns": ts}
    lines = [
        f"{amount:,f} {source} = {value:,.8f} {account}",
        f"  rate {rate:.10f}{f' by the mid of {path}' if path else ''}, as known at {stamp(ts)}",
    ]
    return Result(json | {"instruments": [step.instrument for step in steps]}, "\n".join(lines))
