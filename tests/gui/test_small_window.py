"""A window on a small screen: nothing of it is cut, and what has no room folds away."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QTabBar, QToolButton

from tests.gui.conftest import Desk
from widgets.chart.panel import ChartPanel
from widgets.elided import ElidedLabel
from widgets.folding import Folding


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1600, 900)])
def test_no_control_of_the_desk_is_cut_at_its_side(desk: Desk, size: tuple[int, int]) -> None:
    desk.window.resize(*size)
    desk.play()
    desk.window.deeds.load_layout_named("desk")
    desk.tick_later()
    assert desk.window.size().toTuple() == size
    controls = [
        each
        for kind in (QAbstractButton, QLineEdit, QComboBox)
        for each in desk.window.findChildren(kind)
        if each.isVisible() and not isinstance(each.parentWidget(), QTabBar)
    ]
    assert len(controls) > 40
    cut = [
        f"{type(each).__name__} {each.accessibleName() or each.objectName()} of {each.parentWidget()}"
        for each in controls
        if not each.visibleRegion().isEmpty() and each.visibleRegion().boundingRect().width() < each.width()
    ]
    assert not cut
    for bar in (desk.window.top, desk.window.top.transport):
        assert bar.mapTo(desk.window, bar.rect().topRight()).x() < size[0]


def test_layers_fold_into_a_menu_that_switches_them(desk: Desk) -> None:
    desk.play()
    chart = desk.panel("chart", ChartPanel)
    folding = chart.findChild(Folding)
    assert isinstance(folding, Folding)
    assert not folding.folded.isVisible()
    desk.window.resize(1180, 700)
    desk.tick_later()
    assert folding.folded.isVisible()
    assert not chart.layer_buttons["trades"].isVisible()
    menu = folding.folded.menu()
    menu.aboutToShow.emit()
    actions: dict[str, QAction] = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Depth", "Trades", "Delta", "Signals", "News"]
    actions["Trades"].trigger()
    assert not chart.canvas.shown.trades
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if not action.isChecked()] == ["Trades"]
    desk.window.resize(1900, 900)
    desk.tick_later()
    assert not folding.folded.isVisible()
    assert isinstance(chart.layer_buttons["trades"], QToolButton)
    assert not chart.layer_buttons["trades"].isChecked()


def test_a_long_session_gives_way_with_its_whole_name_in_the_tip(desk: Desk) -> None:
    desk.play()
    detail = desk.window.top.findChild(ElidedLabel)
    assert isinstance(detail, ElidedLabel)
    detail.setText("a session that is described at great length " * 8)
    desk.tick_later()
    assert desk.window.minimumSizeHint().width() <= 1280
    detail.grab()
    assert detail.toolTip() == detail.text()
    assert detail.textFormat() is not Qt.TextFormat.RichText
