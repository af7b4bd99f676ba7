"""The recorder: what a session saw and did, once and exactly, whatever comes in its way."""

import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book import Book
from engine.columns import Action, Columns, Deltas
from engine.errors import UserError
from engine.messages.commands import Finish, Play, Seek, SetSpeed
from engine.messages.events import AnyEvent, EpochBegan, Filled, Logged, Phase, PhaseChanged, Results
from engine.messages.run import Run
from engine.recording.journal import create
from engine.recording.recorder import SessionRecorder
from engine.recording.recording import Recording, recordings
from engine.recording.writing import Keeping
from engine.session.backtest import backtest
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource, RecordedSource, open_source
from tests.engine.link.fakes import until
from tests.engine.recording.sessions import (
    IMBALANCE,
    SMALL,
    FullDisk,
    kept,
    market,
    on_full_disk,
    only,
    record,
    same,
    session,
)
from tests.engine.session.markets import CRYPTO, START_NS, crypto


def pieces(cuts: list[int]) -> Iterator[dict[str, Columns]]:
    """The market, parted between receive times."""
    bounds = [START_NS - 1, *(START_NS + cut for cut in sorted(cuts)), 2**62]
    for low, high in pairwise(bounds):
        part = {}
        for kind, rows in market().items():
            first, last = np.searchsorted(rows.ts_init, (low, high), side="right")
            if last > first:
                part[kind] = rows.take(slice(int(first), int(last)))
        if part:
            yield part


def parted(events: list[AnyEvent]) -> tuple[list[Results], list[AnyEvent]]:
    """Results, which hold an array, and all else."""
    results = [event for event in events if isinstance(event, Results)]
    return results, [event for event in events if not isinstance(event, Results)]


def every(ms: int) -> Iterator[dict[str, Columns]]:
    return pieces(list(range(0, 20_000_000_000, ms * 1_000_000)))


def hand_over_slowly(recorder: SessionRecorder, parts: Iterable[dict[str, Columns]]) -> None:
    """Hand each part over when the one before is written, and end."""
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset(market()))
    handed = 0
    for part in parts:
        recorder.rows(part)
        handed += sum(map(len, part.values()))
        until(lambda: recorder.status().rows == handed, "the rows to be written")  # noqa: B023 - asked here
    recorder.close()


def book_at(deltas: Deltas, until_ns: int) -> tuple[object, object]:
    """Levels of both sides after all rows received until then."""
    book = Book()
    book.apply(deltas.take(deltas.ts_init <= until_ns))
    return book.bids().tolist(), book.asks().tolist()


def fills_of(run: Run) -> str:
    return backtest(run).results.fills_sha256


def test_a_recorded_session_replays_to_the_same_rows_and_fills(tmp_path: Path) -> None:
    events, status = session(tmp_path, Finish())
    [results] = [event for event in events if isinstance(event, Results)]
    recording = only(tmp_path)
    assert same(kept(recording), market())
    assert (status.state, status.rows_lost, status.rows) == ("recording", 0, sum(map(len, market().values())))
    assert results.fills > 5
    plain = backtest(
        Run(instrument=CRYPTO.id, **IMBALANCE), ColumnsSource(CRYPTO, *market().values())
    ).results
    assert results.fills_sha256 == plain.fills_sha256
    assert np.array_equal(results.equity, plain.equity)
    assert fills_of(Run(instrument="", recording=str(recording.folder), **IMBALANCE)) == results.fills_sha256


def test_every_event_and_command_is_recorded_in_order(tmp_path: Path) -> None:
    events, status = session(
        tmp_path, SetSpeed(0.0), Seek(START_NS + 10**10), Seek(START_NS + 10**9), Finish()
    )
    lines = list(only(tmp_path).lines())
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert [line.command for line in lines if line.command is not None] == [
        SetSpeed(0.0),
        Seek(START_NS + 10**10),
        Seek(START_NS + 10**9),
        Finish(),
    ]
    recorded = [line.event for line in lines if line.event is not None]
    [result], told = parted(events)
    [again], recorded_told = parted(recorded)
    assert recorded_told == told
    assert np.array_equal(again.equity, result.equity)
    assert status.events == len(lines)
    [begun] = [place for place, line in enumerate(lines) if isinstance(line.event, EpochBegan)]
    assert {line.epoch for line in lines[:begun]} == {1}
    assert {line.epoch for line in lines[begun:]} == {2}


def test_a_seek_back_records_no_row_twice(tmp_path: Path) -> None:
    half, quarter = START_NS + 10**10, START_NS + 5 * 10**9
    session(tmp_path, Seek(half), Seek(quarter), Seek(half + 1), Seek(START_NS), Finish())
    assert same(kept(only(tmp_path)), market())


