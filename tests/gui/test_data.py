"""Stored data in the window: checked in the background, findings shown in place, repaired and undone."""

from pathlib import Path
from threading import Event

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.corrections import offers
from app.windows.actions import ACTIONS
from app.windows.download_dialog import DownloadDialog, outcome_words
from app.windows.repair_dialog import RepairDialog
from engine.columns import Quotes
from engine.downloads.report import FetchReport
from engine.errors import UserError
from engine.feeds.report import ImportReport
from engine.feeds.simulated import PROFILES, simulate
from engine.messages.commands import Seek
from engine.messages.data import Finding
from engine.messages.events import Phase
from engine.messages.frames import Frame, Transport
from engine.messages.run import Run
from engine.store import Store
from tests.gui.conftest import Desk
from widgets.correlation.panel import CorrelationPanel
from widgets.data.panel import DataPanel

START_NS = 1_700_000_000_000_000_000
LONG_MS = 30_000
INSTRUMENT = PROFILES["fx"].instrument.id


@pytest.fixture
def crossed(desk: Desk) -> Quotes:
    """Stored quotes of which five in a row are crossed."""
    quotes = simulate(PROFILES["fx"], 1, START_NS, 30.0).quotes
    bid = quotes.bid.copy()
    bid[100:105] = quotes.ask[100:105] + 20
    faulty = quotes.with_arrays({"bid": bid})
    Store(desk.station.store).add(PROFILES["fx"].instrument, {"quotes": faulty})
    desk.station.store_changed.emit()
    return faulty


@pytest.fixture
def panel(desk: Desk, crossed: Quotes) -> DataPanel:
    desk.window.docks["data"].show()
    desk.window.docks["data"].raise_()
    desk.tick()
    made = desk.panel("data", DataPanel)
    settle(desk, lambda: made.calendar.instrument == "" and len(desk.station.library.days) > 0)
    made.calendar.choose(INSTRUMENT, "quotes", "2023-11-14")
    return made


def settle(desk: Desk, condition: object) -> None:
    """Let the window live until something is true."""

    def look() -> bool:
        desk.tick_later()
        return bool(condition())  # type: ignore[operator]

    desk.qtbot.waitUntil(look, timeout=LONG_MS)


def check(desk: Desk, panel: DataPanel) -> list[Finding]:
    panel.buttons["check"].click()
    library = desk.station.library
    settle(desk, lambda: [job.state for job in library.jobs][-1:] == ["done"])
    settle(desk, lambda: any(day.score is not None for day in library.days))
    return [each for each in library.findings if each.check == "crossed"]


def dialog[D: QWidget](desk: Desk, kind: type[D]) -> D:
    return next(each for each in desk.window.findChildren(kind) if each.isVisible())


def test_a_check_fills_the_panel_and_a_finding_leads_to_its_place(desk: Desk, panel: DataPanel) -> None:
    (found,) = check(desk, panel)
    assert "quality" in desk.station.library.jobs[0].text
    desk.window.deeds.show_place(found)
    assert desk.runs[-1].instrument == INSTRUMENT
    assert desk.runs[-1].store == str(desk.station.store)
    assert Seek(found.start_ns) in desk.sent


def test_only_the_kill_switch_has_the_key_that_is_kept_for_it() -> None:
    assert [act.id for act in ACTIONS if "Ctrl+Shift+K" in act.keys.split("; ")] == ["kill"]


def test_a_check_that_waits_is_not_queued_again(desk: Desk, panel: DataPanel) -> None:
    go_on = Event()
    desk.window.deeds.add_job("Something long", lambda _progress, _cancelled: str(go_on.wait(LONG_MS / 1e3)))
    for _ in range(3):
        panel.buttons["check"].click()
    library = desk.station.library
    assert [job.title for job in library.jobs[1:]] == [f"Check {INSTRUMENT}"]
    go_on.set()
    settle(desk, lambda: [job.state for job in library.jobs] == ["done", "done"])
    panel.buttons["check"].click()
    assert len(library.jobs) == 3
    assert library.queue.wait(LONG_MS / 1e3)


