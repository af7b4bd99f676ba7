"""A correlation matrix as coloured cells with numbers; a click chooses a pair."""

from typing import Final, override

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.messages.data import Correlations
from widgets.chrome import paint_empty
from widgets.numbers import DASH, MINUS, mono_font
from widgets.theme import Theme

_NAMES_PX: Final = 170
_HEAD_PX: Final = 22
_LARGEST_CELL: Final = (92, 40)


class MatrixView(QWidget):
    """Correlations of all pairs.

    Signals
    -------
    pair_chosen(str, str)
        The instruments of a row and a column that differ.
    """

    pair_chosen = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.found: Correlations | None = None
        self._pair: tuple[int, int] | None = None
        self.setMinimumSize(240, 120)
        self.setAccessibleName(self.tr("Correlation matrix"))

    def show_matrix(self, found: Correlations | None) -> None:
        """Take a matrix; None empties the view."""
        self.found, self._pair = found, None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    def cell(self, row: int, column: int) -> QRect:
        """Where a pair's cell lies."""
        count = max(1, len(self.found.instruments)) if self.found else 1
        width = min(_LARGEST_CELL[0], max(1, (self.width() - _NAMES_PX) // count))
        height = min(_LARGEST_CELL[1], max(1, (self.height() - _HEAD_PX) // count))
        return QRect(_NAMES_PX + column * width, _HEAD_PX + row * height, width - 1, height - 1)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self.found is None:
                title = self.tr("No correlations yet")
                hint = self.tr("Tick two or more instruments that are stored for the same time.")
                paint_empty(painter, self.rect(), self._theme, title, hint)
                return
            painter.fillRect(self.rect(), self._theme.colour("panel"))
            for row, name in enumerate(self.found.instruments):
                self._paint_names(painter, row, name)
                for column, value in enumerate(self.found.matrix[row]):
                    self._paint_cell(painter, self.cell(row, column), value)
            if self._pair is not None:
                painter.setPen(QPen(self._theme.colour("text"), 1.5))
                painter.drawRect(self.cell(*self._pair))

    def _paint_names(self, painter: QPainter, number: int, name: str) -> None:
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(self._theme.colour("text"))
        row = self.cell(number, 0)
        left = QRect(6, row.top(), _NAMES_PX - 12, row.height())
        painter.drawText(left, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, name)
        head = self.cell(0, number)
        short = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, head.width())
        painter.setPen(self._theme.colour("quiet"))
        top = QRect(head.left(), 2, head.width(), _HEAD_PX - 4)
        painter.drawText(top, Qt.AlignmentFlag.AlignCenter, short)

    def _paint_cell(self, painter: QPainter, cell: QRect, value: float | None) -> None:
        painter.fillRect(cell, self._theme.colour("raised") if value is None else tint(value, self._theme))
        painter.setPen(self._theme.colour("text"))
        painter.setFont(mono_font(11))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, value_text(value))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        pair = self._at(event.position().toPoint())
        if pair is not None and self.found is not None and pair[0] != pair[1]:
            self._pair = pair
            self.update()
            self.pair_chosen.emit(*(self.found.instruments[place] for place in pair))

    def _at(self, point: QPoint) -> tuple[int, int] | None:
        count = range(len(self.found.instruments)) if self.found is not None else range(0)
        pairs = ((row, column) for row in count for column in count)
        return next((pair for pair in pairs if self.cell(*pair).contains(point)), None)


def tint(value: float, theme: Theme) -> QColor:
    """Colour of a correlation: the bid's above 0, the ask's below, fading to nothing at 0."""
    return theme.colour("bid" if value >= 0 else "ask", 0.08 + 0.62 * min(1.0, abs(value)))


def value_text(value: float | None) -> str:
    """Correlation with two digits; a dash where there is none."""
    return DASH if value is None else f"{value:+.2f}".replace("-", MINUS)
