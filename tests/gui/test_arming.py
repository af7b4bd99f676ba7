"""Arm states, the kill switch and trading by keys: what the window shows, asks and sends."""

import time
from collections.abc import Iterable
from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from app.session import StationSession
from app.windows.confirm_name import ConfirmName
from app.windows.trading_dialogs import ask_for_live
from app.windows.trading_keys import TradingKeysDialog
from engine.link.protocols import LinkDown
from engine.link.scripted import control, frame, halted, order, position, scripted_session
from engine.messages.commands import (
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Kill,
    Rearm,
    Reverse,
    SetArmState,
    Submit,
)
from engine.messages.connection import Connection
from engine.messages.events import AnyEvent, HaltStep
from engine.messages.frames import Control
from engine.messages.orders import HAND
from engine.messages.run import Run
from tests.gui.conftest import RUN, Desk
from widgets.theme import Theme

SHIFT = Qt.KeyboardModifier.ShiftModifier
KILL = (Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier | SHIFT)


def play(desk: Desk, under: Control) -> None:
    desk.station.open_run(RUN)
    frames = scripted_session(3, 61)[:-1]
    desk.link.push(*(msgspec.structs.replace(each, control=under) for each in frames))
    desk.tick_later()


def tell(desk: Desk, under: Control, events: Iterable[AnyEvent] = ()) -> None:
    """Let the engine say how it is armed, and what happened."""
    state = desk.state
    number = 9_000 + state.version
    first = state.last_event + 1
    news = frame(number, instruments=[], control=under, events=events, first_event=first, now=desk.clock.now)
    desk.link.push(news)
    desk.tick_later()


