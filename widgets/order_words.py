"""Orders in words: status, type, flags and origin, and a denial's rule, the same wherever they stand."""

from decimal import Decimal
from functools import cache
from typing import Final, Literal, get_type_hints

from msgspec import Meta
from PySide6.QtCore import QCoreApplication

from engine.messages.events import OrderChanged
from engine.messages.limits import Limits
from engine.messages.orders import EXTERNAL, HAND, Denial
from widgets.numbers import figure_text

type Tone = Literal["text", "quiet", "bid", "ask", "signal", "warning", "danger"]

_TONES: Final[dict[str, Tone]] = {
    "REJECTED": "danger",
    "DENIED": "danger",
    "CANCELED": "quiet",
    "EXPIRED": "quiet",
    "ACCEPTED": "signal",
    "PARTIALLY_FILLED": "signal",
    "TRIGGERED": "signal",
    "IN_DOUBT": "warning",
    "HELD": "quiet",
}


def _tr(text: str) -> str:
    return QCoreApplication.translate("OrderWords", text)


def status_text(status: str) -> str:
    """Status of an order; one that NautilusTrader alone knows by its own name."""
    known = {
        "INITIALIZED": _tr("New"),
        "SUBMITTED": _tr("Pending"),
        "PENDING_UPDATE": _tr("Changing"),
        "PENDING_CANCEL": _tr("Cancelling"),
        "CANCELED": _tr("Cancelled"),
        "IN_DOUBT": _tr("In doubt"),
        "HELD": _tr("Held here"),
    }
    return known.get(status) or status.replace("_", " ").capitalize()


def status_tone(status: str) -> Tone:
    """Colour's token of a status; the words tell the same."""
    return _TONES.get(status, "text")


def type_text(kind: str) -> str:
    """Type of an order, as traders say it."""
    known = {
        "MARKET": _tr("Market"),
        "LIMIT": _tr("Limit"),
        "STOP_MARKET": _tr("Stop"),
        "STOP_LIMIT": _tr("Stop-limit"),
        "MARKET_IF_TOUCHED": _tr("If touched"),
        "LIMIT_IF_TOUCHED": _tr("Limit if touched"),
        "TRAILING_STOP_MARKET": _tr("Trailing stop"),
        "OCO": _tr("OCO"),
        "TWAP": _tr("TWAP"),
    }
    return known.get(kind) or kind.replace("_", " ").capitalize()


def flags_text(order: OrderChanged) -> str:
    """What an order must not do, in short: only add to the book, only reduce."""
    flags = []
    if order.post_only:
        flags.append(_tr("post"))
    if order.reduce_only:
        flags.append(_tr("reduce"))
    if order.contingent:
        flags.append(_tr("linked"))
    return ", ".join(flags)


def origin_text(strategy: str) -> str:
    """Who wanted an order: a person, somebody else at the account, or a strategy by its name."""
    return {HAND: _tr("Hand"), EXTERNAL: _tr("Foreign")}.get(strategy, strategy)


@cache
def _titles() -> dict[str, str]:
    hints = get_type_hints(Limits, include_extras=True)
    titles = {}
    for name, hint in hints.items():
        meta = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta)), None)
        if meta is not None and meta.title:
            titles[name] = meta.title
    return titles


def rule_text(rule: str) -> str:
    """Name of the rule that denied, as the risk panel has it."""
    states = {
        "venue": _tr("Venue's rules"),
        "halted": _tr("Halted"),
        "view": _tr("Orders are off"),
        "duplicate": _tr("Sent before"),
        "altered": _tr("Not as it passed"),
        "closing": _tr("Closed already"),
        "audit": _tr("Audit log"),
    }
    return states.get(rule) or _titles().get(rule) or rule.replace("_", " ").capitalize()


def excess_text(denial: Denial) -> str:
    """What would have come of it against what is allowed: `12,000 over 10,000 USD`; empty without numbers."""
    if denial.value is None or denial.limit is None:
        return ""
    unit = f" {denial.unit}" if denial.unit else ""
    template = _tr("%1 over %2") if abs(denial.value) > denial.limit else _tr("%1 of %2")
    return template.replace("%1", _figure(denial.value)).replace("%2", _figure(denial.limit)) + unit


def _figure(value: Decimal) -> str:
    return figure_text(float(value), 10)
