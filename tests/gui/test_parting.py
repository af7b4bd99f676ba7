"""A live session that would leave orders or positions at its venue does not end unasked."""

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel

from app.windows.parting import PartingDialog
from engine.link.scripted import control, frame, order, position, scripted_session
from engine.messages.commands import Flatten
from engine.messages.connection import Connection
from engine.messages.events import AnyEvent
from engine.messages.run import Mode, Run
from tests.gui.conftest import RUN, Desk

LIVE = msgspec.structs.replace(
    RUN, mode="live", connection=Connection(name="main", adapter="binance_futures", parameters={})
)


def trade(desk: Desk, mode: Mode) -> None:
    """Let a session hold something and have an order at work."""
    run = LIVE if mode == "live" else msgspec.structs.replace(RUN, mode=mode)
    desk.station.open_run(run)
    under = control(mode, "live" if mode == "live" else "paper")
    frames = scripted_session(3, 61)[:-1]
    desk.link.push(*(msgspec.structs.replace(each, control=under) for each in frames))
    desk.tick_later()
    first, now = desk.state.last_event + 1, desk.clock.now
    events: list[AnyEvent] = [order("H-1"), position()]
    desk.link.push(frame(9_000, instruments=[], control=under, events=events, first_event=first, now=now))
    desk.tick_later()


def asked(desk: Desk) -> list[PartingDialog]:
    QCoreApplication.processEvents()
    return [each for each in desk.window.findChildren(PartingDialog) if each.isVisible()]


@pytest.fixture(autouse=True)
def _no_kill_window(desk: Desk) -> None:
    desk.station.settings.update(kill_window="never")


def test_the_last_window_of_a_live_session_asks_before_it_leaves_orders_behind(desk: Desk) -> None:
    trade(desk, "live")
    assert not desk.window.close()
    (dialog,) = asked(desk)
    (text,) = [label.text() for label in dialog.findChildren(QLabel)]
    assert "EURUSD.SIM, 1 working order." in text
    dialog.reject()
    assert desk.window.isVisible()
    assert not desk.window.close()
    (dialog,) = asked(desk)
    dialog.flatten.click()
    assert desk.sent == [Flatten("EURUSD.SIM")]
    assert desk.window.isVisible()
    assert not desk.window.close()
    asked(desk)[0].end.click()
    assert not desk.station.windows


def test_another_run_takes_the_place_of_a_live_one_only_after_a_yes(desk: Desk) -> None:
    trade(desk, "live")
    desk.window.deeds.restart_session()
    desk.window.deeds.watch_demo()
    desk.window.deeds.open_run(Run(instrument="", simulate="crypto"))
    assert len(desk.links) == 1
    (dialog,) = asked(desk)
    dialog.end.click()
    assert len(desk.links) == 2


def test_paper_and_replays_end_unasked(desk: Desk) -> None:
    trade(desk, "paper")
    desk.window.deeds.watch_demo()
    assert len(desk.links) == 2
    assert not asked(desk)
