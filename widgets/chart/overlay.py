"""What lies over the picture and may change with every mouse move: tags, own orders, marks, crosshair."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from widgets.chart import readout
from widgets.chart.axes import Axes
from widgets.chart.layout import Layout
from widgets.chart.news import NewsLayer, flag_colour, news_sentence
from widgets.chart.palette import legend_steps
from widgets.chart.scene import Scene, Shown
from widgets.chart.signals import SignalLayer
from widgets.chart.trade_layer import TradeLayer
from widgets.chart.trading import Trading
from widgets.chart.view import View
from widgets.numbers import compact_text, price_text, time_text
from widgets.signals.words import sentence
from widgets.theme import Theme

_LEGEND_WIDTH: Final = 132
_LEGEND_HEIGHT: Final = 6


@dataclass(slots=True)
class Pointer:
    """Where the mouse is, in device pixels, and what it does there.

    Attributes
    ----------
    at : tuple of int, or None
        None while the mouse is elsewhere.
    measured_from : tuple of int and float, or None
        Time and price at which a measurement began.
    """

    at: tuple[int, int] | None = None
    measured_from: tuple[int, float] | None = None


@dataclass(slots=True)
class TimeMarks:
    """Bookmarks and the loop's two ends, ns."""

    bookmarks: list[int] = field(default_factory=list)
    loop: tuple[int, int] | None = None


