"""All that does not follow the mouse, as one image: heatmap, prices, trades, fills, volume and axes.

It is drawn anew when the market or the view changed and kept otherwise, so moving the crosshair costs one
copy of the image. Every layer costs by the pixel.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtGui import QColor, QPainter

from engine.messages.columns import Rows
from widgets.chart import flow, marks, prices
from widgets.chart.axes import Axes
from widgets.chart.envelopes import KeptEnvelope
from widgets.chart.fills import FillColumns
from widgets.chart.heat_layer import HeatLayer
from widgets.chart.layout import Layout
from widgets.chart.news import NewsLayer
from widgets.chart.palette import Palette
from widgets.chart.raster import Area, Pixels, Raster, blend
from widgets.chart.signals import SignalLayer
from widgets.chart.state import Bars, ChartMarket, ChartNews, ChartOrders, ChartSignals, Envelope
from widgets.chart.view import View
from widgets.theme import Theme

_LEAST_TICKS: Final = 24
_FILLS_CELL: Final = 5
_PIXELS_PER_TRADE: Final = 4
_RANGE_PIXELS: Final = 16
_SPREAD_SHOWS: Final = 2.5
"""Pixels between bid and ask from which they are two lines of their own colours; nearer, they are one."""


@dataclass(slots=True)
class Shown:
    """Which layers are on; `spec` of None is the tick line, else the bars' spec."""

    heatmap: bool = True
    trades: bool = True
    flow: bool = True
    signals: bool = True
    news: bool = True
    spec: str | None = None


