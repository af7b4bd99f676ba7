"""The engine's end, seen through a bare connection that decides itself what to acknowledge."""

import threading
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from typing import Any

import pytest

from engine.link.connection import hang_up
from engine.link.server import CREDITS, EVENTS_PER_FRAME, HEARTBEAT_S, Server
from engine.messages.commands import Acknowledge, AnyCommand, Attach, Kill, Pause, Play, SetSpeed, Stop
from engine.messages.events import Logged, Refused
from engine.messages.frames import Frame
from engine.messages.wire import decode_frame, encode
from tests.engine.link.fakes import FakeSession, until

type Served = tuple[Server, FakeSession, threading.Thread]


class Watcher:
    """A connection that reads and acknowledges only when it is told to."""

    def __init__(self, server: Server) -> None:
        self.connection, theirs = Pipe()
        server.welcome(theirs)

    def say(self, *commands: AnyCommand) -> None:
        for command in commands:
            self.connection.send_bytes(encode(command))

    def frame(self, timeout_s: float = 5.0) -> Frame:
        assert self.connection.poll(timeout_s), "no frame came"
        return decode_frame(self.connection.recv_bytes())

    def next(self) -> Frame:
        """Next frame, acknowledged."""
        frame = self.frame()
        self.say(Acknowledge(frame.number))
        return frame

    def texts(self, count: int) -> list[str]:
        """Texts of the next `count` log events; the numbers of all events are checked to have no gap."""
        return [event.text for _, event in self.events(count) if isinstance(event, Logged)]

    def events(self, count: int) -> list[tuple[int, Any]]:
        got: list[tuple[int, Any]] = []
        while len(got) < count:
            got += [(each.number, each.event) for each in self.next().events]
        numbers = [number for number, _ in got]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        return got

    def leave(self) -> None:
        self.connection.close()


