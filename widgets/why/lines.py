"""Lines that only the inspector has: bars with a sign, a gauge with two thresholds, steps on a rail."""

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from widgets.page import LINE, PAD, Ink, Sentence

_VALUE_PX: Final = 62
_BAR_PX: Final = 58
_EFFECT_PX: Final = 56
_GAP: Final = 4
_RAIL: Final = 14
_DOT: Final = 7


@dataclass(frozen=True, slots=True)
class BarLine:
    """A name, and a number with a bar from the left (0 to 1)."""

    name: str
    text: str
    share: float
    tone: str
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        name_px = (area.width() - 2 * PAD) * 2 // 5
        words = ink.dip(painter, ink.words, "quiet")
        words.left(painter, PAD, area.top(), LINE, ink.elided(self.name, name_px - _GAP, is_name=True))
        box = QRect(PAD + name_px, area.top() + 5, area.width() - 2 * PAD - name_px - _VALUE_PX, LINE - 10)
        painter.fillRect(box, ink.theme.colour("line"))
        box.setWidth(round(box.width() * min(max(self.share, 0.0), 1.0)))
        painter.fillRect(box, ink.theme.colour(self.tone))
        numbers = ink.dip(painter, ink.numbers, "text")
        numbers.right(painter, area.right() - PAD, area.top(), LINE, self.text)

    def plain(self) -> str:
        """Name and number."""
        return f"{self.name}\t{self.text}"


@dataclass(frozen=True, slots=True)
class EffectLine:
    """An input: its value, its effect with a sign, and that as a bar from the middle (-1 to 1)."""

    name: str
    value: str
    effect: str
    share: float
    tone: str
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        right = area.right() - PAD
        numbers = ink.dip(painter, ink.numbers, self.tone)
        numbers.right(painter, right, area.top(), LINE, self.effect)
        bar_left = right - _EFFECT_PX - _BAR_PX
        middle, top = bar_left + _BAR_PX // 2, area.top() + 4
        painter.fillRect(bar_left, area.top() + LINE // 2, _BAR_PX, 1, ink.theme.colour("line"))
        reach = round(_BAR_PX / 2 * min(abs(self.share), 1.0))
        start = middle if self.share >= 0 else middle - reach
        painter.fillRect(start, top, reach, LINE - 8, ink.theme.colour(self.tone))
        painter.fillRect(middle, top - 1, 1, LINE - 6, ink.theme.colour("quiet"))
        ink.dip(painter, ink.numbers, "text").right(painter, bar_left - _GAP, area.top(), LINE, self.value)
        room = bar_left - 2 * _GAP - ink.numbers.width(self.value) - PAD
        words = ink.dip(painter, ink.words, "text")
        words.left(painter, PAD, area.top(), LINE, ink.elided(self.name, room, is_name=True))

    def plain(self) -> str:
        """Name, value and effect."""
        return "\t".join(filter(None, (self.name, self.value, self.effect)))


@dataclass(frozen=True, slots=True)
class Gauge:
    """A side's strength on its scale, with the thresholds of entry (bright) and exit (quiet).

    `share`, `enter` and `exit` are places on the scale, 0 to 1.
    """

    name: str
    text: str
    share: float
    enter: float
    exit: float
    tone: str
    tip: str = field(default="", compare=False)

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return LINE + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        name_px = (area.width() - 2 * PAD) * 2 // 5
        words = ink.dip(painter, ink.words, "quiet")
        words.left(painter, PAD, area.top(), LINE, ink.elided(self.name, name_px - _GAP, is_name=True))
        box = QRect(PAD + name_px, area.top() + 4, area.width() - 2 * PAD - name_px - _VALUE_PX, LINE - 8)
        painter.fillRect(box, ink.theme.colour("line"))
        filled = round(box.width() * min(max(self.share, 0.0), 1.0))
        painter.fillRect(box.left(), box.top(), filled, box.height(), ink.theme.colour(self.tone))
        for place, token, over in ((self.exit, "quiet", 2), (self.enter, "text", 4)):
            if 0.0 <= place <= 1.0:
                x = box.left() + round((box.width() - 1) * place)
                painter.fillRect(x, box.top() - over, 1, box.height() + 2 * over, ink.theme.colour(token))
        numbers = ink.dip(painter, ink.numbers, "text")
        numbers.right(painter, area.right() - PAD, area.top(), LINE, self.text)

    def plain(self) -> str:
        """Name and number."""
        return f"{self.name}\t{self.text}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story on its rail: what, when, how long after the one before, and in which words.

    `is_last` ends the rail here.
    """

    title: str
    time: str
    after: str
    details: tuple[str, ...]
    tone: str
    is_last: bool = False
    tip: str = field(default="", compare=False)

    def height(self, ink: Ink, width: int) -> int:
        """Height at a width, px."""
        return 2 * LINE + sum(self._said(text).height(ink, width) for text in self.details) + _GAP

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        rail = PAD + _DOT // 2
        top = area.top() + (LINE - _DOT) // 2
        if not self.is_last:
            painter.fillRect(rail, top + _DOT, 1, area.bottom() - top, ink.theme.colour("line"))
        painter.fillRect(PAD, top, _DOT, _DOT, ink.theme.colour(self.tone))
        left = PAD + _RAIL
        ink.dip(painter, ink.bold, "text" if self.tone == "quiet" else self.tone)
        ink.bold.left(
            painter, left, area.top(), LINE, ink.elided(self.title, area.right() - PAD - left, is_bold=True)
        )
        numbers = ink.dip(painter, ink.numbers, "quiet")
        y = area.top() + LINE
        numbers.left(painter, left, y, LINE, self.time)
        ink.dip(painter, ink.numbers, "text").right(painter, area.right() - PAD, y, LINE, self.after)
        y += LINE
        for text in self.details:
            said = self._said(text)
            high = said.height(ink, area.width())
            said.paint(ink, painter, QRect(area.left(), y, area.width(), high))
            y += high

    @staticmethod
    def _said(text: str) -> Sentence:
        return Sentence(text, "text", indent=_RAIL)

    def plain(self) -> str:
        """Title, time, distance and words."""
        return "\t".join(filter(None, (self.title, self.time, self.after, *self.details)))
