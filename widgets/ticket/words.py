"""What the ticket says: what an order would come to, why it cannot be sent, and what became of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from engine.messages.events import HaltStep, OrderChanged, Phase
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.orders import ENDED, Contingency, OrderIntent, OrderPreview
from widgets.numbers import DASH, money_digits, money_text, price_text, signed_text
from widgets.order_words import excess_text, rule_text, status_text, status_tone, type_text
from widgets.own_orders import side_text
from widgets.page import Figure, Line, Sentence
from widgets.ticket.form import Touch
from widgets.ticket.state import TicketSession

_MOST_LINES: Final = 3
_WRONG: Final = frozenset({"REJECTED", "DENIED", "IN_DOUBT"})
_RUN_IS_OVER: Final = (Phase.FINISHED, Phase.FAILED)


def tr(text: str) -> str:
    """Text in the person's language."""
    return QCoreApplication.translate("Ticket", text)


def fill(template: str, *values: str) -> str:
    """Template with `%1`, `%2` … replaced."""
    for place, value in enumerate(values, 1):
        template = template.replace(f"%{place}", value)
    return template


def size_text(quantity: Decimal, instrument: Instrument, *, in_quote: bool = False) -> str:
    """Quantity with its unit; a contract's unit is no currency."""
    text = price_text(quantity, 2 if in_quote else instrument.size_precision)
    unit = instrument.quote if in_quote or instrument.inverse else instrument.base
    return f"{text} {unit}"


def deed_text(intents: Sequence[OrderIntent], contingency: Contingency, instrument: Instrument) -> str:
    """What the send button does: `Buy 10,000 EUR at 1.09352`."""
    first = intents[0]
    if not first.quantity:
        return side_text(first.side)  # the size comes to nothing
    text = f"{side_text(first.side)} {size_text(first.quantity, instrument, in_quote=first.quote_quantity)}"
    if contingency == "oco":
        return fill(tr("%1, limit or stop"), text)
    if first.type not in ("MARKET", "LIMIT"):
        text = f"{text} {type_text(first.type).lower()}"
    where = first.price if first.price is not None else first.trigger
    if where is not None:
        text = fill(tr("%1 at %2"), text, price_text(where, instrument.price_precision))
    if contingency == "bracket":
        text = fill(tr("%1 with exits"), text)
    elif first.twap is not None:
        text = fill(tr("%1 over %2 min"), text, f"{first.twap.horizon_s / 60:g}")
    return text


def obstacle(session: TicketSession | None, touch: Touch | None, *, stale: bool, reduces: bool) -> str:
    """Why nothing can be sent now, whatever the fields say; one sentence with the next step, or nothing."""
    if session is None or session.transport is None:
        return tr("Open a session to trade in it.")
    if stale:
        return tr("The session does not answer; wait, or restart it.")
    if session.transport.phase in _RUN_IS_OVER:
        return tr("The run has ended; go back in it or restart it to trade.")
    closed = _closed_by(session.control, reduces=reduces)
    return closed or ("" if touch is not None else tr("There is no market yet; press play."))


def _closed_by(control: Control, *, reduces: bool) -> str:
    """Why the session lets no order pass; nothing where it does."""
    if control.halt is not HaltStep.NONE:
        return tr("The kill switch has halted this session; re-arm it first.")
    if control.arm != "view" or reduces:
        return ""
    if control.mode == "live":
        return tr("Orders are off (View); arm Live with F12.")
    return tr("Orders are off (View); arm Paper with F10.")


def preview_obstacle(preview: OrderPreview) -> str:
    """Why what was previewed cannot be sent; nothing where it can."""
    if preview.problem:
        return preview.problem
    if preview.denial is not None:
        return preview.denial.text
    return "" if preview.quantity > 0 else tr("This comes to less than one lot; make it larger.")


