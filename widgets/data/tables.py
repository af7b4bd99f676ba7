"""Findings and repairs of stored data as tables."""

from collections.abc import Sequence
from typing import override

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QKeyEvent

from engine.messages.data import Finding, Repair, StoredDay
from widgets.blotter.column import Column, Tone, count, words
from widgets.blotter.state import Growing
from widgets.blotter.table import EventTable
from widgets.data.keys import RETURN, ROWS, OwnKeys
from widgets.numbers import date_time_text
from widgets.theme import Theme

_TONES: dict[str, Tone] = {"error": "danger", "warning": "warning", "note": "quiet"}
_SEVERITIES = {"error": 2, "warning": 1, "note": 0}


class FindingsTable(EventTable[Finding]):
    """What was found in stored rows; a double click or Return goes there."""

    explains = True

    def __init__(self, theme: Theme) -> None:
        tr = _translated
        self._found = 0
        super().__init__(
            theme,
            [
                Column(
                    "ts_event_ns",
                    tr("Time (UTC)"),
                    lambda row: row.start_ns,
                    lambda row: date_time_text(row.start_ns, 3),
                    numeric=True,
                    width=176,
                ),
                words("text", tr("Finding"), lambda row: row.text, 450),
                Column(
                    "severity",
                    tr("Severity"),
                    lambda row: _SEVERITIES[row.severity],
                    lambda row: row.severity,
                    lambda row: _TONES[row.severity],
                    width=72,
                ),
                words("instrument", tr("Instrument"), lambda row: row.instrument, 170),
                words("kind", tr("Kind"), lambda row: row.kind, 120),
                words("check", tr("Check"), lambda row: row.check, 130),
                count("rows", tr("Rows"), lambda row: row.rows, 72),
                words("day", tr("Day file"), lambda row: row.day, 90),
                count("first_row", tr("First row"), lambda row: row.first_row, 90),
            ],
            lambda row: f"{row.instrument} {row.kind} {row.check} {row.severity} {row.text}",
            "findings",
            (tr("Not checked yet"), tr("Choose an instrument in the calendar and press Check.")),
        )
        OwnKeys(self.view, ROWS | RETURN)
        self.view.installEventFilter(self)

    def show_of(self, shown: Sequence[Finding], days: Sequence[StoredDay]) -> None:
        """Show the kept findings of these days, and beside them their true number where more were found."""
        tr = _translated
        self._found = sum(day.findings for day in days)
        unchecked = sum(day.score is None for day in days)
        self.view.title = tr("Not checked yet")
        if unchecked < len(days):
            self.view.title = tr("Nothing was found")
            if unchecked:
                rest = tr("Nothing was found so far; %1 of %2 files are not checked yet")
                self.view.title = rest.replace("%1", f"{unchecked:,}").replace("%2", f"{len(days):,}")
        self.follow(Growing(shown))

    @override
    def _count_text(self, count: str) -> str:
        if self._found <= self.model.total:
            return count
        return _translated("%1 of %2").replace("%1", count).replace("%2", f"{self._found:,}")

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() not in RETURN:
            return False
        self.ask_why()
        return True


class RepairsTable(EventTable[Repair]):
    """What was changed in stored rows; each step can be undone."""

    def __init__(self, theme: Theme) -> None:
        tr = _translated
        super().__init__(
            theme,
            [
                count("number", tr("No."), lambda row: row.number, 40),
                words("instrument", tr("Instrument"), lambda row: row.instrument, 170),
                words("kind", tr("Kind"), lambda row: row.kind, 120),
                words("action", tr("Action"), lambda row: row.action, 90),
                words("parameters", tr("With"), _parameters, 120),
                count("rows_removed", tr("Removed"), lambda row: row.rows_removed, 70),
                count("rows_added", tr("Added"), lambda row: row.rows_added, 70),
                Column(
                    "made_ns",
                    tr("Made (UTC)"),
                    lambda row: row.made_ns,
                    lambda row: date_time_text(row.made_ns, 0),
                    numeric=True,
                    width=140,
                ),
                words("undone", tr("State"), lambda row: tr("undone") if row.undone else tr("active"), 60),
                words("reason", tr("Reason"), lambda row: row.reason, 260),
            ],
            lambda row: f"{row.instrument} {row.kind} {row.action} {row.reason}",
            "repairs",
            (tr("Nothing was repaired"), tr("Select findings and press Repair…; every step can be undone.")),
        )
        OwnKeys(self.view, ROWS)


def _parameters(row: Repair) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.parameters.items())


def _translated(text: str) -> str:
    return QCoreApplication.translate("DataTables", text)