def test_the_calendar_and_the_findings_keep_their_keys(desk: Desk, panel: DataPanel) -> None:
    (found,) = check(desk, panel)
    desk.play()
    sent = list(desk.sent)
    panel.calendar.choose(INSTRUMENT, "quotes", "2023-11-14")
    panel.calendar.setFocus()
    went = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        desk.key(key, widget=panel.calendar)
        went.append(panel.calendar.day and panel.calendar.day.day)
    assert went == [None, "2023-11-14"]
    panel.findings.view.setFocus()
    view = panel.findings.view
    for key in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Down):
        desk.key(key, widget=view)
    assert desk.sent == sent
    place = next(row for row, each in enumerate(panel.findings.model.rows()) if each == found)
    view.selectRow(place)
    with desk.qtbot.waitSignal(panel.place_asked) as asked:
        desk.key(Qt.Key.Key_Return, widget=view)
    assert asked.args == [found]


def test_a_session_of_ones_own_is_not_thrown_away(desk: Desk, panel: DataPanel) -> None:
    (found,) = check(desk, panel)
    desk.station.open_run(Run(instrument=INSTRUMENT, store=str(desk.station.store)))
    desk.window.deeds.show_place(found)
    assert len(desk.runs) == 1
    assert "would take its place" in desk.window.top.banner.text


def test_a_market_that_plays_or_has_orders_is_asked_about_and_an_idle_one_is_replaced(
    desk: Desk, panel: DataPanel
) -> None:
    (found,) = check(desk, panel)
    desk.play()
    assert desk.clock.phase is Phase.PLAYING
    assert desk.state.orders.orders
    desk.window.deeds.show_place(found)
    assert [run.simulate for run in desk.runs] == ["fx"]
    banner = desk.window.top.banner
    assert "would take its place" in banner.text
    desk.click(banner.action)
    assert [run.instrument for run in desk.runs[1:]] == [INSTRUMENT]
    clock = Transport(phase=Phase.PAUSED, now=START_NS, start=START_NS, end=START_NS + 1, speed=1.0)
    desk.link.push(Frame(number=1, epoch=1, transport=clock))
    desk.tick()
    assert panel.calendar.day is not None
    desk.window.deeds.replay_day(panel.calendar.day)
    assert len(desk.runs) == 3


def test_crossed_quotes_are_taken_out_after_a_preview_and_put_back(
    desk: Desk, panel: DataPanel, crossed: Quotes
) -> None:
    found = check(desk, panel)
    desk.window.deeds.repair_stored(found)
    asking = dialog(desk, RepairDialog)
    settle(desk, lambda: "taken out" in asking.text)
    assert "5 of" in asking.text
    with desk.qtbot.waitSignal(asking.repaired, timeout=LONG_MS):
        asking.repair()
    store = Store(desk.station.store)
    assert len(store.read(INSTRUMENT, "quotes")) == len(crossed) - 5
    settle(desk, lambda: panel.repairs.model.rowCount() == 1)
    panel.tabs.setCurrentIndex(1)
    panel.repairs.view.selectRow(0)
    assert "undo it under Repairs" in desk.window.top.banner.text
    panel.buttons["undo"].click()
    assert desk.window.top.banner.text == ""
    settle(desk, lambda: any(repair.undone for repair in desk.station.library.repairs))
    assert np.array_equal(store.read(INSTRUMENT, "quotes").bid, crossed.bid)


def test_findings_that_cannot_be_repaired_say_why(desk: Desk, panel: DataPanel) -> None:
    (found,) = check(desk, panel)
    gap = Finding(**{name: getattr(found, name) for name in found.__struct_fields__} | {"check": "gap"})
    with pytest.raises(UserError, match="import or download what is missing"):
        offers([gap])
    with pytest.raises(UserError, match="of one instrument, kind and check"):
        offers([found, gap])
    desk.window.deeds.repair_stored([gap])
    assert "import or download" in desk.window.top.banner.text


