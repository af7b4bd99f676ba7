"""What is stored, day by day: a row an instrument and kind, a cell a UTC day, coloured by rows or quality."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import sqrt
from typing import Final, Literal, override

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from engine.messages.data import StoredDay
from widgets.chrome import paint_empty
from widgets.data.keys import RETURN, ROWS, OwnKeys
from widgets.numbers import mono_font
from widgets.theme import Theme

type Shading = Literal["rows", "quality"]
"""What a cell's colour tells."""

_ROW_PX: Final = 20
_HEAD_PX: Final = 34
_NAMES_PX: Final = 232
_WIDTHS: Final = (1, 2, 3, 4, 6, 9, 13, 18, 24)
"""Widths of a day, logical pixels; the wheel with Ctrl goes through them."""

_USUAL_WIDTH: Final = 6
_NUMBERED_FROM_PX: Final = 18
_MONTH_PX: Final = 70
"""What the name of a month takes, with some room beside it."""

_GOOD: Final = 95.0
_POOR: Final = 60.0
"""Scores from which a day is good, and below which it is poor; between them colours run."""

_TICKS: Final = frozenset({"quotes", "trades", "deltas", "depth"})
_DAY: Final = timedelta(days=1)
_KEYS: Final = ROWS | RETURN | {Qt.Key.Key_Left, Qt.Key.Key_Right}


@dataclass(slots=True)
class _Line:
    """One instrument's kind: its days by date."""

    instrument: str
    kind: str
    days: dict[date, StoredDay] = field(default_factory=dict)

    @property
    def by_year(self) -> bool:
        """Whether a file holds a year, as those of bars and actions do."""
        return self.kind not in _TICKS

    def at(self, day: date) -> StoredDay | None:
        return self.days.get(day.replace(month=1, day=1) if self.by_year else day)


