"""The signals as a table: when, which way, why, what was done about it, and what came of it."""

from decimal import Decimal

from PySide6.QtWidgets import QWidget

from widgets.blotter.column import Column, Tone, Value, average, moment, number, traded_thing, words
from widgets.blotter.state import Replacing
from widgets.blotter.table import EventTable
from widgets.signals.state import Records
from widgets.signals.words import (
    SIGNS,
    SignalRecord,
    cause_text,
    fill_price,
    level_of,
    level_text,
    move_bps,
    outcome_text,
    side_text,
    tr,
    verdict_text,
)
from widgets.theme import Theme


def _outcome_tone(record: SignalRecord) -> Tone:
    if record.judged is None:
        return "quiet"
    return "bid" if record.judged.hit else "ask"


def _verdict_tone(record: SignalRecord) -> Tone:
    if record.acted is None:
        return "quiet"
    return "danger" if record.acted.verdict == "refused" else "text"


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))


def signal_columns() -> list[Column[SignalRecord]]:
    """Columns of the signals table; the first seven fit in 690 pixels."""

    def move(record: SignalRecord) -> Value:
        return _exact(move_bps(record))

    return [
        moment("ts_ns", tr("Time UTC"), lambda row: row.signalled.ts),
        Column(
            "side",
            tr("Side"),
            lambda row: side_text(row.signalled.direction),
            lambda row: f"{SIGNS[row.signalled.direction]} {side_text(row.signalled.direction)}",
            width=70,
        ),
        Column(
            "said",
            tr("Said"),
            lambda row: _exact(level_of(row.signalled)),
            lambda row: level_text(row.signalled, level_of(row.signalled)),
            numeric=True,
            width=64,
        ),
        Column(
            "verdict",
            tr("Verdict"),
            lambda row: verdict_text(row.acted),
            lambda row: verdict_text(row.acted),
            _verdict_tone,
            width=78,
            whole=lambda row: verdict_text(row.acted) + (f": {row.acted.text}" if row.acted else ""),
        ),
        Column("outcome_bps", tr("Outcome"), move, outcome_text, _outcome_tone, numeric=True, width=106),
        average("fill_price", tr("Filled at"), fill_price, 84),
        words("cause", tr("Cause"), lambda row: cause_text(row.signalled), 76),
        words("order_id", tr("Order"), lambda row: (row.acted and row.acted.order_id) or "", 130),
        number("price", tr("Price"), lambda row: _exact(row.signalled.price), 84),
        number("threshold", tr("Threshold"), lambda row: _exact(row.signalled.threshold), 76),
        traded_thing(tr("Instrument"), lambda row: row.signalled.instrument),
    ]


class SignalTable(EventTable[SignalRecord]):
    """Signals of one instrument, newest first."""

    explains = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            signal_columns(),
            lambda row: " ".join(
                (
                    side_text(row.signalled.direction),
                    cause_text(row.signalled),
                    verdict_text(row.acted),
                    outcome_text(row),
                    (row.acted and row.acted.order_id) or "",
                )
            ),
            "signals",
            (
                tr("No signals"),
                tr("One appears when a side's probability crosses the strategy's entry threshold."),
            ),
            parent,
        )
        self._records: Records | None = None

    def show_records(self, records: Records | None) -> None:
        """Show these; called again with the same, it takes over what changed."""
        if records is not self._records:
            self._records = records
            self.follow(Replacing(records) if records is not None else None)
        self.refresh()
