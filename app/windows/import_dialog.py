"""Importing files in the window: what they are of, progress that can be cancelled, and what came of it."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.mappings import mappings, proposal_for
from app.windows.background import Background
from app.windows.import_job import Importer, ImportJob, file_importer, known_instruments
from app.windows.import_proposal import propose_instrument
from app.windows.mapping_page import MappingPage
from engine.errors import UserError
from engine.feeds.formats import CHOICES
from engine.feeds.mapping import NamedMapping
from engine.feeds.mapping_proposal import Proposal
from engine.feeds.reader import Source
from engine.feeds.report import CrossedPolicy, ImportReport
from widgets.numbers import date_time_text

_POLICIES: Final[tuple[CrossedPolicy, ...]] = ("fail", "keep", "drop")
_ENDING_S: Final = 10.0
_MAPPING_SIZE: Final = QSize(760, 560)

type MakeImporter = Callable[[Sequence[Path], str, Path, Source], Importer]


class ImportDialog(QDialog):
    """Asks, imports, reports.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders of them.
    store : Path
        Folder of the tick store.
    make_importer : callable
        Makes what reads the files; a test puts a slow one in its place.

    Signals
    -------
    imported(), replay_asked(str)
        Something was stored; the person wants to replay this instrument.
    """

    imported = Signal()
    replay_asked = Signal(str)

    def __init__(
        self,
        paths: Sequence[Path],
        store: Path,
        parent: QWidget | None = None,
        *,
        make_importer: MakeImporter = file_importer,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import"))
        self.setMinimumWidth(520)
        self._paths = list(paths)
        self._store = store
        self._make_importer = make_importer
        self.job: ImportJob | None = None
        self._mapping: NamedMapping | None = None
        self._looking = Background(parent or self)
        self._looking.answered.connect(self._on_looked)
        self._looking.broke.connect(self._on_broke)
        self.mapping = MappingPage()
        self.mapping.accepted.connect(self._on_mapped)
        self.mapping.cancelled.connect(self._on_back)
        self._pages = QStackedLayout(self)
        for page in (self._question(), self._work(), self._outcome(), self.mapping):
            self._pages.addWidget(page)

    # Pages

    def _question(self) -> QWidget:
        page = QWidget()
        names = ", ".join(path.name for path in self._paths[:4])
        more = (
            self.tr(" and %1 more").replace("%1", str(len(self._paths) - 4)) if len(self._paths) > 4 else ""
        )
        files = QLabel(names + more)
        files.setWordWrap(True)
        self._instrument = QComboBox(editable=True)
        field = QLineEdit()
        field.setPlaceholderText("EURUSD.DUKASCOPY")
        self._instrument.setLineEdit(field)
        self._instrument.addItems(self._proposals())
        self._format = QComboBox()
        self._format.addItems(list(CHOICES))
        self._crossed = QComboBox()
        self._crossed.addItems([self.tr("stop and tell me"), self.tr("keep them"), self.tr("leave them out")])
        self._day = QLineEdit()
        self._day.setPlaceholderText(self.tr("YYYY-MM-DD, where the files do not tell"))
        self._fault = QLabel()
        self._fault.setObjectName("form_error")
        self._fault.setWordWrap(True)
        self._fault.hide()
        self._columns = QPushButton(self.tr("Say what its columns are…"))
        self._columns.clicked.connect(self.ask_for_columns)
        self._columns.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = buttons.addButton(self.tr("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.start)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow(self.tr("Files"), files)
        form.addRow(self.tr("Instrument"), self._instrument)
        form.addRow(self.tr("Format"), self._format)
        form.addRow(self.tr("Quotes with bid above ask"), self._crossed)
        form.addRow(self.tr("Date"), self._day)
        column = QVBoxLayout(page)
        column.addLayout(form)
        column.addWidget(self._fault)
        column.addWidget(self._columns, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        column.addWidget(buttons)
        return page

    def _work(self) -> QWidget:
        page = QWidget()
        self._what = QLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.clicked.connect(self.cancel)
        column = QVBoxLayout(page)
        column.addStretch(1)
        column.addWidget(self._what)
        column.addWidget(self._bar)
        column.addWidget(self._cancel, 0, Qt.AlignmentFlag.AlignRight)
        column.addStretch(1)
        return page

    def _outcome(self) -> QWidget:
        page = QWidget()
        self._report = QLabel()
        self._report.setWordWrap(True)
        self._report.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._replay = buttons.addButton(self.tr("Replay it…"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.replay)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(page)
        column.addWidget(self._report)
        column.addStretch(1)
        column.addWidget(buttons)
        return page

    def _proposals(self) -> list[str]:
        proposed = propose_instrument(self._paths)
        return (
            list(dict.fromkeys(filter(None, [proposed, *known_instruments().listed()])))
            if proposed
            else [
                "",
                *known_instruments().listed(),
            ]
        )

    # What a person does

    @property
    def instrument(self) -> str:
        """Instrument chosen."""
        return self._instrument.currentText().strip()

    @property
    def fault(self) -> str:
        """What is wrong with the answers; empty where nothing is."""
        return self._fault.text()

    @property
    def report_text(self) -> str:
        """What the import did, in words; empty before its end."""
        return self._report.text()

    def choose(self, instrument: str) -> None:
        """Name the instrument."""
        self._instrument.setEditText(instrument)

    def start(self) -> None:
        """Begin, or say what is missing."""
        try:
            source = self._source()
        except UserError as error:
            self._show_fault(str(error))
            return
        importer = self._make_importer(self._paths, self.instrument, self._store, source)
        self.job = ImportJob(importer, self)
        self.job.progressed.connect(self._on_progressed)
        self.job.succeeded.connect(self._on_succeeded)
        self.job.refused.connect(self._on_refused)
        self.job.cancelled.connect(self.reject)
        self.job.broke.connect(self._on_broke)
        self._bar.setValue(0)
        self._pages.setCurrentIndex(1)
        self.job.start()

    def _source(self) -> Source:
        if not self.instrument:
            raise UserError(
                self.tr("Name the instrument that the files are of, for example EURUSD.DUKASCOPY.")
            )
        known_instruments().find(self.instrument)
        day = self._day.text().strip()
        try:
            parsed = date.fromisoformat(day) if day else None
        except ValueError:
            raise UserError(self.tr("The date must be written as 2024-08-08.")) from None
        return Source(
            format=self._format.currentText(),
            day=parsed,
            crossed=_POLICIES[self._crossed.currentIndex()],
            mappings=msgspec.structs.replace(mappings(), said=self._mapping),
        )

    def ask_for_columns(self) -> None:
        """Propose what the table's columns are, and let the person correct it."""
        path = self._paths[0]
        self._columns.setEnabled(False)
        self._looking.ask(path, lambda: proposal_for(path))

    # Slots

    def _show_fault(self, text: str) -> None:
        self._fault.setText(text)
        self._fault.show()
        self._pages.setCurrentIndex(0)

    def _on_progressed(self, fraction: float, what: str) -> None:
        self._bar.setValue(round(fraction * 1000))
        self._what.setText(what)

    def cancel(self) -> None:
        """Ask an import under way to stop; the dialog closes when it did."""
        if self.job is not None:
            self._what.setText(self.tr("Stopping…"))
            self._cancel.setEnabled(False)
            self.job.cancel()

    def _on_succeeded(self, report: ImportReport) -> None:
        self._report.setText(report_words(report, self.tr))
        self._replay.setVisible(report.rows > 0)
        self._pages.setCurrentIndex(2)
        self.imported.emit()

    def _on_refused(self, text: str) -> None:
        self._show_fault(text)
        self._columns.setVisible(self.job is not None and self.job.columns_unknown)

    def _on_looked(self, _path: object, found: object) -> None:
        self._columns.setEnabled(True)
        if not isinstance(found, Proposal):
            self._show_fault(str(found))
            return
        self.mapping.show_proposal(found)
        self._pages.setCurrentIndex(3)
        self.resize(self.sizeHint().expandedTo(_MAPPING_SIZE))

    def _on_back(self) -> None:
        self._pages.setCurrentIndex(0)

    def _on_mapped(self, mapping: NamedMapping) -> None:
        self._mapping = mapping
        self.start()

    def _on_broke(self, error: BaseException) -> None:
        self._show_fault(self.tr("The import failed because of a fault in the station; nothing was stored."))
        raise error

    def replay(self) -> None:
        """Ask for the replay of what was imported."""
        self.replay_asked.emit(self.instrument)
        self.accept()

    # Qt

    def reject(self) -> None:
        """Close; an import under way is cancelled and waited for, as it must not outlive its window."""
        if self.job is not None:
            self.job.cancel()
            self.job.join(_ENDING_S)
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close as Cancel does."""
        self.reject()
        event.accept()


def report_words(report: ImportReport, tr: Callable[[str], str]) -> str:
    """A report as a person reads it: what came in, what did not and why, and what to know of it."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.kinds.items()) or tr("no rows")
    lines = [f"{report.instrument}: {kinds}."]
    if report.first_ts_ns is not None and report.last_ts_ns is not None:
        lines.append(
            tr("From %1 to %2 UTC.")
            .replace("%1", date_time_text(report.first_ts_ns, 3))
            .replace("%2", date_time_text(report.last_ts_ns, 3))
        )
    if report.duplicates:
        lines.append(
            tr("%1 were stored already and changed nothing.").replace("%1", f"{report.duplicates:,}")
        )
    lines += [
        tr("%1 rejected: %2 (first at line %3).")
        .replace("%1", f"{rejected.count:,}")
        .replace("%2", rejected.reason)
        .replace("%3", f"{rejected.first_line:,}")
        for rejected in report.rejected
    ]
    for count, words in (
        (report.crossed, tr("%1 quotes have a bid above the ask.")),
        (report.out_of_order, tr("%1 rows came out of order and were sorted.")),
        (report.gaps, tr("%1 gaps in the data.")),
    ):
        if count:
            lines.append(words.replace("%1", f"{count:,}"))
    lines += report.notes
    return "\n".join(lines)
