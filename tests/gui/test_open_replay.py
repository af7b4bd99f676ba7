"""The replay dialog by keyboard: fields in order, Return never cancels, corrections clear the fault."""

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.windows.open_replay import OpenReplayDialog
from engine.feeds.news import decode_news
from engine.feeds.simulated import PROFILES, simulate
from engine.store import Store
from engine.store.series import SeriesStore
from engine.strategies import STRATEGIES


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> OpenReplayDialog:
    made = OpenReplayDialog(tmp_path / "none")
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.open()
    return made


def _choose(dialog: OpenReplayDialog, strategy: str) -> list[QWidget]:
    dialog.strategy.show_strategy(strategy, {})
    QCoreApplication.processEvents()
    dialog.fit()
    QCoreApplication.processEvents()
    return dialog.strategy.fields()


def test_tab_goes_through_the_fields_of_the_chosen_strategy_and_then_to_the_buttons(
    dialog: OpenReplayDialog,
) -> None:
    _choose(dialog, "none")
    fields = _choose(dialog, "ema_cross")
    # Nothing is stored, so the button that opens is disabled and the next to reach is Cancel.
    buttons = dialog.findChild(QDialogButtonBox)
    assert buttons is not None
    cancel = buttons.button(QDialogButtonBox.StandardButton.Cancel)
    reached = fields[0]
    reached.setFocus()
    order = [reached]
    for _ in range(len(fields)):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        order.append(dialog.focusWidget())
    assert order == [*fields, cancel]


def test_return_never_presses_cancel(dialog: OpenReplayDialog) -> None:
    for kind in (QLineEdit, QComboBox, QPushButton):
        for widget in dialog.findChildren(kind):
            if widget.isVisible() and widget.isEnabled():
                widget.setFocus()
                QTest.keyClick(widget, Qt.Key.Key_Return)
                assert dialog.isVisible(), widget


def test_a_correction_clears_the_fault(dialog: OpenReplayDialog) -> None:
    dialog.ask()
    assert dialog.fault
    dialog.set_venue(balance="5")
    assert dialog.fault == ""


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_every_field_lies_whole_in_the_dialog_or_can_be_scrolled_to(
    dialog: OpenReplayDialog, strategy: str
) -> None:
    *_, before, last = [dialog, *_choose(dialog, strategy)]
    page = last.parentWidget()
    assert page is not None
    assert page.rect().contains(last.geometry())
    assert last.height() >= last.minimumSizeHint().height()
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Tab)  # as a person gets there, which scrolls
    QCoreApplication.processEvents()
    assert last.visibleRegion().boundingRect() == last.rect()
    assert dialog.height() <= dialog.screen().availableGeometry().height()


def test_stored_news_can_be_shown(qtbot: QtBot, tmp_path: Path) -> None:
    simulation = simulate(PROFILES["fx"], 1, 1_700_000_000_000_000_000, 2.0)
    Store(tmp_path).add(simulation.instrument, {"quotes": simulation.quotes})
    dialog = OpenReplayDialog(tmp_path)
    qtbot.addWidget(dialog)
    assert dialog.run_asked().series == ()
    table = decode_news(b"time,title\n2023-11-14 22:13:21,Rates held\n", "x.csv", "wire").series["wire"]
    SeriesStore(tmp_path).add("wire", table)
    dialog = OpenReplayDialog(tmp_path)
    qtbot.addWidget(dialog)
    dialog.show_news("wire")
    assert dialog.run_asked().series == ("wire",)
