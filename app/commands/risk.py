"""`nexttick risk`: the limits in force, and what the gate would say to an order."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from app.commands import Once, Report, Result
from app.paths import CONFIGS, home
from app.policies import Policies, PolicyVersion, kill_settings
from engine.errors import UserError, in_words
from engine.feeds.instruments import KnownInstruments
from engine.messages.events import PositionChanged
from engine.messages.instrument import Instrument
from engine.messages.limits import Limits, Protection, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent
from engine.messages.run import VenueRules
from engine.risk.book import AccountBook, Touch
from engine.risk.case import in_base
from engine.risk.gate import RiskGate
from engine.risk.ruling import scopes
from engine.risk.sizing import LARGEST

SUMMARY: Final = "show the limits in force, and what the gate says to an order"

_QUESTIONS: Final = {
    "show": "the limits in force, and all versions that were",
    "check": "what the gate would say to an order",
}
_DENIED: Final = 1
"""Exit code of a no."""


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Touch of an instrument, and how old it is."""

    bid: Decimal
    ask: Decimal
    age_s: Decimal = Decimal(0)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that an order is checked in.

    Attributes
    ----------
    equity : Decimal
        In the currency that the order's instrument is settled in.
    leverage : Decimal
        That margins are told with.
    positions : dict
        Signed sizes by instrument.
    orders : list of OrderIntent
        At work.
    touch : dict
        Prices by instrument.
    time : datetime or None
        Of the check; None is now.
    """

    equity: Decimal = VenueRules().balance
    leverage: Decimal = VenueRules().leverage
    positions: dict[str, Decimal] = {}
    orders: list[OrderIntent] = []
    touch: dict[str, Prices] = {}
    time: datetime | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    questions = parser.add_subparsers(dest="question", metavar=" | ".join(_QUESTIONS), required=True)
    for name, summary in _QUESTIONS.items():
        question = questions.add_parser(name, help=summary, description=summary)
        question.register("action", None, Once)
        question.add_argument(
            "--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON"
        )
        if name == "check":
            question.add_argument(
                "order",
                metavar="ORDER.json",
                type=Path,
                help="one JSON object: instrument, side, type, quantity, price …; and, where you like, the "
                "account: equity, positions, orders, touch (exit code 1 where it is denied)",
            )


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Answer one question."""
    policies = Policies()
    if args.question == "show":
        return _shown(policies)
    intent, account = _order(args.order)
    policy = policies.current().policy
    denial = _verdict(policy, intent, account)
    json = {
        "verdict": "passes" if denial is None else "denied",
        "rule": None if denial is None else denial.rule,
        "value": None if denial is None else denial.value,
        "limit": None if denial is None else denial.limit,
        "unit": "" if denial is None else denial.unit,
        "text": "" if denial is None else denial.text,
        "policy_version": policy.version,
    }
    text = "It passes." if denial is None else f"Denied ({denial.rule}): {denial.text}"
    return Result(json, text, exit_code=0 if denial is None else _DENIED)


# Limits in force ------------------------------------------------------------------------------------


def _shown(policies: Policies) -> Result:
    now, kept = policies.current(), policies.versions()
    json = {
        "version": now.policy.version,
        "time": now.time or None,
        "file": str(policies.path),
        "policy": msgspec.to_builtins(now.policy),
        "versions": [{"version": each.policy.version, "time": each.time} for each in kept],
    }
    return Result(json, "\n".join(_lines(policies, now, kept)))


def _lines(policies: Policies, now: PolicyVersion, kept: list[PolicyVersion]) -> list[str]:
    policy = now.policy
    since = f"in force since {now.time}" if now.time else "in force as the station came"
    if not now.time and policies.path.exists():
        since = "in force as written by hand"
    lines = [f"Version {policy.version}, {since}; edit {policies.path} or the window's limits to change it."]
    for scope, limits in scopes(policy).items():
        said = _said(limits)
        lines += [
            "",
            f"{scope.kind} {scope.name}".strip(),
            *(f"  {name:<22}{value}" for name, value in said.items()),
        ]
        if not said:
            lines.append("  no limits")
    protection = _said(policy.protection)
    lines += ["", "protection", *(f"  {name:<22}{value}" for name, value in protection.items())]
    kill = kill_settings(policy.kill)
    lines += ["", "kill switch", *(f"  {name:<22}{_word(value)}" for name, value in kill.items())]
    if kept:
        lines += ["", "versions", *(f"  {each.policy.version:<22}{each.time}" for each in kept)]
    return lines


def _said(limits: Limits | Protection) -> dict[str, str]:
    return {
        name: str(value) for name, value in msgspec.structs.asdict(limits).items() if value not in (None, "")
    }


