"""The drawing surface: paints the scene and the overlay, and turns mouse and wheel into moves of the view."""

from typing import Final, override

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.chart.axes import Axes
from widgets.chart.layout import Layout
from widgets.chart.overlay import Overlay, Pointer, TimeMarks
from widgets.chart.raster import Raster
from widgets.chart.scene import Scene, Shown
from widgets.chart.state import ChartDesk, ChartMarket, ChartNews, ChartOrders, ChartSignals
from widgets.chart.trading import Trading
from widgets.chart.view import TimeWindow, View
from widgets.theme import Theme

_ZOOM_PER_NOTCH: Final = 1.2
_NOTCH: Final = 120.0
_STRETCH_PER_PIXEL: Final = 1.005
_DRAG_STARTS: Final = 4
"""Pixels that the mouse may tremble in a click."""


class Canvas(QWidget):
    """Chart of one market.

    Signals
    -------
    time_hovered : object
        Market time under the mouse, ns, or None when it left.
    time_chosen : object
        Market time that was clicked with Ctrl held, ns.
    price_range_changed : float, float
        Lowest and highest price shown.
    time_window_changed : TimeWindow
        Times shown; after each drawing that moved them.
    following_changed : bool
    """

    time_hovered = Signal(object)
    time_chosen = Signal(object)
    price_range_changed = Signal(float, float)
    time_window_changed = Signal(object)
    following_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        self.shown = Shown()
        self.scene: Scene | None = None
        self.pointer = Pointer()
        self.trading = Trading()
        self.time_marks = TimeMarks()
        self._theme = theme
        self._axes: Axes | None = None
        self._layout: Layout | None = None
        self._picture: Raster | None = None
        self._versions: tuple[int, ...] = ()
        self._clock_ns = 0
        self._range = (0.0, 0.0)
        self._window: TimeWindow | None = None
        self._pressed: QPoint | None = None
        self._moved = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # else the keys of trading go on into a text field
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def bind(
        self,
        market: ChartMarket | None,
        orders: ChartOrders | None,
        signals: ChartSignals | None = None,
        news: ChartNews | None = None,
        desk: ChartDesk | None = None,
    ) -> None:
        """Show this market; None empties the canvas. A new epoch of the same session keeps the view."""
        self.trading.bind(market, orders, desk)
        known = self.scene.market if self.scene else None
        self.scene = None if market is None else Scene(self._theme, market, orders, signals, news)
        if self.scene is None or known is None or _identity(known) != _identity(self.scene.market):
            was_following = self.view.following
            self.view = View()
            bars = None if self.scene is None else self.scene.bars(self.shown)
            self.view.show_bars(None if bars is None else bars.interval_ns)
            if not was_following:
                self.following_changed.emit(True)
            self._layout = None
            self._clock_ns = 0
        self._axes = None
        self._forget_picture()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        if self.scene is not None:
            self.scene.set_theme(theme)
        self._forget_picture()

    def set_clock(self, now_ns: int) -> None:
        """Say what time it is in the session, so that the view moves on in a quiet market too."""
        self._clock_ns = now_ns

    @property
    def now_ns(self) -> int:
        """The session's time: the clock's, or the newest data's where that is later."""
        return max(self._clock_ns, self.scene.market.now if self.scene else 0)

    def refresh(self) -> None:
        """Paint again if something visible changed."""
        if self.scene is None:
            return
        versions = self._current_versions(self.scene)
        if versions == self._versions and not self.scene.heat.tiles.incomplete:
            return
        known_until = self._versions[0] if self._versions else 0
        self._versions = versions
        # What is new lies after what was known: it is out of sight where the view ends before.
        if self.view.following or known_until < self.view.right_ns:
            self._picture = None
        self.update()

    def _current_versions(self, scene: Scene) -> tuple[int, ...]:
        market, orders = scene.market, scene.orders
        bars = scene.bars(self.shown)
        return (
            self.now_ns,
            market.quotes.version,
            market.trades.version,
            market.depth.version,
            0 if bars is None else bars.version,
            0 if orders is None else orders.version,
            0 if scene.signals is None else scene.signals.version,
            0 if scene.news is None else scene.news.version,
        )

    def show_layers(self, shown: Shown) -> None:
        """Switch layers, or between line and bars; a bad spec raises `UserError` and changes nothing."""
        bars = None if self.scene is None else self.scene.bars(shown)
        if self.scene is not None and shown.spec != self.shown.spec:
            self.view.show_bars(None if bars is None else bars.interval_ns)
        self.shown = shown
        self.view.auto_price = True
        self._layout = None
        self._forget_picture()

    def set_marks(self, bookmarks: list[int], loop: tuple[int, int] | None) -> None:
        """Show bookmarks and the loop's ends."""
        self.time_marks = TimeMarks(list(bookmarks), loop)
        self.update()

    def back_to_now(self) -> None:
        """Follow the clock again."""
        self._set_following(True)
        self._forget_picture()

    def zoom(self, factor: float) -> None:
        """Show `factor` times as much time, about now while following, else about the middle."""
        if self.scene is not None and self._layout is not None:
            x = self.view.x_of(self.now_ns) if self.view.following else self.view.width // 2
            self.view.zoom_time(x, factor)
            self._forget_picture()

    def auto_price(self) -> None:
        """Fit prices to what is visible again."""
        self.view.auto_price = True
        self.view.low, self.view.high = 0.0, 1.0
        self._forget_picture()

    def _set_following(self, following: bool) -> None:  # noqa: FBT001 - a state, named by the method
        if self.view.following != following:
            self.view.following = following
            self.following_changed.emit(following)

    def _forget_picture(self) -> None:
        self._picture = None
        self.update()

    def _axes_for(self, scene: Scene, ratio: float) -> Axes:
        if self._axes is None or self._axes.ratio != ratio:
            self._axes = Axes(scene.market.instrument, ratio)
            self._layout = None
        return self._axes

    def _layout_for(self, scene: Scene, axes: Axes) -> Layout:
        """Layout for the current size; the price axis is measured once per layout."""
        with_flow = self.shown.flow and len(scene.market.trades) > 0
        if self._layout is None or with_flow != self._layout.with_flow:
            width, height = round(self.width() * axes.ratio), round(self.height() * axes.ratio)
            axis_width = axes.width(scene.some_price())
            self._layout = Layout.of(width, height, axes.ratio, axis_width, with_flow=with_flow)
            self.view.resize(self._layout.price.width, self._layout.price.height)
        return self._layout

    def _draw(self, scene: Scene, axes: Axes, layout: Layout) -> Raster:
        if self._picture is None:
            self.view.follow(self.now_ns, scene.since_ns)
            self._picture = scene.draw(self.view, layout, self.shown, self.now_ns, axes)
            if (self.view.low, self.view.high) != self._range:
                self._range = self.view.low, self.view.high
                self.price_range_changed.emit(*self._range)
            self._tell_hovered()
            window = TimeWindow(self.view.left_ns, self.view.scale_ns, self.view.width, layout.time.width)
            if window != self._window:
                self._window = window
                self.time_window_changed.emit(window)
        return self._picture

    def _position(self, event: QMouseEvent | QWheelEvent) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return int(event.position().x() * ratio), int(event.position().y() * ratio)

    def _move_view(self, dx: int, dy: int) -> None:
        was_following = self.view.following
        self.view.pan(dx, dy)
        if was_following and not self.view.following:
            self.following_changed.emit(False)
        self._forget_picture()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.scene is None or not self.scene.has_data:
            with QPainter(self) as painter:
                self._paint_empty(painter)
            return
        ratio = self.devicePixelRatioF()
        axes = self._axes_for(self.scene, ratio)
        layout = self._layout_for(self.scene, axes)
        picture = self._draw(self.scene, axes, layout)
        overlay = Overlay(self.scene, self.view, axes, layout)
        with QPainter(self) as painter:
            painter.scale(1 / ratio, 1 / ratio)
            painter.drawImage(0, 0, picture.image)
            overlay.draw(painter, self.shown, self.pointer, self.time_marks, self.trading)

    def _paint_empty(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        painter.setPen(QColor(self._theme.quiet))
        text = (
            self.tr("No market yet. Start the demo, or drop a tick file on the window and replay it.")
            if self.scene is None
            else self.tr("Waiting for the first tick of {instrument}. Press Space to play.").format(
                instrument=self.scene.market.instrument.id
            )
        )
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, text)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout = None
        self._forget_picture()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.scene is None or self._layout is None:
            return
        # Some platforms turn a wheel with a modifier sideways.
        turned = event.angleDelta().y() or event.angleDelta().x()
        factor = _ZOOM_PER_NOTCH ** (-turned / _NOTCH)
        x, y = self._position(event)
        held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if event.modifiers() & held or x >= self._layout.axis.left:
            self.view.zoom_price(y, factor, self.scene.tick)
        else:
            anchor = self.view.x_of(self.now_ns) if self.view.following else x
            self.view.zoom_time(anchor, factor)
        self._forget_picture()
        event.accept()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._layout is None or self.scene is None:
            return
        x, y = self._position(event)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._layout.price.contains(x, y):
            self.pointer.measured_from = self.view.time_at(x), self.view.price_at(y)
        else:
            self._pressed, self._moved = QPoint(x, y), False

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.scene is None or self._layout is None:
            return
        x, y = self._position(event)
        self.pointer.at = x, y
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(self._pressed, x, y, self._layout)
        self.update()
        self._tell_hovered()

    def _tell_hovered(self) -> None:
        """Tell the market time under the mouse, which may rest while the view moves on below it."""
        at, layout = self.pointer.at, self._layout
        if at is not None and layout is not None and at[0] < layout.axis.left:
            self.time_hovered.emit(self.view.time_at(at[0]))

    def _drag(self, pressed: QPoint, x: int, y: int, layout: Layout) -> None:
        """Move the picture with the mouse; on the price axis, stretch it."""
        dx, dy = x - pressed.x(), y - pressed.y()
        if not self._moved and abs(dx) + abs(dy) < _DRAG_STARTS * layout.scale:
            return
        self._moved = True
        if pressed.x() >= layout.axis.left:
            self.view.zoom_price(
                self.view.height / 2, _STRETCH_PER_PIXEL**dy, self.scene.tick if self.scene else 1.0
            )
            dx = dy = 0
        self._pressed = QPoint(x, y)
        self._move_view(dx, dy)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        clicked = self._pressed is not None and not self._moved
        self._pressed, self.pointer.measured_from = None, None
        x, _ = self._position(event)
        if clicked and event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._layout is not None:
            self.time_chosen.emit(self.view.time_at(x))
        self.update()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._layout is None:
            return
        x, y = self._position(event)
        if x >= self._layout.axis.left:
            self.auto_price()
        elif y >= self._layout.time.top:
            self.back_to_now()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointer.at = None
        self.time_hovered.emit(None)
        self.update()


def _identity(market: ChartMarket) -> tuple[str, int]:
    """Tell markets apart: another instrument, or another session, which begins with a fresh view."""
    return market.instrument.id, id(market.session)
