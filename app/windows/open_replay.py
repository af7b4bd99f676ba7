"""Choosing what to replay: instrument and range from the store, a strategy with its form, venue and speed."""

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from app.windows.run_dialog import RunDialog
from engine.bars import BarSpec
from engine.errors import UserError
from engine.messages.run import Run
from engine.session.publishing import news_in
from engine.store import Store
from widgets.numbers import date_time_text


class OpenReplayDialog(RunDialog):
    """Builds a `Run` of stored data."""

    def __init__(self, store: Path, instrument: str = "", parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Open a replay"), self.tr("Replay"), parent)
        self._folder = store
        self._store = Store(store)
        names = self._store.instruments() if store.is_dir() else []
        self._instrument = QComboBox()
        self._instrument.addItems(names)
        self._has = QLabel()
        self._has.setObjectName("form_note")
        self._has.setWordWrap(True)
        self._start, self._end = QLineEdit(), QLineEdit()
        self._bar = QLineEdit("1-MINUTE-MID")
        self._series = [QCheckBox(name) for name in (news_in(store) if names else [])]
        self._instrument.currentTextChanged.connect(self._on_instrument_chosen)
        if instrument in names:
            self._instrument.setCurrentText(instrument)
        self._on_instrument_chosen(self._instrument.currentText())
        span = (self._start, self._end)
        fields = [self._instrument, *span, *self._series, self.speed, self._bar, *self.venue_fields()]
        self.begin(self._rows(), fields)

    def _rows(self) -> QFormLayout:
        span = QHBoxLayout()
        span.addWidget(self._start)
        span.addWidget(QLabel(self.tr("to")))
        span.addWidget(self._end)
        form = QFormLayout()
        form.addRow(self.tr("Instrument"), self._instrument)
        form.addRow("", self._has)
        form.addRow(self.tr("From (UTC)"), span)
        if self._series:
            form.addRow(self.tr("News"), self._news_row())
        form.addRow(self.tr("Speed"), self.speed)
        form.addRow(self.tr("Step bar"), self._bar)
        self.add_venue_rows(form)
        return form

    def _news_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        for box in self._series:
            box.setToolTip(self.tr("Flags on the chart, from the moment of their publication"))
            line.addWidget(box)
        line.addStretch(1)
        return row

    def set_range(self, start: str, end: str) -> None:
        """Type the range, as a person would."""
        self._start.setText(start)
        self._end.setText(end)

    def show_news(self, name: str) -> None:
        """Tick a series, as a person would."""
        next(box for box in self._series if box.text() == name).setChecked(True)

    def run_asked(self) -> Run:
        """Run of the answers; raises `UserError` where one of them cannot be: the sentence says which."""
        if not self._instrument.currentText():
            raise UserError(self.tr("Nothing is stored yet; import a data file first (Ctrl+I)."))
        start, end = self._time(self._start), self._time(self._end)
        if start is not None and end is not None and start >= end:
            raise UserError(self.tr("The range ends before it begins; give a later end."))
        BarSpec.parse(self._bar.text())
        return self.with_strategy(
            Run(
                instrument=self._instrument.currentText(),
                store=str(self._folder),
                start_ns=start,
                end_ns=end,
                venue=self.venue_rules(),
                bar=self._bar.text(),
                series=tuple(box.text() for box in self._series if box.isChecked()),
            )
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

    def _on_instrument_chosen(self, name: str) -> None:
        if not name:
            self._has.setText(self.tr("Nothing is stored yet; import a data file first (Ctrl+I)."))
            self.accept_button.setEnabled(False)
            return
        infos = self._store.info(name)
        self._has.setText(" · ".join(f"{info.rows:,} {kind}" for kind, info in infos.items() if info.rows))
        spans = [info for info in infos.values() if info.rows]
        first = min((i.first_ts_ns for i in spans if i.first_ts_ns is not None), default=None)
        last = max((i.last_ts_ns for i in spans if i.last_ts_ns is not None), default=None)
        for field, ts in ((self._start, first), (self._end, last)):
            field.clear()
            field.setPlaceholderText("" if ts is None else date_time_text(ts, 3))
