"""The chart as a panel: a quiet header to choose bars and layers, the canvas, and the way back to now."""

from dataclasses import replace
from typing import Final, override

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import UserError
from engine.messages.frames import Control
from widgets.chart.state import ChartDesk, ChartMarket, ChartNews, ChartOrders, ChartSignals
from widgets.chart.trade_canvas import TradeCanvas
from widgets.elided import ElidedLabel
from widgets.folding import Folding
from widgets.stale import StaleVeil
from widgets.theme import Theme

_PRESETS: Final = ("1-SECOND", "1-MINUTE", "5-MINUTE", "100-TICK")
_LAYERS: Final = ("heatmap", "trades", "flow", "signals", "news")


class ChartPanel(QWidget):
    """Chart of one market with its header.

    Signals
    -------
    time_hovered : object
        Market time under the mouse, ns, or None.
    time_chosen : object
        Market time clicked with Ctrl held, ns: where to seek.
    price_range_changed : float, float
        Lowest and highest price shown, for a ladder that shares the scale.
    time_window_changed : TimeWindow
        Times shown, for panels that share them.
    command_asked : AnyCommand
        An order is to be placed, moved or cancelled.
    """

    time_hovered = Signal(object)
    time_chosen = Signal(object)
    price_range_changed = Signal(float, float)
    time_window_changed = Signal(object)
    command_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = TradeCanvas(theme, self)
        self.canvas.command_asked.connect(self.command_asked)
        self.canvas.time_hovered.connect(self.time_hovered)
        self.canvas.time_chosen.connect(self.time_chosen)
        self.canvas.price_range_changed.connect(self.price_range_changed)
        self.canvas.time_window_changed.connect(self.time_window_changed)
        self.canvas.following_changed.connect(self._on_following_changed)
        self._choice: str | None = None
        self._make_header()
        self.now_button = QPushButton(self.tr("Back to now"), self.canvas)
        self.now_button.setCursor(Qt.CursorShape.ArrowCursor)
        self.now_button.setToolTip(self.tr("Follow the clock again"))
        self.now_button.clicked.connect(self.canvas.back_to_now)
        self.now_button.hide()
        self._stale = StaleVeil(self.canvas, theme)
        self.canvas.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._header)
        column.addWidget(self.message)
        column.addWidget(self.canvas, 1)

    def bind(
        self,
        market: ChartMarket | None,
        orders: ChartOrders | None = None,
        signals: ChartSignals | None = None,
        news: ChartNews | None = None,
        desk: ChartDesk | None = None,
    ) -> None:
        """Show this market with the session's orders, signals and news; None shows what would fill it.

        The session itself is the `desk`: it says which commands it refused.
        """
        self._settle_spec(market)
        self.canvas.bind(market, orders, signals, news, desk)
        self.now_button.setVisible(market is not None and not self.canvas.view.following)
        self._name_prices()
        self._note_conflation()

    def refresh(self) -> None:
        """Paint again if something visible changed; does nothing while hidden."""
        if not self.isVisible():
            return
        self._settle_price_type()
        self.canvas.refresh()
        self._note_conflation()
        self._note_layers()

    def set_control(self, control: Control) -> None:
        """Take over whether orders pass."""
        self.canvas.set_control(control)

    def set_clock(self, now_ns: int) -> None:
        """Say what time it is in the session; call it before `refresh`."""
        self.canvas.set_clock(now_ns)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.canvas.set_theme(theme)
        self._stale.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Grey out data that stopped coming and count its age, in s; None while it is fresh."""
        self._stale.set_age(age_s)
        self.canvas.trading.stale = age_s is not None

    def set_marks(self, bookmarks: list[int], loop: tuple[int, int] | None) -> None:
        """Show bookmarks and the loop between two times, ns."""
        self.canvas.set_marks(bookmarks, loop)

    def choose(self, spec: str | None) -> bool:
        """Show bars of `spec` (`1-MINUTE-MID`; without its price part the data decides), or the tick line.

        Returns whether the spec was good; if not, the header says why and the chart stays as it was.
        """
        try:
            self.canvas.show_layers(replace(self.canvas.shown, spec=self._full(spec)))
        except UserError as error:
            self.message.setText(str(error))
            self.message.show()
            return False
        self._choice = spec
        self.message.hide()
        self._mark_choice()
        self._name_prices()
        self._note_conflation()
        return True

    def back_to_now(self) -> None:
        """Follow the clock again."""
        self.canvas.back_to_now()

    def zoom(self, factor: float) -> None:
        """Show `factor` times as much time."""
        self.canvas.zoom(factor)

    def show_layer(self, layer: str, *, visible: bool) -> None:
        """Switch `heatmap`, `trades`, `flow`, `signals` or `news`."""
        self.layer_buttons[layer].setChecked(visible)

    def _full(self, spec: str | None) -> str | None:
        """Complete a spec by the price that the data has: trades where there are some, else the mid."""
        if spec is None or spec.count("-") != 1:
            return spec
        scene = self.canvas.scene
        return f"{spec}-LAST" if scene is not None and len(scene.market.trades) else f"{spec}-MID"

    def _settle_price_type(self) -> None:
        """Choose again when the first trade came after a spec was chosen that leaves its price open."""
        full = self._full(self._choice)
        if full != self.canvas.shown.spec and self._choice is not None:
            self.canvas.show_layers(replace(self.canvas.shown, spec=full))
            self._name_prices()

    def _settle_spec(self, market: ChartMarket | None) -> None:
        """Go back to the line where a spec was chosen without a market to try it on, and it is bad."""
        spec = self.canvas.shown.spec
        if market is None or spec is None:
            return
        try:
            market.bars(spec)
        except UserError as error:
            self.choose(None)
            self.message.setText(str(error))
            self.message.show()

    def _make_header(self) -> None:
        self._header = QHBoxLayout()
        self._header.setContentsMargins(8, 2, 8, 2)
        self._header.setSpacing(2)
        self._choices = QButtonGroup(self)
        self._choices.setExclusive(False)
        self.choice_buttons: dict[str | None, QToolButton] = {}
        names = (self.tr("Line"), self.tr("1s"), self.tr("1m"), self.tr("5m"), self.tr("100 ticks"))
        for spec, name in zip((None, *_PRESETS), names, strict=True):
            button = self._button(name)
            self._header.addWidget(button)
            button.clicked.connect(lambda _checked, chosen=spec: self._on_choice(chosen))
            self.choice_buttons[spec] = button
        self.custom = QLineEdit(self)
        self.custom.setPlaceholderText(self.tr("50-VOLUME-LAST"))
        self.custom.setToolTip(self.tr("Bars of any kind: STEP-AGGREGATION-PRICE, for example 15-MINUTE-BID"))
        self.custom.setMinimumWidth(64)  # gives way in a narrow window
        self.custom.setMaximumWidth(128)
        self.custom.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.custom.returnPressed.connect(self._on_custom_entered)
        self._header.addWidget(self.custom)
        self.made_of = ElidedLabel(self)
        self.made_of.setObjectName("quiet")
        self._header.addWidget(self.made_of)
        self.message = QLabel(self)
        self.message.setObjectName("form_error")
        self.message.setWordWrap(True)
        self.message.setContentsMargins(8, 0, 8, 4)
        self.message.hide()
        self._header.addStretch()
        self.conflation = ElidedLabel(self)
        self.conflation.setObjectName("quiet")
        self._header.addWidget(self.conflation)
        self.layer_buttons: dict[str, QToolButton] = {}
        texts = (
            (self.tr("Depth"), self.tr("Depth heatmap: what rested in the book, by price and time")),
            (self.tr("Trades"), self.tr("Trades, sized by volume and coloured by who took")),
            (self.tr("Delta"), self.tr("Volume bought minus volume sold, and its running total")),
            (
                self.tr("Signals"),
                self.tr("Changes of the model's decision; hollow where no order came of it"),
            ),
            (self.tr("News"), self.tr("Headlines and releases, where they could first be known")),
        )
        for layer, (name, tip) in zip(_LAYERS, texts, strict=True):
            button = self._button(name)
            button.setToolTip(tip)
            button.setChecked(True)
            button.toggled.connect(lambda on, chosen=layer: self._on_layer_toggled(chosen, visible=on))
            self.layer_buttons[layer] = button
        self._header.addWidget(Folding(self.tr("Layers"), list(self.layer_buttons.values()), self))
        self._mark_choice()
        self._name_prices()

    def _price_name(self, spec: str) -> str:
        """What a full spec's bars are made of, in words."""
        names = {
            "LAST": self.tr("trade prices"),
            "MID": self.tr("mid prices"),
            "BID": self.tr("bid prices"),
            "ASK": self.tr("ask prices"),
        }
        return names.get(spec.rpartition("-")[2], "")

    def _name_prices(self) -> None:
        """Say of which price and by which clock bars are made: those shown, and those that a button gives."""
        spec = self.canvas.shown.spec
        self.made_of.setVisible(spec is not None)
        if spec is not None:
            self.made_of.setText(self.tr("{price}, replay time").format(price=self._price_name(spec)))
        for chosen, button in self.choice_buttons.items():
            full = self._full(chosen)
            if full is None:
                button.setToolTip(self.tr("Every tick: bid and ask, or trades where there are no quotes"))
            else:
                button.setToolTip(
                    self.tr("Bars of {price}, by replay time ({spec})").format(
                        price=self._price_name(full), spec=full
                    )
                )

    def _button(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _mark_choice(self) -> None:
        for spec, button in self.choice_buttons.items():
            button.setChecked(spec == self._choice)
        if self._choice in self.choice_buttons:
            self.custom.clear()

    def _note_conflation(self) -> None:
        """Say how many ticks a tick or volume bar lacks: it then differs from the engine's."""
        scene, spec = self.canvas.scene, self.canvas.shown.spec or ""
        bars = None if scene is None else scene.bars(self.canvas.shown)
        counts = "-TICK-" in spec or "-VOLUME-" in spec
        lacking = bars.conflated if bars is not None and counts else 0
        self.conflation.setVisible(lacking > 0)
        if lacking:
            self.conflation.setText(self.tr("without {count:,} conflated ticks").format(count=lacking))

    def _note_layers(self) -> None:
        """Grey the switches of layers that the market has no data for."""
        scene = self.canvas.scene
        if scene is None:
            return
        has = {"heatmap": len(scene.market.depth) > 0}
        has["trades"] = has["flow"] = len(scene.market.trades) > 0
        has["signals"] = scene.signals is not None and scene.signals.version > 0
        has["news"] = scene.news is not None and scene.news.version > 0
        for layer, button in self.layer_buttons.items():
            button.setEnabled(has[layer])

    def _place_now_button(self) -> None:
        size = self.now_button.sizeHint()
        layout_margin = 96
        self.now_button.setGeometry(
            self.canvas.width() - size.width() - layout_margin, 8, size.width(), size.height()
        )

    def _on_choice(self, spec: str | None) -> None:
        self.choose(spec)
        self._mark_choice()

    def _on_custom_entered(self) -> None:
        if self.choose(self.custom.text().strip().upper()):
            self.canvas.setFocus()

    def _on_layer_toggled(self, layer: str, *, visible: bool) -> None:
        shown = replace(self.canvas.shown)
        setattr(shown, layer, visible)
        self.canvas.show_layers(shown)

    def _on_following_changed(self, following: bool) -> None:  # noqa: FBT001 - a Qt slot
        self._place_now_button()
        self.now_button.setVisible(not following)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.canvas and event.type() == QEvent.Type.Resize:
            self._place_now_button()
        return super().eventFilter(watched, event)
