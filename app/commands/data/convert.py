"""`nexttick data convert`: an amount in another currency, by the stored rates of a time."""

import argparse
from decimal import Decimal, InvalidOperation

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.spans import span_ns
from app.commands.import_ import stamp
from app.commands.run_arguments import time_ns
from engine.cross_asset.conversion import OLDEST_NS, CurrencyConverter, Step, rate_of
from engine.errors import UserError
from engine.quality.spells import duration


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("amount", metavar="AMOUNT")
    parser.add_argument("source", metavar="FROM", help="currency of the amount, for example USDT")
    parser.add_argument("account", metavar="TO", help="currency of the account, for example EUR")
    parser.add_argument("--at", required=True, metavar="TIME", help="2019-02-04T13:30:00 UTC, or ns")
    parser.add_argument(
        "--oldest", metavar="SPAN", help="greatest age of a rate, for example 1h or 7d (default: 3d)"
    )


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
    oldest_ns = OLDEST_NS if args.oldest is None else span_ns(args.oldest, "--oldest")
    way = CurrencyConverter(opened(args.store), account, oldest_ns).way(source, ts)
    rate = rate_of(way)
    value = amount * rate
    json = {"amount": f"{value:f}", "currency": account, "rate": f"{rate:f}", "ts_ns": ts}
    lines = [
        f"{amount:,f} {source} = {value:,.8f} {account}",
        f"  rate {rate:.10f}, as known at {stamp(ts)}",
        *(f"  by {_mid(step)} of {stamp(step.ts_ns)}, {_age(ts - step.ts_ns)}" for step in way),
    ]
    rates = [
        {
            "instrument": step.instrument,
            "inverted": step.inverted,
            "mid": f"{step.mid:f}",
            "ts_ns": step.ts_ns,
            "age_ns": ts - step.ts_ns,
        }
        for step in way
    ]
    return Result(json | {"rates": rates}, "\n".join(lines))


def _mid(step: Step) -> str:
    return f"{'1 / ' if step.inverted else ''}the mid of {step.instrument}"


def _age(ns: int) -> str:
    return f"{duration(ns / 1e9)} old" if ns else "of that very time"
