"""Limits as bars with what is left of them, and the account's figures, as lines of a page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from engine.messages.limits import AccountRisk, Exposure, LimitUse, StrategyProfit, TailRisk
from widgets.numbers import (
    compact_text,
    duration_text,
    figure_text,
    money_digits,
    money_text,
    percent_text,
    price_text,
    sign_of,
    signed_money,
)
from widgets.page import LINE, PAD, Figure, Heading, Ink, Line, Sentence

type Translate = Callable[[str], str]
type Tone = Literal["bid", "warning", "danger"]

NEAR: Final = 0.75
"""Share of a limit from which it is amber."""

CLOSE: Final = 0.9
"""Share of a limit from which it is red: before it breaks, so that there is time to do something."""

_BAR: Final = 5
_BY_SIGN: Final = {-1: "ask", 0: "text", 1: "bid"}


def used(use: LimitUse) -> float:
    """Share of a limit in use; a limit of nothing is used up."""
    return use.value / use.limit if use.limit > 0 else 1.0


def tone_of(use: LimitUse) -> Tone:
    """Green while there is room, then amber, then red."""
    share = used(use)
    return "danger" if share >= CLOSE else "warning" if share >= NEAR else "bid"


@dataclass(frozen=True, slots=True)
class Headroom:
    """One limit: its name, what is used of what is allowed, and a bar."""

    label: str
    text: str
    share: float
    tone: Tone
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE + _BAR + 4

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        room = area.width() - 3 * PAD - ink.numbers.width(self.text)
        label = ink.elided(self.label, room)
        ink.dip(painter, ink.words, "quiet").left(painter, PAD, area.top(), LINE, label)
        tone = "text" if self.tone == "bid" else self.tone
        ink.dip(painter, ink.numbers, tone).right(painter, area.right() - PAD, area.top(), LINE, self.text)
        bar = QRect(PAD, area.top() + LINE, area.width() - 2 * PAD, _BAR)
        painter.fillRect(bar, ink.theme.colour("line"))
        bar.setWidth(round(bar.width() * min(max(self.share, 0.0), 1.0)))
        painter.fillRect(bar, ink.theme.colour(self.tone))

    def plain(self) -> str:
        """Name, figures, share."""
        return f"{self.label}\t{self.text}\t{percent_text(self.share, 0)}"


def lines_of(risk: AccountRisk, tr: Translate) -> list[Line]:
    """What the panel says of an account."""
    return [
        *_limits(risk, tr),
        *_account(risk, tr),
        *_exposures(tr("Exposure by instrument"), risk.instruments, risk, tr),
        *_exposures(tr("Exposure by currency"), risk.currencies, risk, tr),
        *_strategies(risk.strategies, risk.currency, tr),
        *_tails(risk.tails, risk.currency, tr),
    ]


def headroom(use: LimitUse, currency: str, tr: Translate) -> Headroom:
    """Line of one limit."""
    share = used(use)
    name = f" · {use.name}" if use.name else ""
    unit = currency if use.unit == "money" else "" if use.unit == "size" else use.unit
    text = f"{_amount(use.value, use.unit)} / {_amount(use.limit, use.unit)}"
    tip = tr("{share} of the limit is used; {left} is left.").format(
        share=percent_text(share, 0),
        left=f"{_amount(max(use.limit - use.value, 0.0), use.unit)} {unit}".strip(),
    )
    return Headroom(f"{use.title}{name}", f"{text} {unit}".strip(), share, tone_of(use), tip)


def _amount(value: float, unit: str) -> str:
    if unit == "money":
        return compact_text(value, 0 if abs(value) >= 1_000 else 2, characters=8)
    if unit in ("%", "x", "s", "bps"):
        return price_text(value, 1)
    return figure_text(value)


def _limits(risk: AccountRisk, tr: Translate) -> list[Line]:
    note = tr("version {number}").format(number=risk.policy_version) if risk.policy_version else ""
    head = Heading(tr("Limits"), note)
    if not risk.uses:
        hint = tr("No limits are set, so the gate stops only what no venue could accept; edit the limits.")
        return [head, Sentence(hint, "quiet")]
    fullest = sorted(risk.uses, key=lambda use: -round(used(use), 3))
    return [head, *(headroom(use, risk.currency, tr) for use in fullest)]


def _account(risk: AccountRisk, tr: Translate) -> list[Line]:
    currency, digits = risk.currency, money_digits(risk.currency)

    def money(label: str, value: float, tip: str = "") -> Figure:
        return Figure(label, money_text(value, currency, digits), tip=tip)

    def profit(label: str, value: float) -> Figure:
        return Figure(label, signed_money(value, currency, digits), _BY_SIGN[sign_of(value, digits)])

    held_back = {
        "scaled": (tr("sizes at {share}").format(share=percent_text(risk.share, 0)), "warning"),
        "paused": (tr("nothing new"), "danger"),
        "flat": (tr("flat"), "danger"),
    }
    protection = [Figure(tr("Protection"), *said)] if (said := held_back.get(risk.stage)) else []
    peak = risk.equity - risk.drawdown
    return [
        Heading(tr("Account")),
        money(tr("Equity"), risk.equity),
        profit(tr("Today"), risk.day_profit),
        profit(tr("This session"), risk.session_profit),
        Figure(
            tr("Drawdown"),
            money_text(risk.drawdown, currency, digits),
            note=percent_text(risk.drawdown / peak) if peak > 0 else "",
        ),
        *protection,
        money(tr("Gross exposure"), risk.gross, tr("Sum of the values of all positions, long and short")),
        money(tr("Net exposure"), risk.net, tr("Value of long positions less that of short ones")),
        Figure(
            tr("Leverage"), f"{price_text(risk.leverage, 2)} x", tip=tr("Gross exposure divided by equity")
        ),
        money(tr("Margin used"), risk.margin_used),
        money(tr("Margin free"), risk.margin_free),
    ]


def _exposures(title: str, exposures: list[Exposure], risk: AccountRisk, tr: Translate) -> list[Line]:
    if not exposures:
        return []
    digits = money_digits(risk.currency)
    return [
        Heading(title, tr("value in {currency}").format(currency=risk.currency)),
        *(
            Figure(
                each.name,
                signed_money(each.value, "", digits),
                _BY_SIGN[sign_of(each.value, digits)],
                note=figure_text(each.quantity),
            )
            for each in exposures
        ),
    ]


def _strategies(profits: list[StrategyProfit], currency: str, tr: Translate) -> list[Line]:
    if not profits:
        return []
    digits = money_digits(currency)
    return [
        Heading(tr("Profit by strategy"), tr("net of fees")),
        *(
            Figure(
                each.strategy,
                signed_money(total := each.realised + each.unrealised, currency, digits),
                _BY_SIGN[sign_of(total, digits)],
                tip=tr("Realised {realised}, unrealised {unrealised}").format(
                    realised=signed_money(each.realised, currency, digits),
                    unrealised=signed_money(each.unrealised, currency, digits),
                ),
            )
            for each in profits
        ),
    ]


def _tails(tails: list[TailRisk], currency: str, tr: Translate) -> list[Line]:
    if not tails:
        return []
    digits = money_digits(currency)
    methods = {"historical": tr("historical"), "ewma": tr("EWMA")}
    lines: list[Line] = [
        Heading(tr("Value at risk · shortfall"), tr("over {time}").format(time=_horizon(tails[0].horizon_s)))
    ]
    for each in tails:
        label = f"{percent_text(each.level, 0)} {methods[each.method]}"
        if each.value_at_risk is None or each.expected_shortfall is None:
            wanted = tr("too few returns ({count})").format(count=each.returns)
            lines.append(Figure(label, wanted, "quiet"))
            continue
        both = f"{price_text(each.value_at_risk, digits)} · {price_text(each.expected_shortfall, digits)}"
        tip = tr(
            "Loss that is not exceeded with this confidence, and the mean loss where it is; {count} returns"
        )
        lines.append(Figure(label, f"{both} {currency}", tip=tip.format(count=each.returns)))
    return lines


def _horizon(seconds: float) -> str:
    return duration_text(round(seconds * 1e9))
