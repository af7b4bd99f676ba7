"""Draws a model's output into an image: bands and lines by the pixel, thresholds, and marks of signals."""

from typing import Final, NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QPainter

from widgets.chart.axes import Axes
from widgets.chart.envelopes import KeptEnvelope
from widgets.chart.layout import Layout
from widgets.chart.marks import Sprites, one_per_pixel
from widgets.chart.prices import carried_on
from widgets.chart.raster import Pixels, Raster, fill_runs, mixed, pixel
from widgets.chart.signals import kind_of, signal_sprites
from widgets.chart.state import Envelope, Ticks
from widgets.chart.view import View
from widgets.numbers import price_text
from widgets.signals.state import SignalsOfInstrument
from widgets.theme import Theme

_CLASSES: Final = (("flat", "quiet"), ("down", "ask"), ("up", "bid"))
"""Columns and their colours, the most important last, on top."""

_SCORE: Final = (("score", "signal"),)
_BAND: Final = 0.28
_CELL: Final = 5
_DASH: Final = 4
_MARK: Final = 4.0


class Threshold(NamedTuple):
    """A line that output is compared with."""

    name: str
    value: float
    token: str


def thresholds(signals: SignalsOfInstrument, *, is_score: bool) -> list[Threshold]:
    """Entry and exit; of a score on both sides of zero."""
    tr = QCoreApplication.translate
    named = (
        Threshold(tr("Signals", "enter"), signals.enter or 0.0, "signal"),
        Threshold(tr("Signals", "exit"), signals.exit or 0.0, "quiet"),
    )
    known = [
        each for each, value in zip(named, (signals.enter, signals.exit), strict=True) if value is not None
    ]
    return known + [each._replace(value=-each.value) for each in known if is_score]


