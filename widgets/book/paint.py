"""Draws the ladder's rows: bars, prices, own orders, volume at price; one call per row, all of it cheap."""

from decimal import Decimal
from typing import Final, NamedTuple

from PySide6.QtGui import QColor, QPainter

from engine.messages.instrument import Instrument
from widgets.book.layout import HEAD, Layout, Span
from widgets.book.rows import Grid, Own, Picture, Row
from widgets.book.scale import BarScale
from widgets.glyphs import Glyphs
from widgets.numbers import compact_text, digits_that_fit, mono_font, price_text, split_price
from widgets.own_orders import short_size
from widgets.theme import Theme

_PAD = 6
_PROFILE_PAD = 3
_ARROWS = ("•", "▲", "▼")
_TENTH = 10
_SCALED_FROM = 100_000
_MARKS: Final = {"limit": "", "stop": "S", "target": "T"}
_DOUBTFUL: Final = "?"


class Touch(NamedTuple):
    """What the mouse does to a row; sides are 1 for bids, 2 for asks, 0 for none.

    `aim` is the cell that a click would place an order in, `taken` the one whose own orders are dragged away,
    and `ghost` the one that they would come to, with what they are.
    """

    hover: bool = False
    aim: int = 0
    taken: int = 0
    ghost: tuple[int, Own] | None = None


UNTOUCHED: Final = Touch()


class Brushes:
    """The theme's colours as the ladder mixes them, made once per theme."""

    def __init__(self, theme: Theme) -> None:
        self.panel = theme.colour("panel")
        self.line = theme.colour("line")
        self.round_line = theme.colour("line", 0.6)
        self.text = theme.colour("text")
        self.quiet = theme.colour("quiet")
        self.warning = theme.colour("warning")
        self.danger = theme.colour("danger")
        self.hover = theme.colour("text", 0.07)
        self.inside = theme.colour("text", 0.05)
        self.sides = tuple(theme.colour(token) for token in ("quiet", "bid", "ask"))
        # Digits stand on these: their contrast is 4.5:1 or more on each.
        self.bars = tuple(theme.colour(token, 0.26) for token in ("quiet", "bid", "ask"))
        self.best_bars = tuple(theme.colour(token, 0.42) for token in ("quiet", "bid", "ask"))
        self.profile = tuple(theme.colour(token, 0.30) for token in ("quiet", "bid", "ask"))
        self.flashes = tuple(theme.colour(token, 0.26) for token in ("quiet", "bid", "ask"))
        self.washes = tuple(theme.colour(token, 0.07) for token in ("quiet", "bid", "ask"))
        self.best_washes = tuple(theme.colour(token, 0.22) for token in ("quiet", "bid", "ask"))


