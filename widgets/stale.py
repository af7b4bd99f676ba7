"""What lies over a panel whose data has stopped coming: it greys the numbers and counts their age.

One thing for every panel, so that old data looks the same everywhere; it takes no mouse events, and paints
again only when the age that it shows has changed.
"""

from typing import override

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.glyphs import Glyphs
from widgets.numbers import mono_font
from widgets.theme import Theme

_GREY = 0.6
_PAD = 6
_HEIGHT = 20
_TOP = 32


class StaleVeil(QWidget):
    """Veil over a widget, hidden while the data is fresh; its words are above, or at the foot of a list.

    Attributes
    ----------
    text : str
        What it says; nothing while it is hidden.
    """

    def __init__(self, over: QWidget, theme: Theme, *, at_foot: bool = False) -> None:
        super().__init__(over)
        self._at_foot = at_foot
        self.text = ""
        self._theme = theme
        self._glyphs = Glyphs(mono_font(11))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        over.installEventFilter(self)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    def set_age(self, age_s: float | None) -> None:
        """Grey what is below and say how old it is, in s; None takes the veil away."""
        text = "" if age_s is None else self.tr("Stale {age}").format(age=age_text(int(age_s)))
        if text == self.text:
            return
        self.text = text
        if text:
            self.setGeometry(self._over().rect())
            self.raise_()
        self.setVisible(bool(text))
        self.update()

    def _over(self) -> QWidget:
        over = self.parentWidget()
        assert over is not None  # noqa: S101 -- it is made with one
        return over

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.text:
            self.setGeometry(self._over().rect())
        return super().eventFilter(watched, event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel", _GREY))
        width = self._glyphs.width(self.text) + 2 * _PAD
        lowest = max(0, self.height() - _HEIGHT - _PAD)
        top = lowest if self._at_foot else min(_TOP, lowest)
        tag = QRect((self.width() - width) // 2, top, width, _HEIGHT)
        painter.fillRect(tag, self._theme.colour("raised"))
        painter.setFont(self._glyphs.font)
        painter.setPen(self._theme.colour("warning"))
        painter.drawRect(tag.adjusted(0, 0, -1, -1))
        self._glyphs.left(painter, tag.left() + _PAD, tag.top(), _HEIGHT, self.text)


def age_text(seconds: int) -> str:
    """Age in whole seconds: `7 s`, `3m 05s`, `2h 07m`."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"
