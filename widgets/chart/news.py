"""Flags at the foot of the chart: a headline or a release, where it could first be known."""

from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from engine.messages.events import Published
from widgets.chart.layout import Layout
from widgets.chart.marks import Sprites
from widgets.chart.state import ChartNews
from widgets.chart.view import View
from widgets.numbers import time_text
from widgets.theme import Theme

_TALL: Final = 16.0
_CELL: Final = 14
"""Logical pixels that a flag takes: of several within them the most important, then the newest, is shown."""

_REACH: Final = 8
_HIGH: Final = 3
_LONGEST: Final = 110
"""Characters of a headline that are written; a chart is no reader."""

type _Pixels = npt.NDArray[np.int64]


def flag_sprites(theme: Theme, scale: float) -> Sprites:
    """Flags of bad, unscored and good news; hollow in the first row, full (of high importance) below."""
    cell = int(2 * (_TALL + 2) * scale)
    sheet = QPixmap(3 * cell, 2 * cell)
    sheet.fill(Qt.GlobalColor.transparent)
    with QPainter(sheet) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in (0, 1):
            for column, token in enumerate(("ask", "text", "bid")):
                colour = theme.colour(token)
                foot = QPointF((column + 0.5) * cell, (row + 0.5) * cell)
                top = foot - QPointF(0, _TALL * scale)
                painter.setPen(QPen(colour, 1.5 * scale))
                painter.setBrush(colour if row else theme.colour("panel", 0.85))
                painter.drawLine(foot, top)
                cloth = [(0.0, 0.0), (9.0, 0.0), (6.5, 3.5), (9.0, 7.0), (0.0, 7.0)]
                painter.drawPolygon(QPolygonF([top + QPointF(x, y) * scale for x, y in cloth]))
    return Sprites(sheet, cell)


class NewsLayer:
    """Flags of a session's news.

    Attributes
    ----------
    drawn : int
        Flags of the last drawing, for the tests.
    """

    def __init__(self, news: ChartNews) -> None:
        self.news = news
        self.drawn = 0
        self._sprites: Sprites | None = None
        self._made_for: tuple[Theme, int] | None = None

    @property
    def version(self) -> int:
        """Grows with every publication of the epoch."""
        return self.news.version

    def draw(self, painter: QPainter, view: View, layout: Layout, theme: Theme) -> None:
        """Draw the flags in sight."""
        if self._sprites is None or self._made_for != (theme, layout.scale):
            self._made_for = theme, layout.scale
            self._sprites = flag_sprites(theme, layout.scale)
        rows, x = self._standing(view, layout.scale)
        self.drawn = len(rows)
        if not rows:
            return
        score = np.array([np.sign(row.sentiment or 0.0) for row in rows], np.int64) + 1
        full = np.array([row.importance >= _HIGH for row in rows], np.int64)
        painter.setClipRect(QRectF(0, 0, layout.price.right, layout.price.bottom))
        self._sprites.draw(painter, x + 0.5, np.full(len(x), layout.price.bottom - 1.0), score, full)
        painter.setClipping(False)

    def at(self, view: View, layout: Layout, point: tuple[int, int]) -> Published | None:
        """News whose flag is under a point; None where there is none."""
        if not 0 <= layout.price.bottom - point[1] <= (_TALL + _REACH) * layout.scale:
            return None
        rows, x = self._standing(view, layout.scale)
        away = np.abs(x + 4 * layout.scale - point[0])
        return rows[int(away.argmin())] if rows and away.min() <= _REACH * layout.scale else None

    def behind(self, view: View, layout: Layout, news: Published) -> int:
        """How many other news stand within the cell of this one's flag."""
        away = view.x_array(self.news.times) - view.x_of(news.ts)
        return int((np.abs(away) < _CELL * layout.scale).sum()) - 1

    def _standing(self, view: View, scale: int) -> tuple[list[Published], _Pixels]:
        """News in sight that have a flag, and their pixels."""
        first, last = np.searchsorted(self.news.times, (view.left_ns, view.right_ns)).tolist()
        rows = list(self.news.rows[first:last])
        x = view.x_array(self.news.times[first:last])
        if not rows:
            return [], x
        kept = sorted(_apart(x.tolist(), [row.importance for row in rows], _CELL * scale))
        return [rows[place] for place in kept], x[kept]


def _apart(x: list[int], importance: list[int], cell: int) -> list[int]:
    """Places of flags at least `cell` pixels from each other: the most important first, then the newest."""
    taken: dict[int, int] = {}
    kept = []
    for place in sorted(range(len(x)), key=lambda place: (-importance[place], -place)):
        at = x[place] // cell
        if all(abs(taken.get(near, x[place] + cell) - x[place]) >= cell for near in (at - 1, at, at + 1)):
            taken[at] = x[place]
            kept.append(place)
    return kept


def news_sentence(news: Published, behind: int = 0) -> str:
    """What was published, in a line, and how many others the same flag stands for."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("ChartNews", text)

    title = news.title if len(news.title) <= _LONGEST else f"{news.title[: _LONGEST - 1]}…"
    parts = [time_text(news.ts, 0), " ".join(news.subjects), title]
    if news.actual:
        parts.append(tr("actual {value}").format(value=news.actual))
    if news.forecast:
        parts.append(tr("forecast {value}").format(value=news.forecast))
    if news.previous:
        parts.append(tr("previous {value}").format(value=news.previous))
    if news.sentiment is not None:
        score = round(Decimal(repr(news.sentiment)), 2)
        parts.append(tr("sentiment {value}").format(value=f"{score:+}"))
    if behind:
        parts.append(f"+{behind}")
    return "  ".join(filter(None, parts))


def flag_colour(news: Published, theme: Theme) -> QColor:
    """Colour of its flag."""
    score = news.sentiment or 0.0
    return theme.colour("bid" if score > 0 else "ask" if score < 0 else "text")
