"""What to download: a vendor, an instrument, days; the work itself goes into the queue."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.downloads import downloads_for, import_downloaded
from app.library import Work
from app.windows.import_job import known_instruments
from engine.downloads.plan import Order
from engine.downloads.report import FetchReport
from engine.downloads.source import Source
from engine.downloads.sources import SOURCES
from engine.errors import UserError
from engine.feeds.reader import Source as ImportSource
from engine.feeds.report import CrossedPolicy, ImportReport
from engine.store import Store, checked_id

_POLICIES: Final[tuple[CrossedPolicy, ...]] = ("fail", "keep", "drop")
_FETCHING: Final = 0.7
"""Share of the progress bar that fetching takes; importing is the rest."""

_WIDTH: Final = 520
_WITH_DATASETS: Final = {"tardis": "binance-futures", "databento": "XNAS.ITCH"}
"""Vendors that ask for one, with an example."""

_EXAMPLES: Final = {"dukascopy": "EURUSD.DUKASCOPY", "binance": "BTCUSDT-PERP.BINANCE", "yahoo": "AAPL.YAHOO"}


class DownloadDialog(QDialog):
    """Asks what to fetch.

    Parameters
    ----------
    store : Path
        Folder of the tick store that the files are imported into.

    Signals
    -------
    asked(str, object)
        Title of the job, and the work.
    """

    asked = Signal(str, object)

    def __init__(self, store: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Download"))
        self.setMinimumWidth(_WIDTH)
        self._store = store
        self._source, self._kind, self._crossed = QComboBox(), QComboBox(), QComboBox()
        for each in SOURCES.values():
            self._source.addItem(each.title, each.name)
        self._crossed.addItems([self.tr("stop and tell me"), self.tr("keep them"), self.tr("leave them out")])
        self._instrument, self._symbol, self._dataset = QLineEdit(), QLineEdit(), QLineEdit()
        self._symbol.setPlaceholderText(self.tr("where the instrument's name does not tell it"))
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        self._first, self._last = QLineEdit(yesterday.isoformat()), QLineEdit(yesterday.isoformat())
        self._offline = QCheckBox(self.tr("only what was fetched before"))
        self._about, self._fault = QLabel(), QLabel()
        self._about.setObjectName("form_note")
        self._fault.setObjectName("form_error")
        for label in (self._about, self._fault):
            label.setWordWrap(True)
        self._fault.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = buttons.addButton(self.tr("Download"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._go.setDefault(True)
        buttons.accepted.connect(self.download)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        for name, field in (
            (self.tr("Vendor"), self._source),
            ("", self._about),
            (self.tr("Instrument"), self._instrument),
            (self.tr("Kind"), self._kind),
            (self.tr("Vendor's symbol"), self._symbol),
            (self.tr("Dataset or exchange"), self._dataset),
            (self.tr("First day (UTC)"), self._first),
            (self.tr("Last day"), self._last),
            (self.tr("Quotes with bid above ask"), self._crossed),
            ("", self._offline),
        ):
            form.addRow(name, field)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self._fault)
        column.addWidget(buttons)
        self._source.currentIndexChanged.connect(self._on_source)
        self._on_source()

    @property
    def fault(self) -> str:
        """What is wrong with the answers; empty where nothing is."""
        return self._fault.text()

    def fill(self, source: str, instrument: str, first: str, last: str) -> None:
        """Answer, as a person would."""
        self._source.setCurrentIndex(self._source.findData(source))
        for field, text in ((self._instrument, instrument), (self._first, first), (self._last, last)):
            field.setText(text)

    def download(self) -> None:
        """Ask for the work, or say what is wrong."""
        try:
            title, work = self._work()
        except UserError as error:
            self._fault.setText(str(error))
            self._fault.show()
            return
        self.asked.emit(title, work)
        self.accept()

    def _work(self) -> tuple[str, Work]:
        source: Source = SOURCES[self._source.currentData()]
        if not self._instrument.text().strip():
            sentence = self.tr("Name the instrument, for example %1.")
            raise UserError(sentence.replace("%1", self._instrument.placeholderText()))
        order = source.completed(
            Order(
                instrument=checked_id(self._instrument.text().strip()),
                kind=self._kind.currentText(),
                first=self._day(self._first),
                last=self._day(self._last),
                symbol=self._symbol.text().strip(),
                dataset=self._dataset.text().strip(),
            ),
            datetime.now(UTC),
        )
        known_instruments().find(order.instrument)
        policy = _POLICIES[self._crossed.currentIndex()]
        work = downloading(source, order, self._store, policy, offline=self._offline.isChecked())
        title = self.tr("Download %1 of %2").replace("%1", order.kind).replace("%2", order.instrument)
        return f"{title}, {order.first} – {order.last}", work

    def _day(self, field: QLineEdit) -> date:
        try:
            return date.fromisoformat(field.text().strip())
        except ValueError:
            sentence = self.tr("%1 is no day of the calendar; write it as 2024-08-01.")
            raise UserError(sentence.replace("%1", repr(field.text()))) from None

    def _on_source(self) -> None:
        source: Source = SOURCES[self._source.currentData()]
        self._kind.clear()
        self._kind.addItems(list(source.kinds))
        self._instrument.setPlaceholderText(_EXAMPLES.get(source.name, "BTCUSDT.BINANCE"))
        needs = self.tr("Needs your key; set it once with: nexttick keys set %1").replace("%1", source.name)
        self._dataset.setEnabled(source.name in _WITH_DATASETS)
        self._dataset.setPlaceholderText(_WITH_DATASETS.get(source.name, ""))
        self._about.setText(self.tr("Free, without a key.") if source.authorization is None else needs)


def downloading(
    source: Source, order: Order, store: Path, crossed: CrossedPolicy, *, offline: bool = False
) -> Work:
    """Work of a job: files into the cache, then into the store."""

    def work(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
        downloads = downloads_for(source, order)
        got = downloads.fetch(
            order,
            offline=offline,
            progress=lambda done, what: progress(_FETCHING * done, what),
            cancelled=cancelled,
        )
        report = import_downloaded(
            downloads,
            got,
            Store(store),
            known_instruments(),
            ImportSource(crossed=crossed),
            progress=lambda done, what: progress(_FETCHING + (1 - _FETCHING) * done, what),
            cancelled=cancelled,
        )
        return outcome_words(got.report, report)

    return work


def outcome_words(fetched: FetchReport, stored: ImportReport) -> str:
    """What a download brought, as a person reads it."""
    told = [f"{stored.added:,} new rows, {stored.duplicates:,} were stored already."]
    if fetched.absent:
        told.append(f"{fetched.absent:,} of {fetched.files:,} files were not there.")
    return " ".join([*told, *fetched.notes])
