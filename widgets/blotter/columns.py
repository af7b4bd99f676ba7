"""The columns of each table; titles are marked for translation where they stand."""

from collections.abc import Callable, Mapping

from engine.messages.events import AccountChanged, Balance, Filled, Logged, OrderChanged, PositionChanged
from widgets.blotter.column import Column, Tone, change, moment, number, side, words

type Translate = Callable[[str], str]
type AccountRow = tuple[AccountChanged, Balance]

_STATUS_TONES: Mapping[str, Tone] = {
    "REJECTED": "danger",
    "DENIED": "danger",
    "CANCELED": "quiet",
    "EXPIRED": "quiet",
    "ACCEPTED": "signal",
    "PARTIALLY_FILLED": "signal",
}
_LEVEL_TONES: Mapping[str, Tone] = {"debug": "quiet", "warning": "warning", "error": "danger"}


def order_columns(tr: Translate) -> list[Column[OrderChanged]]:
    """Columns of the orders table."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        words("instrument", tr("Instrument"), lambda row: row.instrument, 130),
        side("side", tr("Side"), lambda row: row.side),
        words("type", tr("Type"), lambda row: row.type, 90),
        number("quantity", tr("Quantity"), lambda row: row.quantity),
        number("filled", tr("Filled"), lambda row: row.filled),
        number("price", tr("Price"), lambda row: row.price),
        number("trigger", tr("Trigger"), lambda row: row.trigger),
        number("average_price", tr("Average"), lambda row: row.average_price),
        Column(
            "status",
            tr("Status"),
            lambda row: row.status,
            lambda row: row.status.replace("_", " ").capitalize(),
            lambda row: _STATUS_TONES.get(row.status, "text"),
            width=110,
        ),
        words("order_id", tr("Order"), lambda row: row.order_id, 170),
        words("strategy", tr("Strategy"), lambda row: row.strategy, 110),
        words("reason", tr("Reason"), lambda row: row.reason, 200),
    ]


def fill_columns(tr: Translate) -> list[Column[Filled]]:
    """Columns of the fills table."""
    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.ts),
        words("instrument", tr("Instrument"), lambda row: row.instrument, 130),
        side("side", tr("Side"), lambda row: row.side),
        number("quantity", tr("Quantity"), lambda row: row.quantity),
        number("price", tr("Price"), lambda row: row.price),
        number("fee", tr("Fee"), lambda row: row.fee, 80),
        words("fee_currency", tr("Fee in"), lambda row: row.fee_currency, 60),
        words("liquidity", tr("Liquidity"), lambda row: row.liquidity, 70),
        words("trade_id", tr("Trade"), lambda row: row.trade_id, 150),
        words("order_id", tr("Order"), lambda row: row.order_id, 170),
        words("strategy", tr("Strategy"), lambda row: row.strategy, 110),
    ]


def position_columns(tr: Translate) -> list[Column[PositionChanged]]:
    """Columns of the positions table."""
    return [
        moment("ts_ns", tr("Changed UTC"), lambda row: row.ts),
        words("instrument", tr("Instrument"), lambda row: row.instrument, 130),
        change("quantity", tr("Position"), lambda row: row.quantity),
        number("average_open", tr("Average open"), lambda row: row.average_open, 100),
        number("average_close", tr("Average close"), lambda row: row.average_close, 100),
        change("realised_pnl", tr("Realised P&L"), lambda row: row.realised_pnl, 110),
        words("currency", tr("In"), lambda row: row.currency, 56),
        moment("opened_ns", tr("Opened UTC"), lambda row: row.opened_ns),
        moment("closed_ns", tr("Closed UTC"), lambda row: row.closed_ns),
        words("position_id", tr("Position id"), lambda row: row.position_id, 150),
        words("strategy", tr("Strategy"), lambda row: row.strategy, 110),
    ]


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