def test_what_was_seen_before_a_seek_back_is_recorded_though_it_never_comes_again(tmp_path: Path) -> None:
    recorder = SessionRecorder(Keeping(root=str(tmp_path)), turn_s=60.0)
    source = ColumnsSource(CRYPTO, *market().values(), rows=10**6)
    made = ReplaySession(Run(instrument=CRYPTO.id), source, recorder=recorder)
    made.handle(SetSpeed(0.0))
    made.handle(Play())
    while made.course.playhead.ticks < 2_000:
        made.advance(0.001)
    seen_to = made.course.playhead.now
    made.handle(Seek(START_NS))
    made.close()
    assert max(int(rows.ts_init[-1]) for rows in kept(only(tmp_path)).values()) == seen_to


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 20_000_000_000), max_size=30))
def test_any_batching_records_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("recordings")
    record(folder, pieces(cuts), file_bytes=SMALL)
    assert same(kept(only(folder)), market())


def test_files_rotate_and_each_is_readable_by_itself(tmp_path: Path) -> None:
    hand_over_slowly(
        SessionRecorder(Keeping(root=str(tmp_path), file_bytes=20_000), turn_s=0.01), every(2_000)
    )
    whole = len(market()["deltas"])
    files = sorted(only(tmp_path).folder.glob("deltas-*.arrows"))
    assert len(files) > 3
    tables = [pl.read_ipc_stream(path) for path in files]
    assert sum(map(len, tables)) > whole  # the heads
    assert same(kept(only(tmp_path)), market())
    for path, table in zip(files[1:], tables[1:], strict=True):
        assert table["action"][0] == Action.CLEAR, path


def test_at_the_cap_the_oldest_market_data_make_room_and_the_book_stays_right(tmp_path: Path) -> None:
    keeping = Keeping(root=str(tmp_path), file_bytes=20_000, cap_bytes=150_000)
    recorder = SessionRecorder(keeping, turn_s=0.01)
    recorder.events([Logged(ts=START_NS, level="info", source="test", text="kept")])
    hand_over_slowly(recorder, every(500))
    status = recorder.status()
    recording = only(tmp_path)
    found = recording.market()
    everything = sum(map(len, market().values()))
    assert status.state == "capped"
    assert status.bytes_written <= 150_000
    assert recording.bytes <= 160_000
    assert sum(each.rows for each in found.values()) + status.rows_lost == everything
    assert sum(each.lost for each in found.values()) == status.rows_lost == recording.rows_lost > 0
    assert [text for level, text in recorder.take_news() if level == "warning"] == [status.text]
    assert [line.event.text for line in recording.lines() if isinstance(line.event, Logged)] == ["kept"]
    deltas = kept(recording)["deltas"]
    assert isinstance(deltas, Deltas)
    # From its first row on: what is left begins with the book that the rows before it made.
    for until_ns in deltas.ts_init[:: len(deltas) // 8].tolist():
        assert book_at(deltas, until_ns) == book_at(crypto().deltas, until_ns)
    RecordedSource(Run(instrument="", recording=str(recording.folder)))


def test_the_total_cap_takes_from_ended_recordings_and_spares_their_events(tmp_path: Path) -> None:
    session(tmp_path, Finish())
    old = only(tmp_path)
    lines = sum(1 for _ in old.lines())
    size = old.bytes
    with_other = Keeping(root=str(tmp_path), file_bytes=20_000, total_cap_bytes=size * 5 // 4)
    recorder = SessionRecorder(with_other)
    record(tmp_path, every(2_000), recorder=recorder)
    assert [text for _, text in recorder.take_news() if "All recordings together" in text]
    again = Recording(old.folder)
    assert again.rows_lost == old.manifest.rows_received - sum(each.rows for each in again.market().values())
    assert again.rows_lost > 0
    assert sum(1 for _ in again.lines()) == lines
    newest = recordings(tmp_path)[0][0]
    assert same(kept(newest), market())


def test_what_comes_faster_than_the_disk_is_counted_and_never_waited_for(tmp_path: Path) -> None:
    stuck, go = threading.Event(), threading.Event()

    def slow(path: Path) -> BinaryIO:
        stuck.set()
        assert go.wait(10)
        return create(path)

    recorder = SessionRecorder(Keeping(root=str(tmp_path)), queue_bytes=200_000, turn_s=0.01, open_file=slow)
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset(market()))
    parts = list(every(100))
    recorder.rows(parts[0])
    assert stuck.wait(5)
    for part in parts[1:150]:
        recorder.rows(part)
    lost = recorder.status().rows_lost
    assert lost > 0
    go.set()
    accepted = sum(len(rows) for part in parts[:150] for rows in part.values()) - lost
    until(lambda: recorder.status().rows == accepted, "the disk to go on")
    for part in parts[150:170]:
        recorder.rows(part)
        accepted += sum(map(len, part.values()))
        until(lambda: recorder.status().rows == accepted, "the rows to be written")  # noqa: B023 - asked here
    recorder.close()
    status, recording = recorder.status(), only(tmp_path)
    assert status.rows_lost == lost
    assert status.rows == accepted
    assert recording.rows_lost == lost
    assert sum(each.lost for each in recording.market().values()) == lost
    deltas = kept(recording)["deltas"]
    assert isinstance(deltas, Deltas)
    # After the gap the book is not known, and says so.
    [cleared] = np.flatnonzero((deltas.action == Action.CLEAR) & (deltas.flags & 32 == 0))
    assert deltas.ts_init[cleared] <= deltas.ts_init[cleared + 1]


def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path) -> None:
    FullDisk.left = 60_000
    recorder = SessionRecorder(Keeping(root=str(tmp_path)), open_file=on_full_disk)
    events, status = session(tmp_path, Seek(START_NS + 10**10), Finish(), recorder=recorder)
    assert status.state == "stopped"
    assert status.text.startswith("The recording stopped: no space left on device")
    assert status.text.endswith("restart the session to record again.")
    [results] = [event for event in events if isinstance(event, Results)]
    assert PhaseChanged(ts=results.ts, phase=Phase.FINISHED) in events
    again, _ = session(tmp_path / "other", Finish())
    assert results.fills_sha256 == next(e.fills_sha256 for e in again if isinstance(e, Results))
    recording = only(tmp_path)
    assert recording.manifest.problem == status.text == recording.ending
    found = sum(each.rows for each in recording.market().values())
    assert found + status.rows_lost >= sum(map(len, market().values()))
    for kind, rows in kept(recording).items():
        assert same({kind: rows}, {kind: market()[kind].take(slice(0, len(rows)))})


