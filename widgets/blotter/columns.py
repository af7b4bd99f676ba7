"""The columns of each table; titles are marked for translation where they stand."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.messages.events import (
    AccountChanged,
    Balance,
    Denied,
    Filled,
    Logged,
    OrderChanged,
    PositionChanged,
)
from widgets.blotter.column import (
    Column,
    Tone,
    average,
    change,
    moment,
    number,
    origin,
    side,
    traded_thing,
    words,
)
from widgets.order_words import flags_text, rule_text, status_text, status_tone, type_text

type Translate = Callable[[str], str]
type AccountRow = tuple[AccountChanged, Balance]

_LEVEL_TONES: Mapping[str, Tone] = {"debug": "quiet", "warning": "warning", "error": "danger"}


def order_columns(tr: Translate) -> list[Column[OrderChanged]]:
    """Columns of the orders table; the first nine fit in 690 pixels."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        traded_thing(tr("Instrument"), lambda row: row.instrument),
        side("side", tr("Side"), lambda row: row.side),
        number("quantity", tr("Quantity"), lambda row: row.quantity, 72),
        number("price", tr("Price"), lambda row: row.price, 78),
        number("filled", tr("Filled"), lambda row: row.filled, 68),
        average("average_price", tr("Average"), lambda row: row.average_price, 78),
        Column(
            "status",
            tr("Status"),
            lambda row: row.status,
            lambda row: status_text(row.status),
            lambda row: status_tone(row.status),
            width=86,
        ),
        Column("type", tr("Type"), lambda row: row.type, lambda row: type_text(row.type), width=68),
        words("time_in_force", tr("TIF"), lambda row: row.time_in_force, 42),
        number("trigger", tr("Trigger"), lambda row: row.trigger, 78),
        words("flags", tr("Flags"), flags_text, 78),
        origin(tr("Origin"), lambda row: row.strategy),
        words("reason", tr("Reason"), lambda row: row.reason, 260),
        words("order_id", tr("Order"), lambda row: row.order_id, 170),
    ]


def fill_columns(tr: Translate) -> list[Column[Filled]]:
    """Columns of the fills table; the first eight fit in 690 pixels."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        traded_thing(tr("Instrument"), lambda row: row.instrument),
        side("side", tr("Side"), lambda row: row.side),
        number("quantity", tr("Quantity"), lambda row: row.quantity, 80),
        number("price", tr("Price"), lambda row: row.price, 84),
        number("fee", tr("Fee"), lambda row: row.fee, 80),
        words("fee_currency", tr("Fee in"), lambda row: row.fee_currency, 56),
        Column(
            "liquidity",
            tr("Liquidity"),
            lambda row: "correction" if row.corrects else row.liquidity,
            lambda row: tr("correction") if row.corrects else row.liquidity,
            lambda row: "warning" if row.corrects else "text",
            width=70,
        ),
        words("trade_id", tr("Trade"), lambda row: row.trade_id, 150),
        words("order_id", tr("Order"), lambda row: row.order_id, 170),
        origin(tr("Origin"), lambda row: row.strategy),
        words("corrects", tr("Takes back"), lambda row: row.corrects, 150),
        words("reason", tr("Reason"), lambda row: row.reason, 200),
    ]


def position_columns(tr: Translate) -> list[Column[PositionChanged]]:
    """Columns of the positions table; the first eight fit in 690 pixels."""
    return [
        moment("ts_ns", tr("Changed UTC"), lambda row: row.ts),
        traded_thing(tr("Instrument"), lambda row: row.instrument),
        change("quantity", tr("Position"), lambda row: row.quantity, 84),
        change("realised_pnl", tr("Realised P&L"), lambda row: row.realised_pnl, 100),
        words("currency", tr("In"), lambda row: row.currency, 46),
        average("average_open", tr("Avg open"), lambda row: row.average_open),
        average("average_close", tr("Avg close"), lambda row: row.average_close),
        moment("opened_ns", tr("Opened UTC"), lambda row: row.opened_ns),
        moment("closed_ns", tr("Closed UTC"), lambda row: row.closed_ns),
        words("position_id", tr("Position id"), lambda row: row.position_id, 150),
        origin(tr("Origin"), lambda row: row.strategy),
    ]


def denial_columns(tr: Translate) -> list[Column[Denied]]:
    """Columns of the denials table; the first nine fit in 690 pixels."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        traded_thing(tr("Instrument"), lambda row: row.intent.instrument),
        side("side", tr("Side"), lambda row: row.intent.side),
        number("quantity", tr("Quantity"), lambda row: row.intent.quantity, 76),
        number("price", tr("Price"), _price_of_denied, 78),
        Column(
            "rule",
            tr("Rule"),
            lambda row: row.denial.rule,
            lambda row: rule_text(row.denial.rule),
            lambda _: "danger",
            width=100,
        ),
        number("value", tr("Value"), lambda row: row.denial.value, 74),
        number("limit", tr("Limit"), lambda row: row.denial.limit, 74),
        words("unit", tr("In"), lambda row: row.denial.unit, 46),
        origin(tr("Origin"), lambda row: row.intent.strategy),
        words("order_id", tr("Order"), lambda row: row.order_id, 110),
        words("text", tr("What to do"), lambda row: row.denial.text, 300),
    ]


def _price_of_denied(row: Denied) -> Decimal | None:
    return row.intent.price if row.intent.price is not None else row.intent.trigger


def account_columns(tr: Translate) -> list[Column[AccountRow]]:
    """Columns of the account table."""
    return [
        moment("ts_ns", tr("Changed UTC"), lambda row: row[0].ts),
        words("account", tr("Account"), lambda row: row[0].account_id, 120),
        words("currency", tr("Currency"), lambda row: row[1].currency, 80),
        number("total", tr("Total"), lambda row: row[1].total, 130),
        number("free", tr("Free"), lambda row: row[1].free, 130),
        number("locked", tr("Locked"), lambda row: row[1].locked, 130),
    ]


def log_columns(tr: Translate) -> list[Column[Logged]]:
    """Columns of the log table."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        Column(
            "level",
            tr("Level"),
            lambda row: row.level,
            lambda row: row.level.capitalize(),
            lambda row: _LEVEL_TONES.get(row.level, "text"),
            width=70,
        ),
        words("source", tr("Source"), lambda row: row.source, 130),
        words("text", tr("Text"), lambda row: row.text, 400),
    ]
