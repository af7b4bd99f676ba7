"""What every hosted link does, in a process and in a thread alike."""

import time

from engine.link.process import ProcessLink
from engine.link.thread import ThreadLink
from engine.messages.commands import Pause, Play, Seek, SetSpeed, Stop
from engine.messages.events import Logged, Phase
from engine.messages.frames import Frame
from tests.engine.link.fakes import CRASH, MEND, until

type AnyLink = ProcessLink | ThreadLink


def gather(link: AnyLink, events: int) -> list[Frame]:
    """Frames until this many events have come."""
    frames: list[Frame] = []
    until(
        lambda: (
            frames.extend(link.drain()) or sum(len(frame.events) for frame in frames) >= events  # type: ignore[func-returns-value]
        ),
        f"{events} events",
    )
    return frames


def test_frames_flow_while_they_are_drained(link: AnyLink) -> None:
    link.send(Play())
    ticks = 0
    frames: list[Frame] = []

    def enough() -> bool:
        frames.extend(link.drain())
        return len(frames) >= 20

    until(enough, "20 frames")
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))
    for frame in frames:
        news = frame.markets[0]
        ticks += len(news.quotes) + news.quotes_conflated
    assert ticks == frames[-1].health.ticks
    assert frames[-1].transport.phase is Phase.PLAYING
    assert frames[-1].health.memory_mb > 10


def test_a_watcher_who_stalls_loses_no_event(link: AnyLink) -> None:
    gather(link, 1)
    link.send(Play())
    link.send(SetSpeed(3_000))
    time.sleep(0.3)  # the GUI is busy elsewhere
    assert link.silent_s == 0.0, "the engine is blamed for the watcher's stall"
    link.send(SetSpeed(3_000))
    events = [each for frame in gather(link, 6_000) for each in frame.events]
    assert [each.number for each in events] == list(range(2, 6_002))
    texts = [each.event.text for each in events if isinstance(each.event, Logged)]
    assert texts == [str(i) for i in range(1, 6_001)]


def test_an_idle_link_is_not_silent(link: AnyLink) -> None:
    gather(link, 1)
    link.send(Pause())
    longest = 0.0
    until_ = time.monotonic() + 1.5
    while time.monotonic() < until_:
        link.drain()
        longest = max(longest, link.silent_s)
        time.sleep(0.01)
    assert longest < 1.2


def test_a_crash_says_what_and_the_link_stays_usable(link: AnyLink) -> None:
    gather(link, 1)
    link.send(Seek(CRASH))
    until(lambda: link.down, "the end")
    assert link.down is not None
    assert not link.down.expected
    assert "RuntimeError: the fake was asked to crash" in link.down.reason
    assert any("misbehave" in line for line in link.down.log_tail)
    link.send(Play())
    link.drain()
    assert link.drain() == []


def test_what_the_user_can_mend_arrives_as_its_sentence(link: AnyLink) -> None:
    gather(link, 1)
    link.send(Seek(MEND))
    until(lambda: link.down, "the end")
    assert link.down is not None
    assert link.down.reason == "The file ends early; import it again."


def test_a_stopped_session_is_an_expected_end(link: AnyLink) -> None:
    gather(link, 1)
    link.send(Stop())
    until(lambda: link.down, "the end")
    assert link.down is not None
    assert link.down.expected


def test_closing_at_once_leaves_nothing(link: AnyLink) -> None:
    link.close()
    assert link.join(10)
    assert link.down is not None
    assert link.down.expected
    link.send(Play())
    assert link.silent_s >= 0