def test_the_session_s_log_tells_that_recording_stopped(tmp_path: Path) -> None:
    FullDisk.left = 0
    recorder = SessionRecorder(Keeping(root=str(tmp_path)), open_file=on_full_disk)
    made = ReplaySession(Run(instrument=CRYPTO.id), ColumnsSource(CRYPTO, crypto().quotes), recorder=recorder)
    made.handle(Play())
    until(lambda: recorder.status().state == "stopped", "the disk to be full")
    made.advance(0.01)
    told = [e.text for e in made.take_events() if isinstance(e, Logged) and e.level == "error"]
    [recording] = [text for text in told if not text.startswith("The audit log stopped: no space left")]
    assert recording == recorder.status().text == made.take_picture().recorder.text
    made.close()


def test_a_folder_that_cannot_be_made_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recorder = SessionRecorder(Keeping(root=str(tmp_path / "file")))
    events, status = session(tmp_path, Finish(), recorder=recorder)
    assert status.state == "stopped"
    assert any(isinstance(event, Filled) for event in events)


def test_what_waits_for_an_audit_log_that_never_comes_is_let_go_and_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recorder = SessionRecorder(Keeping(root=str(tmp_path / "file")))
    recorder.command(Play(), START_NS)
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset(market()))
    told: list[str] = []

    def has_told_both() -> bool:
        told.extend(text for _, text in recorder.take_news())
        return len(told) > 1

    until(has_told_both, "both sentences")
    assert told[0].startswith("The recording stopped:")
    assert told[1].startswith("The audit log is not written, as its recording could not be begun")
    for _ in range(3):
        recorder.command(Play(), START_NS)
    assert recorder._audit._waiting.empty()
    recorder.close()


def test_a_symbol_that_is_no_name_of_a_folder_is_recorded_all_the_same(tmp_path: Path) -> None:
    pair = msgspec.structs.replace(CRYPTO, id="BTC/USD.KRAKEN")
    recorder = SessionRecorder(Keeping(root=str(tmp_path)))
    recorder.begin(Run(instrument=pair.id), pair, frozenset(market()))
    recorder.close()
    assert recorder.take_news() == []
    ([found], _) = recordings(tmp_path)
    assert found.manifest.instrument.id == pair.id
    assert (tmp_path / found.id / "audit.jsonl").is_file()


