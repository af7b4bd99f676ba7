"""Signals in words and signs, the same in the chart, the strip and the table."""
# ruff: noqa: D102 -- the protocol's docstring says what its attributes are

from decimal import Decimal
from typing import Final, Protocol

from PySide6.QtCore import QCoreApplication

from engine.messages.events import Direction, OrderChanged, SignalActed, SignalJudged, Signalled
from widgets.numbers import price_text, signed_text

SIGNS: Final = {1: "▲", -1: "▼", 0: "×"}


class SignalRecord(Protocol):
    """One signal and what became of it; what is None has not come (yet)."""

    @property
    def signalled(self) -> Signalled: ...
    @property
    def acted(self) -> SignalActed | None: ...
    @property
    def order(self) -> OrderChanged | None: ...
    @property
    def judged(self) -> SignalJudged | None: ...


def tr(text: str) -> str:
    """In the person's language."""
    return QCoreApplication.translate("Signals", text)


def side_text(direction: Direction) -> str:
    """Long, short or flat."""
    return {1: tr("Long"), -1: tr("Short"), 0: tr("Flat")}[direction]


def cause_text(signal: Signalled) -> str:
    """Why the decision changed."""
    return {
        "enter": tr("Entry"),
        "reverse": tr("Reversal"),
        "exit": tr("Exit"),
        "horizon": tr("Horizon"),
        "disarmed": tr("Disarmed"),
    }[signal.cause]


def verdict_text(acted: SignalActed | None) -> str:
    """What the strategy made of it."""
    if acted is None:
        return tr("On its way")
    return {
        "ordered": tr("Ordered"),
        "refused": tr("Refused"),
        "shadow": tr("Shadow"),
        "held": tr("Held"),
    }[acted.verdict]


def level_of(signal: Signalled) -> float:
    """Number that was compared with the threshold: its side's probability, or score towards its side."""
    side = signal.direction or signal.previous
    probability = signal.up if side > 0 else signal.down
    return signal.score * side if probability is None else probability


def level_text(signal: Signalled, level: float) -> str:
    """A probability with three digits, a score with four."""
    return price_text(level, 4 if signal.up is None else 3)


def fill_price(record: SignalRecord) -> Decimal | None:
    """Average price of what the signal's order filled so far; None without any."""
    return None if record.order is None else record.order.average_price


def move_bps(record: SignalRecord) -> float | None:
    """Way of the price to the horizon in the signal's direction, basis points; None before."""
    signal, judged = record.signalled, record.judged
    if judged is None or not signal.price:
        return None
    return signal.direction * (judged.price / signal.price - 1) * 1e4


def outcome_text(record: SignalRecord) -> str:
    """Hit or miss with the way of the price; empty of a signal that opens nothing."""
    if record.judged is not None:
        word = tr("hit") if record.judged.hit else tr("miss")
        return f"{word} {signed_text(move_bps(record), 2)} bp"
    return tr("pending") if record.signalled.cause in {"enter", "reverse"} else ""


def sentence(record: SignalRecord, precision: int) -> str:
    """All of a signal in one line."""
    signal = record.signalled
    level = level_of(signal)
    relation = "≥" if level >= signal.threshold else "<"
    said, threshold = (level_text(signal, value) for value in (level, signal.threshold))
    parts = [
        f"{SIGNS[signal.direction]} {side_text(signal.direction)}",
        cause_text(signal),
        f"{said} {relation} {threshold}",
        verdict_text(record.acted),
    ]
    price = fill_price(record)
    if price is not None:
        parts.append(tr("filled at {price}").format(price=price_text(price, precision)))
    parts.append(outcome_text(record))
    if record.acted is not None and record.acted.verdict == "refused":
        parts.append(record.acted.text)
    return " · ".join(filter(None, parts))
