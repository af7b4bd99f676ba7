"""News in a session: told once they could be known, in order, again after a seek back, never before."""

import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from engine.errors import UserError
from engine.feeds.news import decode_news
from engine.messages.commands import Finish, Seek, Step, StepTo
from engine.messages.events import AnyEvent, EpochBegan, Published
from engine.messages.run import Run
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping
from engine.session.publishing import publications
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource, open_source
from engine.store.series import SeriesStore
from tests.engine.recording.sessions import only
from tests.engine.session.markets import FX, START_NS, obey, quotes, session


@pytest.fixture
def store(tmp_path: Path) -> str:
    ts = quotes().ts_init
    moments = [int(ts[0]) - 5, int(ts[10]), int(ts[2_000]) + 1, int(ts[-1]), int(ts[-1]) + 10**12]
    text = "timestamp_ns,title,sentiment\n" + "".join(
        f"{moment},at {place},0.5\n" for place, moment in enumerate(moments)
    )
    table = decode_news(text.replace("timestamp_ns", "time").encode(), "x.csv", "news").series["news"]
    SeriesStore(tmp_path).add("news", table)
    return str(tmp_path)


def told(events: list[AnyEvent]) -> list[str]:
    return [event.title for event in events if isinstance(event, Published)]


def test_each_is_told_when_it_could_be_known(store: str) -> None:
    run = session(store=store, series=("news",))
    times = quotes().ts_init
    for _ in range(10):
        assert told(obey(run, StepTo(Step.TICK))) == []
    assert told(obey(run, StepTo(Step.TICK))) == ["at 1"]
    assert told(obey(run, Seek(int(times[2_000])))) == []
    assert told(obey(run, Seek(int(times[2_000]) + 1))) == ["at 2"]
    assert told(obey(run, Finish())) == ["at 3"]
    run.close()


def test_a_seek_back_tells_them_again(store: str) -> None:
    run = session(store=store, series=("news",))
    obey(run, Finish())
    events = obey(run, Seek(int(quotes().ts_init[100])))
    began = next(place for place, event in enumerate(events) if isinstance(event, EpochBegan))
    assert told(events[began:]) == ["at 1"]
    run.close()


def test_they_stand_before_what_came_later(store: str) -> None:
    run = session(strategy="ema_cross", store=store, series=("news",), parameters={"fast": 5, "slow": 10})
    events = obey(run, Finish())
    place = next(
        at for at, event in enumerate(events) if isinstance(event, Published) and event.title == "at 2"
    )
    before = [event.ts for event in events[:place] if event.ts > events[place].ts]
    assert before == []
    assert any(event.ts > events[place].ts for event in events[place:])
    run.close()


def test_a_recording_tells_what_its_session_told_though_its_store_is_gone(tmp_path: Path, store: str) -> None:
    kept = tmp_path / "recordings"
    described = Run(instrument=FX.id, store=store, series=("news",))
    recorder = SessionRecorder(Keeping(root=str(kept)))
    run = ReplaySession(described, ColumnsSource(FX, quotes()), recorder=recorder)
    obey(run, Finish())
    obey(run, Seek(int(quotes().ts_init[100])))
    run.close()
    again = only(kept).replay()
    shutil.rmtree(Path(store) / "series")
    replayed = ReplaySession(again, open_source(again))
    assert told(obey(replayed, Finish())) == ["at 1", "at 2", "at 3"]
    replayed.close()
    with pytest.raises(UserError, match="wire"):
        publications(msgspec.structs.replace(again, series=("news", "wire")), 0, 1)


def test_series_that_cannot_be_shown_are_refused(tmp_path: Path, store: str) -> None:
    with pytest.raises(UserError, match="choose news"):
        session(store=store, series=("newz",))
    with pytest.raises(UserError, match="this run has none"):
        session(series=("news",))
    times = pa.array([START_NS], pa.int64())
    SeriesStore(tmp_path).add("depth", pa.table({"ts_event": times, "ts_init": times}))
    with pytest.raises(UserError, match="has no titles"):
        session(store=store, series=("depth",))