LIMITED = """
import resource, sys
from pathlib import Path
from engine.messages.commands import Finish
from tests.engine.recording.sessions import session
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
events, status = session(Path(sys.argv[1]), Finish())
print(status.state, status.text)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_a_limit_of_the_operating_system_is_a_full_disk_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("stopped The recording stopped: file too large"), done.stderr
    assert kept(only(tmp_path))


def test_a_recording_is_read_while_it_is_written(tmp_path: Path) -> None:
    recorder = SessionRecorder(Keeping(root=str(tmp_path), file_bytes=20_000), turn_s=0.01)
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset(market()))
    seen = 0
    for part in every(1_000):
        recorder.rows(part)
        target = recorder.status().rows + 1
        until(lambda: recorder.status().rows >= target, "the rows to be written")  # noqa: B023 - asked here
        recording = only(tmp_path)
        assert recording.is_live
        rows = kept(recording)
        count = sum(map(len, rows.values()))
        assert count >= seen
        seen = count
        for kind, columns in rows.items():
            assert same({kind: columns}, {kind: market()[kind].take(slice(0, len(columns)))})
        with pytest.raises(UserError, match="still written"):
            recording.delete()
    recorder.close()
    assert not only(tmp_path).is_live


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1))
def test_a_file_that_is_cut_off_is_read_up_to_its_last_whole_batch(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    folder = tmp_path_factory.mktemp("recordings")
    recorder = SessionRecorder(Keeping(root=str(folder)))
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset({"trades"}))
    trades = crypto().trades
    third = len(trades) // 3
    for start in range(0, len(trades), third):
        recorder.rows({"trades": trades.take(slice(start, start + third))})
    recorder.close()
    recording = only(folder)
    [path] = recording.folder.glob("*.arrows")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    found = kept(recording)
    rows = len(found["trades"]) if found else 0
    assert rows in {0, len(trades)} or rows % third == 0
    if found:
        assert same(found, {"trades": trades.take(slice(0, rows))})


def test_a_damaged_file_is_told_and_without_it_the_book_comes_right(tmp_path: Path) -> None:
    keeping = Keeping(root=str(tmp_path), file_bytes=20_000)
    hand_over_slowly(SessionRecorder(keeping, turn_s=0.01), every(1_000))
    recording = only(tmp_path)
    second = sorted(recording.folder.glob("deltas-*.arrows"))[1]
    second.write_bytes(second.read_bytes()[:-5_000])
    with pytest.raises(UserError, match=r"deltas-000002\.arrows is damaged; delete it to replay the other"):
        list(RecordedSource(Run(instrument="", recording=str(recording.folder))).chunks())
    second.unlink()
    found = only(tmp_path).market()["deltas"]
    assert found.lost > 0
    assert found.rows + found.lost == len(crypto().deltas)
    deltas = kept(only(tmp_path))["deltas"]
    assert isinstance(deltas, Deltas)
    third = int(deltas.ts_init[np.flatnonzero(deltas.action == Action.CLEAR)[1]])
    for until_ns in (third, (third + int(deltas.ts_init[-1])) // 2, int(deltas.ts_init[-1])):
        assert book_at(deltas, until_ns) == book_at(crypto().deltas, until_ns)


def test_events_alone_are_told_of_where_a_replay_is_asked_for(tmp_path: Path) -> None:
    events, _ = session(
        tmp_path, Finish(), recorder=SessionRecorder(Keeping(root=str(tmp_path), market=False))
    )
    recording = only(tmp_path)
    assert recording.market() == {}
    assert sum(isinstance(line.event, Filled) for line in recording.lines()) == sum(
        isinstance(event, Filled) for event in events
    )
    with pytest.raises(UserError, match="events alone"):
        open_source(Run(instrument="", recording=str(recording.folder)))


def test_a_stretch_of_a_recording_is_inclusive(tmp_path: Path) -> None:
    record(tmp_path, every(1_000))
    first, last = int(crypto().trades.ts_init[5]), int(crypto().trades.ts_init[200])
    run = Run(instrument="", recording=str(only(tmp_path).folder), start_ns=first, end_ns=last)
    source = RecordedSource(run, rows=300)
    chunks = list(source.chunks())
    times = [ts for chunk in chunks for part in chunk.columns.values() for ts in part.ts_init]
    assert (min(times), max(times)) == (first, last) == (source.start_ns, source.end_ns)
    ends = [max(int(part.ts_init[-1]) for part in chunk.columns.values()) for chunk in chunks]
    starts = [min(int(part.ts_init[0]) for part in chunk.columns.values()) for chunk in chunks]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


@pytest.mark.parametrize(
    ("manifest", "says"), [(None, "is no recording"), ('{"schema": 99}', "newer program"), ("{", "damaged")]
)
def test_a_folder_that_is_no_recording_says_so(tmp_path: Path, manifest: str | None, says: str) -> None:
    record(tmp_path, every(5_000))
    folder = only(tmp_path).folder
    (folder / "manifest.json").unlink()
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    with pytest.raises(UserError, match=says):
        open_source(Run(instrument="", recording=str(folder)))