def frame_colour(desk: Desk) -> str:
    picture = desk.window.grab().toImage()
    return picture.pixelColor(0, picture.height() // 2).name().upper()


def dialog[D: QDialog](desk: Desk, kind: type[D]) -> D:
    """The dialog of this kind that is open."""
    QCoreApplication.processEvents()
    return next(each for each in desk.window.findChildren(kind) if each.isVisible())


@pytest.mark.parametrize(
    ("mode", "arm", "word", "token"),
    [
        ("replay", "view", "REPLAY", "signal"),
        ("replay", "paper", "REPLAY", "signal"),
        ("paper", "view", "VIEW", "quiet"),
        ("paper", "paper", "PAPER", "warning"),
        ("live", "view", "VIEW", "quiet"),
        ("live", "live", "LIVE", "danger"),
    ],
)
def test_frame_word_and_switch_say_where_orders_go(
    desk: Desk, mode: str, arm: str, word: str, token: str
) -> None:
    play(desk, msgspec.convert({"mode": mode, "arm": arm}, Control))
    assert desk.window.top.mode == word
    assert frame_colour(desk) == getattr(desk.station.theme, token).upper()
    down = [state for state, button in desk.window.top.arm.buttons.items() if button.isChecked()]
    assert down == [arm]


def test_a_replay_is_armed_by_key_and_switch_and_cannot_reach_live(desk: Desk) -> None:
    play(desk, control("replay", "view"))
    desk.key(Qt.Key.Key_F10)
    desk.key(Qt.Key.Key_F9)
    desk.click(desk.window.top.arm.buttons["paper"])
    assert desk.sent == [
        SetArmState(state="paper"),
        SetArmState(state="view"),
        SetArmState(state="paper"),
    ]
    # The switch stays where the engine has it.
    assert desk.window.top.arm.buttons["view"].isChecked()
    live = desk.window.top.arm.buttons["live"]
    assert not live.isEnabled()
    assert live.toolTip() == "A replay cannot reach Live; open a live session for that."
    desk.key(Qt.Key.Key_F12)
    assert desk.window.top.banner.text == live.toolTip()
    assert len(desk.sent) == 3


def test_live_needs_the_accounts_name_typed(desk: Desk) -> None:
    play(desk, control("live", "view", account="main account"))
    desk.click(desk.window.top.arm.buttons["live"])
    asked = dialog(desk, ConfirmName)
    asked.field.setText("Main account")
    assert not asked.go.isEnabled()
    desk.key(Qt.Key.Key_Return, widget=asked.field)
    assert desk.sent == []
    asked.field.setText("main account")
    desk.click(asked.go)
    assert desk.sent == [SetArmState(state="live", account="main account")]


@pytest.mark.parametrize(("environment", "said"), [("testnet", "a trial, no"), ("live", "cost real money")])
def test_a_trial_is_said_to_be_one_whatever_the_settings_allow(
    desk: Desk, environment: str, said: str
) -> None:
    venue = Connection(
        name="desk",
        adapter="binance_futures",
        parameters={"environment": environment},
        real_money_allowed=True,
    )
    session = desk.station.open_run(Run(instrument="BTCUSDT-PERP.BINANCE", mode="live", connection=venue))
    asked = ask_for_live(session, desk.window)
    assert any(said in label.text() for label in asked.findChildren(QLabel))


def test_live_counts_down_to_view(desk: Desk) -> None:
    play(desk, control("live", "live", expires_ns=int((time.time() + 90.9) * 1e9)))
    assert desk.window.top.arm.time_left in ("1:30", "1:29")
    tell(desk, control("live", "view"))
    assert desk.window.top.arm.time_left == ""


def test_the_kill_button_and_key_ask_nothing(desk: Desk) -> None:
    play(desk, control("paper", "paper"))
    desk.click(desk.window.top.kill)
    desk.key(*KILL)
    assert desk.sent == [Kill("the window's kill switch")] * 2


def test_a_kill_switch_without_an_engine_says_that_it_can_do_nothing(desk: Desk) -> None:
    play(desk, control("live", "live"))
    desk.link.break_with(LinkDown("The engine stopped: gone.", [], expected=False))
    desk.click(desk.window.top.kill)
    assert "look into the account at the venue" in desk.window.top.banner.text


def test_the_kill_button_can_be_clicked_in_a_dialog_of_the_window(desk: Desk) -> None:
    play(desk, control("live", "view", account="main"))
    desk.window.deeds.arm_live()
    asked = dialog(desk, ConfirmName)
    asked.activateWindow()
    desk.qtbot.waitUntil(lambda: QApplication.activeWindow() is asked)
    [kill] = [each for each in asked.findChildren(QPushButton) if each.objectName() == "kill"]
    assert kill.isVisible()
    assert kill.focusPolicy() is Qt.FocusPolicy.NoFocus
    assert not kill.autoDefault()
    desk.click(kill)
    assert desk.sent == [Kill("the window's kill switch")]
    assert asked.isVisible()
    asked.close()


def test_the_kill_key_works_in_a_dialog_of_the_window(desk: Desk) -> None:
    play(desk, control("live", "view", account="main"))
    desk.window.deeds.arm_live()
    asked = dialog(desk, ConfirmName)
    asked.activateWindow()
    desk.qtbot.waitUntil(lambda: QApplication.activeWindow() is asked)
    desk.key(*KILL, widget=asked.field)
    assert desk.sent == [Kill("the window's kill switch")]
    asked.close()


def test_the_halt_is_told_step_by_step_until_it_is_rearmed_with_the_name(desk: Desk) -> None:
    play(desk, control("paper", "paper", account="SIM-001"))
    banner = desk.window.top.halt
    assert banner.text == ""
    for step, said in (
        (HaltStep.CANCELLING, "cancelling all orders (1 of 4)"),
        (HaltStep.FLATTENING, "closing all positions (2 of 4)"),
        (HaltStep.VERIFYING, "checking that all is flat (3 of 4)"),
    ):
        tell(desk, control("paper", "paper", halt=step), [halted(step, reason="enough")])
        assert said in banner.text
        assert "Cause: enough." in banner.text
        assert desk.window.top.mode == "HALTED"
        assert not banner.action.isVisible()
    left = "0.5 EURUSD could not be closed"
    tell(desk, control("paper", "view", halt=HaltStep.HALTED), [halted(HaltStep.HALTED, text=left)])
    assert left in banner.text
    desk.window.deeds.cancel_last()  # says something of its own
    assert left in banner.text
    desk.click(banner.action)
    asked = dialog(desk, ConfirmName)
    desk.click(asked.go)
    assert desk.sent == []
    QTest.keyClicks(asked.field, "SIM-001")
    desk.click(asked.go)
    assert desk.sent == [Rearm("SIM-001")]
    assert left in banner.text  # until the engine says so
    tell(desk, control("paper", "view"), [halted(HaltStep.NONE)])
    assert banner.text == ""
    assert desk.window.top.mode == "VIEW"


def test_nothing_is_armed_while_it_is_halted(desk: Desk) -> None:
    play(desk, control("paper", "view", halt=HaltStep.HALTED))
    assert not desk.window.top.arm.buttons["paper"].isEnabled()
    desk.key(Qt.Key.Key_F10)
    desk.key(Qt.Key.Key_B, SHIFT)
    assert desk.sent == []
    assert desk.window.top.banner.text == "The kill switch has halted this session; re-arm it first."


def best(session: StationSession, side: str) -> Decimal:
    market = next(iter(session.state.markets.values()))
    levels = market.book.bids if side == "bid" else market.book.asks
    return Decimal(f"{float(levels['price'][0]):.5f}")


def test_each_trading_key_does_its_one_thing(desk: Desk) -> None:
    desk.station.set_trading_keys({}, 3)
    play(desk, control("replay", "paper"))
    working = [order("H-1", strategy=HAND), order("S-1"), order("H-2", strategy=HAND), order("S-2")]
    tell(desk, control("replay", "paper"), [*working, position()])
    for key in "BSJKXCFRE":
        desk.key(getattr(Qt.Key, f"Key_{key}"), SHIFT)
    orders = [command for command in desk.sent if isinstance(command, Submit)]
    assert len({command.request for command in orders}) == 4
    shown = [(each.side, each.type, each.quantity, each.price) for o in orders for each in o.intents]
    three_lots = Decimal(3_000)
    assert shown == [
        ("BUY", "MARKET", three_lots, None),
        ("SELL", "MARKET", three_lots, None),
        ("BUY", "LIMIT", three_lots, best(desk.session, "bid")),
        ("SELL", "LIMIT", three_lots, best(desk.session, "ask")),
    ]
    name = "EURUSD.SIM"
    assert desk.sent[4:] == [Cancel("H-2"), CancelAll(name), Flatten(name), Reverse(name), BreakEven(name)]


def test_trading_keys_do_nothing_in_view_and_say_so(desk: Desk) -> None:
    play(desk, control("replay", "view"))
    for key in "BSJKXCFRE":
        desk.window.top.banner.clear()
        desk.key(getattr(Qt.Key, f"Key_{key}"), SHIFT)
        assert desk.window.top.banner.text == "Orders are off (View); arm Paper with F10."
    assert desk.sent == []


def test_a_trading_key_in_a_text_field_is_a_letter(desk: Desk) -> None:
    play(desk, control("replay", "paper"))
    field = desk.window.hosts["orders"].findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_B, SHIFT)
    assert field.text().upper() == "B"
    assert desk.sent == []


