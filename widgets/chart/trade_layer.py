"""Own orders and the position as lines across the chart, each with a tag that says what it is."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from engine.messages.events import OrderChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, HELD, IN_DOUBT
from widgets.chart.axes import Axes
from widgets.chart.exits import ExitLine
from widgets.chart.layout import Layout
from widgets.chart.trading import OrderLine, PositionLine, Trading
from widgets.chart.view import View
from widgets.numbers import money_digits, price_text, signed_money, signed_text, size_text
from widgets.own_orders import kind_of, kind_text, left_of, profit_currency, side_text
from widgets.theme import Theme

_REACH: Final = 4
"""Pixels from a line within which it can be taken."""

_CROSS: Final = "✕"
_PEN: Final = {"limit": Qt.PenStyle.DashLine, "stop": Qt.PenStyle.DotLine, "target": Qt.PenStyle.DashLine}


@dataclass(frozen=True, slots=True)
class Placed:
    """A line on the screen; `line` of None is a position's, whose `cross` is empty."""

    line: OrderLine | None
    y: int
    tag: QRect
    cross: QRect
    text: str

    @property
    def order(self) -> OrderChanged | None:
        """Order that it is of."""
        return None if self.line is None else self.line.order


@dataclass(frozen=True, slots=True)
class Hit:
    """What of a line is under the mouse."""

    order: OrderChanged | None
    on_tag: bool
    on_cross: bool


