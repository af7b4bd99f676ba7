"""What can be watched: the session's instruments with their prices, and those in the store."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, override

import msgspec
import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.messages.columns import Rows
from engine.messages.instrument import Instrument
from widgets.chrome import paint_empty
from widgets.numbers import mono_font, percent_text, price_text, sign_of
from widgets.stale import StaleVeil
from widgets.theme import Theme

type _Index = QModelIndex | QPersistentModelIndex

_NAME, _BID, _ASK, _CHANGE = range(4)
_ROW_PX: Final = 20
_PAD: Final = 6
_DISPLAY: Final = Qt.ItemDataRole.DisplayRole.value
_GAP: Final = 5
"""Between a symbol and its venue."""


class TapeView(Protocol):
    """Rows of one kind, oldest first."""

    @property
    def rows(self) -> Rows: ...  # noqa: D102


class MarketView(Protocol):
    """What the list shows of one instrument."""

    @property
    def instrument(self) -> Instrument: ...  # noqa: D102
    @property
    def quotes(self) -> TapeView: ...  # noqa: D102
    @property
    def trades(self) -> TapeView: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102


class SessionView(Protocol):
    """A session's markets by instrument id."""

    @property
    def markets(self) -> Mapping[str, MarketView]: ...  # noqa: D102


class _Row(msgspec.Struct, frozen=True):
    name: str
    bid: str = ""
    ask: str = ""
    change: str = ""
    sign: int = 0
    live: bool = False


