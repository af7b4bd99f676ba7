"""Paper and Live are opened from one dialog, which says where orders go before anything starts."""

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.paths import run_folder
from app.profiles import Profiles
from app.windows.open_live import OpenLiveDialog
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, simulate
from engine.link.endpoint import Endpoint, new_door, write_endpoint
from engine.messages.connection import Connection
from engine.messages.run import Run
from engine.store import Store
from tests.gui.conftest import Desk

TRIAL = Connection(
    name="trial",
    adapter="binance_futures",
    parameters={"account": "MINE", "instruments": "BTCUSDT-PERP.BINANCE ETHUSDT-PERP.BINANCE"},
)
REAL = Connection(name="real", adapter="binance_futures", parameters={"environment": "live"})


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> OpenLiveDialog:
    made = simulate(PROFILES["fx"], 1, 1_700_000_000_000_000_000, 2.0)
    Store(tmp_path / "store").add(made.instrument, {"quotes": made.quotes})
    profiles = Profiles(tmp_path / "connections")
    profiles.save(TRIAL)
    profiles.save(REAL)
    dialog = OpenLiveDialog(tmp_path / "store", profiles, live_trading=False)
    qtbot.addWidget(dialog)
    return dialog


def test_stored_data_are_served_as_if_live_at_the_chosen_speed(dialog: OpenLiveDialog, qtbot: QtBot) -> None:
    dialog.choose("EURUSD.SIM")
    dialog.speed.setCurrentText("10×")
    dialog.set_venue(balance="5000")
    with qtbot.waitSignal(dialog.accepted_run) as asked:
        dialog.ask()
    assert asked.args is not None
    run = asked.args[0]
    assert isinstance(run, Run)
    assert (run.mode, run.instrument, run.speed, run.connection) == ("paper", "EURUSD.SIM", 10.0, None)
    assert run.venue.balance == 5000
    assert run.arm == "view"


def test_a_generated_market_needs_nothing_stored(dialog: OpenLiveDialog) -> None:
    dialog.choose("crypto")
    assert (dialog.run_asked().simulate, dialog.run_asked().mode) == ("crypto", "paper")


def test_a_connections_instruments_are_offered_and_live_names_the_account(dialog: OpenLiveDialog) -> None:
    dialog.choose("trial", mode="live")
    assert "account MINE" in dialog.note
    assert "no real money" in dialog.note
    run = dialog.run_asked()
    assert (run.mode, run.instrument) == ("live", "BTCUSDT-PERP.BINANCE")
    assert run.connection is not None
    assert run.connection.account == "MINE"
    dialog.choose("trial", mode="paper", instrument="nonsense")
    with pytest.raises(UserError, match=r"SYMBOL\.VENUE"):
        dialog.run_asked()


def test_real_money_stays_shut_without_the_setting(dialog: OpenLiveDialog) -> None:
    dialog.choose("real", mode="live", instrument="BTCUSDT-PERP.BINANCE")
    assert "real money" in dialog.note
    dialog.ask()
    assert "live_trading" in dialog.fault
    dialog.choose("real", mode="paper", instrument="BTCUSDT-PERP.BINANCE")
    assert dialog.run_asked().mode == "paper"


def test_only_a_connection_can_be_live(dialog: OpenLiveDialog) -> None:
    dialog.choose("trial", mode="live")
    dialog.choose("fx")
    assert dialog.run_asked().mode == "paper"


def test_live_opens_only_after_the_venue_was_asked_about_the_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection(name="trial", adapter="binance_futures", parameters={"account": "MINE"})
    live = Run(instrument="BTCUSDT-PERP.BINANCE", mode="live", connection=connection)
    answers: list[str | UserError] = [
        UserError("This key may withdraw; make one that may not."),
        "It may trade.",
    ]

    def checked(name: str, *_: object) -> str:
        assert name == "trial"
        answer = answers.pop(0)
        if isinstance(answer, UserError):
            raise answer
        return answer

    monkeypatch.setattr("app.connection_check.checked_before_trading", checked)
    door = Endpoint(id="4711", door=None, kill_door=new_door(), pid=os.getpid(), run=live)
    file = write_endpoint(run_folder(), door)
    desk.window.deeds.open_checked(live)
    assert "by session 4711" in desk.window.top.banner.text
    file.unlink()
    desk.window.deeds.open_checked(live)
    desk.qtbot.waitUntil(lambda: "may withdraw" in desk.window.top.banner.text)
    assert not desk.runs
    desk.window.deeds.open_checked(live)
    desk.qtbot.waitUntil(lambda: bool(desk.runs))
    assert desk.runs[0].mode == "live"
    assert desk.sent == []  # a live market is not played


def test_paper_opens_at_once(desk: Desk) -> None:
    desk.window.deeds.open_checked(Run(instrument="EURUSD.SIM", simulate="fx", mode="paper"), 10.0)
    assert [run.mode for run in desk.runs] == ["paper"]
    assert desk.sent == []