class Curves:
    """The picture of one tape of predictions.

    Attributes
    ----------
    paintings : int
        How often it was drawn, for the tests.
    """

    def __init__(self, tape: Ticks, theme: Theme) -> None:
        self.tape, self.theme = tape, theme
        self.is_score = bool(np.isnan(tape.rows["up"][-1]))
        self.paintings = 0
        self._columns = _SCORE if self.is_score else _CLASSES
        self._kept = [KeptEnvelope(tape, name) for name, _ in self._columns]
        self._raster: Raster | None = None
        self._sprites: Sprites | None = None
        self._key: tuple[object, ...] = ()

    def draw(self, signals: SignalsOfInstrument, view: View, axes: Axes, layout: Layout) -> Raster:
        """Image of a view's times; drawn anew where something in it changed."""
        told = thresholds(signals, is_score=self.is_score)
        times = view.left_ns, view.scale_ns
        key = self.tape.version, signals.records, signals.records.version, told, times, layout
        if self._raster is not None and key == self._key:
            return self._raster
        self._key = key
        self.paintings += 1
        lines = [kept.over(view) for kept in self._kept]
        self._fit(signals, view, lines, axes)
        raster = self._sized(layout)
        panel = QColor(self.theme.panel)
        raster.pixels.fill(pixel(panel))
        axes.draw_grid(raster, view, layout, self.theme)
        pane = raster.inside(layout.price)
        self._draw_thresholds(pane, signals, view, layout.scale)
        end = min(view.x_of(int(self.tape.times[-1])) + 1, view.width)
        colours = [QColor(getattr(self.theme, token)) for _, token in self._columns]
        for line, colour in zip(lines, colours, strict=True):
            _draw_band(pane, line, view, end, mixed(colour, panel, _BAND))
        for line, colour in zip(lines, colours, strict=True):
            _draw_steps(pane, line, view, end, pixel(colour), layout.scale)
        with QPainter(raster.image) as painter:
            self._draw_marks(painter, signals, view, layout)
            axes.draw_labels(painter, view, layout, self.theme, None)
            axes.draw_prices(painter, view, layout, self.theme, [])
            self._name_thresholds(painter, signals, view, axes)
        return raster

    def _sized(self, layout: Layout) -> Raster:
        size = layout.time.width, layout.time.bottom
        if self._raster is None or self._raster.pixels.shape != size[::-1]:
            self._raster = Raster(*size)
        return self._raster

    def _fit(self, signals: SignalsOfInstrument, view: View, lines: list[Envelope], axes: Axes) -> None:
        """Show 0 to 1 of probabilities, and of a score what is in sight with the thresholds."""
        if not self.is_score:
            # Room for the labels of 0 and 1, half of which lie beyond.
            beyond = min(axes.height / 2 + 1, view.height / 4)
            margin = beyond / (view.height - 2 * beyond)
            view.low, view.high = -margin, 1 + margin
            return
        values = [0.0, *(each.value for each in thresholds(signals, is_score=True))]
        for line in lines:
            values += [*line.low[line.count > 0], *line.high[line.count > 0], line.before]
        view.fit_price(float(np.nanmin(values)), float(np.nanmax(values)), axes.tick)

    def _draw_thresholds(self, pane: Pixels, signals: SignalsOfInstrument, view: View, scale: int) -> None:
        dashes = np.arange(pane.shape[1]) // (_DASH * scale) % 2 == 0
        for each in thresholds(signals, is_score=self.is_score):
            y = int(view.y_of(each.value))
            if 0 <= y < len(pane):
                pane[y : y + scale, dashes] = pixel(QColor(getattr(self.theme, each.token)))

    def _name_thresholds(
        self, painter: QPainter, signals: SignalsOfInstrument, view: View, axes: Axes
    ) -> None:
        for each in thresholds(signals, is_score=self.is_score):
            text = f"{each.name} {price_text(each.value, axes.precision)}"
            left, top = round(6 * axes.ratio), int(view.y_of(each.value)) - axes.height // 2
            width = axes.glyphs.width(text) + 6
            painter.fillRect(left - 3, top, width, axes.height, self.theme.colour("panel", 0.82))
            painter.setPen(QColor(getattr(self.theme, each.token)))
            axes.glyphs.left(painter, left, top, axes.height, text)

    def _draw_marks(
        self, painter: QPainter, signals: SignalsOfInstrument, view: View, layout: Layout
    ) -> None:
        marks = signals.marks
        first, last = np.searchsorted(marks["ts"], (view.left_ns, view.right_ns))
        marks = marks[first:last]
        if not len(marks):
            return
        if self._sprites is None:
            self._sprites = signal_sprites(self.theme, layout.scale, _MARK)
        x, y = view.x_array(marks["ts"]), view.y_array(marks["level"])
        kind = kind_of(marks["direction"])
        some = one_per_pixel(x, y, kind, _CELL * layout.scale)
        painter.setClipRect(0, 0, layout.price.right, layout.price.bottom)
        full = marks["traded"][some].astype(np.int64)
        self._sprites.draw(painter, x[some] + 0.5, y[some] + 0.5, kind[some], full)
        painter.setClipping(False)


def _draw_band(pane: Pixels, line: Envelope, view: View, end: int, colour: int) -> None:
    """Fill from the lowest to the highest value of each pixel: rows that the line leaves out."""
    some = np.flatnonzero(line.count[: max(end, 0)] > 1)
    top, bottom = np.zeros((2, pane.shape[1]), np.int64)
    top[some], bottom[some] = view.y_array(line.high[some]), view.y_array(line.low[some]) + 1
    # Bands cover most of the pane, so a mask of all of it is cheaper than runs of pixels.
    rows = np.arange(len(pane))[:, None]
    np.copyto(pane, np.uint32(colour), where=(rows >= top) & (rows < bottom))


def _draw_steps(pane: Pixels, line: Envelope, view: View, end: int, colour: int, scale: int) -> None:
    """Draw the last value of each pixel as steps: a value holds until the next one."""
    values = carried_on(line)[: max(end, 0)]
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return
    rows = view.y_array(values[known])
    before = np.concatenate([rows[:1], rows[:-1]])
    fill_runs(pane, known, np.minimum(rows, before), np.maximum(rows, before) + scale, colour)