class RowPainter:
    """Paints one row at a time; its brushes, layout, instrument and scales may change between paints."""

    def __init__(self, brushes: Brushes) -> None:
        self.brushes = brushes
        self.text = Glyphs(mono_font(11))
        self.bold = Glyphs(mono_font(11, bold=True))
        self.sizes = BarScale()
        self.traded = BarScale()
        self.layout = Layout.fit(360, 700, 60, 2)
        self.instrument: Instrument | None = None
        self._prices: dict[tuple[int, int], tuple[str, str, str]] = {}

    def price_width(self, ticks: Grid, mid_points: float) -> int:
        """Width of a price near the mid."""
        return self.text.width(price_text(ticks.price(round(mid_points / ticks.row_points)), ticks.precision))

    def forget_prices(self) -> None:
        """Drop what was laid out for another instrument."""
        self._prices.clear()

    def _price(self, picture: Picture, row: int) -> tuple[str, str, str]:
        key = row, picture.grid.group
        known = self._prices.get(key)
        if known is None:
            if len(self._prices) > 4096:
                self._prices.clear()
            known = split_price(picture.grid.price(row), picture.grid.precision)
            self._prices[key] = known
        return known

    def row(
        self,
        painter: QPainter,
        picture: Picture,
        index: int,
        *,
        flash: tuple[bool, bool],
        touch: Touch = UNTOUCHED,
    ) -> None:
        """Draw the `index`-th row from above; `flash` says whether its bid and ask have just changed."""
        row, top, height = picture.rows[index], self.layout.row_top(index), self.layout.row_height
        brushes, layout = self.brushes, self.layout
        painter.fillRect(0, top, layout.width, height, brushes.panel)
        if row.inside:
            painter.fillRect(layout.bid.left, top, layout.ask.right - layout.bid.left, height, brushes.inside)
        if row.row % _TENTH == 0:
            painter.fillRect(0, top + height - 1, layout.width, 1, brushes.round_line)
        if touch.hover:
            painter.fillRect(0, top, layout.width, height, brushes.hover)
        painter.setFont(self.text.font)
        self._size(painter, picture, row, top, side=1, flash=flash[0])
        self._size(painter, picture, row, top, side=2, flash=flash[1])
        self._profile(painter, row, top)
        if row.own_bid is not None:
            self._own(painter, layout.own_bid, row.own_bid, top, side=1, faint=touch.taken == 1)
        if row.own_ask is not None:
            self._own(painter, layout.own_ask, row.own_ask, top, side=2, faint=touch.taken == 2)
        if touch.aim or touch.ghost is not None:
            self._touch(painter, touch, top)
        self._price_cell(painter, picture, row, top)
        if row.last_size > 0:
            self._last_trade(painter, row, top)
        if row.inside and row.row == picture.spread_row:
            self._spread(painter, picture, top)

    def _spread(self, painter: QPainter, picture: Picture, top: int) -> None:
        points, height = picture.spread_points, self.layout.row_height
        if points is None:
            return
        painter.setPen(self.brushes.quiet)
        price = price_text(points / 10**picture.grid.precision, picture.grid.precision)
        if self.text.width(price) + _PAD < self.layout.ask.width:
            self.text.right(painter, self.layout.ask.right - _PAD, top, height, price)
        ticks = f"↕ {price_text(points / picture.grid.tick_points, 0)}"
        self.text.right(painter, self.layout.bid.right - _PAD, top, height, ticks)

    def _size(
        self, painter: QPainter, picture: Picture, row: Row, top: int, *, side: int, flash: bool
    ) -> None:
        size, span = (row.bid, self.layout.bid) if side == 1 else (row.ask, self.layout.ask)
        height = self.layout.row_height
        if flash:
            painter.fillRect(span.left, top, span.width, height - 1, self.brushes.flashes[side])
        if size <= 0:
            return
        best = self._is_best(picture, row, side)
        length = max(1, round(self.sizes.fraction(size) * (span.width - 2)))
        left = span.right - length if side == 1 else span.left
        bars = self.brushes.best_bars if best else self.brushes.bars
        painter.fillRect(left, top, length, height - 1, bars[side])
        glyphs = self.bold if best else self.text
        painter.setFont(glyphs.font)
        painter.setPen(self.brushes.text)
        text = self._aligned(size, self.sizes.full, span.width)
        glyphs.right(painter, span.right - _PAD, top, height, text)
        painter.setFont(self.text.font)

    def _is_best(self, picture: Picture, row: Row, side: int) -> bool:
        best = picture.best_bid if side == 1 else picture.best_ask
        if best is None:
            return False
        points = picture.grid.row_points
        return row.row == (best // points if side == 1 else -(-best // points))

    def _short(self, size: float | Decimal) -> str:
        return compact_text(size, self._size_precision, characters=5)

    def _price_cell(self, painter: QPainter, picture: Picture, row: Row, top: int) -> None:
        span, height, brushes = self.layout.price, self.layout.row_height, self.brushes
        side = self._side_of(picture, row)
        best = self._is_best(picture, row, 1) or self._is_best(picture, row, 2)
        if row.last_size > 0:
            painter.fillRect(span.left, top, span.width, height - 1, brushes.sides[row.last_side])
            head = pips = brushes.panel
        else:
            painter.fillRect(
                span.left, top, span.width, height, (brushes.best_washes if best else brushes.washes)[side]
            )
            head, pips = brushes.text if best else brushes.quiet, brushes.text
        parts = self._price(picture, row.row)
        x = span.right - 8 - sum(self.text.width(part) for part in parts)
        for part, colour, glyphs in zip(
            parts, (head, pips, head), (self.text, self.bold, self.text), strict=True
        ):
            if part:
                painter.setPen(colour)
                painter.setFont(glyphs.font)
                x = glyphs.left(painter, x, top, height, part)
        painter.setFont(self.text.font)

    def _side_of(self, picture: Picture, row: Row) -> int:
        if row.inside or picture.best_bid is None or picture.best_ask is None:
            return 0
        return 1 if row.row * picture.grid.row_points * 2 <= picture.best_bid + picture.best_ask else 2

    def _own(
        self, painter: QPainter, span: Span, own: Own, top: int, *, side: int, faint: bool = False
    ) -> None:
        """Draw own orders as a badge, in outline where they do not rest in the book, and their queue."""
        height, brushes = self.layout.row_height, self.brushes
        mark = _DOUBTFUL if own.doubtful else _MARKS[own.kind]
        left, room = span.left + 1, span.width - 2
        fits = (room - 2) // max(1, self.bold.width("0")) - len(mark)
        text = mark + short_size(own.size, self._size_precision, fits)
        queue = self._queue(own, room - self.bold.width(text) - 5)
        width = room - self.text.width(queue) - 1 if queue else room
        colour = brushes.warning if own.doubtful else brushes.sides[side]
        solid = own.kind != "stop" and not own.doubtful and not faint
        painter.fillRect(left, top + 1, width, height - 2, colour)
        if not solid:
            painter.fillRect(left + 1, top + 2, width - 2, height - 4, brushes.panel)
        painter.setPen(brushes.panel if solid else brushes.quiet if faint else colour)
        painter.setFont(self.bold.font)
        self.bold.centre(painter, left + width // 2, top, height, text)
        painter.setFont(self.text.font)
        if queue:
            painter.setPen(brushes.text)
            self.text.right(painter, span.right - 1, top, height, queue)

    def _queue(self, own: Own, room: int) -> str:
        """What is before own orders, as short as the room asks for; nothing where it does not fit."""
        if not own.queued or own.ahead is None:
            return ""
        text = f"≈{compact_text(own.ahead, self._size_precision, characters=4)}"
        return text if self.text.width(text) <= room else ""

    def _touch(self, painter: QPainter, touch: Touch, top: int) -> None:
        layout, height = self.layout, self.layout.row_height
        if touch.aim:
            span = layout.bid if touch.aim == 1 else layout.ask
            painter.setPen(self.brushes.sides[touch.aim])
            painter.drawRect(span.left, top, span.width - 1, height - 2)
        if touch.ghost is not None:
            side, own = touch.ghost
            self._own(
                painter, layout.own_bid if side == 1 else layout.own_ask, own, top, side=side, faint=True
            )

    def _profile(self, painter: QPainter, row: Row, top: int) -> None:
        total = row.bought + row.sold + row.unsided
        if total <= 0 or not self.layout.volume.width:
            return
        span, height = self.layout.volume, self.layout.row_height
        length = self.traded.fraction(total) * (span.width - _PROFILE_PAD)
        x = float(span.left + 1)
        for part, colour in zip(
            (row.bought, row.sold, row.unsided), _profile_order(self.brushes), strict=True
        ):
            if part > 0:
                width = length * part / total
                painter.fillRect(round(x), top + 1, max(1, round(x + width) - round(x)), height - 2, colour)
                x += width
        painter.setPen(self.brushes.text)
        text = self._aligned(total, self.traded.full, span.width)
        self.text.right(painter, span.right - _PAD, top, height, text)

    def _last_trade(self, painter: QPainter, row: Row, top: int) -> None:
        span, height = self.layout.own_ask, self.layout.row_height
        label = f"{_ARROWS[row.last_side]}{self._short(row.last_size)}"
        left = span.left if row.own_ask is None else self.layout.volume.left
        width = max(span.width, self.bold.width(label) + 6)
        if left + width > self.layout.width:  # the price's own colour must do
            return
        painter.fillRect(left, top, width, height - 1, self.brushes.panel)
        painter.fillRect(left, top, width, height - 1, self.brushes.best_washes[row.last_side])
        painter.setPen(self.brushes.sides[row.last_side])
        painter.setFont(self.bold.font)
        self.bold.left(painter, left + 3, top, height, label)
        painter.setFont(self.text.font)

    @property
    def _size_precision(self) -> int:
        return self.instrument.size_precision if self.instrument else 0

    def head(self, painter: QPainter, titles: tuple[str, ...]) -> None:
        """Draw the columns' titles."""
        layout, brushes = self.layout, self.brushes
        painter.fillRect(0, 0, layout.width, HEAD, brushes.panel)
        painter.fillRect(0, HEAD - 1, layout.width, 1, brushes.line)
        painter.setPen(brushes.quiet)
        spans = (layout.own_bid, layout.bid, layout.price, layout.ask, layout.own_ask, layout.volume)
        for span, title in zip(spans, titles, strict=True):
            if span.width >= self.text.width(title):
                self.text.right(painter, span.right - _PAD, 0, HEAD, title)

    def _aligned(self, size: float, largest: float, width: int) -> str:
        """Size with the digits, or the units, of the largest in its column; shorter in a narrow one."""
        fits = (width - _PAD - 2) // max(1, self.text.width("0"))
        digits = digits_that_fit(largest, self._size_precision, characters=min(6, fits))
        return compact_text(size, digits, characters=min(6 if largest < _SCALED_FROM else 5, fits))


def _profile_order(brushes: Brushes) -> tuple[QColor, QColor, QColor]:
    unsided, bought, sold = brushes.profile
    return bought, sold, unsided
