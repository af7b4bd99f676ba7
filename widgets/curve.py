"""Small line curves: reduced to what a pixel can show, and drawn in one call."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

type Float64 = npt.NDArray[np.float64]
type Int64 = npt.NDArray[np.int64]


def reduced(times: Int64, values: Float64, pixels: int) -> tuple[Int64, Float64]:
    """First, lowest, highest and last value of each of `pixels` equal stretches of time, in order (M4).

    Parameters
    ----------
    times : int64 array, ascending
    values : float64 array, as long
    pixels : int
        Stretches between the first and the last time.

    Returns
    -------
    times, values
        At most `4 * pixels` of the given samples; all of them where there are no more than that.
    """
    if len(times) <= 4 * pixels:
        return times, values
    span = max(1, int(times[-1] - times[0]))
    column = np.minimum((times - times[0]) * pixels // (span + 1), pixels - 1)
    starts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
    ends = np.concatenate([starts[1:], [len(times)]])
    group = np.repeat(np.arange(len(starts)), ends - starts)
    order = np.lexsort((values, group))
    kept = np.unique(np.concatenate([starts, ends - 1, order[starts], order[ends - 1]]))
    return times[kept], values[kept]


class Scale:
    """Maps times and values to a rectangle; the value range is widened where it is flat."""

    def __init__(self, area: QRectF, times: tuple[int, int], values: tuple[float, float]) -> None:
        self.area = area
        self.start, self.end = times
        low, high = values
        margin = (high - low) * 0.06 or max(abs(high) * 1e-6, 1e-9)
        self.low, self.high = low - margin, high + margin

    def x(self, times: Int64) -> Float64:
        """Horizontal places, float64."""
        share: Float64 = (times - self.start) / max(1, self.end - self.start)
        return self.area.left() + share * self.area.width()

    def y(self, values: Float64) -> Float64:
        """Vertical places, float64."""
        share: Float64 = (self.high - values) / (self.high - self.low)
        return self.area.top() + share * self.area.height()

    def time_at(self, x: float) -> int:
        """Time at a horizontal place."""
        share = (x - self.area.left()) / max(1.0, self.area.width())
        return self.start + round(share * (self.end - self.start))


def paint_curve(
    painter: QPainter,
    scale: Scale,
    times: Int64,
    values: Float64,
    colour: QColor,
    *,
    fill_to: float | None = None,
) -> None:
    """Draw a line, and shade the room between it and the value `fill_to`."""
    if not len(times):
        return
    times, values = reduced(times, values, max(1, int(scale.area.width())))
    points = [QPointF(x, y) for x, y in zip(scale.x(times).tolist(), scale.y(values).tolist(), strict=True)]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if fill_to is not None:
        base = float(scale.y(np.array([fill_to]))[0])
        shade = QColor(colour)
        shade.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([QPointF(points[0].x(), base), *points, QPointF(points[-1].x(), base)]))
    painter.setPen(colour)
    painter.drawPolyline(QPolygonF(points))
    painter.restore()
