"""What the model says over time: probabilities (or the score), thresholds and signals, in the chart's time.

Where the chart has the same width, a pixel here stands for the same stretch of time as the pixel above it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, override

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from widgets.chart.axes import Axes
from widgets.chart.envelopes import KeptEnvelope
from widgets.chart.layout import Layout
from widgets.chart.marks import Sprites, one_per_pixel
from widgets.chart.prices import carried_on
from widgets.chart.raster import Pixels, Raster, fill_runs, mixed, pixel
from widgets.chart.readout import time_digits
from widgets.chart.signals import kind_of, signal_sprites
from widgets.chart.state import Envelope, Ticks
from widgets.chart.view import TimeWindow, View
from widgets.chrome import paint_empty
from widgets.numbers import price_text, signed_text, time_text
from widgets.signals.state import SignalsOfInstrument
from widgets.theme import Theme

_CLASSES: Final = (("flat", "quiet"), ("down", "ask"), ("up", "bid"))
"""Columns and their colours, the most important last, on top."""

_BAND: Final = 0.28
_CELL: Final = 5
_DASH: Final = 4


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
    """

    time_hovered = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        self.paintings = 0
        self._theme = theme
        self._signals: SignalsOfInstrument | None = None
        self._tape: Ticks | None = None
        self._lines: dict[str, KeptEnvelope] = {}
        self._window: TimeWindow | None = None
        self._now_ns = 0
        self._pointed_ns: int | None = None
        self._axes: Axes | None = None
        self._layout: Layout | None = None
        self._raster: Raster | None = None
        self._sprites: Sprites | None = None
        self._versions: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self.setMouseTracking(True)
        self.setMinimumHeight(72)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        self._sprites = None
        self._drawn = ()
        self.update()

    def show_signals(self, signals: SignalsOfInstrument | None) -> None:
        """Show these; None shows nothing. Called again and again, it takes over what changed."""
        tape = None if signals is None else signals.predictions
        if tape is not self._tape:
            self._tape = tape
            self._lines = {}
            self._axes = None
        self._signals = signals
        versions = self._current_versions()
        if versions != self._versions:
            self._versions = versions
            self.update()

    def set_now(self, now_ns: int) -> None:
        """Say what time it is in the session, for where no chart says what to show."""
        self._now_ns = now_ns

    def set_window(self, window: TimeWindow | None) -> None:
        """Show the times that the chart shows; None follows the clock."""
        if window != self._window:
            self._window = window
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
        tape = self._tape
        return tape is not None and len(tape) > 0 and bool(np.isnan(tape.rows["up"][-1]))

    def _current_versions(self) -> tuple[object, ...]:
        signals, tape = self._signals, self._tape
        if signals is None or tape is None:
            return ()
        follows = self._now_ns if self._window is None else 0
        return tape, tape.version, signals.records, signals.records.version, signals.enter, follows

    # Geometry

    def _axes_for(self, ratio: float) -> Axes:
        values = _SCORE if self.is_score else _PROBABILITY
        if self._axes is None or self._axes.ratio != ratio:
            self._axes = Axes(values, ratio)
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
        elif window.plot == view.width:
            view.left_ns, view.scale_ns = window.left_ns, window.scale_ns
        else:
            right = window.left_ns + window.plot * window.scale_ns
            view.show_times(window.left_ns, right)
            view.following = view.auto_time = True

    def _fit_values(self, signals: SignalsOfInstrument, lines: list[Envelope], axes: Axes) -> None:
        if not self.is_score:
            # Room for the labels of 0 and 1, half of which lie beyond.
            beyond = min(axes.height / 2 + 1, self.view.height / 4)
            margin = beyond / (self.view.height - 2 * beyond)
            self.view.low, self.view.high = -margin, 1 + margin
            return
        level = signals.enter or 0.0
        lows = [np.append(line.low, (line.before, -level)) for line in lines]
        highs = [np.append(line.high, (line.before, level)) for line in lines]
        low, high = float(np.nanmin(lows)), float(np.nanmax(highs))
        self.view.fit_price(low, high, 1e-9)

    # Painting

    def _draw(self, signals: SignalsOfInstrument, tape: Ticks, axes: Axes, layout: Layout) -> Raster:
        view = self.view
        self._place_view(tape)
        columns = (("score", "signal"),) if self.is_score else _CLASSES
        key = (*self._versions, view.left_ns, view.scale_ns, layout, self._theme)
        if self._raster is not None and key == self._drawn:
            return self._raster
        self._drawn = key
        self.paintings += 1
        lines = [self._lines.setdefault(name, KeptEnvelope(tape, name)).over(view) for name, _ in columns]
        self._fit_values(signals, lines, axes)
        size = layout.time.width, layout.time.bottom
        if self._raster is None or self._raster.pixels.shape != size[::-1]:
            self._raster = Raster(*size)
        raster = self._raster
        panel = QColor(self._theme.panel)
        raster.pixels.fill(pixel(panel))
        axes.draw_grid(raster, view, layout, self._theme)
        pane = raster.inside(layout.price)
        self._draw_thresholds(pane, signals, layout.scale)
        last_x = min(view.x_of(int(tape.times[-1])) + 1, view.width)
        for line, (_, token) in zip(lines, columns, strict=True):
            colour = QColor(getattr(self._theme, token))
            _draw_band(pane, line, view, last_x, mixed(colour, panel, _BAND))
        for line, (_, token) in zip(lines, columns, strict=True):
            _draw_steps(pane, line, view, last_x, pixel(QColor(getattr(self._theme, token))), layout.scale)
        with QPainter(raster.image) as painter:
            self._draw_marks(painter, signals, layout)
            axes.draw_labels(painter, view, layout, self._theme, None)
            axes.draw_prices(painter, view, layout, self._theme, [])
            self._name_thresholds(painter, signals, axes)
        return raster

    def _thresholds(self, signals: SignalsOfInstrument) -> list[tuple[str, float, str]]:
        """Name, value and colour of each threshold."""
        tr = QCoreApplication.translate
        named = (
            (tr("Signals", "enter"), signals.enter, "signal"),
            (tr("Signals", "exit"), signals.exit, "quiet"),
        )
        ways = (1, -1) if self.is_score else (1,)
        return [
            (name, way * value, token) for name, value, token in named if value is not None for way in ways
        ]

    def _draw_thresholds(self, pane: Pixels, signals: SignalsOfInstrument, scale: int) -> None:
        dash = _DASH * scale
        for _, value, token in self._thresholds(signals):
            y = int(self.view.y_of(value))
            if 0 <= y < len(pane):
                dashes = np.arange(pane.shape[1]) // dash % 2 == 0
                pane[y : y + scale, dashes] = pixel(QColor(getattr(self._theme, token)))

    def _name_thresholds(self, painter: QPainter, signals: SignalsOfInstrument, axes: Axes) -> None:
        for name, value, token in self._thresholds(signals):
            text = f"{name} {price_text(value, axes.precision)}"
            width, y = axes.glyphs.width(text), int(self.view.y_of(value))
            left, top = round(6 * axes.ratio), y - axes.height // 2
            painter.fillRect(left - 3, top, width + 6, axes.height, self._theme.colour("panel", 0.82))
            painter.setPen(QColor(getattr(self._theme, token)))
            axes.glyphs.left(painter, left, top, axes.height, text)

    def _draw_marks(self, painter: QPainter, signals: SignalsOfInstrument, layout: Layout) -> None:
        view, marks = self.view, signals.marks
        first, last = np.searchsorted(marks["ts"], (view.left_ns, view.right_ns))
        marks = marks[first:last]
        if not len(marks):
            return
        if self._sprites is None:
            self._sprites = signal_sprites(self._theme, layout.scale)
        x, y = view.x_array(marks["ts"]), view.y_array(marks["level"])
        kind = kind_of(marks["direction"])
        some = one_per_pixel(x, y, kind, _CELL * layout.scale)
        painter.setClipRect(0, 0, layout.price.right, layout.price.bottom)
        full = marks["traded"][some].astype(np.int64)
        self._sprites.draw(painter, x[some] + 0.5, y[some] + 0.5, kind[some], full)
        painter.setClipping(False)

    def _draw_crosshair(self, painter: QPainter, tape: Ticks, axes: Axes, layout: Layout, ts: int) -> None:
        x = self.view.x_of(ts)
        if not 0 <= x < layout.price.right:
            return
        painter.setPen(QPen(self._theme.colour("text", 0.55), layout.scale))
        painter.drawLine(x, 0, x, layout.time.top)
        text = self.readout(tape, ts)
        left, top, height = round(8 * axes.ratio), round(4 * axes.ratio), axes.height + round(4 * axes.ratio)
        painter.fillRect(
            left - 4, top, axes.glyphs.width(text) + 12, height, self._theme.colour("panel", 0.82)
        )
        painter.setFont(axes.glyphs.font)
        painter.setPen(QColor(self._theme.text))
        axes.glyphs.left(painter, left + 2, top, height, text)

    def readout(self, tape: Ticks, ts: int) -> str:
        """What the newest row at or before the end of a time's pixel says."""
        at = int(tape.times.searchsorted(ts + self.view.scale_ns)) - 1
        if at < 0:
            return time_text(ts, time_digits(self.view.scale_ns))
        row = tape.rows[at]
        time = time_text(int(row["ts"]), time_digits(self.view.scale_ns))
        if self.is_score:
            return f"{time}   {signed_text(float(row['score']), 4)}"
        up, flat, down = (price_text(float(row[name]), 3) for name in ("up", "flat", "down"))
        return f"{time}   ▲ {up}   • {flat}   ▼ {down}"

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        signals, tape = self._signals, self._tape
        if signals is None or tape is None or not len(tape):
            with QPainter(self) as painter:
                paint_empty(
                    painter,
                    self.rect(),
                    self._theme,
                    self.tr("No prediction yet"),
                    self.tr("They come once every feature is warm and the model is armed or in shadow."),
                )
            return
        axes = self._axes_for(self.devicePixelRatioF())
        layout = self._layout_for(axes)
        raster = self._draw(signals, tape, axes, layout)
        with QPainter(self) as painter:
            painter.scale(1 / axes.ratio, 1 / axes.ratio)
            painter.drawImage(0, 0, raster.image)
            if self._pointed_ns is not None:
                self._draw_crosshair(painter, tape, axes, layout, self._pointed_ns)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout = None

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._layout is not None and self._tape is not None:
            x = int(event.position().x() * self.devicePixelRatioF())
            ts = self.view.time_at(x) if x < self._layout.price.right else None
            self.point_at(ts)
            self.time_hovered.emit(ts)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point_at(None)
        self.time_hovered.emit(None)


def _draw_band(pane: Pixels, line: Envelope, view: View, end: int, colour: int) -> None:
    """Fill from the lowest to the highest value of each pixel: rows that the line leaves out."""
    some = np.flatnonzero(line.count[:end] > 1)
    top, bottom = view.y_array(line.high[some]), view.y_array(line.low[some]) + 1
    fill_runs(pane, some, top, bottom, colour)


def _draw_steps(pane: Pixels, line: Envelope, view: View, end: int, colour: int, scale: int) -> None:
    """Draw the last value of each pixel as steps: a value holds until the next one."""
    values = carried_on(line)[: max(end, 0)]
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return
    rows = view.y_array(values[known])
    before = np.concatenate([rows[:1], rows[:-1]])
    fill_runs(pane, known, np.minimum(rows, before), np.maximum(rows, before) + scale, colour)
