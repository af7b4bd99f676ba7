"""What the model says over time: probabilities (or the score), thresholds and signals, in the chart's time.

Where the chart has the same width, a pixel here stands for the same stretch of time as the pixel above it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, override

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from widgets.chart.axes import Axes
from widgets.chart.layout import Layout
from widgets.chart.readout import time_digits
from widgets.chart.state import Ticks
from widgets.chart.view import TimeWindow, View
from widgets.chrome import paint_empty
from widgets.numbers import price_text, signed_text, time_text
from widgets.signals.curves import Curves
from widgets.signals.state import SignalsOfInstrument
from widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class _Values:
    """How the axis of values is written."""

    price_precision: int
    tick_size: Decimal
    size_precision: int = 0


_PROBABILITY: Final = _Values(2, Decimal("0.01"))
_SCORE: Final = _Values(4, Decimal("0.0001"))


class OutputStrip(QWidget):
    """A model's output over time.

    Signals
    -------
    time_hovered : object
        Market time under the mouse, ns, or None.

    Attributes
    ----------
    curves : Curves or None
        None before the first prediction.
    """

    time_hovered = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        self.curves: Curves | None = None
        self._theme = theme
        self._signals: SignalsOfInstrument | None = None
        self._window: TimeWindow | None = None
        self._now_ns = 0
        self._pointed_ns: int | None = None
        self._axes: Axes | None = None
        self._layout: Layout | None = None
        self._versions: tuple[object, ...] = ()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumHeight(72)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        if self.curves is not None:
            self.curves = Curves(self.curves.tape, theme)
        self.update()

    def show_signals(self, signals: SignalsOfInstrument | None) -> None:
        """Show these; None shows nothing. Called again and again, it takes over what changed."""
        self._signals = signals
        tape = None if signals is None else signals.predictions
        if tape is None or not len(tape):
            self.curves = None
        elif self.curves is None or self.curves.tape is not tape:
            self.curves = Curves(tape, self._theme)
            self._axes = None
        versions = self._current_versions()
        if versions != self._versions:
            self._versions = versions
            self.update()

    def set_now(self, now_ns: int) -> None:
        """Say what time it is in the session, for where no chart says what to show."""
        self._now_ns = now_ns

    def set_window(self, window: TimeWindow | None) -> None:
        """Show the times that the chart shows; None follows the clock."""
        if window == self._window:
            return
        known, self._window = self._window, window
        if known is None or window is None or (known.plot, known.whole) != (window.plot, window.whole):
            self._layout = None
        self.update()

    def point_at(self, ts: int | None) -> None:
        """Show the crosshair at a market time."""
        if ts != self._pointed_ns:
            self._pointed_ns = ts
            self.update()

    @property
    def is_score(self) -> bool:
        """Whether the model tells a number instead of probabilities."""
        return self.curves is not None and self.curves.is_score

    def _current_versions(self) -> tuple[object, ...]:
        signals, curves = self._signals, self.curves
        if signals is None or curves is None:
            return ()
        follows = self._now_ns if self._window is None else 0
        return (
            curves,
            curves.tape.version,
            signals.records,
            signals.records.version,
            signals.enter,
            signals.exit,
            follows,
        )

    # Geometry

    def _axes_for(self, curves: Curves) -> Axes:
        ratio = self.devicePixelRatioF()
        if self._axes is None or self._axes.ratio != ratio:
            self._axes = Axes(_SCORE if curves.is_score else _PROBABILITY, ratio)
            self._layout = None
        return self._axes

    def _layout_for(self, axes: Axes) -> Layout:
        """Layout at the current size; the plot is as wide as the chart's where the chart is as wide."""
        if self._layout is None:
            width, height = round(self.width() * axes.ratio), round(self.height() * axes.ratio)
            window = self._window
            is_aligned = window is not None and window.whole == width
            axis = width - window.plot if window is not None and is_aligned else axes.width(-1.0)
            self._layout = Layout.of(width, height, axes.ratio, axis, with_flow=False)
            self.view.resize(self._layout.price.width, self._layout.price.height)
        return self._layout

    def _place_view(self, tape: Ticks) -> None:
        view, window = self.view, self._window
        if window is None:
            view.follow(max(self._now_ns, int(tape.times[-1])), int(tape.times[0]))
        else:
            view.show_times(window.left_ns, window.left_ns + window.plot * window.scale_ns)
            view.following = view.auto_time = True

    # Painting

    def readout(self, tape: Ticks, ts: int) -> str:
        """What the newest row at or before a market time says, ns UTC."""
        digits = time_digits(self.view.scale_ns)
        at = int(tape.times.searchsorted(ts, side="right")) - 1
        if at < 0:
            return time_text(ts, digits)
        row = tape.rows[at]
        time = time_text(int(row["ts"]), digits)
        if self.is_score:
            return f"{time}   {signed_text(float(row['score']), 4)}"
        up, flat, down = (price_text(float(row[name]), 3) for name in ("up", "flat", "down"))
        return f"{time}   ▲ {up}   • {flat}   ▼ {down}"

    def _draw_crosshair(self, painter: QPainter, tape: Ticks, axes: Axes, layout: Layout, ts: int) -> None:
        x = self.view.x_of(ts)
        if not 0 <= x < layout.price.right:
            return
        painter.setPen(QPen(self._theme.colour("text", 0.55), layout.scale, Qt.PenStyle.DotLine))
        painter.drawLine(x, 0, x, layout.time.top)
        text = self.readout(tape, ts)
        left, top, height = (round(size * axes.ratio) for size in (8, 4, 4))
        height += axes.height
        width = axes.glyphs.width(text) + 2 * left
        painter.fillRect(left // 2, top, width, height, self._theme.colour("panel", 0.82))
        painter.setFont(axes.glyphs.font)
        painter.setPen(QColor(self._theme.text))
        axes.glyphs.left(painter, left, top, height, text)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        signals, curves = self._signals, self.curves
        if signals is None or curves is None:
            with QPainter(self) as painter:
                paint_empty(
                    painter,
                    self.rect(),
                    self._theme,
                    self.tr("No prediction yet"),
                    self.tr("They come once every feature is warm."),
                )
            return
        axes = self._axes_for(curves)
        layout = self._layout_for(axes)
        self._place_view(curves.tape)
        raster = curves.draw(signals, self.view, axes, layout)
        with QPainter(self) as painter:
            painter.scale(1 / axes.ratio, 1 / axes.ratio)
            painter.drawImage(0, 0, raster.image)
            if self._pointed_ns is not None:
                self._draw_crosshair(painter, curves.tape, axes, layout, self._pointed_ns)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout = None

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._layout is not None:
            x = int(event.position().x() * self.devicePixelRatioF())
            ts = self.view.time_at(x) if x < self._layout.price.right else None
            self.point_at(ts)
            self.time_hovered.emit(ts)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point_at(None)
        self.time_hovered.emit(None)
