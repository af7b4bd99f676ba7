"""Choosing what to replay: instrument and range from the store, a strategy with its form, venue and speed."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.windows.strategy import StrategyForm, order_tabs
from engine.bars import BarSpec
from engine.errors import UserError
from engine.messages.run import Run, VenueRules
from engine.session.publishing import news_in
from engine.store import Store
from widgets.form import FormError
from widgets.numbers import date_time_text
from widgets.transport.speed import LADDER

_MAX_SPEED: Final = 0.0
_MOST_OF_SCREEN: Final = 0.75


class OpenReplayDialog(QDialog):
    """Builds a `Run` of stored data.

    Signals
    -------
    accepted_run(Run, float)
        The person wants this run, at this speed (0 is as fast as possible).
    """

    accepted_run = Signal(object, float)

    def __init__(self, store: Path, instrument: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Open a replay"))
        self.setMinimumWidth(560)
        self._folder = store
        self._store = Store(store)
        names = self._store.instruments() if store.is_dir() else []
        self._instrument = QComboBox()
        self._instrument.addItems(names)
        self._has = QLabel()
        self._has.setObjectName("form_note")
        self._has.setWordWrap(True)
        self._start, self._end = QLineEdit(), QLineEdit()
        self._balance = QLineEdit("1000000")
        self._leverage = QLineEdit("20")
        self._latency = QLineEdit("0")
        self._bar = QLineEdit("1-MINUTE-MID")
        self._series = [QCheckBox(name) for name in (news_in(store) if names else [])]
        self._speed = QComboBox()
        for factor in (*LADDER, _MAX_SPEED):
            self._speed.addItem(f"{factor:g}×" if factor else self.tr("as fast as possible"), factor)
        self._speed.setCurrentIndex(LADDER.index(1.0))
        self.strategy = StrategyForm()
        self._fault = QLabel()
        self._fault.setObjectName("form_error")
        self._fault.setWordWrap(True)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._open = self._buttons.addButton(self.tr("Replay"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = self._buttons.button(QDialogButtonBox.StandardButton.Cancel)
        # Return opens the replay or does nothing, wherever the focus is.
        self._open.setDefault(True)
        self._cancel.setAutoDefault(False)
        self._page = QWidget()
        self._area = QScrollArea()
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self.fit)
        self._lay_out()
        self._buttons.accepted.connect(self.replay)
        self._buttons.rejected.connect(self.reject)
        self._instrument.currentTextChanged.connect(self._on_instrument_chosen)
        if instrument in names:
            self._instrument.setCurrentText(instrument)
        self._on_instrument_chosen(self._instrument.currentText())
        self.strategy.changed.connect(self._on_edited)
        self.strategy.rebuilt.connect(self._on_rebuilt)
        for field in self._answers():
            if isinstance(field, QLineEdit):
                field.textChanged.connect(self._on_edited)
        self._on_rebuilt()

    def _lay_out(self) -> None:
        span = QHBoxLayout()
        span.addWidget(self._start)
        span.addWidget(QLabel(self.tr("to")))
        span.addWidget(self._end)
        left = QFormLayout()
        left.addRow(self.tr("Instrument"), self._instrument)
        left.addRow("", self._has)
        left.addRow(self.tr("From (UTC)"), span)
        if self._series:
            left.addRow(self.tr("News"), self._news_row())
        left.addRow(self.tr("Speed"), self._speed)
        left.addRow(self.tr("Step bar"), self._bar)
        left.addRow(self.tr("Starting balance"), self._balance)
        left.addRow(self.tr("Leverage"), self._leverage)
        left.addRow(self.tr("Order latency, ms"), self._latency)
        left.addRow(self.tr("Strategy"), self.strategy)
        self._page.setLayout(left)
        left.setContentsMargins(0, 0, 8, 0)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._page)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._fault.hide()
        column = QVBoxLayout(self)
        column.addWidget(self._area, 1)
        column.addWidget(self._fault)
        column.addWidget(self._buttons)

    def _news_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        for box in self._series:
            box.setToolTip(self.tr("Flags on the chart, from the moment of their publication"))
            line.addWidget(box)
        line.addStretch(1)
        return row

    def _on_rebuilt(self) -> None:
        order_tabs([*self._answers(), *self.strategy.fields(), self._open, self._cancel])
        self._fitting.start()

    def _answers(self) -> list[QWidget]:
        venue = (self._balance, self._leverage, self._latency)
        return [self._instrument, self._start, self._end, *self._series, self._speed, self._bar, *venue]

    def fit(self) -> None:
        """Be as high as all fields need, or as the screen allows; then they scroll."""
        form = self._page.layout()
        assert form is not None  # noqa: S101 - set when the dialog was made
        form.activate()
        width = max(self._page.width(), self.minimumWidth() - 2 * self._fault.fontMetrics().height())
        wanted = form.totalHeightForWidth(width) if form.hasHeightForWidth() else form.sizeHint().height()
        most = round(self.screen().availableGeometry().height() * _MOST_OF_SCREEN)
        self._area.setMinimumHeight(min(wanted, most))
        self.adjustSize()

    @property
    def fault(self) -> str:
        """What is wrong with the answers; empty where nothing is."""
        return self._fault.text()

    def set_range(self, start: str, end: str) -> None:
        """Type the range, as a person would."""
        self._start.setText(start)
        self._end.setText(end)

    def show_news(self, name: str) -> None:
        """Tick a series, as a person would."""
        next(box for box in self._series if box.text() == name).setChecked(True)

    def set_venue(self, *, balance: str) -> None:
        """Type the starting balance, as a person would."""
        self._balance.setText(balance)

    def run_asked(self) -> Run:
        """Run of the answers.

        Raises
        ------
        UserError
            One of them cannot be; the sentence says which.
        """
        if not self._instrument.currentText():
            raise UserError(self.tr("Nothing is stored yet; import a data file first (Ctrl+I)."))
        start, end = self._time(self._start), self._time(self._end)
        if start is not None and end is not None and start >= end:
            raise UserError(self.tr("The range ends before it begins; give a later end."))
        BarSpec.parse(self._bar.text())
        try:
            parameters = self.strategy.values()
            inference = self.strategy.inference()
        except FormError as error:
            raise UserError(str(error)) from error
        return Run(
            instrument=self._instrument.currentText(),
            store=str(self._folder),
            start_ns=start,
            end_ns=end,
            strategy=self.strategy.strategy,
            parameters=parameters,
            inference=inference,
            venue=VenueRules(
                balance=self._number(self._balance, self.tr("The starting balance"), above=Decimal(0)),
                leverage=self._number(self._leverage, self.tr("The leverage"), above=Decimal(0)),
                latency_ms=float(self._number(self._latency, self.tr("The latency"), least=Decimal(0))),
            ),
            bar=self._bar.text(),
            series=tuple(box.text() for box in self._series if box.isChecked()),
        )

    def _time(self, field: QLineEdit) -> int | None:
        text = field.text().strip()
        if not text:
            return None
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            sentence = self.tr("%1 is no time; write it as 2024-08-08 12:31:07.")
            raise UserError(sentence.replace("%1", repr(text))) from None
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        whole = int(moment.replace(microsecond=0).timestamp())
        return whole * 1_000_000_000 + moment.microsecond * 1_000

    def _number(
        self, field: QLineEdit, name: str, *, above: Decimal | None = None, least: Decimal | None = None
    ) -> Decimal:
        try:
            value = Decimal(field.text().strip())
        except InvalidOperation:
            value = Decimal("NaN")
        fits = value.is_finite() and (above is None or value > above) and (least is None or value >= least)
        if not fits:
            limit = self.tr("above %1").replace("%1", str(above)) if above is not None else f"≥ {least}"
            sentence = self.tr("%1 must be a number %2, not %3.")
            for place, text in (("%1", name), ("%2", limit), ("%3", repr(field.text()))):
                sentence = sentence.replace(place, text)
            raise UserError(sentence)
        return value

    def _on_instrument_chosen(self, name: str) -> None:
        if not name:
            self._has.setText(self.tr("Nothing is stored yet; import a data file first (Ctrl+I)."))
            self._open.setEnabled(False)
            return
        infos = self._store.info(name)
        self._has.setText(" · ".join(f"{info.rows:,} {kind}" for kind, info in infos.items() if info.rows))
        spans = [info for info in infos.values() if info.rows]
        first = min((i.first_ts_ns for i in spans if i.first_ts_ns is not None), default=None)
        last = max((i.last_ts_ns for i in spans if i.last_ts_ns is not None), default=None)
        for field, ts in ((self._start, first), (self._end, last)):
            field.clear()
            field.setPlaceholderText("" if ts is None else date_time_text(ts, 3))

    def _on_edited(self) -> None:
        """What was wrong may be right now; the next try says."""
        self._fault.clear()
        self._fault.hide()
        self._fitting.start()

    def replay(self) -> None:
        """Ask for the run, or say what is wrong with it."""
        try:
            run = self.run_asked()
        except UserError as error:
            self._fault.setText(str(error))
            self._fault.show()
            return
        self.accepted_run.emit(run, float(self._speed.currentData(Qt.ItemDataRole.UserRole)))
        self.accept()