class Scene:
    """The picture of one market in one theme and size.

    Attributes
    ----------
    flow_peak : float
        Volume at the top of the lower pane.
    heat : HeatLayer
    signals : SignalLayer or None
    news : NewsLayer or None
    candles : Rows or None
        Candles of the last drawing as they were painted, dtype `BAR`; None where there is a line.
    paintings : int
        How often it was drawn, for the tests.
    """

    def __init__(
        self,
        theme: Theme,
        market: ChartMarket,
        orders: ChartOrders | None,
        signals: ChartSignals | None = None,
        news: ChartNews | None = None,
    ) -> None:
        self.market, self.orders = market, orders
        self.news = None if news is None else NewsLayer(news)
        self.signals = None if signals is None else SignalLayer(signals)
        self.tick = float(market.instrument.tick_size)
        self.heat = HeatLayer(market.depth, self.tick)
        self._bid, self._ask = (KeptEnvelope(market.quotes, side) for side in ("bid", "ask"))
        self._price = KeptEnvelope(market.trades, "price")
        self.fills = FillColumns(market.instrument.id)
        self.flow: flow.Flow | None = None
        self.flow_peak = 0.0
        self.candles: Rows | None = None
        self.paintings = 0
        self._raster: Raster | None = None
        self._sprites_scale = 0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours from the next drawing on."""
        self.theme = theme
        self.palette = Palette(theme)
        self._sprites_scale = 0

    @property
    def has_data(self) -> bool:
        """Whether there is anything to draw."""
        market = self.market
        return bool(len(market.quotes) or len(market.trades) or len(market.depth))

    @property
    def since_ns(self) -> int:
        """Time of the oldest row."""
        tapes = (self.market.quotes, self.market.trades)
        return min((int(tape.times[0]) for tape in tapes if len(tape)), default=0)

    def some_price(self) -> float:
        """Return a price as long as those that the axis will show."""
        for tape, column in ((self.market.quotes, "ask"), (self.market.trades, "price")):
            if len(tape):
                return float(tape.rows[column][-1])
        return float(np.nanmax(self.market.depth.rows["price"][-1])) if len(self.market.depth) else 0.0

    def bars(self, shown: Shown) -> Bars | None:
        """Bars that are shown, if any; raises `UserError` for a bad spec."""
        return None if shown.spec is None else self.market.bars(shown.spec)

    def draw(self, view: View, layout: Layout, shown: Shown, now_ns: int, axes: Axes) -> Raster:
        """Draw everything and return the image, which is kept until the next drawing."""
        self.paintings += 1
        raster = self._sized(layout)
        candles, lines = self._fetch(view, shown)
        self.candles = candles
        view.fit_price(*self._visible_range(view, shown, candles, lines), _LEAST_TICKS * self.tick)
        if shown.heatmap and len(self.market.depth):
            raster.pixels[layout.price.bottom :] = self.palette.ground
            raster.pixels[:, layout.axis.left :] = self.palette.ground
            self.heat.draw(raster.inside(layout.price), view, self.palette, now_ns)
        else:
            raster.pixels.fill(self.palette.ground)
        axes.draw_grid(raster, view, layout, self.theme)
        last_x = view.x_of(now_ns)
        pane = raster.inside(layout.price)
        if candles is not None:
            prices.draw_candles(pane, candles, view, (self.palette.bid, self.palette.ask), layout.scale)
        if layout.flow.height:
            self._draw_flow(raster.inside(layout.flow), view, candles, last_x, layout.scale)
        self._make_sprites(layout.scale)
        if shown.trades:
            with QPainter(raster.image) as painter:
                _clip(painter, layout.price)
                self._draw_trades(painter, view)
        # A line is thin enough to lie over the discs without hiding them; candles are not.
        self._draw_lines(pane, view, lines, last_x, layout.scale)
        with QPainter(raster.image) as painter:
            self._draw_fills(painter, view, layout)
            if shown.signals and self.signals is not None:
                self.signals.draw(painter, view, layout, self.theme)
            if shown.news and self.news is not None:
                self.news.draw(painter, view, layout, self.theme)
            axes.draw_labels(
                painter, view, layout, self.theme, self.flow_peak if layout.flow.height else None
            )
        return raster

    def _sized(self, layout: Layout) -> Raster:
        size = layout.time.width, layout.time.bottom
        raster = self._raster
        if raster is None or raster.pixels.shape != size[::-1]:
            raster = self._raster = Raster(*size)
        return raster

    def _fetch(self, view: View, shown: Shown) -> tuple[Rows | None, list[Envelope]]:
        """Visible candles, or the envelopes of the lines."""
        bars = self.bars(shown)
        if bars is not None:
            limit = max(1, view.width // prices.PIXELS_PER_CANDLE)
            return bars.candles(view.left_ns, view.right_ns, limit), []
        if len(self.market.quotes):
            return None, [self._bid.over(view), self._ask.over(view)]
        return None, [self._price.over(view)] if len(self.market.trades) else []

    def _visible_range(
        self, view: View, shown: Shown, candles: Rows | None, lines: list[Envelope]
    ) -> tuple[float, float]:
        """Lowest and highest price in sight; a venue's trades and quotes may differ, so both count."""
        parts = list(lines)
        if shown.trades and len(self.market.trades) and len(self.market.quotes):
            trades = self.market.trades.envelope("price", view.left_ns, view.right_ns, _RANGE_PIXELS)
            parts.append(trades)
        return prices.price_range(parts, candles)

    def _draw_lines(self, pixels: Pixels, view: View, lines: list[Envelope], last_x: int, scale: int) -> None:
        colours = (self.palette.text,) * len(lines)
        if len(lines) == 2 and prices.apart(lines[0], lines[1], _SPREAD_SHOWS * scale * view.price_per_pixel):
            colours = self.palette.bid_line, self.palette.ask_line
        for line, colour in zip(lines, colours, strict=True):
            prices.draw_line(pixels, line, view, last_x, colour, scale)

    def _draw_flow(self, pixels: Pixels, view: View, candles: Rows | None, last_x: int, scale: int) -> None:
        edges = None
        if candles is not None and len(candles):
            edges = np.concatenate([candles["ts"], candles["end"][-1:]])
        self.flow = flow.flow_of(self.market.trades, view, edges, scale)
        peak = self.flow.peak
        if not 0.4 * self.flow_peak <= peak <= self.flow_peak:
            self.flow_peak = 1.15 * peak
        palette = self.palette
        colours = palette.bar_bought, palette.bar_sold, palette.total
        blend(pixels[len(pixels) // 2 : len(pixels) // 2 + scale], QColor(self.theme.line), 1.0)
        flow.draw_flow(pixels, self.flow, view, self.flow_peak, colours, scale)
        flow.draw_total(pixels, self.flow, last_x, palette.total, scale)

    def _make_sprites(self, scale: int) -> None:
        if self._sprites_scale != scale:
            self._sprites_scale = scale
            self._discs = marks.disc_sprites(self.theme, scale)
            self._triangles = marks.triangle_sprites(self.theme, scale)

    def _draw_trades(self, painter: QPainter, view: View) -> None:
        limit = view.width // (_PIXELS_PER_TRADE * self._sprites_scale)
        trades = self.market.trades.largest(view.left_ns, view.right_ns, limit)
        marks.draw_trades(painter, self._discs, trades, view)

    def _draw_fills(self, painter: QPainter, view: View, layout: Layout) -> None:
        """Draw own fills, the newest where several would lie on each other."""
        if self.orders is None:
            return
        self.fills.take(self.orders.fills)
        fills = self.fills.between(view.left_ns, view.right_ns)
        if not len(fills):
            return
        x, y = view.x_array(fills["ts"]), view.y_array(fills["price"])
        some = marks.one_per_pixel(x, y, fills["sells"], _FILLS_CELL * layout.scale)
        _clip(painter, layout.price)
        self._triangles.draw(
            painter, x[some] + 0.5, y[some] + 0.5, fills["sells"][some], np.zeros(len(some), np.int64)
        )
        painter.setClipping(False)


def _clip(painter: QPainter, area: Area) -> None:
    painter.setClipRect(area.left, area.top, area.width, area.height)
