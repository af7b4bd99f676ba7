"""Lines that only the model strip has: the arming as a word that cannot be missed, and tables of figures."""

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from widgets.numbers import DASH, compact_text
from widgets.page import LINE, PAD, Ink

ALIKE_BELOW: Final = 0.1
DRIFTED_ABOVE: Final = 0.25
"""Usual readings of the population stability index."""

_FULL_BAR: Final = 0.5
_COUNT_PX: Final = 36
_STATE: Final = 26
_GAP: Final = 4


@dataclass(frozen=True, slots=True)
class StateLine:
    """A word on its colour, the whole width, with a few words at its right.

    With `filled` the colour is the ground, else a frame.
    """

    word: str
    tone: str
    note: str
    filled: bool
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return _STATE + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        box = QRect(PAD, area.top(), area.width() - 2 * PAD, _STATE)
        if self.filled:
            painter.fillRect(box, ink.theme.colour(self.tone))
        else:
            painter.setPen(ink.theme.colour(self.tone))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        token = "panel" if self.filled else self.tone
        end = ink.dip(painter, ink.bold, token).left(painter, 2 * PAD, box.top(), _STATE, self.word)
        room = box.right() - PAD - end - PAD
        glyphs = ink.dip(painter, ink.words, token)
        glyphs.right(painter, box.right() - PAD, box.top(), _STATE, ink.elided(self.note, room))

    def plain(self) -> str:
        """Word and note."""
        return f"{self.word}\t{self.note}"


@dataclass(frozen=True, slots=True)
class Cells:
    """A name at the left and figures in right-aligned columns, which end `stops` px from the right."""

    name: str
    cells: tuple[str, ...]
    stops: tuple[int, ...]
    tones: tuple[str, ...] = ()
    is_head: bool = False
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        ink.dip(painter, ink.words, "quiet").left(painter, PAD, area.top(), LINE, self.name)
        tones = self.tones or ("text",) * len(self.cells)
        for text, stop, tone in zip(self.cells, self.stops, tones, strict=True):
            glyphs = ink.words if self.is_head else ink.numbers
            ink.dip(painter, glyphs, "quiet" if self.is_head else tone)
            glyphs.right(painter, area.right() - stop, area.top(), LINE, text)

    def plain(self) -> str:
        """Name and figures."""
        return "\t".join((self.name, *self.cells))


INPUT_STOPS: Final = (132, 92)
"""Right ends of the counts of NaN and of what is out of range, px from the right."""

_BAR_AT: Final = 84
_BAR_PX: Final = 28


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input column: counts, and its drift as a bar with the word for it."""

    column: str
    nans: int
    out_of_range: int
    psi: float | None
    word: str
    tone: str
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        name_room = area.width() - INPUT_STOPS[0] - _COUNT_PX - PAD
        words = ink.dip(painter, ink.words, "text")
        words.left(painter, PAD, area.top(), LINE, ink.elided(self.column, name_room, is_name=True))
        for count, stop in zip((self.nans, self.out_of_range), INPUT_STOPS, strict=True):
            glyphs = ink.dip(painter, ink.numbers, "warning" if count else "quiet")
            glyphs.right(painter, area.right() - stop, area.top(), LINE, compact_text(count, characters=5))
        self._paint_bar(ink, painter, QRect(area.right() - _BAR_AT, area.top() + 5, _BAR_PX, LINE - 10))
        glyphs = ink.dip(painter, ink.words, self.tone)
        glyphs.right(painter, area.right() - PAD, area.top(), LINE, self.word)

    def _paint_bar(self, ink: Ink, painter: QPainter, box: QRect) -> None:
        painter.fillRect(box, ink.theme.colour("line"))
        if self.psi is None:
            return
        filled = round(box.width() * min(self.psi / _FULL_BAR, 1.0))
        painter.fillRect(box.left(), box.top(), filled, box.height(), ink.theme.colour(self.tone))
        for limit in (ALIKE_BELOW, DRIFTED_ABOVE):
            x = box.left() + round(box.width() * limit / _FULL_BAR)
            painter.fillRect(x, box.top() - 2, 1, box.height() + 4, ink.theme.colour("quiet"))

    def plain(self) -> str:
        """Name, counts, index and word."""
        psi = DASH if self.psi is None else f"{self.psi:.3f}"
        return f"{self.column}\t{self.nans}\t{self.out_of_range}\t{psi}\t{self.word}"
