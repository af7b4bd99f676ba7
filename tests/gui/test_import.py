"""A file dropped on the window is imported with progress and cancel, and can be replayed at once."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.windows.import_dialog import ImportDialog, report_words
from app.windows.import_job import Importer
from app.windows.import_proposal import propose_instrument
from app.windows.open_replay import OpenReplayDialog
from engine.errors import UserError
from engine.feeds.report import ImportReport
from engine.messages.commands import Play, SetSpeed
from engine.progress import Cancelled, Progress
from engine.store import Store
from tests.gui.conftest import Desk
from tests.recordings import recording
from widgets.watchlist import WatchlistPanel

HOUR = "fx/dukascopy/EURUSD/2019/01/04/00h_ticks.bi5"


def drop(desk: Desk, *paths: Path) -> ImportDialog:
    """Drag files onto the window and let go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where, copy = QPoint(400, 300), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where, copy, data, buttons, keys)
    desk.window.dragEnterEvent(enter)
    assert enter.isAccepted()
    desk.window.dropEvent(QDropEvent(where, copy, data, buttons, keys))
    return next(child for child in desk.window.findChildren(ImportDialog) if child.isVisible())


def test_a_dropped_recording_is_imported_and_replayed(desk: Desk) -> None:
    dialog = drop(desk, recording(HOUR))
    assert dialog.instrument == "EURUSD.DUKASCOPY"
    with desk.qtbot.waitSignal(dialog.imported, timeout=20_000):
        dialog.start()
    assert "3,733 quotes" in dialog.report_text
    assert Store(desk.station.store).info("EURUSD.DUKASCOPY")["quotes"].rows == 3733
    assert ("EURUSD.DUKASCOPY", "", "", "") in desk.panel("watchlist", WatchlistPanel).rows
    dialog.replay()
    replay = next(child for child in desk.window.findChildren(OpenReplayDialog) if child.isVisible())
    replay.strategy.show_strategy("ema_cross", {"fast": 5, "slow": 20})
    replay.ask()
    run = desk.runs[-1]
    assert (run.instrument, run.strategy, run.store) == (
        "EURUSD.DUKASCOPY",
        "ema_cross",
        str(desk.station.store),
    )
    assert run.parameters["fast"] == 5
    assert desk.sent == [SetSpeed(1.0), Play()]


class _Slow:
    """An importer that goes on until it is told to stop."""

    def __init__(self) -> None:
        self.steps = 0
        self.stopped = threading.Event()

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> ImportReport:
        for step in range(100_000):
            self.steps = step
            progress(step / 100_000, "Reading a.bi5")
            if cancelled():
                self.stopped.set()
                raise Cancelled
            threading.Event().wait(0.002)
        raise AssertionError("nobody cancelled")


@pytest.fixture
def slow(qtbot: QtBot, tmp_path: Path) -> tuple[ImportDialog, _Slow]:
    importer = _Slow()
    dialog = ImportDialog([tmp_path / "a.bi5"], tmp_path / "store", make_importer=lambda *_: importer)
    dialog.choose("EURUSD.DUKASCOPY")
    dialog.show()
    return dialog, importer


def test_an_import_shows_progress_and_is_cancelled(qtbot: QtBot, slow: tuple[ImportDialog, _Slow]) -> None:
    dialog, importer = slow
    dialog.start()
    qtbot.waitUntil(lambda: importer.steps > 5)
    assert not importer.stopped.is_set()
    with qtbot.waitSignal(dialog.finished):
        dialog.cancel()
    assert importer.stopped.is_set()


def test_closing_the_dialog_stops_its_import(qtbot: QtBot, slow: tuple[ImportDialog, _Slow]) -> None:
    dialog, importer = slow
    dialog.start()
    qtbot.waitUntil(lambda: importer.steps > 1)
    dialog.close()
    assert importer.stopped.is_set()