def preview_lines(preview: OrderPreview, instrument: Instrument) -> list[Line]:
    """What an order would come to, and the gate's verdict."""
    if preview.problem:
        return [Sentence(preview.problem, "warning")]
    currency = preview.currency
    digits = money_digits(currency)

    def money(value: Decimal | None) -> str:
        return money_text(value, currency, digits)

    lines: list[Line] = [
        Figure(tr("Quantity"), size_text(preview.quantity, instrument)),
        Figure(tr("Expected price"), price_text(preview.price, instrument.price_precision)),
        Figure(tr("Value"), money(preview.notional)),
        Figure(tr("Fee"), money(preview.fee)),
        Figure(tr("Margin"), money(preview.margin)),
        Figure(
            tr("Position"),
            f"{_position(preview.position_before, instrument)} → "
            f"{_position(preview.position_after, instrument)}",
        ),
    ]
    if preview.loss_at_stop is not None:
        loss = -abs(preview.loss_at_stop)
        lines.append(Figure(tr("At the stop"), f"{signed_text(loss, digits)} {currency}", "ask"))
    note: list[Line] = [Sentence(preview.note, "quiet")] if preview.note else []
    return [*lines, *verdict_lines(preview), *note]


def verdict_lines(preview: OrderPreview) -> list[Line]:
    """The gate's word: it passes, or the rule with its value and limit, and what to do."""
    denial = preview.denial
    if denial is None:
        return [Figure(tr("Risk gate"), tr("passes"), "bid")]
    lines: list[Line] = [Figure(tr("Risk gate"), rule_text(denial.rule), "danger")]
    if excess := excess_text(denial):
        lines.append(Figure("", excess, "danger"))
    return [*lines, Sentence(denial.text, "danger")]


def _position(quantity: Decimal, instrument: Instrument) -> str:
    return signed_text(quantity, instrument.size_precision)


def life_lines(orders: Sequence[OrderChanged], instrument: Instrument) -> list[Line]:
    """What became of the orders of one request, the entry first; of many in sum, and what went wrong."""
    wrong = [order for order in orders if order.status in _WRONG]
    if orders[0].type == "TWAP":
        return [_whole(orders[0], instrument), *(_life(each, instrument, named=False) for each in wrong[-1:])]
    if len(orders) <= _MOST_LINES:
        return [_life(order, instrument, named=len(orders) > 1) for order in orders]
    filled = sum((order.filled for order in orders), Decimal(0))
    working = sum(order.status not in ENDED for order in orders)
    text = fill(tr("%1 orders, %2 at work; %3 filled."), f"{len(orders):,}", f"{working:,}")
    lines: list[Line] = [Sentence(text.replace("%3", size_text(filled, instrument)))]
    return lines + [_life(order, instrument, named=False) for order in wrong[-_MOST_LINES:]]


def _whole(twap: OrderChanged, instrument: Instrument) -> Line:
    sizes = (size_text(size, instrument) for size in (twap.filled, twap.quantity))
    told = fill(tr("TWAP: %1: %2 of %3 filled. %4"), status_text(twap.status), *sizes, twap.reason)
    return Sentence(told, status_tone(twap.status))


def _life(order: OrderChanged, instrument: Instrument, *, named: bool) -> Line:
    text = fill(_life_template(order), *_life_values(order, instrument))
    if named:
        text = f"{type_text(order.type)}: {text}"
    return Sentence(text, status_tone(order.status))


def _life_template(order: OrderChanged) -> str:
    if order.reason and order.status in ENDED:
        return "%6: %7"
    templates = {
        "INITIALIZED": tr("Pending: %1 %2, on its way to the venue."),
        "SUBMITTED": tr("Pending: %1 %2, the venue has not answered yet."),
        "ACCEPTED": tr("Accepted: %1 %2 works at %3."),
        "TRIGGERED": tr("Triggered: %1 %2 works at %3."),
        "PARTIALLY_FILLED": tr("Partially filled: %4 of %2 at %5."),
        "FILLED": tr("Filled: %1 %2 at %5."),
        "HELD": tr("Held here: %1 %2 at %3 is sent as the entry fills, and only while the station runs."),
        "IN_DOUBT": tr(
            "In doubt: %1 %2 was sent and no answer came. It is not sent again; "
            "the venue is asked what became of it, and this line will say."
        ),
    }
    return templates.get(order.status, "%6: %1 %2.")


def _life_values(order: OrderChanged, instrument: Instrument) -> tuple[str, ...]:
    where = order.price if order.price is not None else order.trigger
    precision = instrument.price_precision
    return (
        side_text(order.side).lower(),
        size_text(order.quantity, instrument),
        tr("the market") if where is None else price_text(where, precision),
        size_text(order.filled, instrument),
        DASH if order.average_price is None else price_text(order.average_price, precision),
        status_text(order.status),
        order.reason,
    )
