"""Equity and drawdown over the run, painted once and read with the pointer."""

from datetime import UTC, datetime
from typing import Final, override

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.messages.columns import EQUITY, Rows, empty
from widgets.curve import Scale, paint_curve
from widgets.glyphs import Glyphs
from widgets.numbers import date_time_text, mono_font, price_text, signed_text
from widgets.theme import Theme

_FOOT: Final = 18
_HEAD: Final = 18
_GAP: Final = 14
"""A label hangs half of its height below the upper curve, and another above the lower one."""


class EquityCurves(QWidget):
    """Account value above, distance below its highest value beneath; dtype `EQUITY`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._theme = theme
        self._text = Glyphs(mono_font(11))
        self._pointer: float | None = None
        self._drawn: QPixmap | None = None
        self._axis = 0
        self.set_rows(empty(EQUITY), 2)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self._drawn = None
        self.update()

    def set_rows(self, rows: Rows, digits: int) -> None:
        """Show this curve; `digits` are those of its currency."""
        self._rows, self._digits = rows, digits
        self._times = np.ascontiguousarray(rows["ts"])
        self._equity = np.ascontiguousarray(rows["equity"])
        self._drawdown = np.ascontiguousarray(rows["drawdown"])
        values = (self._equity.min(), self._equity.max(), self._drawdown.min()) if len(rows) else ()
        self._axis = 12 + max((self._text.width(price_text(v, digits)) for v in values), default=0)
        self._pointer = None
        self._drawn = None
        self.update()

    def reading_at(self, x: float) -> np.void | None:
        """Sample at a horizontal place; None beside the curve."""
        upper, _ = self._scales()
        if len(self._rows) < 2 or not upper.area.left() <= x <= upper.area.right():
            return None
        at = int(np.searchsorted(self._times, upper.time_at(x), side="right")) - 1
        return self._rows[max(0, at)]  # type: ignore[no-any-return]

    def _scales(self) -> tuple[Scale, Scale]:
        width = max(1.0, self.width() - self._axis - 4)
        room = max(2.0, self.height() - _HEAD - _FOOT - _GAP)
        upper = QRectF(self._axis, _HEAD, width, room * 0.66)
        lower = QRectF(self._axis, upper.bottom() + _GAP, width, room * 0.34)
        times = (int(self._times[0]), int(self._times[-1])) if len(self._times) else (0, 1)
        low, high = (float(self._equity.min()), float(self._equity.max())) if len(self._equity) else (0, 1)
        deepest = float(self._drawdown.min()) if len(self._drawdown) else 0.0
        return Scale(upper, times, (low, high)), Scale(lower, times, (deepest, 0.0))

    # Painting

    def _paint_axis(self, painter: QPainter, scale: Scale, values: list[float], taken: list[int]) -> None:
        """Write values on their axis, but none that would touch a label at one of the rows `taken`."""
        painter.setFont(self._text.font)
        for value in values:
            y = round(float(scale.y(np.array([value]))[0]))
            if any(abs(y - other) < 14 for other in taken):
                continue
            taken.append(y)
            painter.fillRect(self._axis, y, round(scale.area.width()), 1, self._theme.colour("line", 0.7))
            painter.setPen(self._theme.colour("quiet"))
            self._text.right(painter, self._axis - 6, y - 8, 16, price_text(value, self._digits))

    def _paint_times(self, painter: QPainter, scale: Scale) -> None:
        painter.setPen(self._theme.colour("quiet"))
        days = (scale.end - scale.start) / 86_400e9
        count = max(2, int(scale.area.width() // 130))
        for place in range(count):
            share = place / (count - 1)
            moment = datetime.fromtimestamp((scale.start + share * (scale.end - scale.start)) / 1e9, UTC)
            text = moment.strftime("%Y-%m-%d" if days > 3 else "%H:%M:%S")
            x = round(scale.area.left() + share * scale.area.width())
            x = min(
                max(x - self._text.width(text) // 2, self._axis), self.width() - 4 - self._text.width(text)
            )
            self._text.left(painter, x, self.height() - _FOOT, _FOOT, text)

    def _paint_reading(self, painter: QPainter, upper: Scale) -> None:
        sample = self.reading_at(self._pointer) if self._pointer is not None else None
        painter.setFont(self._text.font)
        if sample is None:
            painter.setPen(self._theme.colour("quiet"))
            self._text.left(painter, self._axis, 0, _HEAD, self.tr("Equity, and drawdown below it"))
            return
        x = round(float(upper.x(np.array([sample["ts"]]))[0]))
        painter.fillRect(x, _HEAD, 1, self.height() - _HEAD - _FOOT, self._theme.colour("quiet", 0.8))
        painter.setPen(self._theme.colour("text"))
        text = (
            f"{date_time_text(int(sample['ts']), 0)}  {price_text(sample['equity'], self._digits)}  "
            f"{signed_text(sample['drawdown'], self._digits)}"
        )
        self._text.left(painter, self._axis, 0, _HEAD, text)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if len(self._rows) < 2:
            painter.fillRect(self.rect(), self._theme.colour("panel"))
            painter.setPen(self._theme.colour("quiet"))
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("The run was too short for a curve")
            )
            return
        if self._drawn is None or self._drawn.deviceIndependentSize().toSize() != self.size():
            self._drawn = self._draw_curves()
        painter.drawPixmap(0, 0, self._drawn)
        self._paint_reading(painter, self._scales()[0])

    def _draw_curves(self) -> QPixmap:
        """Draw all that the pointer does not change."""
        drawn = QPixmap(self.size() * self.devicePixelRatioF())
        drawn.setDevicePixelRatio(self.devicePixelRatioF())
        drawn.fill(self._theme.colour("panel"))
        painter = QPainter(drawn)
        upper, lower = self._scales()
        equity, drawdown = self._equity, self._drawdown
        taken: list[int] = []
        self._paint_axis(painter, upper, [float(equity.max()), float(equity.min()), float(equity[0])], taken)
        self._paint_axis(painter, lower, [0.0, float(drawdown.min())], taken)
        self._paint_times(painter, upper)
        signal, ask = self._theme.colour("signal"), self._theme.colour("ask")
        paint_curve(painter, upper, self._times, equity, signal, fill_to=float(equity[0]))
        paint_curve(painter, lower, self._times, drawdown, ask, fill_to=0.0)
        painter.end()
        return drawn

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().x()
        self.update()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()
        super().leaveEvent(event)

    @override
    def sizeHint(self) -> QSize:
        return QSize(420, 180)
