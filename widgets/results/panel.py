"""What a finished run amounts to: headline figures, curves, every statistic, and the hash of its fills."""

from decimal import Decimal
from typing import Final, override

import msgspec
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.messages.events import Results
from widgets.blotter.column import Column, words
from widgets.blotter.state import Growing
from widgets.blotter.table import EventTable
from widgets.chrome import dress, paint_empty
from widgets.glyphs import Glyphs
from widgets.numbers import money_digits, mono_font
from widgets.results.curves import EquityCurves
from widgets.results.figures import (
    Headline,
    Statistic,
    equity_csv,
    headlines,
    note,
    run_text,
    statistic_text,
    statistics_csv,
)
from widgets.results.state import ResultsSession
from widgets.theme import Theme

_CELL: Final = QSize(132, 44)
_HASH_SHOWN: Final = 12

type StatisticRow = tuple[str, Statistic]


class _Nothing(QWidget):
    """Stands here until a run is finished."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        hint = self.tr("Finish the replay (or let it reach its end); its statistics and curves appear here.")
        paint_empty(QPainter(self), self.rect(), self.theme, self.tr("No results yet"), hint)


class HeadlineStrip(QWidget):
    """Headline figures in a row that wraps."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.figures: list[Headline] = []
        font = QFont(self.font())
        font.setPixelSize(10)
        self._small = Glyphs(font)
        self._large = Glyphs(mono_font(14, bold=True))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self.update()

    def set_figures(self, figures: list[Headline]) -> None:
        """Show these figures."""
        self.figures = figures
        self._fit()
        self.update()

    def _columns(self) -> int:
        widest = max(
            (max(self._large.width(f.text), self._small.width(f.why)) for f in self.figures), default=0
        )
        return max(1, self.width() // max(_CELL.width(), widest + 20))

    def _fit(self) -> None:
        rows = -(-len(self.figures) // self._columns())
        self.setFixedHeight(max(1, rows) * _CELL.height() + 4)

    @override
    def resizeEvent(self, event: object) -> None:
        self._fit()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        columns = self._columns()
        width = self.width() // columns
        for place, figure in enumerate(self.figures):
            left, top = 8 + place % columns * width, place // columns * _CELL.height()
            painter.setPen(self._theme.colour("quiet"))
            painter.setFont(self._small.font)
            self._small.left(painter, left, top + 2, 14, figure.label)
            painter.setPen(self._theme.colour(figure.tone))
            painter.setFont(self._large.font)
            self._large.left(painter, left, top + 15, 18, figure.text)
            if figure.why:
                painter.setPen(self._theme.colour("quiet"))
                painter.setFont(self._small.font)
                area = QRect(left, top + 32, width - 10, 12)
                painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, figure.why)


class ResultsPanel(QWidget):
    """Results of a finished run.

    Signals
    -------
    export_asked(str, str)
        Suggested file name, and the text to save.
    """

    export_asked = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: ResultsSession | None = None
        self._results: Results | None = None
        self._nothing = _Nothing(theme)
        self.strip = HeadlineStrip(theme)
        self.curves = EquityCurves(theme)
        self.statistics = EventTable(
            theme,
            self._columns(),
            lambda row: row[0],
            "statistics",
            (self.tr("No statistics"), self.tr("The analyzer gave none for this run.")),
        )
        self.statistics.export_asked.connect(self.export_statistics)
        self._run = QLabel()
        self._run.setObjectName("quiet")
        self._hash = QToolButton()
        self._hash.setToolTip(self.tr("Hash of the fills: equal hashes are equal fills. Click to copy it."))
        self._hash.clicked.connect(self.copy_hash)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self._page())
        self.set_theme(theme)

    def _columns(self) -> list[Column[StatisticRow]]:
        return [
            Column("name", self.tr("Statistic"), lambda row: row[0], lambda row: row[0], width=172),
            Column(
                "value",
                self.tr("Value"),
                lambda row: Decimal(repr(row[1])) if isinstance(row[1], float) else None,
                lambda row: statistic_text(row[0], row[1], self.tr),
                lambda row: "quiet" if row[1] is None else "text",
                numeric=True,
                width=84,
            ),
            words("note", self.tr("Note"), lambda row: self._note(*row), 240),
        ]

    def _note(self, name: str, value: Statistic) -> str:
        return "" if self._results is None else note(name, value, self._results, self.tr)

    def _page(self) -> QWidget:
        page = QWidget()
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 2, 4, 2)
        foot.addWidget(self._run)
        foot.addStretch()
        foot.addWidget(self._hash)
        for title, export in (
            (self.tr("JSON"), self.export_json),
            (self.tr("Statistics"), self.export_statistics),
            (self.tr("Equity"), self.export_equity),
        ):
            button = QToolButton()
            button.setText(title)
            button.setToolTip(self.tr("Export with all digits"))
            button.clicked.connect(export)
            foot.addWidget(button)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setChildrenCollapsible(False)
        parts.addWidget(self.curves)
        parts.addWidget(self.statistics)
        parts.setStretchFactor(0, 1)
        parts.setStretchFactor(1, 1)
        parts.setSizes([420, 300])
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.strip)
        box.addWidget(parts, 1)
        box.addLayout(foot)
        return page

    def bind(self, session: ResultsSession | None) -> None:
        """Show a session's results; None empties the panel."""
        self._session = session
        self.refresh()

    def refresh(self) -> None:
        """Show results that came (or went, with a new run); costs nothing where there are none."""
        results = self._session.results if self._session else None
        if results is self._results:
            return
        self._results = results
        self._stack.setCurrentIndex(0 if results is None else 1)
        if results is None:
            self.statistics.follow(None)
            return
        self.strip.set_figures(headlines(results, self.tr))
        currency = results.final_balance.rpartition(" ")[2]
        self.curves.set_rows(results.equity, money_digits(currency))
        # The table has the newest on top; the analyzer's order reads from the top down.
        self.statistics.follow(Growing(list(reversed(results.stats.items()))))
        self._run.setText(run_text(results, self.tr))
        shown = results.fills_sha256[:_HASH_SHOWN]
        self._hash.setText(self.tr("Fills {hash}…  copy").format(hash=shown))

    def copy_hash(self) -> None:
        """Put the whole hash of the fills on the clipboard."""
        if self._results is not None:
            QGuiApplication.clipboard().setText(self._results.fills_sha256)

    def export_json(self) -> None:
        """Ask for the summary to be saved: the object that the command line prints."""
        if self._results is not None:
            text = msgspec.json.format(msgspec.json.encode(self._results.summary()), indent=2).decode()
            self.export_asked.emit("results.json", text + "\n")

    def export_statistics(self) -> None:
        """Ask for all statistics to be saved as CSV."""
        if self._results is not None:
            self.export_asked.emit("statistics.csv", statistics_csv(self._results))

    def export_equity(self) -> None:
        """Ask for the equity curve to be saved as CSV."""
        if self._results is not None:
            self.export_asked.emit("equity.csv", equity_csv(self._results))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self._nothing.theme = theme
        self.strip.set_theme(theme)
        self.curves.set_theme(theme)
        self.statistics.set_theme(theme)