def _word(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# An order --------------------------------------------------------------------------------------------


def _order(path: Path) -> tuple[OrderIntent, Snapshot]:
    """The order of a file, and the account in it: as `account`, or beside the order's own fields."""
    try:
        said = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check the path.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON: {in_words(error)}; correct it.") from error
    if not isinstance(said, dict):
        raise UserError(f"{path} is not one JSON object; write for example {_EXAMPLE}.")
    account = said.pop("account", {})
    order = said.pop("intent", None)
    if isinstance(account, dict):
        account |= {name: said.pop(name) for name in Snapshot.__struct_fields__ if name in said}
    order = said if order is None else order
    if isinstance(order, dict):
        order = {"strategy": HAND, **order}
    unknown = set(order) - set(OrderIntent.__struct_fields__) if isinstance(order, dict) else set()
    if unknown:
        raise UserError(f"{path} cannot be used: {min(unknown)} is nothing that belongs there; remove it.")
    try:
        intent, snapshot = msgspec.convert(order, OrderIntent), _snapshot(account, order)
    except msgspec.ValidationError as error:
        raise UserError(f"{path} cannot be used: {in_words(error)}; write for example {_EXAMPLE}.") from error
    problem = _impossible(intent, snapshot)
    if problem:
        raise UserError(f"{path} cannot be used: {problem}; correct it.")
    return intent, snapshot


def _impossible(intent: OrderIntent, account: Snapshot) -> str:
    """What no market and no account can have, in words; empty where there is no such thing."""
    for name, number in (*_numbers("", intent), *_numbers("", account)):
        if not number.is_finite() or abs(number) >= LARGEST:
            return f"{name} is {number}"
    if account.leverage <= 0:
        return f"a leverage of {account.leverage} is not above 0"
    for name, touch in account.touch.items():
        if not 0 < touch.bid <= touch.ask:
            return f"the touch of {name}, bid {touch.bid} and ask {touch.ask}, is no market"
    return ""


def _numbers(name: str, of: object) -> Iterator[tuple[str, Decimal]]:
    match of:
        case Decimal():
            yield name, of
        case dict() | msgspec.Struct():
            fields = of if isinstance(of, dict) else msgspec.structs.asdict(of)
            for each, value in fields.items():
                yield from _numbers(each, value)
        case list():
            for value in of:
                yield from _numbers(name, value)


_EXAMPLE: Final = (
    '{"instrument": "BTCUSDT.BINANCE", "side": "BUY", "type": "MARKET", "quantity": "3", '
    '"touch": {"bid": "64999", "ask": "65000"}}'
)


def _snapshot(account: Any, order: Any) -> Snapshot:
    """The account; prices without an instrument are those of the order's."""
    touch = account.get("touch") if isinstance(account, dict) else None
    if isinstance(touch, dict) and "bid" in touch and isinstance(order, dict):
        account = {**account, "touch": {order.get("instrument"): touch}}
    return msgspec.convert(account, Snapshot)


def _verdict(policy: RiskPolicy, intent: OrderIntent, account: Snapshot) -> Denial | None:
    known = KnownInstruments.load(CONFIGS / "instruments.toml", home() / "instruments.toml")
    names = {
        intent.instrument,
        *account.positions,
        *account.touch,
        *(each.instrument for each in account.orders),
    }
    instruments: Mapping[str, Instrument] = {name: known.find(name).instrument for name in names}
    facts = instruments[intent.instrument]
    time = account.time or datetime.now(UTC)
    now_ns = int(time.replace(tzinfo=time.tzinfo or UTC).timestamp() * 1e9)
    touches = {
        name: Touch(each.bid, each.ask, now_ns - int(each.age_s * 1_000_000_000))
        for name, each in account.touch.items()
    }
    book = AccountBook(
        instruments,
        currency=facts.base if facts.inverse else facts.quote,
        balance=account.equity,
        touch=touches.get,
        leverage=account.leverage,
    )
    for name, quantity in account.positions.items():
        touch = touches.get(name)
        # Held at the mid, so that the equity is what the file says.
        price = Decimal(1) if touch is None else touch.mid
        book.note(_held(name, intent.strategy, quantity, price, now_ns))
    for number, each in enumerate(account.orders):
        size = in_base(each, touches.get(each.instrument), book.valuing(each.instrument))
        book.send(f"at work {number}", each, size, 0)
    return RiskGate(instruments, policy, book, lambda: now_ns, arm="paper", mode="paper").would(intent)


def _held(instrument: str, strategy: str, quantity: Decimal, price: Decimal, now_ns: int) -> PositionChanged:
    return PositionChanged(
        ts=now_ns,
        position_id=instrument,
        instrument=instrument,
        strategy=strategy,
        quantity=quantity,
        average_open=price,
        average_close=None,
        realised_pnl=Decimal(0),
        currency="",
        opened_ns=now_ns,
        closed_ns=None,
    )