def test_correlations_are_answered_or_refused(desk: Desk, crossed: Quotes) -> None:
    desk.window.docks["correlation"].show()
    desk.window.docks["correlation"].raise_()
    desk.tick()
    panel = desk.panel("correlation", CorrelationPanel)
    other = PROFILES["crypto"]
    market = simulate(other, 2, START_NS, 30.0)
    Store(desk.station.store).add(other.instrument, {"quotes": market.quotes})
    desk.station.store_changed.emit()
    panel.choose(INSTRUMENT, other.instrument.id)
    panel.step.setCurrentText("1 s")
    panel.go.click()
    settle(desk, lambda: panel.matrix.found is not None)
    assert panel.matrix.found is not None
    assert panel.matrix.found.instruments == (other.instrument.id, INSTRUMENT)
    panel.matrix.pair_chosen.emit(INSTRUMENT, other.instrument.id)
    settle(desk, lambda: panel.curve.found is not None)
    panel.curve_asked.emit(panel.question(INSTRUMENT, "NOT.STORED"))
    settle(desk, lambda: "NOT.STORED" in panel.curve.problem)
    assert panel.matrix.found is not None
    panel.kind.setCurrentText("trades")
    panel.go.click()
    settle(desk, lambda: "No trades of" in panel.told.text())


def test_a_download_tells_the_files_that_were_not_there() -> None:
    got = FetchReport(
        source="dukascopy", instrument=INSTRUMENT, kind="ticks", first="2024-01-06", last="2024-01-07",
        files=48, fetched=48, from_cache=0, absent=24, verified=0, size_bytes=1, repeated=0, folder="/f",
        notes=["One note."],
    )  # fmt: skip
    stored = ImportReport(
        instrument=INSTRUMENT, files=24, formats=["dukascopy"], rows=5, added=0, duplicates=136_741,
        kinds={}, rejected=[], out_of_order=0, crossed=0, crossed_policy="fail", gaps=0, first_ts_ns=None,
        last_ts_ns=None, price_precision=5, size_precision=0, timestamps=[], notes=[],
    )  # fmt: skip
    told = outcome_words(got, stored)
    assert told == ("0 new rows, 136,741 were stored already. 24 of 48 files were not there. One note.")
    assert "not there" not in outcome_words(msgspec.structs.replace(got, absent=0), stored)


def test_a_download_is_asked_for_in_one_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    asking = DownloadDialog(tmp_path)
    qtbot.addWidget(asking)
    for source, instrument, first, last, said in (
        ("dukascopy", " ", "2024-01-01", "2024-01-02", "Name the instrument, for example EURUSD.DUKASCOPY"),
        ("dukascopy", "eurusd", "2024-01-01", "2024-01-02", "SYMBOL.VENUE"),
        ("dukascopy", "EURUSD.DUKASCOPY", "2024-01-32", "2024-01-02", "no day of the calendar"),
        ("dukascopy", "EURUSD.DUKASCOPY", "2024-01-03", "2024-01-02", "reversed"),
        ("dukascopy", "WHAT.NOWHERE", "2024-01-01", "2024-01-02", "Nothing is known"),
    ):
        asking.fill(source, instrument, first, last)
        asking.download()
        assert said in asking.fault
    asking.fill("dukascopy", "EURUSD.DUKASCOPY", "2024-01-01", "2024-01-02")
    with qtbot.waitSignal(asking.asked) as asked:
        asking.download()
    assert asked.args[0] == "Download ticks of EURUSD.DUKASCOPY, 2024-01-01 – 2024-01-02"


def test_rows_are_dropped_clipped_and_adjusted_by_hand(desk: Desk, panel: DataPanel, crossed: Quotes) -> None:
    panel.buttons["repair"].click()
    asking = dialog(desk, RepairDialog)
    day = "2023-11-14"
    asking.choose("clip", start=day, end=day, low="1.2", high="1.1")
    settle(desk, lambda: "lower one first" in asking.text)
    asking.choose("split-adjust", end=f"{day}T22:13:30", ratio="two")
    settle(desk, lambda: "is no split" in asking.text)
    asking.choose("split-adjust", end=f"{day}T22:13:30", ratio="2:1")
    settle(desk, lambda: "changed" in asking.text)
    asking.choose("drop-range", start=f"{day}T22:13:20", end="tomorrow")
    settle(desk, lambda: "no date or time" in asking.text)
    asking.choose("drop-range", start=f"{day}T22:13:20", end=f"{day}T22:13:30")
    settle(desk, lambda: "taken out" in asking.text)
    with desk.qtbot.waitSignal(asking.repaired, timeout=LONG_MS):
        asking.repair()
    left = Store(desk.station.store).read(INSTRUMENT, "quotes")
    assert 0 < len(left) < len(crossed)
    assert left.ts_event[0] > START_NS + 10 * 10**9
