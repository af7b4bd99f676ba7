"""Time and sales with its filter, bound to one market."""

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.back_to_now import BackToNow
from widgets.chrome import dress
from widgets.numbers import size_text
from widgets.tape.lines import TapeLines
from widgets.tape.state import TapeMarket
from widgets.tape.view import TapeView
from widgets.theme import Theme


def _size_validator(parent: QWidget) -> QDoubleValidator:
    validator = QDoubleValidator(0.0, 1e15, 10, parent)
    validator.setLocale(QLocale.c())
    validator.setNotation(QDoubleValidator.Notation.StandardNotation)
    return validator


class TimeAndSalesPanel(QWidget):
    """Trades as they come, newest on top; changes of the quote where a source has no trades."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._market: TapeMarket | None = None
        self._versions = (-1, -1)
        self._lines = TapeLines()
        self.view = TapeView(theme, self._lines)
        self.view.held.connect(self._on_held)
        self._smallest = QLineEdit()
        self._smallest.setPlaceholderText(self.tr("≥ any size"))
        self._smallest.setValidator(_size_validator(self._smallest))
        self._smallest.setMaximumWidth(92)
        self._smallest.setToolTip(self.tr("Show only trades of at least this size; empty shows all"))
        self._smallest.textChanged.connect(self._on_smallest_changed)
        self._sweeps = QToolButton()
        self._sweeps.setText(self.tr("Sweeps"))
        self._sweeps.setCheckable(True)
        self._sweeps.setToolTip(self.tr("Show trades of one moment and one aggressor as one line"))
        self._sweeps.toggled.connect(self._on_sweeps_toggled)
        self._now = BackToNow(self.view)
        self._now.clicked.connect(self.view.back_to_now)
        self.notice = QLabel()
        self.notice.setObjectName("warning")
        self.notice.setContentsMargins(6, 0, 6, 2)
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.notice.setWordWrap(True)  # on one line it would push the panels beside it together
        self.notice.hide()
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(4)
        bar.addWidget(self._smallest)
        bar.addWidget(self._sweeps)
        bar.addStretch()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(bar)
        box.addWidget(self.view, 1)
        box.addWidget(self.notice)

    def bind(self, market: TapeMarket | None) -> None:
        """Show a market's trades; None empties the list."""
        if market is not self._market:
            self._market = market
            self._versions = (-1, -1)
            self._lines.clear()
            self.view.instrument = market.instrument if market else None
            self.view.start_anew()
            self._show_notice()
        self.refresh()

    def refresh(self) -> None:
        """Show what came since the last call; costs nothing where nothing did."""
        market = self._market
        if market is None:
            return
        versions = market.trades.version, market.quotes.version
        if versions == self._versions:
            return
        self._versions = versions
        has_trades = len(market.trades.rows) or market.trades.conflated
        if has_trades:
            self._lines.update(market.trades, "trades")
        else:
            self._lines.update(market.quotes, "quotes")
        self.view.show_latest()
        self._show_notice()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.view.set_theme(theme)

    def _show_notice(self) -> None:
        parts = []
        if self._lines.mode == "quotes" and len(self._lines.lines):
            parts.append(self.tr("No trades in this source: changes of the quote are shown"))
        if self._lines.left_out:
            count = size_text(self._lines.left_out, 0)
            parts.append(self.tr("{count} rows were conflated and are not in the list").format(count=count))
        text = " · ".join(parts)
        if text != self.notice.text():
            self.notice.setText(text)
            self.notice.setVisible(bool(text))
        if self.view.newer:
            self._now.appear(on=True, newer=self.view.newer)

    def _on_smallest_changed(self, text: str) -> None:
        try:
            smallest = float(text or 0)
        except ValueError:  # half a number, such as a lone point
            return
        if smallest != self._lines.min_size:
            self._lines.min_size = smallest
            self._lines.refilter()
            self.view.start_anew()

    def _on_sweeps_toggled(self, on: bool) -> None:  # noqa: FBT001 -- a Qt slot
        self._lines.aggregate = on
        self._lines.refilter()
        self.view.start_anew()

    def _on_held(self, held: bool) -> None:  # noqa: FBT001 -- a Qt slot
        self._now.appear(on=held)