class Overlay:
    """Draws over a scene's picture; positions are device pixels."""

    def __init__(self, scene: Scene, view: View, axes: Axes, layout: Layout) -> None:
        self._scene, self._view, self._axes, self._layout = scene, view, axes, layout
        self._ratio = axes.ratio

    @property
    def _theme(self) -> Theme:
        return self._scene.theme

    def draw(
        self, painter: QPainter, shown: Shown, pointer: Pointer, time_marks: TimeMarks, trading: Trading
    ) -> None:
        """Draw all of it."""
        painter.setFont(self._axes.glyphs.font)
        self._draw_time_marks(painter, time_marks)
        if shown.heatmap and len(self._scene.market.depth):
            self._draw_legend(painter)
        if shown.signals and self._scene.signals is not None and len(self._scene.signals.signals.marks):
            self._draw_signal_legend(painter)
        layer = TradeLayer(trading, self._scene.market.instrument, self._view, self._axes, self._layout)
        layer.draw(painter, self._theme)
        tags = self._last_prices()
        taken = [y for y, _, _ in tags] + ([pointer.at[1]] if pointer.at is not None else [])
        self._axes.draw_prices(painter, self._view, self._layout, self._theme, taken)
        self._draw_last(painter, tags)
        if pointer.at is not None and trading.drag is None:
            self._draw_crosshair(painter, shown, pointer.at)
            if pointer.measured_from is not None:
                self._draw_measure(painter, pointer.measured_from, pointer.at)
        if trading.note:
            self._draw_note(painter, trading.note)

    def _px(self, logical: float) -> int:
        return round(logical * self._ratio)

    def _tag(self, painter: QPainter, y: int, text: str, fill: QColor, ink: QColor) -> None:
        """Write a price on the axis in a filled box."""
        glyphs = self._axes.glyphs
        half = self._axes.height // 2 + self._px(1)
        y = min(max(y, half), self._layout.price.bottom - half)
        left, width = (
            self._layout.axis.left + self._layout.scale,
            self._layout.axis.width - self._layout.scale,
        )
        painter.fillRect(left, y - half, width, 2 * half, fill)
        painter.setPen(ink)
        glyphs.right(painter, self._layout.axis.right - self._px(7), y - half, 2 * half, text)

    def _draw_last(self, painter: QPainter, tags: list[tuple[int, float, str]]) -> None:
        """Tag the newest prices on the axis."""
        ink = QColor(self._theme.panel)
        for y, price, token in tags:
            text = price_text(price, self._axes.precision)
            self._tag(painter, y, text, QColor(getattr(self._theme, token)), ink)

    def _last_prices(self) -> list[tuple[int, float, str]]:
        """Row, price and colour of the newest bid and ask, moved apart to be read; else of the last trade."""
        market, view = self._scene.market, self._view
        if len(market.quotes):
            quote = market.quotes.rows[-1]
            ask, bid = float(quote["ask"]), float(quote["bid"])
            middle = view.y_of((ask + bid) / 2)
            apart = max(view.y_of(bid) - view.y_of(ask), float(2 * (self._axes.height // 2 + self._px(1))))
            return [(round(middle - apart / 2), ask, "ask"), (round(middle + apart / 2), bid, "bid")]
        if len(market.trades):
            trade = market.trades.rows[-1]
            token = {1: "bid", 2: "ask"}.get(int(trade["aggressor"]), "quiet")
            return [(round(view.y_of(float(trade["price"]))), float(trade["price"]), token)]
        return []

    def _draw_note(self, painter: QPainter, note: str) -> None:
        """Say at the foot of the pane why nothing came of the last deed."""
        width = self._axes.glyphs.width(note) + self._px(10)
        right = min((self._layout.price.right + width) // 2, self._layout.price.right - self._px(8))
        y = self._layout.price.bottom - self._px(44)
        self._boxed(painter, right, y, note, QColor(self._theme.warning))

    def _boxed(self, painter: QPainter, right: int, y: int, text: str, colour: QColor) -> None:
        """Write a small label ending at `right`, on the panel's ground with a coloured edge."""
        glyphs = self._axes.glyphs
        half, width = self._axes.height // 2 + self._px(1), glyphs.width(text) + self._px(10)
        box = QRect(right - width, y - half, width, 2 * half)
        painter.fillRect(box, QColor(self._theme.panel))
        painter.setPen(QPen(colour, max(1, self._px(1))))
        painter.drawRect(box)
        glyphs.right(painter, right - self._px(5), y - half, 2 * half, text)

    def _draw_time_marks(self, painter: QPainter, marks: TimeMarks) -> None:
        view, colour = self._view, QColor(self._theme.signal)
        bottom = self._layout.time.top
        if marks.loop is not None:
            start, end = (view.x_of(ts) for ts in marks.loop)
            left, right = max(start, 0), min(end, self._layout.price.right)
            if right > left:
                painter.fillRect(left, 0, right - left, bottom, self._theme.colour("signal", 0.06))
            painter.setPen(QPen(colour, self._layout.scale))
            for x in (start, end):
                if 0 <= x < self._layout.price.right:
                    painter.drawLine(x, 0, x, bottom)
        painter.setBrush(colour)
        for ts in marks.bookmarks:
            x = view.x_of(ts)
            if 0 <= x < self._layout.price.right:
                painter.setPen(
                    QPen(self._theme.colour("signal", 0.5), self._layout.scale, Qt.PenStyle.DotLine)
                )
                painter.drawLine(x, 0, x, bottom)
                painter.setPen(Qt.PenStyle.NoPen)
                half, tall = self._px(4), self._px(9)
                corners = [(x - half, 0), (x + half, 0), (x + half, tall), (x, tall - half), (x - half, tall)]
                painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_legend(self, painter: QPainter) -> None:
        """Show what sizes the heatmap's colours stand for."""
        low, high = self._scene.heat.ends
        if high <= low:
            return
        width, height = self._px(_LEGEND_WIDTH), self._px(_LEGEND_HEIGHT)
        steps = legend_steps(low, high, width)
        strip = self._scene.palette.heat(low, high).take(np.rint(steps).astype(np.int64))
        image = QImage(np.ascontiguousarray(strip).data, width, 1, QImage.Format.Format_RGB32)
        left, top = self._px(10), self._layout.price.bottom - self._px(30)
        ground = self._theme.colour("panel", 0.82)
        glyphs = self._axes.glyphs
        pad = self._px(6)
        painter.fillRect(left - pad, top - pad, width + 2 * pad, height + self._axes.height + 2 * pad, ground)
        painter.drawImage(QRect(left, top, width, height), image)
        painter.setPen(QColor(self._theme.quiet))
        for place, draw in ((0, glyphs.left), (width // 2, glyphs.centre), (width - 1, glyphs.right)):
            size = float(self._scene.heat.tiles.sizes_of(steps[place : place + 1])[0])
            draw(
                painter,
                left + place,
                top + height + self._px(1),
                self._axes.height,
                compact_text(_two_digits(size), 0 if size >= 10 else 3),
            )

    def _draw_signal_legend(self, painter: QPainter) -> None:
        """Name the marks of signals, at the right end of the pane's foot."""
        text = QCoreApplication.translate("ChartOverlay", "▲ ▼ entry  × exit  hollow: no order")
        glyphs = self._axes.glyphs
        height, width = self._axes.height + self._px(4), glyphs.width(text) + self._px(12)
        right, top = self._layout.price.right - self._px(8), self._layout.price.bottom - self._px(24)
        painter.fillRect(right - width, top, width, height, self._theme.colour("panel", 0.82))
        painter.setPen(QColor(self._theme.signal))
        glyphs.right(painter, right - self._px(6), top, height, text)

    def _tell_signal(self, painter: QPainter, layer: SignalLayer, at: tuple[int, int]) -> None:
        """Say what the signal under the mouse was and what became of it."""
        record = layer.at(self._view, self._layout, at)
        if record is None:
            return
        self._tell(painter, at, sentence(record, self._axes.precision), QColor(self._theme.signal))

    def _tell_news(self, painter: QPainter, layer: NewsLayer, at: tuple[int, int]) -> None:
        """Say what the flag under the mouse stands for."""
        news = layer.at(self._view, self._layout, at)
        if news is not None:
            behind = layer.behind(self._view, self._layout, news)
            self._tell(painter, at, news_sentence(news, behind), flag_colour(news, self._theme))

    def _tell(self, painter: QPainter, at: tuple[int, int], text: str, colour: QColor) -> None:
        """Write a line about what is under the mouse, beside it and inside the pane."""
        width, edge = self._axes.glyphs.width(text) + self._px(10), self._px(8)
        right = min(max(at[0] + width // 2, width + edge), self._layout.price.right - edge)
        y = at[1] - self._px(26) if at[1] > self._px(60) else at[1] + self._px(26)
        self._boxed(painter, right, y, text, colour)

    def _draw_crosshair(self, painter: QPainter, shown: Shown, at: tuple[int, int]) -> None:
        x, y = at
        if not (x < self._layout.axis.left and y < self._layout.time.top):
            return
        view, theme = self._view, self._theme
        painter.setPen(QPen(theme.colour("text", 0.55), self._layout.scale, Qt.PenStyle.DotLine))
        painter.drawLine(x, 0, x, self._layout.time.top)
        ts, price = view.time_at(x), np.nan
        fill, ink = QColor(theme.raised), QColor(theme.text)
        if y < self._layout.price.bottom:
            painter.drawLine(0, y, self._layout.axis.left, y)
            price = round(view.price_at(y + 0.5) / self._scene.tick) * self._scene.tick
            self._tag(painter, y, price_text(price, self._axes.precision), fill, ink)
        self._time_tag(painter, x, time_text(ts, readout.time_digits(view.scale_ns)), fill, ink)
        parts = readout.lines(self._scene, view, shown, self._axes, (ts, price))
        self._line_of_text(painter, "   ".join(parts))
        if shown.signals and self._scene.signals is not None:
            self._tell_signal(painter, self._scene.signals, at)
        if shown.news and self._scene.news is not None:
            self._tell_news(painter, self._scene.news, at)

    def _time_tag(self, painter: QPainter, x: int, text: str, fill: QColor, ink: QColor) -> None:
        glyphs = self._axes.glyphs
        half = glyphs.width(text) // 2 + self._px(6)
        x = min(max(x, half), self._layout.time.right - half)
        top = self._layout.time.top + self._layout.scale
        painter.fillRect(x - half, top, 2 * half, self._layout.time.bottom - top, fill)
        painter.setPen(ink)
        glyphs.centre(painter, x, top, self._layout.time.bottom - top, text)

    def _line_of_text(self, painter: QPainter, text: str) -> None:
        """Write the readout at the top left."""
        glyphs = self._axes.glyphs
        left, top, height = self._px(8), self._px(6), self._axes.height + self._px(4)
        width = glyphs.width(text) + self._px(12)
        painter.fillRect(left - self._px(4), top, width, height, self._theme.colour("panel", 0.82))
        painter.setPen(QColor(self._theme.text))
        glyphs.left(painter, left + self._px(2), top, height, text)

    def _draw_measure(self, painter: QPainter, start: tuple[int, float], at: tuple[int, int]) -> None:
        view, theme = self._view, self._theme
        x0, y0 = view.x_of(start[0]), round(view.y_of(start[1]))
        x1, y1 = at[0], min(at[1], self._layout.price.bottom - 1)
        box = QRect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
        painter.fillRect(box, theme.colour("signal", 0.12))
        painter.setPen(QPen(QColor(theme.signal), self._layout.scale))
        painter.drawRect(box)
        end = view.time_at(x1), view.price_at(y1)
        text = readout.measure_text(self._scene, self._axes, start, end)
        right = min(
            max(x1, self._axes.glyphs.width(text) + self._px(20)), self._layout.price.right - self._px(8)
        )
        below = y1 + self._px(16) if y1 >= y0 else y1 - self._px(16)
        self._boxed(painter, right, below, text, QColor(theme.signal))


def _two_digits(size: float) -> float:
    """Round to two digits: a legend needs no more."""
    return float(f"{size:.1e}")
