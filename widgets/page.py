"""A column of lines that are painted: headings, figures, sentences and what a panel adds of its own.

A panel says what its lines are; the page lays them out at its width, paints those in sight, and gives their
text for tips and copies. It costs nothing where the lines have not changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, override

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QPushButton, QScrollArea, QToolTip, QWidget

from widgets.chrome import paint_empty
from widgets.glyphs import Glyphs
from widgets.numbers import mono_font
from widgets.theme import Theme

PAD: Final = 8
LINE: Final = 18
_HEADING: Final = 24
_TAG: Final = 16
_GAP: Final = 4
_WRAPPED: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


class Ink:
    """Fonts and colours that lines are painted with."""

    def __init__(self, theme: Theme, base: QFont) -> None:
        self.theme = theme
        font = QFont(base)
        font.setPixelSize(11)
        bold = QFont(font)
        bold.setBold(True)
        self.words, self.bold, self.numbers = Glyphs(font), Glyphs(bold), Glyphs(mono_font(11))
        self._metrics = QFontMetrics(font)

    def dip(self, painter: QPainter, glyphs: Glyphs, token: str) -> Glyphs:
        """Set the painter to this font and colour."""
        painter.setFont(glyphs.font)
        painter.setPen(self.theme.colour(token))
        return glyphs

    def wrapped_height(self, text: str, width: int) -> int:
        """Height of a sentence in words at a width, px."""
        return self._metrics.boundingRect(QRect(0, 0, max(width, 1), 10_000), _WRAPPED, text).height()

    def elided(self, text: str, width: int, *, is_name: bool = False, is_bold: bool = False) -> str:
        """As much of a text in words as has room; names differ in their ends, so they lose their middle."""
        glyphs = self.bold if is_bold else self.words
        if glyphs.width(text) <= width:
            return text
        mode = Qt.TextElideMode.ElideMiddle if is_name else Qt.TextElideMode.ElideRight
        return QFontMetrics(glyphs.font).elidedText(text, mode, max(width, 0))


class Line(Protocol):
    """One line of a page."""

    @property
    def tip(self) -> str:
        """What it means, in a sentence; empty where that is plain."""

    def height(self, ink: Ink, width: int) -> int:
        """Height at a width, px."""

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it into its area."""

    def plain(self) -> str:
        """What it says, for copies; columns parted by tabs."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Title over a one-pixel line, with a quiet note at its right."""

    text: str
    note: str = ""
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return _HEADING + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        note_width = ink.words.width(self.note) + PAD if self.note else 0
        ink.dip(painter, ink.bold, "text")
        room = area.width() - 2 * PAD - note_width
        ink.bold.left(painter, PAD, area.top(), _HEADING, ink.elided(self.text, room, is_bold=True))
        if self.note:
            glyphs = ink.dip(painter, ink.words, "quiet")
            glyphs.right(painter, area.right() - PAD, area.top(), _HEADING, self.note)
        painter.fillRect(PAD, area.top() + _HEADING - 1, area.width() - 2 * PAD, 1, ink.theme.colour("line"))

    def plain(self) -> str:
        """Title and note."""
        return f"{self.text}\t{self.note}" if self.note else self.text


