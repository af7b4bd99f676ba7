"""The ladder with its few controls, bound to a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import override

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from engine.messages.frames import Control
from widgets.back_to_now import BackToNow
from widgets.book.hot import HotButtons
from widgets.book.layout import FOOT_LINE
from widgets.book.rows import GROUPS
from widgets.book.size_box import SizeBox
from widgets.book.state import BookMarket, LadderState, Queues, WorkingOrders
from widgets.book.trade import LadderView
from widgets.chrome import dress
from widgets.stale import StaleVeil
from widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class PriceRows:
    """Where prices stand in the ladder: row `i` from above shows `top - i * step`.

    `top_px` is the first row's upper edge in the panel's coordinates, `row_px` the rows' height.
    """

    top: Decimal
    step: Decimal
    count: int
    top_px: int
    row_px: int


class LadderPanel(QWidget):
    """Order book by price with own orders, which are placed, moved and cancelled on it.

    Signals
    -------
    command_asked(AnyCommand)
        What the person wants done with orders.
    sizes_kept(str, list of str)
        Order size and presets of an instrument, for `remember_sizes`.
    """

    command_asked = Signal(object)
    sizes_kept = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: LadderState | None = None
        self._wanted: str | None = None
        self._market: BookMarket | None = None
        self._orders: WorkingOrders | None = None
        self._seen = (-1, -1, -1)
        self.view = LadderView(theme)
        self.view.command_asked.connect(self.command_asked)
        self.size_box = SizeBox()
        self.size_box.changed.connect(self._on_size_changed)
        self.size_box.kept.connect(self.sizes_kept)
        self.hot = HotButtons()
        self.hot.command_asked.connect(self.command_asked)
        self._groups = QComboBox()
        self._groups.addItem(self.tr("Auto"), None)
        for group in GROUPS:
            self._groups.addItem(self._group_name(group), group)
        self._groups.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._groups.setMinimumContentsLength(7)
        self._groups.setToolTip(self.tr("Ticks per row; auto makes 20 levels a side fit"))
        self._groups.currentIndexChanged.connect(self._on_group_chosen)
        self._log = QToolButton()
        self._log.setText(self.tr("Log bars"))
        self._log.setCheckable(True)
        self._log.setToolTip(self.tr("Draw size bars on a logarithmic scale"))
        self._log.toggled.connect(self.view.set_logarithmic)
        self._now = BackToNow(self.view, lift=4 * FOOT_LINE)
        self._now.setToolTip(self.tr("Centre on the market and follow it (Home)"))
        self._now.clicked.connect(self.view.back_to_now)
        self._name = QLabel()
        self._name.setObjectName("quiet")
        # A narrow ladder shows less of the name, and its tip the whole.
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._name.installEventFilter(self)
        self.view.follow_changed.connect(self._on_follow_changed)
        self._lay_out()
        self._stale = StaleVeil(self.view, theme)
        self.set_theme(theme)

    def _group_name(self, group: int) -> str:
        return self.tr("1 tick") if group == 1 else self.tr("{count} ticks").format(count=f"{group:,}")

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(4)
        bar.addWidget(self._groups)
        bar.addWidget(self._log)
        bar.addWidget(self._name, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(bar)
        for part in (self.size_box, self.hot):
            row = QHBoxLayout()
            row.setContentsMargins(4, 0, 4, 2)
            row.addWidget(part)
            box.addLayout(row)
        box.addWidget(self.view, 1)

    def bind(self, state: LadderState | None) -> None:
        """Show a session's book; None empties the ladder."""
        self._state = state
        self.refresh()

    def show_instrument(self, instrument: str | None) -> None:
        """Show this instrument of the session; None is its first."""
        self._wanted = instrument
        self.refresh()

    def refresh(self) -> None:
        """Show what changed since the last call; costs nothing where nothing did."""
        market, orders, queues = self._chosen()
        if market is not self._market or orders is not self._orders:
            self._market, self._orders = market, orders
            self._seen = (-1, -1, -1)
            self.view.show_market(market, orders, queues)
            self._now.appear(on=False)
            name = market.instrument.id if market else ""
            self._name.setToolTip(name)
            self._cut_name()
            self.hot.show_instrument(name)
            self.size_box.show_instrument(market.instrument if market else None)
        if market is None or orders is None or queues is None:
            return
        versions = market.book.version, orders.version, queues.version
        if versions != self._seen:
            self._seen = versions
            self.view.rebuild()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.view.set_theme(theme)
        self._stale.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Grey out data that stopped coming and count its age, in s; None while it is fresh."""
        self._stale.set_age(age_s)
        self.view.set_stale(stale=age_s is not None)

    def set_control(self, control: Control) -> None:
        """Take over whether orders pass."""
        self.view.set_control(control)
        self.hot.set_control(control)

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys that do what the hot buttons do, by their names in `HotButtons`."""
        self.hot.show_keys(keys)

    def remember_sizes(self, kept: Mapping[str, Sequence[str]]) -> None:
        """Take order sizes by instrument as `sizes_kept` told them."""
        self.size_box.remember(kept)

    def set_group(self, group: int | None) -> None:
        """Ticks per row; None chooses them so that the book fits."""
        self._groups.setCurrentIndex(0 if group is None else 1 + GROUPS.index(group))

    def price_rows(self) -> PriceRows | None:
        """Where the prices stand, for a chart beside; None while there is no book."""
        shown = self.view.shown
        if shown is None:
            return None
        grid, layout = shown.grid, self.view.layout_now
        return PriceRows(
            top=grid.price(shown.rows[0].row),
            step=Decimal(grid.row_points).scaleb(-grid.precision),
            count=len(shown.rows),
            top_px=self.view.y() + layout.row_top(0),
            row_px=layout.row_height,
        )

    def _chosen(self) -> tuple[BookMarket | None, WorkingOrders | None, Queues | None]:
        if self._state is None:
            return None, None, None
        markets = self._state.markets
        chosen = next(iter(markets.values()), None) if self._wanted is None else markets.get(self._wanted)
        return chosen, self._state.orders, self._state.queues

    def _on_group_chosen(self) -> None:
        self.view.set_group(self._groups.currentData(Qt.ItemDataRole.UserRole))

    def _on_size_changed(self) -> None:
        self.view.set_quantity(self.size_box.size_now, self.size_box.problem)

    def _on_follow_changed(self, following: bool) -> None:  # noqa: FBT001 -- a Qt slot
        self._now.appear(on=not following)

    def _cut_name(self) -> None:
        """Show as much of the instrument's name as fits."""
        name, width = self._name.toolTip(), self._name.width()
        self._name.setText(self._name.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, width))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._name and event.type() == QEvent.Type.Resize:
            self._cut_name()
        return super().eventFilter(watched, event)
