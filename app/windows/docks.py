"""The panels' docks: small quiet titles, tabs without a second title, and layouts put into place."""

from collections.abc import Mapping
from typing import Final, override

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QIcon
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QTabBar, QToolButton, QWidget

from app.windows.layouts import DockPlace, Layout, WindowPlace
from app.windows.panel_host import PanelHost

DRAWN_FOR: Final = (1600, 900)
"""Size of the window that layouts are drawn for."""

_TITLE_PX: Final = 22
_AREAS: Final = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
}


class _TitleBar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dock_title")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    @override
    def sizeHint(self) -> QSize:
        # The dock's layout asks for nothing else.
        return QSize(80, _TITLE_PX)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(40, _TITLE_PX)


class PanelDock(QDockWidget):
    """A dock around one panel; its title disappears while a tab says the same.

    Attributes
    ----------
    action : QAction
        Brings the panel to the front, or hides it where it is there; checked while it is not hidden.
    """

    def __init__(self, host: PanelHost, parent: QMainWindow) -> None:
        super().__init__(host.spec.label, parent)
        self.setObjectName(host.spec.id)
        self.host = host
        self.setWidget(host)
        self._float = QToolButton()
        self._close = QToolButton()
        self._title = self._title_bar()
        self._no_title = QWidget()
        self.setTitleBarWidget(self._title)
        self.action = self._make_action()

    def _title_bar(self) -> QWidget:
        bar = _TitleBar()
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(0)
        row.addWidget(QLabel(self.windowTitle()), 1)
        for button, tip in ((self._float, self.tr("Float or dock")), (self._close, self.tr("Hide"))):
            button.setIconSize(QSize(12, 12))
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        self._float.clicked.connect(self._on_float_clicked)
        self._close.clicked.connect(self.close)
        return bar

    def set_icons(self, float_icon: QIcon, close_icon: QIcon) -> None:
        """Give the title's two buttons their icons."""
        self._float.setIcon(float_icon)
        self._close.setIcon(close_icon)

    def bring_or_hide(self) -> None:
        """Come to the front where it is hidden or behind another tab; hide where it can be seen."""
        if self.host.is_seen():
            self.close()
        else:
            self.show()
            self.raise_()
        self.action.setChecked(not self.isHidden())

    def _make_action(self) -> QAction:
        # Qt's own action hides a panel that stands behind another tab.
        action = QAction(self.windowTitle(), self, checkable=True)
        action.setChecked(not self.isHidden())
        action.triggered.connect(self.bring_or_hide)
        self.toggleViewAction().toggled.connect(action.setChecked)
        return action

    def show_title(self, *, shown: bool) -> None:
        """Show or hide the title."""
        wanted = self._title if shown else self._no_title
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)
            wanted.setVisible(shown)

    def _on_float_clicked(self) -> None:
        self.setFloating(not self.isFloating())


def first_size(window: QMainWindow) -> QSize:
    """Size of a new window: that which layouts are drawn for, as far as the screen has room for it."""
    drawn = QSize(*DRAWN_FOR)
    if QGuiApplication.platformName() == "offscreen":
        return drawn  # its screen is no screen
    return drawn.boundedTo(window.screen().availableSize())


def settle_titles(window: QMainWindow, docks: Mapping[str, PanelDock]) -> None:
    """Take the titles from docks that stand in tabs, give them back to the others."""
    for tabs in window.findChildren(QTabBar):
        tabs.setElideMode(Qt.TextElideMode.ElideNone)
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
    for dock in docks.values():
        dock.show_title(shown=dock.isFloating() or not window.tabifiedDockWidgets(dock))


def place(window: QMainWindow, docks: Mapping[str, PanelDock], layout: Layout, number: int = 0) -> None:
    """Put the docks of one window where the layout has them; `number` counts its windows."""
    saved = _saved(layout, number)
    if saved is not None:
        # A layout that was saved before a panel was made does not know it.
        _hide(window, list(docks.values()), {})
        window.restoreGeometry(QByteArray.fromBase64(saved.geometry.encode()))
        window.restoreState(QByteArray.fromBase64(saved.state.encode()))
    else:
        _place_anew(window, docks, layout.docks)
    settle_titles(window, docks)


def columns_of(layout: Layout, number: int = 0) -> Mapping[str, str]:
    """Columns, base64, by panel, that a saved layout has for one window; none where it was not saved."""
    saved = _saved(layout, number)
    return {} if saved is None else saved.columns


def _saved(layout: Layout, number: int) -> WindowPlace | None:
    return layout.windows[min(number, len(layout.windows) - 1)] if layout.windows else None


def saved_place(window: QMainWindow) -> WindowPlace:
    """Where everything in a window is, for `place`."""
    return WindowPlace(
        state=window.saveState().toBase64().toStdString(),
        geometry=window.saveGeometry().toBase64().toStdString(),
    )


def _place_anew(window: QMainWindow, docks: Mapping[str, PanelDock], places: list[DockPlace]) -> None:
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    before: dict[str, PanelDock] = {}
    for spot in places:
        dock = docks[spot.id]
        previous = before.get(spot.area)
        if previous is None:
            window.addDockWidget(_AREAS[spot.area], dock)
        elif spot.tabbed:
            window.tabifyDockWidget(previous, dock)
        else:
            way = Qt.Orientation.Horizontal if spot.beside else Qt.Orientation.Vertical
            window.splitDockWidget(previous, dock, way)
        before[spot.area] = dock
        dock.show()
    placed = {spot.id for spot in places}
    _hide(window, [dock for name, dock in docks.items() if name not in placed], before)
    _raise_first_tabs(docks, places)
    # In a small window panels share what there is, so that the chart does not pay for all.
    wide = min(1.0, window.width() / DRAWN_FOR[0])
    high = min(1.0, window.height() / DRAWN_FOR[1])
    for way, sizes in (
        (Qt.Orientation.Horizontal, [(docks[spot.id], spot.width * wide) for spot in places if spot.width]),
        (Qt.Orientation.Vertical, [(docks[spot.id], spot.height * high) for spot in places if spot.height]),
    ):
        window.resizeDocks([dock for dock, _ in sizes], [round(size) for _, size in sizes], way)


def _hide(window: QMainWindow, docks: list[PanelDock], before: dict[str, PanelDock]) -> None:
    """Hide docks where they belong: one that is in no area would lie over the others when it is shown."""
    for dock in docks:
        area = dock.host.spec.area
        previous = before.setdefault(area, dock)
        window.addDockWidget(_AREAS[area], dock)
        if previous is not dock:
            window.tabifyDockWidget(previous, dock)
        dock.hide()


def _raise_first_tabs(docks: Mapping[str, PanelDock], places: list[DockPlace]) -> None:
    for index, spot in enumerate(places):
        follows = places[index + 1 : index + 2]
        if not spot.tabbed and follows and follows[0].tabbed:
            docks[spot.id].raise_()
