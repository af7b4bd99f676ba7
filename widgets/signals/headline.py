"""One line of short texts in their colours, the most important first; what has no room is left out."""

from collections.abc import Sequence
from typing import Final, override

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.glyphs import Glyphs
from widgets.numbers import mono_font
from widgets.signals.figures import Part
from widgets.theme import Theme

_GAP: Final = 14
_HEIGHT: Final = 20


class Headline(QWidget):
    """Texts beside each other.

    Attributes
    ----------
    parts : list of Part
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self._theme = theme
        self._glyphs = Glyphs(mono_font(11))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        self.update()

    def show_parts(self, parts: Sequence[Part]) -> None:
        """Show these."""
        if list(parts) != self.parts:
            self.parts = list(parts)
            self.setToolTip("\n".join(text for text, _ in self.parts))
            self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(self._glyphs.font)
            x = 0
            for text, tone in self.parts:
                if x + self._glyphs.width(text) > self.width():
                    break
                painter.setPen(self._theme.colour(tone))
                x = self._glyphs.left(painter, x, 0, self.height(), text) + _GAP
