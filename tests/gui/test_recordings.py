"""The recorder as a person sees it: its figure, its banners, and recordings to open."""

from pathlib import Path

import msgspec
import pytest

from app.recordings import recordings_folder
from app.windows.open_recording import OpenRecordingDialog
from app.windows.session_text import describe, recorder_cell
from engine.link.scripted import scripted_session
from engine.messages.commands import Finish
from engine.messages.frames import Recorder
from engine.messages.run import Run
from engine.recording.recorder import SessionRecorder
from engine.recording.recording import recordings
from engine.recording.writing import Keeping
from tests.engine.recording.sessions import IMBALANCE, session
from tests.engine.session.markets import crypto
from tests.gui.conftest import RUN, Desk

STOPPED = Recorder(
    state="stopped",
    folder="/recordings/one",
    bytes_written=5 * 2**20,
    rows_lost=1_234,
    text="The recording stopped: no space left on device. The session goes on; make room and restart it.",
)


def show(desk: Desk, *recorders: Recorder) -> None:
    """Let the session have told these in so many frames."""
    if desk.station.session is None:
        desk.station.open_run(RUN)
        desk.frames = iter(scripted_session(3, 60))  # type: ignore[attr-defined]
    for recorder in recorders:
        frame = next(desk.frames)  # type: ignore[attr-defined]
        desk.link.push(msgspec.structs.replace(frame, recorder=recorder))
        desk.tick_later()


def colour(recorder: Recorder) -> str:
    return recorder_cell(recorder).token


def test_the_status_line_tells_the_size_and_the_loss() -> None:
    going = Recorder(state="recording", bytes_written=12 * 2**20 + 2**19, folder="/r", rows=1_000)
    assert recorder_cell(going).value == "12.5 MB"
    assert colour(going) == "text"
    capped = msgspec.structs.replace(going, state="capped", rows_lost=2_000, text="Capped.")
    assert recorder_cell(capped).value == "12.5 MB, 2,000 rows lost"
    assert colour(capped) == "warning"
    assert recorder_cell(STOPPED).value == "stopped, 1,234 rows lost"
    assert colour(STOPPED) == "danger"
    assert recorder_cell(Recorder()).value == "off"


def test_a_recorder_that_stopped_is_told_in_red_once(desk: Desk) -> None:
    banner = desk.window.top.banner
    show(desk, Recorder(state="recording"))
    assert banner.text == ""
    show(desk, STOPPED)
    assert banner.text == STOPPED.text
    assert banner.property("severity") == "danger"
    assert desk.window.status.values["Recorder"] == "stopped, 1,234 rows lost"
    banner.dismiss()
    show(desk, STOPPED)
    assert banner.text == ""


def test_a_recorder_at_its_cap_is_told_in_amber(desk: Desk) -> None:
    capped = Recorder(state="capped", rows_lost=5, text="The recording has reached its cap.")
    show(desk, Recorder(state="recording"), capped)
    assert desk.window.top.banner.text == capped.text
    assert desk.window.top.banner.property("severity") == "warning"
    show(desk, STOPPED)
    assert desk.window.top.banner.property("severity") == "danger"


@pytest.fixture
def folder(desk: Desk) -> Path:
    """Recordings of the person: one of all, and before it one of events alone."""
    root = recordings_folder(desk.station.settings.settings)
    session(root, Finish(), recorder=SessionRecorder(Keeping(root=str(root), market=False)))
    session(root, Finish())
    return root


def opened(desk: Desk) -> OpenRecordingDialog:
    desk.window.actions_["open_recording"].trigger()
    [dialog] = desk.window.findChildren(OpenRecordingDialog)
    return dialog


def test_a_recording_is_opened_as_a_replay_of_what_ran(desk: Desk, folder: Path) -> None:
    dialog = opened(desk)
    both = {recording.manifest.market: recording for recording in recordings(folder)[0]}
    place = [recording.manifest.market for recording in recordings(folder)[0]].index(True)
    assert {row[1] for row in dialog.rows} == {"BTCUSDT.SIM"}
    dialog.choose(place)
    assert f"{len(crypto().quotes):,} quotes · " in dialog.note
    dialog.replay()
    run = desk.runs[-1]
    assert run.recording == str(both[True].folder)
    assert (run.strategy, run.parameters["hold_s"]) == ("book_imbalance", IMBALANCE["parameters"]["hold_s"])
    assert run.simulate is None
    assert describe(run)[0] == "BTCUSDT.SIM"
    assert describe(run)[1].startswith("recorded session")


def test_a_recording_without_market_data_says_why_it_cannot_be_replayed(desk: Desk, folder: Path) -> None:
    dialog = opened(desk)
    dialog.choose([recording.manifest.market for recording in recordings(folder)[0]].index(False))
    assert dialog.note == "It holds events alone, as market data were not to be recorded."
    runs = len(desk.runs)
    dialog.replay()
    assert len(desk.runs) == runs
    dialog.reject()


def test_a_recording_that_is_gone_leaves_the_session_that_runs(desk: Desk, folder: Path) -> None:
    desk.play()
    session, runs = desk.session, len(desk.runs)
    [whole] = [recording for recording in recordings(folder)[0] if recording.manifest.market]
    run = whole.replay()
    whole.delete()
    desk.window.deeds.open_run(run)
    assert desk.session is session
    assert session.down is None
    assert len(desk.runs) == runs
    assert "is no recording" in desk.window.top.banner.text
    desk.window.deeds.open_run(Run(instrument="EURUSD.SIM", store=str(folder / "none")))
    assert desk.session is session
    assert "does not exist; import a file first" in desk.window.top.banner.text


def test_where_nothing_is_recorded_the_dialog_says_so(desk: Desk) -> None:
    dialog = opened(desk)
    assert dialog.rows == []
    assert dialog.note.startswith("Nothing is recorded yet")
    dialog.reject()
