"""The list of time and sales: painted, newest on top, and still once the user scrolls."""

from typing import Final, override

import numpy as np
from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from engine.messages.columns import Rows
from engine.messages.instrument import Instrument
from widgets.chrome import paint_empty
from widgets.glyphs import Glyphs
from widgets.numbers import (
    compact_text,
    digits_that_fit,
    mono_font,
    price_text,
    size_text,
    split_price,
    time_text,
)
from widgets.tape.lines import Mode, TapeLines
from widgets.theme import Theme

ROW: Final = 16
HEAD: Final = 18
_PAD: Final = 6
_LEAST_WIDTH: Final = 240
"""Of time, a price of seven digits and a size, beside each other."""
_ARROWS: Final = ("•", "▲", "▼")


class TapeView(QAbstractScrollArea):
    """Lines of a tape from the newest down.

    Signals
    -------
    held(bool)
        The user scrolled into the past, or came back to now.
    """

    held = Signal(bool)

    def __init__(self, theme: Theme, lines: TapeLines, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().setSingleStep(3)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.instrument: Instrument | None = None
        self._lines = lines
        self._frozen: Rows | None = None
        self._seen_when_held = 0
        self._text = Glyphs(mono_font(11))
        self._bold = Glyphs(mono_font(11, bold=True))
        self._largest = 0.0
        self._price_width = self._price_right = self._digits = 0
        self.setMinimumWidth(_LEAST_WIDTH)
        self.set_theme(theme)

    @property
    def shown(self) -> Rows:
        """All lines that can be scrolled to, oldest first, dtype `LINE`."""
        return self._lines.lines if self._frozen is None else self._frozen

    @property
    def newer(self) -> int:
        """Rows that came since the user scrolled away."""
        return 0 if self._frozen is None else self._lines.seen - self._seen_when_held

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self._sides = tuple(theme.colour(token) for token in ("text", "bid", "ask"))
        self._bars = tuple(theme.colour(token, 0.26) for token in ("quiet", "bid", "ask"))
        self._quiet, self._warning = theme.colour("quiet"), theme.colour("warning")
        self._panel, self._line = theme.colour("panel"), theme.colour("line")
        self.viewport().update()

    def back_to_now(self) -> None:
        """Follow the tape again."""
        self.verticalScrollBar().setValue(0)

    def start_anew(self) -> None:
        """Forget where the user was; for another tape or filter."""
        self._frozen = None
        self._largest = 0.0
        self.verticalScrollBar().setValue(0)
        self.show_latest()

    def show_latest(self) -> None:
        """Take over the lines as they are now; a held list stays."""
        if self._frozen is None:
            recent = self.shown[-500:]
            sizes = recent["size"][recent["count"] > 0]
            # The largest of the recent trades fills the bar; older giants do not flatten it for ever.
            self._largest = float(sizes.max()) if len(sizes) else 0.0
            self._fit_scroll_bar()
            self.viewport().update()

    def _fit_scroll_bar(self) -> None:
        page = max(1, (self.viewport().height() - HEAD) // ROW)
        bar = self.verticalScrollBar()
        bar.setPageStep(page)
        bar.setRange(0, max(0, len(self.shown) - page))

    def _on_scrolled(self, value: int) -> None:
        if value > 0 and self._frozen is None:
            self._frozen = self._lines.lines
            self._seen_when_held = self._lines.seen
            self.held.emit(True)
        elif value == 0 and self._frozen is not None:
            self._frozen = None
            self._fit_scroll_bar()
            self.held.emit(False)
        self.viewport().update()

    # Painting

    def _paint_trade(self, painter: QPainter, line: np.void, top: int, width: int) -> None:
        side = int(line["side"])
        bar = width - self._size_left(width)
        length = round(bar * min(1.0, line["size"] / self._largest)) if self._largest > 0 else 0
        painter.fillRect(width - length, top, length, ROW - 1, self._bars[side])
        self._paint_time(painter, line, top)
        self._paint_price(painter, float(line["price"]), self._sides[side], top, self._price_right)
        painter.setPen(self._sides[side])
        self._text.left(painter, self._price_right + _PAD, top, ROW, _ARROWS[side])
        size = compact_text(float(line["size"]), self._digits, characters=10)
        self._text.right(painter, width - _PAD, top, ROW, size)
        if line["count"] > 1:
            painter.setPen(self._quiet)
            self._text.left(painter, self._price_right + 22, top, ROW, f"×{line['count']}")

    def _paint_quote(self, painter: QPainter, line: np.void, top: int, width: int) -> None:
        colour = self._sides[int(line["side"])]
        self._paint_time(painter, line, top)
        self._paint_price(painter, float(line["price"]), colour, top, self._price_right)
        ask_right = self._price_right + self._price_width + 14
        self._paint_price(painter, float(line["ask"]), colour, top, ask_right)
        painter.setPen(colour)
        self._text.left(painter, ask_right + _PAD, top, ROW, _ARROWS[int(line["side"])])
        painter.setPen(self._quiet)
        spread = float(line["ask"]) - float(line["price"])
        self._text.right(painter, width - _PAD, top, ROW, price_text(spread, self._precision))

    def _paint_gap(self, painter: QPainter, line: np.void, top: int, width: int) -> None:
        unit = self.tr("trades") if self._lines.mode == "trades" else self.tr("quotes")
        label = self.tr("{count} {unit} not shown").format(count=size_text(line["size"], 0), unit=unit)
        half = self._text.width(label) // 2 + _PAD
        middle = width // 2
        painter.fillRect(_PAD, top + ROW // 2, middle - half - _PAD, 1, self._line)
        painter.fillRect(middle + half, top + ROW // 2, width - _PAD - middle - half, 1, self._line)
        painter.setPen(self._warning)
        self._text.centre(painter, middle, top, ROW, label)

    def _paint_time(self, painter: QPainter, line: np.void, top: int) -> None:
        painter.setPen(self._quiet)
        self._text.left(painter, _PAD, top, ROW, time_text(int(line["ts"])))

    def _paint_price(self, painter: QPainter, price: float, colour: QColor, top: int, right: int) -> None:
        head, pips, tail = split_price(price, self._precision)
        painter.setPen(colour)
        x = right - sum(self._text.width(part) for part in (head, pips, tail))
        x = self._text.left(painter, x, top, ROW, head)
        painter.setFont(self._bold.font)
        x = self._bold.left(painter, x, top, ROW, pips)
        painter.setFont(self._text.font)
        if tail:
            self._text.left(painter, x, top, ROW, tail)

    @property
    def _precision(self) -> int:
        return self.instrument.price_precision if self.instrument else 2

    @property
    def _size_precision(self) -> int:
        return self.instrument.size_precision if self.instrument else 0

    def _measure(self) -> None:
        """Find where the columns end, once per paint."""
        lines = self.shown
        price = float(lines["price"][-1]) if len(lines) else 1.0
        self._price_width = self._text.width(price_text(0.0 if np.isnan(price) else price, self._precision))
        self._price_right = _PAD + self._text.width("00:00:00.000") + 12 + self._price_width
        self._digits = digits_that_fit(max(self._largest, 1.0), self._size_precision, characters=9)

    def _size_left(self, width: int) -> int:
        return min(width, self._price_right + 20)

    def _paint_head(self, painter: QPainter, width: int) -> None:
        painter.fillRect(0, 0, width, HEAD, self._panel)
        painter.fillRect(0, HEAD - 1, width, 1, self._line)
        painter.setPen(self._quiet)
        self._text.left(painter, _PAD, 0, HEAD, self.tr("Time UTC"))
        mode: Mode = self._lines.mode
        first = self.tr("Price") if mode == "trades" else self.tr("Bid")
        last = self.tr("Size") if mode == "trades" else self.tr("Spread")
        self._text.right(painter, self._price_right, 0, HEAD, first)
        self._text.right(painter, width - _PAD, 0, HEAD, last)
        if mode == "quotes":
            self._text.right(painter, self._price_right + self._price_width + 14, 0, HEAD, self.tr("Ask"))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        area: QRect = self.viewport().rect()
        lines = self.shown
        if self.instrument is None or not len(lines):
            self._paint_nothing(painter, area)
            return
        painter.fillRect(area, self._panel)
        painter.setFont(self._text.font)
        self._measure()
        newest = len(lines) - 1 - self.verticalScrollBar().value()
        rows = (area.height() - HEAD) // ROW
        for row, line in enumerate(lines[max(0, newest - rows + 1) : newest + 1][::-1]):
            top = HEAD + row * ROW
            if line["count"] == 0:
                self._paint_gap(painter, line, top, area.width())
            elif self._lines.mode == "trades":
                self._paint_trade(painter, line, top, area.width())
            else:
                self._paint_quote(painter, line, top, area.width())
        self._paint_head(painter, area.width())

    def _paint_nothing(self, painter: QPainter, area: QRect) -> None:
        if self.instrument is None:
            title = self.tr("No instrument")
            hint = self.tr("Start a replay or the demo; its trades appear here, newest on top.")
        elif self._lines.min_size > 0 and self._lines.seen:
            title = self.tr("No trade is that large")
            hint = self.tr("Lower the smallest size to see more.")
        else:
            title = self.tr("Nothing traded yet")
            hint = self.tr("Press play, or step by tick. Sources without trades show changes of the quote.")
        paint_empty(painter, area, self._theme, title, hint)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_scroll_bar()