def test_a_refusal_is_one_sentence_and_can_be_tried_again(qtbot: QtBot, tmp_path: Path) -> None:
    def refuse(progress: Progress, cancelled: Callable[[], bool]) -> ImportReport:
        raise UserError("It is empty; fetch it again.")

    importers: list[Importer] = [refuse]
    dialog = ImportDialog([tmp_path / "a"], tmp_path, make_importer=lambda *_: importers[0])
    qtbot.addWidget(dialog)
    dialog.choose("EURUSD.DUKASCOPY")
    dialog.start()
    qtbot.waitUntil(lambda: dialog.fault != "")
    assert dialog.fault == "It is empty; fetch it again."


def test_what_is_missing_is_said_before_anything_is_read(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ImportDialog([tmp_path / "something.csv"], tmp_path)
    qtbot.addWidget(dialog)
    assert dialog.instrument == ""
    dialog.start()
    assert "Name the instrument" in dialog.fault
    dialog.choose("NOBODY.KNOWS")
    dialog.start()
    assert "NOBODY.KNOWS" in dialog.fault
    assert dialog.job is None


@pytest.mark.parametrize(
    ("path", "instrument"),
    [
        ("data/dukascopy/EURUSD/2019/01/04/00h_ticks.bi5", "EURUSD.DUKASCOPY"),
        ("EURUSD/2019/01/04/00h_ticks.bi5", "EURUSD.DUKASCOPY"),
        ("binance_raw/spot/ethusdt_20240808.gz", "ETHUSDT.BINANCE"),
        ("binance_raw/usdm/ethusdt_20240808.gz", "ETHUSDT-PERP.BINANCE"),
        ("truefx/USDJPY-2014-08.csv", "USDJPY.TRUEFX"),
        ("DAT_ASCII_EURUSD_T_202001.csv", "EURUSD.HISTDATA"),
        ("oanda_lean/eurusd/20140501_quote.zip", "EURUSD.OANDA"),
        ("AAPL_2012-06-21_34200000_57600000_message_10.csv", "AAPL.NASDAQ"),
        ("tardis/binance-futures_trades_2020-02-01_BTCUSDT.csv.gz", "BTCUSDT-PERP.BINANCE"),
        ("my quotes.csv", ""),
        ("binance/quotes.csv", ""),
    ],
)
def test_paths_propose_their_instrument(path: str, instrument: str) -> None:
    assert propose_instrument([Path(path)]) == instrument


def test_a_report_reads_as_sentences() -> None:
    report = ImportReport(
        instrument="EURUSD.FXCM",
        files=1,
        formats=["lean"],
        rows=1_234,
        added=1_000,
        duplicates=234,
        kinds={"quotes": 1_234},
        rejected=[],
        out_of_order=2,
        crossed=0,
        crossed_policy="keep",
        gaps=1,
        first_ts_ns=0,
        last_ts_ns=1_000_000_000,
        price_precision=5,
        size_precision=0,
        timestamps=[],
        notes=[],
    )
    assert report_words(report, str).splitlines() == [
        "EURUSD.FXCM: 1,234 quotes.",
        "From 1970-01-01 00:00:00.000 to 1970-01-01 00:00:01.000 UTC.",
        "234 were stored already and changed nothing.",
        "2 rows came out of order and were sorted.",
        "1 gaps in the data.",
    ]


def test_the_replay_dialog_refuses_in_sentences(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = OpenReplayDialog(tmp_path / "none")
    qtbot.addWidget(dialog)
    dialog.ask()
    assert "import a data file" in dialog.fault


def test_impossible_ranges_and_numbers_are_refused(desk: Desk) -> None:
    dialog = drop(desk, recording(HOUR))
    with desk.qtbot.waitSignal(dialog.imported, timeout=20_000):
        dialog.start()
    dialog.reject()
    replay = OpenReplayDialog(desk.station.store, "EURUSD.DUKASCOPY")
    desk.qtbot.addWidget(replay)
    for start, end, sentence in (
        ("yesterday", "", "is no time"),
        ("2019-02-04 01:00", "2019-02-04 00:30", "ends before it begins"),
    ):
        replay.set_range(start, end)
        replay.ask()
        assert sentence in replay.fault
    replay.set_range("2019-02-04 00:10:00.123456", "")
    assert replay.run_asked().start_ns == 1_549_239_000_123_456_000
    replay.set_venue(balance="-5")
    replay.ask()
    assert "starting balance must be a number above 0" in replay.fault
    assert QApplication.activeModalWidget() is None
