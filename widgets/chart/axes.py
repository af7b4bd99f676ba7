"""Grid and labels: prices on the right at the instrument's precision, times below, the zone said once."""
# ruff: noqa: D102 -- the protocol's docstring says what its attributes are

from decimal import Decimal
from typing import Final, Protocol

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from widgets.chart import scales
from widgets.chart.layout import Layout
from widgets.chart.raster import Raster, blend, blend_lines
from widgets.chart.view import View
from widgets.glyphs import Glyphs
from widgets.numbers import compact_text, date_text, mono_font, price_text
from widgets.theme import Theme

_FONT_PX: Final = 11
_PRICE_SPACING: Final = 44
_GRID: Final = 0.45


class Measured(Protocol):
    """What an axis must know of an instrument, or of another thing whose values are painted."""

    @property
    def price_precision(self) -> int: ...
    @property
    def size_precision(self) -> int: ...
    @property
    def tick_size(self) -> Decimal: ...


class Axes:
    """Axes of one instrument at one number of device pixels per logical one."""

    def __init__(self, instrument: Measured, ratio: float) -> None:
        self.precision = instrument.price_precision
        self.size_precision = instrument.size_precision
        self.tick = float(instrument.tick_size)
        self.ratio = ratio
        font = mono_font(round(_FONT_PX * ratio))
        self.glyphs = Glyphs(font)
        self.height = QFontMetrics(font).height()
        self._digit = self.glyphs.width("0")

    def width(self, price: float) -> int:
        """Device pixels that the price axis needs for prices like this one."""
        return self.glyphs.width(price_text(price, self.precision)) + round(16 * self.ratio)

    def _prices(self, view: View) -> list[float]:
        step = scales.price_step(self.tick, view.price_per_pixel, round(_PRICE_SPACING * self.ratio))
        return scales.prices(view.low, view.high, step)

    def _time_step(self, view: View) -> int:
        step = scales.time_step(view.scale_ns, round(90 * self.ratio))
        characters = 5 if step % 60_000_000_000 == 0 else 9 + scales.second_digits(step)
        return scales.time_step(view.scale_ns, max(round(90 * self.ratio), (characters + 3) * self._digit))

    def draw_grid(self, raster: Raster, view: View, layout: Layout, theme: Theme) -> None:
        """Draw the lines behind the prices, and those that part the panes."""
        line = QColor(theme.line)
        thick = range(layout.scale)
        rows = [int(view.y_of(value)) + more for value in self._prices(view) for more in thick]
        labels = scales.times(view.left_ns, view.right_ns, self._time_step(view))
        for part, strong in ((_GRID, False), (0.9, True)):
            columns = [
                view.x_of(int(label.value)) + more
                for label in labels
                if label.strong == strong
                for more in thick
            ]
            blend_lines(raster.inside(layout.price), [] if strong else rows, columns, line, part)
            blend_lines(raster.inside(layout.flow), [], columns, line, part)
        pixels, scale = raster.pixels, layout.scale
        blend(pixels[: layout.time.top, layout.axis.left : layout.axis.left + scale], line, 1.0)
        blend(pixels[layout.time.top : layout.time.top + scale], line, 1.0)
        if layout.flow.height:
            blend(pixels[layout.flow.top - scale : layout.flow.top], line, 1.0)

    def draw_labels(
        self, painter: QPainter, view: View, layout: Layout, theme: Theme, flow_peak: float | None
    ) -> None:
        """Write times and the lower pane's scale."""
        painter.setFont(self.glyphs.font)
        painter.setPen(QColor(theme.quiet))
        right = layout.axis.right - round(7 * self.ratio)
        if flow_peak is not None:
            self._draw_flow_scale(painter, layout, flow_peak, right)
        self._draw_times(painter, view, layout, theme)

    def draw_prices(
        self, painter: QPainter, view: View, layout: Layout, theme: Theme, taken: list[int]
    ) -> None:
        """Write prices on their axis, but none that would touch a tag centred on one of the rows `taken`."""
        painter.setPen(QColor(theme.quiet))
        right = layout.axis.right - round(7 * self.ratio)
        height = self.height
        half = height // 2
        for value in self._prices(view):
            y = int(view.y_of(value))
            if half <= y < layout.price.bottom - half and all(abs(y - row) > height for row in taken):
                self.glyphs.right(painter, right, y - half, 2 * half, price_text(value, self.precision))

    def _draw_flow_scale(self, painter: QPainter, layout: Layout, peak: float, right: int) -> None:
        height = self.height
        if peak <= 0:
            return
        text = compact_text(peak, self.size_precision)
        middle = layout.flow.top + layout.flow.height // 2
        self.glyphs.right(painter, right, layout.flow.top, height, f"+{text}")
        self.glyphs.right(painter, right, middle - height // 2, height, "0")
        self.glyphs.right(painter, right, layout.flow.bottom - height, height, f"−{text}")

    def _draw_times(self, painter: QPainter, view: View, layout: Layout, theme: Theme) -> None:
        top, height = layout.time.top + layout.scale, layout.time.height - layout.scale
        zone = QCoreApplication.translate("Axes", "UTC")
        self.glyphs.right(painter, layout.time.right - round(7 * self.ratio), top, height, zone)
        date = date_text(max(view.left_ns, 0))
        date_end = self.glyphs.left(painter, round(6 * self.ratio), top, height, date) + 2 * self._digit
        for label in scales.times(view.left_ns, view.right_ns, self._time_step(view)):
            x = view.x_of(int(label.value))
            half = self.glyphs.width(label.text) // 2
            if x - half < date_end or x + half > layout.axis.left:
                continue
            painter.setPen(QColor(theme.text if label.strong else theme.quiet))
            self.glyphs.centre(painter, x, top, height, label.text)