@dataclass(frozen=True, slots=True)
class Figure:
    """A label and its value at the right; `note` stands before the value, quiet, while there is room."""

    label: str
    text: str
    tone: str = "text"
    note: str = ""
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        end = ink.dip(painter, ink.words, "quiet").left(painter, PAD, area.top(), LINE, self.label)
        right = area.right() - PAD
        ink.dip(painter, ink.numbers, self.tone).right(painter, right, area.top(), LINE, self.text)
        right -= ink.numbers.width(self.text) + PAD
        if self.note and right - ink.words.width(self.note) > end + _GAP:
            ink.dip(painter, ink.words, "quiet").right(painter, right, area.top(), LINE, self.note)

    def plain(self) -> str:
        """Label, value, note."""
        return "\t".join(filter(None, (self.label, self.text, self.note)))


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words, wrapped."""

    text: str
    tone: str = "text"
    indent: int = 0
    tip: str = ""

    def height(self, ink: Ink, width: int) -> int:
        """Height at a width, px."""
        return ink.wrapped_height(self.text, width - 2 * PAD - self.indent) + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        ink.dip(painter, ink.words, self.tone)
        painter.drawText(area.adjusted(PAD + self.indent, 1, -PAD, 0), _WRAPPED, self.text)

    def plain(self) -> str:
        """The words."""
        return self.text


@dataclass(frozen=True, slots=True)
class Tags:
    """Short words in frames of their colour, beside each other; each is `(text, tone)`."""

    tags: tuple[tuple[str, str], ...]
    tip: str = field(default="", compare=False)

    def height(self, ink: Ink, width: int) -> int:
        """Height at a width, px."""
        return self._places(ink, width)[-1][1] + _TAG + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint them."""
        for (text, tone), (x, y) in zip(self.tags, self._places(ink, area.width()), strict=True):
            glyphs = ink.dip(painter, ink.words, tone)
            painter.drawRect(x, area.top() + y, glyphs.width(text) + 2 * _GAP, _TAG - 1)
            glyphs.left(painter, x + _GAP, area.top() + y, _TAG, text)

    def _places(self, ink: Ink, width: int) -> list[tuple[int, int]]:
        places, x, y = [], PAD, 0
        for text, _ in self.tags:
            wide = ink.words.width(text) + 2 * _GAP + 1
            if x > PAD and x + wide > width - PAD:
                x, y = PAD, y + _TAG + _GAP
            places.append((x, y))
            x += wide + _GAP
        return places

    def plain(self) -> str:
        """Their words."""
        return ", ".join(text for text, _ in self.tags)


class Page(QWidget):
    """Lines one below the other; where there are none it says what would fill it and how.

    Attributes
    ----------
    lines : tuple of Line
        What is shown.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lines: tuple[Line, ...] = ()
        self._empty = ("", "")
        self._ink = Ink(theme, self.font())
        self._tops: list[int] = [0]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._ink = Ink(theme, self.font())
        self._lay_out()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        if tuple(lines) != self.lines:
            self.lines = tuple(lines)
            self._lay_out()

    def show_empty(self, title: str, hint: str) -> None:
        """Show no lines but what would be here, and what fills it."""
        if self.lines or (title, hint) != self._empty:
            self.lines, self._empty = (), (title, hint)
            self._lay_out()

    @property
    def text(self) -> str:
        """All that is said, line by line."""
        if not self.lines:
            return "\n".join(self._empty)
        return "\n".join(line.plain() for line in self.lines)

    def tip_at(self, y: int) -> str:
        """What the line at a height means; nothing where that needs no words."""
        for line, top, bottom in zip(self.lines, self._tops, self._tops[1:], strict=False):
            if top <= y < bottom:
                return line.tip
        return ""

    def _lay_out(self) -> None:
        self._tops = [_GAP]
        for line in self.lines:
            self._tops.append(self._tops[-1] + line.height(self._ink, self.width()))
        self.setMinimumHeight(self._tops[-1] + PAD)
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(240, max(160, self._tops[-1] + PAD))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().y()), self)
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text)
        else:
            super().keyPressEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self.lines:
            paint_empty(painter, self.rect(), self._ink.theme, *self._empty)
            return
        painter.fillRect(event.rect(), self._ink.theme.colour("panel"))
        for line, top, bottom in zip(self.lines, self._tops, self._tops[1:], strict=False):
            area = QRect(0, top, self.width(), bottom - top)
            if event.rect().intersects(area):
                line.paint(self._ink, painter, area)


def switch(text: str, tip: str) -> QPushButton:
    """Button that stays down; Enter presses it, for the space bar plays and pauses the session."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setAutoDefault(True)
    return button


def scrolled(page: Page) -> QScrollArea:
    """Put a page into an area that scrolls up and down."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
