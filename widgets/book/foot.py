"""The ladder's foot: what a click would do, sums of both sides, the spread, and what is not known."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QPainter

from widgets.book.layout import FOOT_LINE
from widgets.book.paint import RowPainter
from widgets.book.rows import Picture
from widgets.book.state import Book
from widgets.numbers import DASH, compact_text, percent_text, price_text, size_text

_PAD = 6


def _tr(text: str) -> str:
    return QCoreApplication.translate("LadderFoot", text)


def spread_text(picture: Picture) -> str:
    """Spread in ticks and in price: `Spread 2 ticks · 0.00002`."""
    points = picture.spread_points
    if points is None:
        return f"{_tr('Spread')} {DASH}"
    ticks, rest = divmod(points, picture.grid.tick_points)
    price = price_text(points / 10**picture.grid.precision, picture.grid.precision)
    if rest:
        return f"{_tr('Spread')} {price}"
    unit = _tr("tick") if abs(ticks) == 1 else _tr("ticks")
    return f"{_tr('Spread')} {price_text(ticks, 0)} {unit} · {price}"


def notice_text(book: Book) -> str:
    """What the ladder cannot show truthfully, or nothing."""
    notices = []
    if book.quotes_only:
        notices.append(_tr("Best quote only: no depth in this source"))
    if book.traded.left_out:
        count = size_text(book.traded.left_out, 0)
        notices.append(_tr("Volume lacks {count} conflated trades").format(count=count))
    return " · ".join(notices)


def paint_foot(
    painter: QPainter, rows: RowPainter, picture: Picture, notice: str, hint: tuple[str, QColor]
) -> None:
    """Draw the three lines of the foot, and the notice where there is one.

    `hint` is what the mouse would do, or why it did not, and its colour.
    """
    layout, brushes = rows.layout, rows.brushes
    top = layout.foot_top
    painter.fillRect(0, top, layout.width, layout.height - top, brushes.panel)
    painter.fillRect(0, top, layout.width, 1, brushes.line)
    painter.setFont(rows.text.font)
    painter.setPen(hint[1])
    rows.text.left(painter, _PAD, top, FOOT_LINE, _cut(rows, hint[0], layout.width - 2 * _PAD))
    top += FOOT_LINE
    _paint_balance(painter, rows, picture, top)
    top += FOOT_LINE
    painter.setFont(rows.text.font)
    crossed = picture.spread_points is not None and picture.spread_points < 0
    painter.setPen(brushes.danger if crossed else brushes.quiet)
    label = spread_text(picture)
    end = rows.text.left(painter, _PAD, top, FOOT_LINE, f"{label} · {_tr('crossed')}" if crossed else label)
    painter.setPen(brushes.quiet)
    imbalance = percent_text(picture.imbalance, 0, signed=True)
    label = f"{_tr('Imbalance')} {imbalance}"
    if end + rows.text.width(label) + 3 * _PAD > layout.width:
        label = imbalance
    rows.text.right(painter, layout.width - _PAD, top, FOOT_LINE, label)
    if notice:
        painter.setPen(brushes.warning)
        rows.text.left(painter, _PAD, top + FOOT_LINE, FOOT_LINE, notice)


def _cut(rows: RowPainter, text: str, width: int) -> str:
    """As much of a text as fits."""
    if rows.text.width(text) <= width:
        return text
    fits = max(0, width // max(1, rows.text.width("0")) - 1)
    return f"{text[:fits].rstrip(' ·')}…"


def _paint_balance(painter: QPainter, rows: RowPainter, picture: Picture, top: int) -> None:
    """Draw both totals and a bar between them, parted where the book is."""
    layout, brushes = rows.layout, rows.brushes
    painter.setFont(rows.bold.font)
    precision = rows.instrument.size_precision if rows.instrument else 0
    bid = f"Σ {compact_text(picture.bid_total, precision)}"
    ask = f"{compact_text(picture.ask_total, precision)} Σ"
    painter.setPen(brushes.sides[1])
    left = rows.bold.left(painter, _PAD, top, FOOT_LINE, bid) + _PAD
    painter.setPen(brushes.sides[2])
    right = layout.width - _PAD
    rows.bold.right(painter, right, top, FOOT_LINE, ask)
    right -= rows.bold.width(ask) + _PAD
    if picture.imbalance is None or right - left < 20:
        return
    parting = left + round((right - left) * (1 + picture.imbalance) / 2)
    painter.fillRect(left, top + 7, parting - left, 5, brushes.best_bars[1])
    painter.fillRect(parting, top + 7, right - parting, 5, brushes.best_bars[2])
    painter.fillRect((left + right) // 2, top + 5, 1, 9, brushes.quiet)
