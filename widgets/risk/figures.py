"""From a risk to what a card says: labels, texts and tones. No painting."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.messages.frames import Risk
from engine.messages.instrument import Instrument
from widgets.numbers import (
    money_digits,
    money_text,
    percent_text,
    price_text,
    sign_of,
    signed_money,
    signed_text,
)

type Tone = Literal["text", "quiet", "bid", "ask", "warning"]
type Translate = Callable[[str], str]

_BY_SIGN: Mapping[int, Tone] = {-1: "ask", 0: "text", 1: "bid"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One label and its value; `note` stands beside it, quiet, and `tip` says how the value is made."""

    label: str
    text: str
    tone: Tone = "text"
    note: str = ""
    tip: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Card:
    """What is said about one instrument, or about all of one currency.

    `curve` names the instrument whose equity is drawn, None for a sum.
    """

    title: str
    badge: str
    badge_tone: Tone
    figures: tuple[Figure, ...]
    curve: str | None


def _profit(label: str, value: float, currency: str, tip: str) -> Figure:
    digits = money_digits(currency)
    return Figure(label, signed_money(value, currency, digits), _BY_SIGN[sign_of(value, digits)], tip=tip)


def _profits(realised: float, unrealised: float, currency: str, tr: Translate) -> tuple[Figure, Figure]:
    return (
        _profit(
            tr("Unrealised"),
            unrealised,
            currency,
            _marked(tr("Profit of what is still held, before fees"), tr),
        ),
        _profit(
            tr("Realised, net"), realised, currency, tr("Profit of what was closed, net of all fees paid")
        ),
    )


def _marked(text: str, tr: Translate) -> str:
    mark = tr("marked at the mid price (at the last trade where there are no quotes)")
    return f"{text}, {mark}"


def _exposure(value: float, currency: str, tr: Translate) -> Figure:
    text = money_text(value, currency, money_digits(currency))
    return Figure(tr("Exposure"), text, tip=_marked(tr("Size held times its price"), tr))


def _drawdown(label: str, value: float, peak: float, currency: str, *, worst: str = "") -> Figure:
    share = percent_text(value / peak) if peak > 0 else ""
    note = f"{share} · {worst}" if worst else share
    digits = money_digits(currency)
    tone: Tone = "warning" if worst else ("text" if sign_of(value, digits) else "quiet")
    return Figure(label, money_text(value, currency, digits), tone, note)


def card_of(risk: Risk, instrument: Instrument | None, tr: Translate) -> Card:
    """Card of one instrument.

    The drawdown is a warning only while it is the deepest of the run so far.
    """
    size_digits = instrument.size_precision if instrument else 2
    price_digits = instrument.price_precision if instrument else 5
    side = sign_of(risk.position, size_digits)
    currency, digits = risk.currency, money_digits(risk.currency)
    at_worst = sign_of(risk.drawdown, digits) < 0 and risk.drawdown <= risk.max_drawdown
    badges = {1: tr("LONG"), -1: tr("SHORT"), 0: tr("FLAT")}
    peak = risk.equity - risk.drawdown
    return Card(
        title=risk.instrument,
        badge=badges[side],
        badge_tone=_BY_SIGN[side] if side else "quiet",
        figures=(
            Figure(tr("Position"), signed_text(risk.position, size_digits), _BY_SIGN[side]),
            Figure(tr("Average open"), price_text(risk.average_open, price_digits)),
            _exposure(risk.exposure, currency, tr),
            *_profits(risk.realised_pnl, risk.unrealised_pnl, currency, tr),
            Figure(tr("Fees paid"), money_text(risk.fees, currency, digits)),
            Figure(
                tr("Equity"),
                money_text(risk.equity, currency, digits),
                tip=_marked(tr("Balance and the profit of what is still held"), tr),
            ),
            _drawdown(
                tr("Drawdown"), risk.drawdown, peak, currency, worst=tr("deepest yet") if at_worst else ""
            ),
            _drawdown(tr("Deepest"), risk.max_drawdown, peak, currency),
        ),
        curve=risk.instrument,
    )


def total_cards(risks: Iterable[Risk], tr: Translate) -> list[Card]:
    """Sums of what can be added, one card per currency that more than one instrument has.

    Equity and drawdown are the account's, not the instruments', so they are not summed.
    """
    by_currency: dict[str, list[Risk]] = {}
    for risk in risks:
        by_currency.setdefault(risk.currency, []).append(risk)
    return [
        Card(
            title=tr("All in {currency}").format(currency=currency),
            badge=tr("{count} instruments").format(count=len(group)),
            badge_tone="quiet",
            figures=(
                _exposure(sum(risk.exposure for risk in group), currency, tr),
                *_profits(
                    sum(risk.realised_pnl for risk in group),
                    sum(risk.unrealised_pnl for risk in group),
                    currency,
                    tr,
                ),
                Figure(
                    tr("Fees paid"),
                    money_text(sum(risk.fees for risk in group), currency, money_digits(currency)),
                ),
            ),
            curve=None,
        )
        for currency, group in by_currency.items()
        if len(group) > 1
    ]