class _Rows(QAbstractTableModel):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.theme = theme
        self.rows: list[_Row] = []

    def show(self, rows: list[_Row]) -> None:
        if [row.name for row in rows] != [row.name for row in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
        elif rows != self.rows:
            self.rows = rows
            self.dataChanged.emit(self.index(0, _BID), self.index(len(rows) - 1, _CHANGE))

    @override
    def rowCount(self, parent: _Index | None = None) -> int:
        return len(self.rows)

    @override
    def columnCount(self, parent: _Index | None = None) -> int:
        return 4

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Instrument"), self.tr("Bid"), self.tr("Ask"), self.tr("Change"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if section == _NAME else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (row.name, row.bid, row.ask, row.change)[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignLeft if column == _NAME else Qt.AlignmentFlag.AlignRight
                return side | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.FontRole:
                return None if column == _NAME else mono_font(11)
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return (
                    row.name
                    if row.live
                    else self.tr("{name}: stored; double-click to replay it").format(name=row.name)
                )
            case _:
                return None

    def _colour(self, row: _Row, column: int) -> QColor:
        if not row.live:
            return self.theme.colour("quiet")
        if column == _CHANGE and row.sign:
            return self.theme.colour("bid" if row.sign > 0 else "ask")
        return self.theme.colour("text")


class _NameDelegate(QStyledItemDelegate):
    """Paints the symbol whole and its venue, quiet, in the room that is left; stored ones all quiet."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        assert isinstance(model, _Rows)  # noqa: S101 -- the panel makes both
        row = model.rows[index.row()]
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, self.theme.colour("selection"))
        symbol, _, venue = row.name.rpartition(".")
        symbol = symbol or venue
        metrics = QFontMetrics(option.font)
        area = option.rect.adjusted(_PAD, 0, -2, 0)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(option.font)
        painter.setPen(self.theme.colour("text" if row.live else "quiet"))
        painter.drawText(area, flags, metrics.elidedText(symbol, Qt.TextElideMode.ElideRight, area.width()))
        area.setLeft(area.left() + metrics.horizontalAdvance(symbol) + _GAP)
        if symbol != venue and metrics.horizontalAdvance(venue) <= area.width():
            painter.setPen(self.theme.colour("quiet"))
            painter.drawText(area, flags, venue)


class WatchlistPanel(QWidget):
    """Instruments with bid, ask and change since the session's start; stored ones quiet below.

    Signals
    -------
    replay_asked(str)
        The person wants to replay this stored instrument.
    """

    replay_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._session: SessionView | None = None
        self._stored: tuple[str, ...] = ()
        self._versions: tuple[tuple[MarketView, int], ...] | None = None
        self._first: dict[str, float] = {}
        self._model = _Rows(theme, self)
        self._table = QTableView()
        self._table.setModel(self._model)
        self._table.setShowGrid(False)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self._table.setTabKeyNavigation(False)
        header = self._table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_BID, _ASK, _CHANGE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        self._names = _NameDelegate(theme, self._table)
        self._table.setItemDelegateForColumn(_NAME, self._names)
        self._table.doubleClicked.connect(self._on_double_clicked)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(0, 0, 0, 0)
        column_.addWidget(self._table)
        self._stale = StaleVeil(self._table, theme, at_foot=True)
        self._show_table()

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Texts shown."""
        return [(row.name, row.bid, row.ask, row.change) for row in self._model.rows]

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = self._model.theme = self._names.theme = theme
        self._stale.set_theme(theme)
        self._table.viewport().update()

    def set_stale(self, age_s: float | None) -> None:
        """Grey out data that stopped coming and count its age, in s; None while it is fresh."""
        self._stale.set_age(age_s)

    def set_stored(self, instruments: Sequence[str]) -> None:
        """List these stored instruments below those of the session."""
        self._stored = tuple(instruments)
        self._versions = None
        self.refresh()

    def bind(self, session: SessionView | None) -> None:
        """Show this session's instruments; None is none."""
        self._session = session
        self._first.clear()
        self._versions = None
        self.refresh()

    def choose(self, row: int) -> None:
        """Do what a double-click on this row does: ask for the replay of what is stored only."""
        if not self._model.rows[row].live:
            self.replay_asked.emit(self._model.rows[row].name)

    def refresh(self) -> None:
        """Take over what changed."""
        markets = self._session.markets if self._session else {}
        versions = tuple((market, market.version) for market in markets.values())
        if versions == self._versions:
            return
        self._versions = versions
        live = [self._row(market) for market in markets.values()]
        stored = [_Row(name) for name in self._stored if name not in markets]
        self._model.show(live + stored)
        self._show_table()

    def _row(self, market: MarketView) -> _Row:
        name, digits = market.instrument.id, market.instrument.price_precision
        if len(market.quotes.rows):
            quote = market.quotes.rows[-1]
            bid, ask = float(quote["bid"]), float(quote["ask"])
            last = (bid + ask) / 2
            oldest = market.quotes.rows[0]
            first = (float(oldest["bid"]) + float(oldest["ask"])) / 2
        elif len(market.trades.rows):
            last, first = float(market.trades.rows["price"][-1]), float(market.trades.rows["price"][0])
            bid = ask = np.nan
        else:
            return _Row(name, live=True)
        first = self._first.setdefault(name, first)
        change = last / first - 1 if first else np.nan
        text = percent_text(change, signed=True)
        return _Row(
            name, price_text(bid, digits), price_text(ask, digits), text, sign_of(change * 100, 2), live=True
        )

    def _show_table(self) -> None:
        self._table.setVisible(bool(self._model.rows))
        self._share_width()

    def _share_width(self) -> None:
        """Give prices all that they need, then the symbol; the change goes where there is no room left."""
        rows = self._model.rows
        if not rows:
            return
        digits, words = QFontMetrics(mono_font(11)), QFontMetrics(self._table.font())
        header = self._table.horizontalHeader()
        room = self._table.viewport().width()
        symbols = (row.name.rpartition(".")[0] or row.name for row in rows)
        room -= max(words.horizontalAdvance(symbol) for symbol in symbols) + _PAD + _GAP
        for column, texts in (
            (_BID, [row.bid for row in rows]),
            (_ASK, [row.ask for row in rows]),
            (_CHANGE, [row.change for row in rows]),
        ):
            width = max(digits.horizontalAdvance(text) for text in texts) + 2 * _PAD
            title = str(self._model.headerData(column, Qt.Orientation.Horizontal, _DISPLAY))
            width = max(width, words.horizontalAdvance(title) + 2 * _PAD)
            if column == _CHANGE:
                self._table.setColumnHidden(_CHANGE, width > room)
            if header.sectionSize(column) != width and not self._table.isColumnHidden(column):
                header.resizeSection(column, width)
            room -= width

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.choose(index.row())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._model.rows:
            painter = QPainter(self)
            painter.setFont(QFont(self.font()))
            hint = self.tr("Import a data file: drop it on the window, or press Ctrl+I.")
            paint_empty(painter, QRect(self.rect()), self._theme, self.tr("No instruments"), hint)
