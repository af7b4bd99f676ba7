"""The real session in the real engine process, as the window hosts it."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.engines import in_process
from engine.link.process import ProcessLink
from engine.messages.commands import Finish, Play, SetSpeed
from engine.messages.events import Phase, PhaseChanged, Results
from engine.messages.frames import Frame
from engine.messages.run import Run
from tests.engine.link.fakes import until

DEMO = Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_cross")
MINUTE_NS = 60_000_000_000

type Opener = Callable[[Run], ProcessLink]


@pytest.fixture
def spawn() -> Iterator[Opener]:
    links: list[ProcessLink] = []

    def start(run: Run) -> ProcessLink:
        links.append(in_process(run))
        return links[-1]

    yield start
    for link in links:
        link.close()
    for link in links:
        assert link.join(10)


def watch(link: ProcessLink, enough: Callable[[list[Frame]], bool], what: str) -> list[Frame]:
    frames: list[Frame] = []

    def seen() -> bool:
        assert link.down is None, link.down
        frames.extend(link.drain())
        return enough(frames)

    until(seen, what, 30.0)
    return frames


def quotes(frames: list[Frame]) -> int:
    return sum(len(news.quotes) for frame in frames for news in frame.markets)


def test_a_run_is_watched_to_its_results(spawn: Opener) -> None:
    probe = spawn(DEMO)
    start = watch(probe, lambda frames: len(frames) > 0, "the first frame")[0].transport.start
    link = spawn(Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_cross", end_ns=start + MINUTE_NS))
    link.send(Finish())

    def finished(frames: list[Frame]) -> bool:
        return any(frame.transport.phase is Phase.FINISHED for frame in frames) and any(
            isinstance(each.event, Results) for frame in frames for each in frame.events
        )

    frames = watch(link, finished, "the results")
    events = [each for frame in frames for each in frame.events]
    assert [each.number for each in events] == list(range(1, len(events) + 1))
    (result,) = [each.event for each in events if isinstance(each.event, Results)]
    assert result.ticks > 0
    assert [instrument.id for instrument in frames[0].instruments] == ["EURUSD.SIM"]
    first = next(each.event for each in events if isinstance(each.event, PhaseChanged))
    assert first == PhaseChanged(ts=start, phase=Phase.PAUSED)


def test_an_engine_killed_in_mid_replay_is_told_of_and_a_new_one_starts(spawn: Opener) -> None:
    link = spawn(DEMO)
    link.send(SetSpeed(100.0))
    link.send(Play())
    watch(link, lambda frames: quotes(frames) > 100, "the market to move")
    os.kill(link.pid, signal.SIGKILL)
    until(lambda: link.down, "the end to be told", 2.0)
    assert link.down is not None
    assert "killed by signal 9" in link.down.reason
    again = spawn(DEMO)
    again.send(Play())
    watch(again, lambda frames: quotes(frames) > 0, "the new engine's market")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (Run(instrument="EURUSD.SIM", simulate="fxx"), "fx"),
        (Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_croos"), "ema_cross"),
        (Run(instrument="NONE.SUCH", store="{empty}"), "is empty"),
    ],
)
def test_a_run_that_cannot_be_arrives_as_one_sentence(
    spawn: Opener, tmp_path: Path, run: Run, says: str
) -> None:
    link = spawn(msgspec.structs.replace(run, store=run.store.format(empty=tmp_path)))
    until(lambda: link.down, "the refusal", 20.0)
    assert link.down is not None
    assert not link.down.expected
    assert says in link.down.reason
    assert "Traceback" not in link.down.reason + "".join(link.down.log_tail)
    assert link.down.reason.endswith(".")
