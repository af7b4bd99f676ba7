"""The data panel: the calendar of what is stored, and beside it findings, repairs and the queue."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QTabWidget, QToolButton, QVBoxLayout, QWidget

from engine.messages.data import Finding, Repair, StoredDay
from widgets.blotter.state import Growing
from widgets.chrome import dress
from widgets.data.calendar import CalendarView, Shading
from widgets.data.queue import QueueView
from widgets.data.state import Library
from widgets.data.tables import FindingsTable, RepairsTable
from widgets.theme import Theme

_SHARES: Final = (3, 2)


class DataPanel(QWidget):
    """What is stored, how good it is, and what is being done about it.

    Signals
    -------
    import_asked(), download_asked()
    check_asked(str)
        Instrument; empty for all.
    place_asked(object)
        The `Finding` that the person wants to see on the chart.
    repair_asked(object, object)
        List of `Finding` to be repaired, maybe none, and the `StoredDay` that is chosen, or None.
    undo_asked(object)
        The `Repair` to take back.
    replay_asked(object)
        The `StoredDay` to replay.
    cancel_asked(int), clear_asked()
        A job, and all finished ones.
    export_asked(str, str)
        Suggested file name, and the text to save.
    """

    import_asked = Signal()
    download_asked = Signal()
    check_asked = Signal(str)
    place_asked = Signal(object)
    repair_asked = Signal(object, object)
    undo_asked = Signal(object)
    replay_asked = Signal(object)
    cancel_asked = Signal(int)
    clear_asked = Signal()
    export_asked = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library: Library | None = None
        self._version = -1
        self._days: Sequence[StoredDay] = ()
        self._findings: Sequence[Finding] = ()
        self.calendar = CalendarView(theme)
        self.findings, self.repairs = FindingsTable(theme), RepairsTable(theme)
        self.queue = QueueView(theme)
        self.buttons: dict[str, QToolButton] = {}
        self._about = QLabel()
        self._about.setObjectName("quiet")
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._findings_page(), self.tr("Findings"))
        self.tabs.addTab(self._repairs_page(), self.tr("Repairs"))
        self.tabs.addTab(self._queue_page(), self.tr("Queue"))
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setChildrenCollapsible(False)
        for widget, share in zip((self._calendar_page(), self.tabs), _SHARES, strict=True):
            parts.addWidget(widget)
            parts.setStretchFactor(parts.count() - 1, share)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(parts)
        self._connect()
        self.set_theme(theme)
        self._show_buttons()

    # Building

    def _calendar_page(self) -> QWidget:
        page = QWidget()
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 2, 6, 2)
        for name, text, tip in (
            ("rows", self.tr("Rows"), self.tr("Colour the days by their number of rows")),
            ("quality", self.tr("Quality"), self.tr("Colour the days by their score; hollow: not checked")),
        ):
            bar.addWidget(self._button(name, text, tip, checkable=True))
        bar.addWidget(self._about, 1)
        for name, text, tip in (
            ("check", self.tr("Check"), self.tr("Check the chosen instrument, or all where none is chosen")),
            ("import", self.tr("Import…"), self.tr("Read files into the store")),
            ("download", self.tr("Download…"), self.tr("Fetch from a vendor and import")),
        ):
            bar.addWidget(self._button(name, text, tip))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.calendar, 1)
        self.buttons["rows"].setChecked(True)
        return page

    def _findings_page(self) -> QWidget:
        for name, text, tip in (
            ("place", self.tr("Show"), self.tr("Show the place on the chart")),
            (
                "repair",
                self.tr("Repair…"),
                self.tr("Drop, clip, fill or adjust rows, after a preview"),
            ),
        ):
            self.findings.add_control(self._button(name, text, tip))
        return self.findings

    def _repairs_page(self) -> QWidget:
        button = self._button("undo", self.tr("Undo"), self.tr("Put the rows back as they were"))
        self.repairs.add_control(button)
        return self.repairs

    def _queue_page(self) -> QWidget:
        page = QWidget()
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 2, 6, 2)
        bar.addStretch(1)
        bar.addWidget(self._button("clear", self.tr("Clear finished"), ""))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.queue, 1)
        return page

    def _button(self, name: str, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(checkable)
        self.buttons[name] = button
        return button

    def _connect(self) -> None:
        asked = {
            "rows": lambda: self._shade("rows"),
            "quality": lambda: self._shade("quality"),
            "check": lambda: self.check_asked.emit(self.calendar.instrument),
            "import": self.import_asked.emit,
            "download": self.download_asked.emit,
            "place": self._ask_place,
            "repair": lambda: self.repair_asked.emit(self.chosen_findings(), self.calendar.day),
            "undo": self._ask_undo,
            "clear": self.clear_asked.emit,
        }
        for name, deed in asked.items():
            self.buttons[name].clicked.connect(lambda _=False, deed=deed: deed())
        self.calendar.chosen.connect(self._show_findings)
        self.calendar.replay_asked.connect(self.replay_asked)
        self.findings.why_asked.connect(self.place_asked)
        self.queue.cancel_asked.connect(self.cancel_asked)
        for table in (self.findings, self.repairs):
            table.export_asked.connect(self.export_asked)
            table.view.selectionModel().selectionChanged.connect(self._show_buttons)

    # What is shown

    def set_library(self, library: Library) -> None:
        """Show this library from the next refresh on."""
        self._library, self._version = library, -1

    def bind(self, state: object) -> None:
        """Nothing here follows a session."""

    def refresh(self) -> None:
        """Take over what changed."""
        library = self._library
        if library is None or library.version == self._version:
            return
        if self._version < 0:
            library.make_old()  # on screen for the first time: now is when it must be read
        self._version = library.version
        self.calendar.show_days(library.days)
        self._days, self._findings = library.days, library.findings
        self.repairs.follow(Growing(list(library.repairs)))
        self.queue.show_jobs(library.jobs)
        live = sum(job.state in {"waiting", "running"} for job in library.jobs)
        self.tabs.setTabText(2, self.tr("Queue (%1)").replace("%1", str(live)) if live else self.tr("Queue"))
        self._show_findings()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        for part in (self.calendar, self.findings, self.repairs, self.queue):
            part.set_theme(theme)

    def show_queue(self) -> None:
        """Bring the queue to the front, as something was put into it."""
        self.tabs.setCurrentIndex(2)

    def chosen_findings(self) -> list[Finding]:
        """Findings that are selected, from the top."""
        rows = sorted(index.row() for index in self.findings.view.selectionModel().selectedRows())
        return [self.findings.model.row(row) for row in rows]

    def chosen_repair(self) -> Repair | None:
        """The one repair that is selected."""
        rows = self.repairs.view.selectionModel().selectedRows()
        return self.repairs.model.row(rows[0].row()) if len(rows) == 1 else None

    def _shade(self, shading: Shading) -> None:
        for name in ("rows", "quality"):
            self.buttons[name].setChecked(name == shading)
        self.calendar.shade_by(shading)

    def _show_findings(self) -> None:
        """Those of the chosen day; of the instrument where the day has none; all where nothing is chosen."""
        day, instrument = self.calendar.day, self.calendar.instrument
        days = [each for each in self._days if not instrument or each.instrument == instrument]
        shown = [each for each in self._findings if not instrument or each.instrument == instrument]
        if day is not None:
            own = [each for each in shown if (each.kind, each.day) == (day.kind, day.day)]
            if own or not shown:
                shown, days = own, [day]
        self.findings.show_of(shown, days)
        found = sum(each.findings for each in days)
        self._about.setText(
            f"{self._summary(day, instrument)}   {self._found_text(len(shown), found)}".strip()
        )
        self._show_buttons()

    def _summary(self, day: StoredDay | None, instrument: str) -> str:
        if day is None:
            return instrument
        score = self.tr("not checked")
        if day.score is not None:
            score = self.tr("quality %1").replace("%1", f"{day.score:.0f}")
        rows = self.tr("%1 rows").replace("%1", f"{day.rows:,}")
        return f"{day.instrument}  {day.kind}  {day.day}   {rows}   {score}"

    def _found_text(self, shown: int, found: int) -> str:
        """How many findings are kept of how many; nothing where all are."""
        if shown >= found:
            return ""
        text = self.tr("the worst %1 of %2 findings").replace("%1", f"{shown:,}")
        return text.replace("%2", f"{found:,}")

    def _show_buttons(self) -> None:
        found, repair = self.chosen_findings(), self.chosen_repair()
        self.buttons["place"].setEnabled(len(found) == 1)
        self.buttons["repair"].setEnabled(bool(found) or self.calendar.day is not None)
        self.buttons["undo"].setEnabled(repair is not None and not repair.undone)

    # What a person does

    def _ask_place(self) -> None:
        if found := self.chosen_findings():
            self.place_asked.emit(found[0])

    def _ask_undo(self) -> None:
        if (repair := self.chosen_repair()) is not None:
            self.undo_asked.emit(repair)