@pytest.fixture(params=["stop"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    session = FakeSession()
    server = Server(session, on_watcher_lost=request.param)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server, session, thread
    if thread.is_alive():
        last = Watcher(server)
        last.say(Stop())
        thread.join(5)
        last.leave()
    assert session.closed


def test_nothing_is_sent_before_the_watcher_attaches(served: Served) -> None:
    watcher = Watcher(served[0])
    assert not watcher.connection.poll(0.1)
    watcher.say(Attach(0))
    frame = watcher.next()
    assert [each.number for each in frame.events] == [1]
    assert [instrument.id for instrument in frame.instruments] == ["EURUSD.SIM"]
    watcher.leave()


def test_a_slow_reader_gets_two_frames_then_conflated_market_and_every_event(served: Served) -> None:
    server, session, _ = served
    watcher = Watcher(server)
    watcher.say(Attach(0), Play())
    until(lambda: session.pictures == CREDITS, "both credits to be used")
    watcher.say(SetSpeed(50), SetSpeed(50))
    ticks = session.ticks
    until(lambda: session.ticks > ticks + 20_000, "the session to run on without a reader")
    assert session.pictures == CREDITS
    held = [watcher.frame() for _ in range(CREDITS)]
    assert not watcher.connection.poll(0.1), "a frame came without credit"
    watcher.say(Acknowledge(held[0].number))
    third = watcher.frame()
    assert third.markets[0].quotes_conflated > 10_000
    assert third.health.events_queued == 100
    assert [each.number for each in third.events] == list(range(2, 102))
    assert not watcher.connection.poll(0.1), "one acknowledgement gave two credits"
    watcher.leave()


def test_an_acknowledgement_counts_once(served: Served) -> None:
    server, session, _ = served
    watcher = Watcher(server)
    watcher.say(Attach(0), Play())
    first = watcher.frame()
    watcher.say(*[Acknowledge(first.number)] * 5, Acknowledge(999))
    until(lambda: session.pictures == CREDITS + 1, "the one credit to be used")
    time.sleep(0.05)
    assert session.pictures == CREDITS + 1
    watcher.leave()


def test_many_events_come_in_order_in_frames_of_bounded_size(served: Served) -> None:
    watcher = Watcher(served[0])
    watcher.say(Attach(0), SetSpeed(5_000))
    got: list[int] = []
    while len(got) < 5_001:
        frame = watcher.next()
        assert len(frame.events) <= EVENTS_PER_FRAME
        got += [each.number for each in frame.events]
    assert got == list(range(1, 5_002))
    watcher.leave()


@pytest.mark.parametrize("served", ["keep"], indirect=True)
def test_who_comes_back_gets_the_missed_events_once_and_the_market_again(served: Served) -> None:
    server, session, _ = served
    first = Watcher(server)
    first.say(Attach(0), SetSpeed(10))
    last_seen = first.events(11)[-1][0]
    first.say(SetSpeed(10))
    first.leave()
    until(lambda: len(session.commands) == 2, "the last command to be obeyed")
    session.say(10)
    second = Watcher(server)
    second.say(Attach(last_seen))
    assert second.texts(20) == [str(i) for i in range(11, 31)]
    assert session.rewatched == 1
    second.say(SetSpeed(1))
    assert second.texts(1) == ["31"]
    second.leave()


@pytest.mark.parametrize("served", ["keep"], indirect=True)
def test_a_new_watcher_takes_the_place_of_one_who_hangs(served: Served) -> None:
    hung, fresh = Watcher(served[0]), Watcher(served[0])
    fresh.say(Attach(0))
    assert fresh.next().events[0].number == 1
    with pytest.raises(EOFError):
        hung.frame()
    fresh.leave()
    hung.leave()


def test_a_gap_is_answered_with_the_events_since_then(served: Served) -> None:
    server, session, _ = served
    watcher = Watcher(server)
    watcher.say(Attach(0), SetSpeed(10))
    assert len(watcher.texts(11)) == 10
    watcher.say(Attach(6))
    assert watcher.texts(5) == ["6", "7", "8", "9", "10"]
    assert session.rewatched == 1
    watcher.leave()


def test_the_market_so_far_comes_at_once_also_where_the_session_is_paused(served: Served) -> None:
    watcher = Watcher(served[0])
    watcher.say(Attach(0))
    watcher.next()
    watcher.say(Attach(1))
    started = time.monotonic()
    told = 0
    while told < 5:
        told += len(watcher.next().markets[0].quotes)
    assert time.monotonic() - started < 2 * HEARTBEAT_S, "history waited for heartbeats"
    watcher.leave()


def test_events_of_another_session_are_no_excuse_for_silence(served: Served) -> None:
    watcher = Watcher(served[0])
    watcher.say(Attach(4_000))
    assert watcher.next().events[0].number == 1
    watcher.leave()


def test_an_idle_session_beats_and_does_no_work(served: Served) -> None:
    server, session, _ = served
    watcher = Watcher(server)
    watcher.say(Attach(0))
    numbers = [watcher.next().number for _ in range(2)]
    started, turns = time.monotonic(), session.turns
    numbers += [watcher.next().number for _ in range(2)]
    took = time.monotonic() - started
    assert numbers == [1, 2, 3, 4]
    assert 2 * HEARTBEAT_S * 0.8 < took < 2 * HEARTBEAT_S * 3
    assert session.turns - turns < 10, "the loop spins while it has nothing to do"
    watcher.leave()


def test_a_paused_session_stops_sending_market(served: Served) -> None:
    server, session, _ = served
    watcher = Watcher(server)
    watcher.say(Attach(0), Play())
    while not len(watcher.next().markets[0].quotes):
        pass
    watcher.say(Pause())
    until(lambda: Pause() in session.commands, "the pause")
    ticks = session.ticks
    while watcher.next().health.ticks < ticks:
        pass
    assert len(watcher.next().markets[0].quotes) == 0
    watcher.leave()


def test_bytes_that_are_no_command_are_refused_in_words_and_the_session_lives(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    watcher = Watcher(served[0])
    watcher.say(Attach(0))
    watcher.connection.send_bytes(b"\x93garbage")
    watcher.connection.send_bytes(encode(Play()).replace(b"play", b"dive"))
    refused = [event for _, event in watcher.events(3) if isinstance(event, Refused)]
    assert len(refused) == 2
    assert "does not know this command" in refused[0].text
    assert capfd.readouterr().err.count("could not be read") == 2
    watcher.say(SetSpeed(1))
    assert watcher.texts(1) == ["1"]
    watcher.leave()


def test_the_session_ends_when_its_watcher_leaves(served: Served) -> None:
    server, session, thread = served
    watcher = Watcher(server)
    watcher.say(Attach(0), Play())
    watcher.next()
    watcher.leave()
    thread.join(5)
    assert not thread.is_alive()
    assert session.closed


def test_a_kill_is_heard_while_the_session_is_in_a_callback_that_does_not_come_back() -> None:
    session, stuck, go_on = FakeSession(), threading.Event(), threading.Event()
    handle = session.handle

    def get_stuck(command: AnyCommand) -> None:
        if isinstance(command, Play):
            stuck.set()
            go_on.wait(10.0)
        handle(command)

    session.handle = get_stuck  # type: ignore[method-assign]
    server = Server(session, on_watcher_lost="stop")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        watcher = Watcher(server)
        watcher.say(Attach(), Play())
        assert stuck.wait(5.0)
        watcher.say(Kill("enough"))
        until(lambda: session.kill_switch.pending is not None, "the kill switch", 5.0)
        fired = session.kill_switch.pending
        assert fired is not None
        assert (fired.reason, fired.by) == ("enough", "person")
    finally:
        go_on.set()
        watcher.leave()
        thread.join(5.0)


def test_a_command_of_absurd_length_ends_the_conversation(served: Served) -> None:
    server, _, thread = served
    watcher = Watcher(server)
    watcher.say(Attach(0))
    watcher.next()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        watcher.connection.send_bytes(b"x" * 2**24)
    thread.join(5)
    assert not thread.is_alive()
    watcher.leave()


def test_hanging_up_wakes_who_reads() -> None:
    ours, theirs = Pipe()
    ended: list[BaseException] = []

    def read() -> None:
        try:
            theirs.recv_bytes()
        except EOFError as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    hang_up(theirs)
    reader.join(5)
    assert ended
    ours.close()
    theirs.close()
