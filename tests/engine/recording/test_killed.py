"""An engine process that is killed in mid-session: what it recorded opens, and ends as it did."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from app.engines import in_process
from engine.messages.commands import Play, SetSpeed
from engine.messages.run import Run
from engine.recording.recording import Recording
from engine.session.backtest import backtest
from engine.session.source import RecordedSource, open_source
from tests.engine.link.fakes import until
from tests.engine.recording.sessions import kept, only

SPEED = 20.0
WATCHED_S = 3.0
RUN = Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_cross")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_session_lost_at_most_its_last_second_and_replays(own_home: Path) -> None:
    link = in_process(RUN)
    try:
        link.send(SetSpeed(SPEED))
        link.send(Play())
        seen: list[tuple[float, int, int]] = [(time.monotonic(), 0, 0)]

        def watch() -> bool:
            assert link.down is None, link.down
            for frame in link.drain():
                _, shown, events = seen[-1]
                times = [int(ts) for news in frame.markets for ts in news.quotes["ts"]]
                numbers = [each.number for each in frame.events]
                seen.append((time.monotonic(), max([shown, *times]), max([events, *numbers])))
            return len(seen) > 1 and seen[-1][0] - seen[1][0] > WATCHED_S

        until(watch, "three seconds of the market", 30.0)
        killed = time.monotonic()
        os.kill(link.pid, signal.SIGKILL)
        until(lambda: link.down, "the end to be told", 5.0)
    finally:
        link.close()
        assert link.join(10)
    recording = only(own_home / "recordings")
    assert recording.ending == "killed; at most its last second is missing"
    _, shown, events = max(each for each in seen if each[0] <= killed - 1.0)
    quotes = kept(recording)["quotes"]
    assert shown > int(quotes.ts_init[0])
    assert int(quotes.ts_init[-1]) >= shown
    assert sum(line.event is not None for line in recording.lines()) >= events > 0
    assert_same_as_the_market(recording)


def assert_same_as_the_market(recording: Recording) -> None:
    """Its rows are the market's first ones, and a strategy over it fills as over these."""
    replayed = RecordedSource(Run(instrument="", recording=str(recording.folder)))
    original = open_source(RUN)
    counts = {kind: len(columns) for kind, columns in kept(recording).items()}
    for kind, columns in kept(recording).items():
        parts, left = [], counts[kind]
        for chunk in original.chunks():
            if left <= 0:
                break
            if kind in chunk.columns:
                parts.append(chunk.columns[kind].take(slice(0, left)))
                left -= len(parts[-1])
        first = type(parts[0]).concat(parts)
        for name, array in columns.arrays().items():
            assert array.tolist() == first.arrays()[name].tolist()
    run = Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_cross", end_ns=replayed.end_ns)
    over = Run(instrument="", recording=str(recording.folder), strategy="ema_cross")
    assert backtest(run).results.fills_sha256 == backtest(over).results.fills_sha256
