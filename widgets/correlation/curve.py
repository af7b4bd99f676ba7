"""Correlation of a pair by how much one is shifted against the other: its peak says who moves first."""

from typing import Final, override

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.messages.data import LeadLagCurve
from widgets.chrome import paint_empty
from widgets.curve import Scale, paint_curve
from widgets.numbers import duration_text, mono_font
from widgets.theme import Theme

_LEFT_PX: Final = 48
_FOOT_PX: Final = 20
_HEAD_PX: Final = 24
_CENTRE: Final = Qt.AlignmentFlag.AlignHCenter
_RIGHT: Final = Qt.AlignmentFlag.AlignRight


class LeadLagView(QWidget):
    """The curve of one pair."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.found: LeadLagCurve | None = None
        self.problem = ""
        self.setMinimumSize(240, 120)
        self.setAccessibleName(self.tr("Lead and lag"))

    def show_curve(self, found: LeadLagCurve | None, problem: str = "") -> None:
        """Take a curve, or say why there is none."""
        self.found, self.problem = found, problem
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            known = [] if self.found is None else [v for v in self.found.correlation if v is not None]
            if self.found is None or not known:
                title = self.problem or self.tr("No pair is chosen")
                hint = self.tr("Click a number of the matrix to see which of the two moves first.")
                paint_empty(painter, self.rect(), self._theme, title, hint)
                return
            painter.fillRect(self.rect(), self._theme.colour("panel"))
            self._paint(painter, self.found, (min(0.0, *known), max(0.0, *known)))

    def _paint(self, painter: QPainter, found: LeadLagCurve, reach: tuple[float, float]) -> None:
        room = QRectF(self.rect()).adjusted(_LEFT_PX, _HEAD_PX, -12, -_FOOT_PX)
        shifts = np.array(found.shifts_ns, np.int64)
        values = np.array([np.nan if value is None else value for value in found.correlation])
        scale = Scale(room, (int(shifts[0]), int(shifts[-1])), reach)
        painter.setFont(mono_font(10))
        painter.setPen(QPen(self._theme.colour("line"), 1))
        middle, ground = float(scale.x(np.array([0]))[0]), float(scale.y(np.array([0.0]))[0])
        painter.drawLine(QLineF(middle, room.top(), middle, room.bottom()))
        painter.drawLine(QLineF(room.left(), ground, room.right(), ground))
        kept = ~np.isnan(values)
        paint_curve(painter, scale, shifts[kept], values[kept], self._theme.colour("signal"), fill_to=0.0)
        peak = float(values[shifts == found.lead_ns][0])
        place = QPointF(float(scale.x(np.array([found.lead_ns]))[0]), float(scale.y(np.array([peak]))[0]))
        painter.setBrush(self._theme.colour("signal"))
        painter.drawEllipse(place, 3.5, 3.5)
        self._write(painter, place.y(), found, peak)

    def _write(self, painter: QPainter, top: float, found: LeadLagCurve, peak: float) -> None:
        quiet, foot = self._theme.colour("quiet"), self.height() - _FOOT_PX
        painter.setPen(quiet)
        sides = (
            (found.shifts_ns[0], Qt.AlignmentFlag.AlignLeft, self.tr("%1 leads").replace("%1", found.second)),
            (
                found.shifts_ns[-1],
                Qt.AlignmentFlag.AlignRight,
                self.tr("%1 leads").replace("%1", found.first),
            ),
        )
        for shift, side, text in sides:
            box = QRect(_LEFT_PX, foot + 2, self.width() - _LEFT_PX - 12, _FOOT_PX - 4)
            painter.drawText(box, side, f"{text}  {duration_text(abs(shift))}")
        painter.drawText(QRect(_LEFT_PX, foot + 2, self.width() - _LEFT_PX - 12, 14), _CENTRE, "0")
        painter.drawText(QRect(0, round(top) - 7, _LEFT_PX - 6, 14), _RIGHT, f"{peak:.3f}")
        painter.setPen(self._theme.colour("text"))
        painter.drawText(QRect(_LEFT_PX, 4, self.width() - _LEFT_PX, 16), 0, lead_sentence(found))


def lead_sentence(found: LeadLagCurve) -> str:
    """Who leads, by how much."""
    ratio = "" if found.ratio is None else f"  ·  lead-lag ratio {found.ratio:.2f}"
    if not found.lead_ns:
        return f"{found.first} and {found.second}: neither leads{ratio}"
    leader, other = (found.first, found.second) if found.lead_ns > 0 else (found.second, found.first)
    return f"{leader} leads {other} by {duration_text(abs(found.lead_ns))}{ratio}"