def test_trading_keys_can_be_changed_and_none_is_given_twice(desk: Desk) -> None:
    play(desk, control("replay", "paper"))
    second = desk.station.new_window()
    desk.window.deeds.edit_trading_keys()
    asked = dialog(desk, TradingKeysDialog)
    asked.editors["flatten"].setKeySequence("Shift+B")
    assert asked.fault.text() == (
        "Shift+B belongs to “Buy at market” already; choose another key for “Flatten the position”."
    )
    asked.editors["flatten"].setKeySequence("Ctrl+K")
    assert asked.fault.text().startswith("Ctrl+K belongs to “Command palette…” already")
    asked.editors["flatten"].setKeySequence("Ctrl+0")
    assert asked.fault.text().startswith("Ctrl+0 belongs to “Account” already")
    asked.reject()
    desk.window.deeds.edit_trading_keys()
    asked = dialog(desk, TradingKeysDialog)
    asked.editors["flatten"].setKeySequence("F3")
    asked.editors["reverse"].clear()
    asked.lots.setValue(5)
    buttons = asked.findChild(QDialogButtonBox)
    assert buttons is not None
    buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert desk.station.settings.settings.trading_keys == {"flatten": "F3", "reverse": ""}
    second.activateWindow()
    desk.qtbot.waitUntil(lambda: QApplication.activeWindow() is second)
    desk.key(Qt.Key.Key_F3, widget=second)
    desk.key(Qt.Key.Key_R, SHIFT, widget=second)
    desk.key(Qt.Key.Key_B, SHIFT, widget=second)
    assert desk.sent[0] == Flatten("EURUSD.SIM")
    (bought,) = desk.sent[1:]
    assert isinstance(bought, Submit)
    assert bought.intents[0].quantity == Decimal(5_000)


def test_a_live_market_offers_no_play_step_or_seek(desk: Desk) -> None:
    desk.station.open_run(msgspec.structs.replace(RUN, mode="paper"))
    desk.link.push(*scripted_session(3, 61)[:-1])
    desk.tick_later()
    bar = desk.window.top.transport
    names = ("start", "back", "play", "step", "finish")
    buttons = {name: bar.findChild(QToolButton, f"transport_{name}") for name in names}
    assert [name for name, button in buttons.items() if button is not None and button.isVisible()] == [
        "finish"
    ]
    assert not bar.timeline.isVisible()
    assert bar.time_text.startswith("2024-08-08 12:00:15")
    desk.session.play()
    assert desk.sent == []
    desk.station.open_run(RUN)
    desk.tick_later()
    assert bar.timeline.isVisible()


class _Controlled(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[Control] = []

    def bind(self, *parts: object) -> None: ...

    def set_theme(self, theme: Theme) -> None: ...

    def refresh(self) -> None: ...

    def set_control(self, control: Control) -> None:
        self.told.append(control)


def test_a_panel_that_wants_to_know_is_told_each_change_of_arming_once(desk: Desk) -> None:
    play(desk, control("replay", "view"))
    panel = _Controlled()
    desk.window.hosts["ladder"].replace(panel)
    for under in (control("replay", "view"), control("replay", "paper"), control("replay", "paper")):
        tell(desk, under)
    assert panel.told == [control("replay", "view"), control("replay", "paper")]
