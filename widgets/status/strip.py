"""The line at the bottom: every delay, conflation and loss as a number, zero included.

One widget paints all cells; it is refreshed a few times a second, because numbers that change with every
frame cannot be read.
"""

from collections.abc import Sequence
from typing import Final, override

import msgspec
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from widgets.numbers import mono_font
from widgets.theme import Theme

_HEIGHT: Final = 22
_GAP: Final = 16


class Cell(msgspec.Struct, frozen=True):
    """One figure: what it is, its value, how it is meant, and whether it asks for attention."""

    name: str
    value: str
    tip: str = ""
    token: str = "text"  # noqa: S105 - a colour's name, no secret


class StatusStrip(QWidget):
    """Paints cells from the left; a hint stands at the right while there is room."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self._theme = theme
        self._cells: tuple[Cell, ...] = ()
        self._hint = ""
        self._boxes: list[QRect] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def values(self) -> dict[str, str]:
        """Values shown, by name."""
        return {cell.name: cell.value for cell in self._cells}

    @property
    def hint(self) -> str:
        """Hint shown at the right."""
        return self._hint

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    def set_cells(self, cells: Sequence[Cell]) -> None:
        """Show these figures."""
        if tuple(cells) != self._cells:
            self._cells = tuple(cells)
            self.update()

    def set_hint(self, text: str) -> None:
        """Show one quiet line at the right; empty is none."""
        if text != self._hint:
            self._hint = text
            self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(600, _HEIGHT)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            tips = [
                c.tip for c, box in zip(self._cells, self._boxes, strict=False) if box.contains(event.pos())
            ]
            QToolTip.showText(event.globalPos(), tips[0] if tips else "", self)
            return True
        return super().event(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        painter.fillRect(self.rect(), theme.colour("window"))
        painter.setPen(theme.colour("line"))
        painter.drawLine(0, 0, self.width(), 0)
        names, values = QFontMetrics(self.font()), QFontMetrics(mono_font(11))
        x = 8
        self._boxes = []
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for cell in self._cells:
            left = x
            painter.setFont(self.font())
            painter.setPen(theme.colour("quiet"))
            width = names.horizontalAdvance(cell.name)
            painter.drawText(QRect(x, 1, width + 2, _HEIGHT - 1), middle, cell.name)
            x += width + 6
            painter.setFont(mono_font(11))
            painter.setPen(theme.colour(cell.token))
            width = values.horizontalAdvance(cell.value)
            painter.drawText(QRect(x, 1, width + 2, _HEIGHT - 1), middle, cell.value)
            x += width + _GAP
            self._boxes.append(QRect(left, 0, x - left, _HEIGHT))
        painter.setFont(self.font())
        painter.setPen(theme.colour("quiet"))
        if self._hint and names.horizontalAdvance(self._hint) < self.width() - x - 8:
            right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRect(x, 1, self.width() - x - 8, _HEIGHT - 1), right, self._hint)