class CalendarView(QAbstractScrollArea):
    """Heat map of stored days.

    Signals
    -------
    chosen(object)
        The `StoredDay` that the person clicked, whose line's name they clicked, or went to by the arrow keys;
        None is none.
    replay_asked(object)
        They double-clicked it, or pressed Return.
    """

    chosen = Signal(object)
    replay_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: list[_Line] = []
        self._most_rows: dict[str, int] = {}
        self._first = self._last = date(2000, 1, 1)
        self._width = _USUAL_WIDTH
        self._cell: tuple[int, date] | None = None
        self.shading: Shading = "rows"
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        OwnKeys(self, _KEYS)
        self.setAccessibleName(self.tr("Stored days"))

    # What is shown

    def show_days(self, days: Sequence[StoredDay]) -> None:
        """Take what is stored; what was in sight and chosen stays so."""
        lines: dict[tuple[str, str], _Line] = {}
        most_rows: dict[str, int] = {}
        for each in days:
            line = lines.setdefault((each.instrument, each.kind), _Line(each.instrument, each.kind))
            line.days[date.fromisoformat(each.day)] = each
            most_rows[each.kind] = max(most_rows.get(each.kind, 1), each.rows)
        known, was_empty, first = self._cell_named(), not self._lines, self._first
        self._lines, self._most_rows = list(lines.values()), most_rows
        ticks = [day for line in self._lines if not line.by_year for day in line.days]
        every = ticks or [day for line in self._lines for day in line.days]
        if every:
            self._first, self._last = min(every).replace(day=1), max(every)
            if not ticks:
                self._last = self._last.replace(month=12, day=31)
        self._cell = self._cell_of(known) if known is not None else None
        across = self.horizontalScrollBar()
        place = across.value() + (first - self._first).days * _WIDTHS[self._width]
        self._fit()
        if was_empty:
            self._widen_while_it_fits()
        across.setValue(across.maximum() if was_empty else place)
        self.viewport().update()

    def shade_by(self, shading: Shading) -> None:
        """Colour the cells by rows or by quality."""
        self.shading = shading
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.viewport().update()

    @property
    def day(self) -> StoredDay | None:
        """What is chosen."""
        return None if self._cell is None else self._lines[self._cell[0]].at(self._cell[1])

    @property
    def instrument(self) -> str:
        """Instrument of the chosen row; empty where nothing is chosen."""
        return "" if self._cell is None else self._lines[self._cell[0]].instrument

    def choose(self, instrument: str, kind: str, day: str) -> None:
        """Choose a cell and bring it into sight; nothing happens where there is none."""
        cell = self._cell_of((instrument, kind, date.fromisoformat(day)))
        if cell is not None:
            self._choose(cell)

    # Places

    @property
    def _columns(self) -> int:
        return (self._last - self._first).days + 1

    @property
    def _room(self) -> int:
        return max(1, self.viewport().width() - _NAMES_PX)

    def _fit(self) -> None:
        """Let the scroll bars reach all days; at their end the newest stay in sight."""
        width, height = self._columns * _WIDTHS[self._width], len(self._lines) * _ROW_PX
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        was_at_end = across.value() == across.maximum()
        across.setRange(0, max(0, width - self._room))
        across.setPageStep(self._room)
        across.setSingleStep(7 * _WIDTHS[self._width])
        if was_at_end:
            across.setValue(across.maximum())
        down.setRange(0, max(0, height + _HEAD_PX - self.viewport().height()))
        down.setPageStep(self.viewport().height())
        down.setSingleStep(_ROW_PX)

    def _widen_while_it_fits(self) -> None:
        """Give few days the room that there is."""
        while self._width + 1 < len(_WIDTHS) and self._columns * _WIDTHS[self._width + 1] <= self._room:
            self._width += 1
        self._fit()

    def _left(self, day: date) -> int:
        days = (day - self._first).days
        return _NAMES_PX + days * _WIDTHS[self._width] - self.horizontalScrollBar().value()

    def _span(self, line: _Line, day: date) -> tuple[int, int]:
        """Left and right edge of what a stored day's cell covers."""
        if not line.by_year:
            return self._left(day), self._left(day + _DAY)
        last = min(day.replace(year=day.year + 1), self._last + _DAY)
        return self._left(max(day, self._first)), self._left(last)

    def _in_sight(self, left: int, right: int) -> bool:
        return right > _NAMES_PX and left < self.viewport().width()

    def _shows(self, line: _Line) -> bool:
        return any(self._in_sight(*self._span(line, day)) for day in line.days)

    def _top(self, row: int) -> int:
        return _HEAD_PX + row * _ROW_PX - self.verticalScrollBar().value()

    def _at(self, point: QPoint) -> tuple[int, date] | None:
        """Cell under a point; None beside the map."""
        row = self._row_at(point)
        days = (point.x() - _NAMES_PX + self.horizontalScrollBar().value()) // _WIDTHS[self._width]
        if row is None or point.x() < _NAMES_PX or not 0 <= days < self._columns:
            return None
        return row, self._first + days * _DAY

    def _row_at(self, point: QPoint) -> int | None:
        row = (point.y() - _HEAD_PX + self.verticalScrollBar().value()) // _ROW_PX
        return row if point.y() >= _HEAD_PX and row < len(self._lines) else None

    def _newest_of(self, point: QPoint) -> tuple[int, date] | None:
        """Newest day of the line that a point stands in."""
        row = self._row_at(point)
        return None if row is None else (row, max(self._first, *self._lines[row].days))

    def _cell_named(self) -> tuple[str, str, date] | None:
        if self._cell is None:
            return None
        line = self._lines[self._cell[0]]
        return line.instrument, line.kind, self._cell[1]

    def _cell_of(self, named: tuple[str, str, date]) -> tuple[int, date] | None:
        instrument, kind, day = named
        for row, line in enumerate(self._lines):
            if (line.instrument, line.kind) == (instrument, kind) and self._first <= day <= self._last:
                return row, day
        return None

    # Painting

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            area = self.viewport().rect()
            if not self._lines:
                title, hint = self.tr("Nothing is stored yet"), self.tr("Import files, or download some.")
                paint_empty(painter, area, self._theme, title, hint)
                return
            painter.fillRect(area, self._theme.colour("panel"))
            painter.setClipRect(QRect(_NAMES_PX, _HEAD_PX, self._room, area.height()))
            for row, line in enumerate(self._lines):
                self._paint_line(painter, self._top(row), line)
            self._paint_chosen(painter)
            painter.setClipRect(QRect(_NAMES_PX, 0, self._room, _HEAD_PX))
            self._paint_dates(painter)
            painter.setClipRect(QRect(0, _HEAD_PX, area.width(), area.height()))
            self._paint_names(painter)

    def _paint_line(self, painter: QPainter, top: int, line: _Line) -> None:
        if not _HEAD_PX - _ROW_PX < top < self.viewport().height():
            return
        width = _WIDTHS[self._width]
        gap = 1 if width > 3 else 0
        for day, stored in line.days.items():
            left, right = self._span(line, day)
            if not self._in_sight(left, right):
                continue
            cell = QRect(left, top + 2, max(1, right - left - gap), _ROW_PX - 3)
            colour = self._colour(stored)
            if colour is None:
                painter.setPen(QPen(self._theme.colour("quiet", 0.7), 1))
                painter.drawRect(cell.adjusted(0, 0, -1, -1))
            else:
                painter.fillRect(cell, colour)

    def _colour(self, stored: StoredDay) -> QColor | None:
        """Colour of a day, by rows of its kind over all instruments; None for one that was not checked."""
        if self.shading == "rows":
            part = sqrt(stored.rows / self._most_rows[stored.kind])
            ramp = self._theme.heat
            return QColor(ramp[min(len(ramp) - 1, round((0.15 + 0.85 * part) * (len(ramp) - 1)))])
        return None if stored.score is None else score_colour(stored.score, self._theme)

    def _paint_chosen(self, painter: QPainter) -> None:
        if self._cell is not None:
            row, day = self._cell
            painter.setPen(QPen(self._theme.colour("text"), 1.5))
            width = _WIDTHS[self._width]
            painter.drawRect(QRect(self._left(day) - 1, self._top(row) + 1, width, _ROW_PX - 2))

    def _paint_dates(self, painter: QPainter) -> None:
        painter.setFont(mono_font(10))
        width = _WIDTHS[self._width]
        for left, right, text in self._periods():
            painter.setPen(self._theme.colour("line"))
            painter.drawLine(left, 4, left, _HEAD_PX)
            painter.setPen(self._theme.colour("quiet"))
            room = painter.fontMetrics().horizontalAdvance(text) + 8
            painter.drawText(QRect(min(max(left, _NAMES_PX), right - room) + 4, 2, room, 14), 0, text)
        if width >= _NUMBERED_FROM_PX:
            painter.setPen(self._theme.colour("quiet"))
            for number in range(self._columns):
                day = self._first + number * _DAY
                box = QRect(self._left(day), 17, width, 14)
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, str(day.day))

    def _periods(self) -> list[tuple[int, int, str]]:
        """Left edge, right edge and name of each month in sight; of each year where months are too narrow."""
        by_month = 30 * _WIDTHS[self._width] > _MONTH_PX
        start = self._first if by_month else self._first.replace(month=1)
        found = []
        while start <= self._last:
            after = (start + (31 if by_month else 366) * _DAY).replace(day=1)
            left, right = self._left(start), self._left(after)
            if self._in_sight(left, right):
                found.append((left, right, f"{start:%Y-%m}" if by_month else f"{start:%Y}"))
            start = after
        return found

    def _paint_names(self, painter: QPainter) -> None:
        painter.fillRect(QRect(0, 0, _NAMES_PX, self.viewport().height()), self._theme.colour("panel"))
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        shown = ""
        for row, line in enumerate(self._lines):
            top = self._top(row)
            if line.instrument != shown:
                shown = line.instrument
                painter.setPen(self._theme.colour("text"))
                painter.drawText(QRect(8, top, 142, _ROW_PX), Qt.AlignmentFlag.AlignVCenter, shown)
            painter.setPen(self._theme.colour("quiet"))
            kind = line.kind.removeprefix("bars-")
            painter.drawText(QRect(150, top, 80, _ROW_PX), Qt.AlignmentFlag.AlignVCenter, kind)

    # What a person does

    def _choose(self, cell: tuple[int, date] | None) -> None:
        self._cell = cell
        if cell is not None:
            left = self._left(cell[1])
            if not _NAMES_PX <= left <= self.viewport().width() - _WIDTHS[self._width]:
                across = self.horizontalScrollBar()
                across.setValue(across.value() + left - _NAMES_PX - self._room // 2)
            down, top, low = self.verticalScrollBar(), self._top(cell[0]), self.viewport().height() - _ROW_PX
            down.setValue(down.value() + min(0, top - _HEAD_PX) + max(0, top - low))
        self.viewport().update()
        self.chosen.emit(self.day)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        self._choose(self._newest_of(place) if place.x() < _NAMES_PX else self._at(place))

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.day is not None and self._at(event.position().toPoint()) is not None:
            self.replay_asked.emit(self.day)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in RETURN and self.day is not None:
            self.replay_asked.emit(self.day)
        elif key in _KEYS - RETURN and self._lines:
            self._choose(self._reached(key))
        else:
            super().keyPressEvent(event)

    def _reached(self, key: Qt.Key) -> tuple[int, date]:
        """Cell that a key leads to; where there is none, the one at the edge."""
        row, day = self._cell or (0, self._last)
        page = max(1, (self.viewport().height() - _HEAD_PX) // _ROW_PX)
        days = self._lines[row].days
        rows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        to = {
            Qt.Key.Key_Left: day - _DAY,
            Qt.Key.Key_Right: day + _DAY,
            Qt.Key.Key_Home: min(days),
            Qt.Key.Key_End: max(days),
        }
        row = min(max(row + rows.get(key, 0), 0), len(self._lines) - 1)
        if key in rows and not self._shows(self._lines[row]):
            day = max(self._lines[row].days)
        return row, min(max(to.get(key, day), self._first), self._last)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and turn:
            self._zoom(1 if turn > 0 else -1, event.position().toPoint())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and turn:
            across = self.horizontalScrollBar()
            across.setValue(across.value() - turn)
        else:
            super().wheelEvent(event)

    def _zoom(self, step: int, point: QPoint) -> None:
        """Make days wider or narrower; the day under the mouse stays there."""
        across = self.horizontalScrollBar()
        days = (point.x() - _NAMES_PX + across.value()) / _WIDTHS[self._width]
        self._width = min(max(self._width + step, 0), len(_WIDTHS) - 1)
        self._fit()
        across.setValue(round(days * _WIDTHS[self._width]) - (point.x() - _NAMES_PX))
        self.viewport().update()

    @override
    def resizeEvent(self, event: QEvent) -> None:
        self._fit()

    @override
    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self._at(event.pos())
            QToolTip.showText(event.globalPos(), "" if cell is None else self.tip(*cell), self)
            return True
        return super().viewportEvent(event)

    def tip(self, row: int, day: date) -> str:
        """What a cell's tip says."""
        line = self._lines[row]
        stored = line.at(day)
        head = f"{line.instrument}  {line.kind}  {day.year if line.by_year else day}"
        if stored is None:
            return f"{head}\n{self.tr('no rows')}"
        size = self.tr("%1 rows, %2 MB").replace("%1", f"{stored.rows:,}")
        size = size.replace("%2", f"{stored.size_bytes / 1e6:,.2f}")
        if stored.score is None:
            return f"{head}\n{size}\n{self.tr('not checked yet')}"
        quality = self.tr("quality %1 of 100, %2 findings").replace("%1", f"{stored.score:.0f}")
        return f"{head}\n{size}\n{quality.replace('%2', f'{stored.findings:,}')}"


def score_colour(score: float, theme: Theme) -> QColor:
    """Colour of a quality score: good, then through the warning's to the danger's."""
    if score >= _GOOD:
        return theme.colour("bid")
    low, high = ("danger", "warning") if score < _POOR else ("warning", "bid")
    part = score / _POOR if score < _POOR else (score - _POOR) / (_GOOD - _POOR)
    one, two = theme.colour(low), theme.colour(high)
    mixed = [round(a + (b - a) * part) for a, b in zip(one.getRgb()[:3], two.getRgb()[:3], strict=True)]  # type: ignore[index]
    return QColor(*mixed)