class TradeLayer:
    """Places, draws and finds the lines; positions are device pixels."""

    def __init__(
        self, trading: Trading, instrument: Instrument, view: View, axes: Axes, layout: Layout
    ) -> None:
        self._trading, self._instrument = trading, instrument
        self._view, self._axes, self._layout = view, axes, layout

    def _px(self, logical: float) -> int:
        return round(logical * self._axes.ratio)

    # Where the lines are

    def at(self, x: int, y: int) -> Hit | None:
        """Line whose tag or stroke is under a point; tags before strokes, orders before the position."""
        if not self._layout.price.contains(x, y):
            return None
        placed = self._placed()
        for each in placed:
            if each.tag.contains(x, y):
                return Hit(each.order, on_tag=True, on_cross=each.cross.contains(x, y))
        reach = self._px(_REACH)
        near = [each for each in placed if abs(each.y - y) <= reach]
        nearest = min(near, key=lambda each: abs(each.y - y), default=None)
        return None if nearest is None else Hit(nearest.order, on_tag=False, on_cross=False)

    def _placed(self) -> list[Placed]:
        made: list[Placed] = []
        positions = self._trading.positions()
        for line in self._trading.lines(positions):
            self._place(made, line, line.price, self._order_text(line))
        for position in positions:
            self._place(made, None, position.price, self._position_text(position))
        return made

    def _place(self, made: list[Placed], line: OrderLine | None, price: Decimal, text: str) -> None:
        """Put a tag at the right end of its line, left of those that it would lie on."""
        y = round(self._view.y_of(float(price)))
        if not 0 <= y < self._layout.price.bottom:
            return
        glyphs, half = self._axes.glyphs, self._half
        cross = 0 if line is None else glyphs.width(_CROSS) + self._px(8)
        width = glyphs.width(text) + self._px(10) + cross
        right = self._layout.price.right - self._px(8)
        box = QRect(right - width, y - half, width, 2 * half)
        while (under := next((other.tag for other in made if other.tag.intersects(box)), None)) is not None:
            box.moveRight(under.left() - self._px(4))
        close = QRect(box.right() + 1 - cross, box.top(), cross, box.height()) if cross else QRect()
        made.append(Placed(line, y, box, close, text))

    @property
    def _half(self) -> int:
        return self._axes.height // 2 + self._px(1)

    # What they say

    def _order_text(self, line: OrderLine) -> str:
        order, axes = line.order, self._axes
        parts = [
            side_text(order.side),
            size_text(left_of(order), axes.size_precision),
            kind_text(kind_of(order)),
            price_text(line.price, axes.precision),
        ]
        if order.status == IN_DOUBT:
            parts.append(_tr("in doubt"))
        elif order.status == HELD:
            parts.append(_tr("held here"))
        if line.was is not None:
            parts.append(self._ticks(line.was, line.price))
        if line.asked:
            parts.append(_tr("asked"))
        remark = [line.remark] if line.remark else []
        return "  ".join([" ".join(parts), *self._money(line.profit), *remark])

    def _exit_text(self, line: ExitLine, start: Decimal) -> str:
        parts = [
            side_text(line.side),
            size_text(line.quantity, self._axes.size_precision),
            kind_text(line.kind),
            price_text(line.price, self._axes.precision),
            self._ticks(start, line.price),
        ]
        return "  ".join([" ".join(parts), *self._money(line.profit)])

    def _position_text(self, position: PositionLine) -> str:
        side = _tr("Long") if position.quantity > 0 else _tr("Short")
        size = size_text(abs(position.quantity), self._axes.size_precision)
        price = price_text(position.price, self._axes.precision)
        whose = [] if position.strategy == HAND else [position.strategy]
        return "  ".join([f"{side} {size} {price}", *self._money(position.profit), *whose])

    def _ticks(self, start: Decimal, end: Decimal) -> str:
        ticks = self._trading.ticks_between(start, end)
        unit = _tr("tick") if abs(ticks) == 1 else _tr("ticks")
        return f"({signed_text(ticks, 0)} {unit})"

    def _money(self, profit: Decimal | None) -> list[str]:
        if profit is None:
            return []
        currency = profit_currency(self._instrument)
        return [signed_money(profit, currency, money_digits(currency))]

    # How they look

    def draw(self, painter: QPainter, theme: Theme) -> None:
        """Draw every line that is in sight."""
        placed = self._placed()
        for each in placed:
            if each.line is None:
                self._stroke(painter, each.y, QColor(theme.quiet), Qt.PenStyle.SolidLine)
                continue
            colour = self._colour(each.line.order, theme)
            if each.line.was is not None:
                faint = QColor(colour)
                faint.setAlphaF(0.4)
                was = round(self._view.y_of(float(each.line.was)))
                self._stroke(painter, was, faint, Qt.PenStyle.DotLine)
            self._stroke(painter, each.y, colour, _PEN[kind_of(each.line.order)])
        for each in placed:
            colour = QColor(theme.text) if each.line is None else self._colour(each.line.order, theme)
            self._tag(painter, each, colour, theme)
        self._draw_exit(painter, theme)

    def _draw_exit(self, painter: QPainter, theme: Theme) -> None:
        line, drag = self._trading.exit_line(), self._trading.drag
        if line is None or drag is None or drag.at == drag.start:
            return
        pulled: list[Placed] = []
        self._place(pulled, None, line.price, self._exit_text(line, drag.start))
        colour = QColor(theme.ask if line.side == "SELL" else theme.bid)
        for each in pulled:
            self._stroke(painter, each.y, colour, _PEN[line.kind])
            self._tag(painter, each, colour, theme)

    def _colour(self, order: OrderChanged, theme: Theme) -> QColor:
        if order.status == IN_DOUBT:
            return QColor(theme.warning)
        return QColor(theme.bid if order.side == "BUY" else theme.ask)

    def _stroke(self, painter: QPainter, y: int, colour: QColor, style: Qt.PenStyle) -> None:
        if 0 <= y < self._layout.price.bottom:
            painter.setPen(QPen(colour, self._layout.scale, style))
            painter.drawLine(0, y, self._layout.price.right, y)

    def _tag(self, painter: QPainter, placed: Placed, colour: QColor, theme: Theme) -> None:
        glyphs, box = self._axes.glyphs, placed.tag
        painter.fillRect(box, QColor(theme.panel))
        painter.setPen(QPen(colour, max(1, self._px(1))))
        painter.drawRect(box)
        glyphs.left(painter, box.left() + self._px(5), box.top(), box.height(), placed.text)
        if not placed.cross.isEmpty():
            glyphs.centre(painter, placed.cross.center().x(), box.top(), box.height(), _CROSS)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChartTrading", text)
