"""The kill switch past a session that hangs: by the second channel, and by rules watched from outside."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from engine.callbacks import callbacks
from engine.errors import UserError
from engine.link.endpoint import Door, Endpoint, endpoints, new_door
from engine.link.kill_channel import Fire, KillLine, Look, Sight, Unanswered
from engine.link.process import ProcessLink
from engine.link.server import Server
from engine.link.thread import ThreadLink
from engine.link.watchdog import Watchdog
from engine.messages.commands import CancelAll, Play, SetSpeed, Stop
from engine.messages.events import AnyEvent, HaltChanged, HaltStep, Logged
from engine.messages.limits import KillRules, RiskPolicy
from engine.messages.run import Mode, Run
from tests.engine.link.fakes import FakeSession, until
from tests.engine.link.hanging import STUCK_S, HangingSession
from tests.engine.link.test_server import Watcher

ENGINE = (sys.executable, "-m", "tests.engine.link.hanging")


class Engine:
    """An engine process that hangs in this way when it plays."""

    def __init__(self, folder: Path, way: str, rules: KillRules | None = None) -> None:
        self.folder = folder / "run"
        run = Run(instrument="EURUSD.SIM", strategy=way, policy=RiskPolicy(kill=rules or KillRules()))
        self.link = ProcessLink.spawn(
            run,
            command=ENGINE,
            log_folder=folder / "logs",
            run_folder=self.folder,
            joinable=False,
        )
        self.events: list[AnyEvent] = []

    def drain(self) -> list[AnyEvent]:
        self.events += [each.event for frame in self.link.drain() for each in frame.events]
        return self.events

    def begin(self) -> None:
        """Wait until it is up, and have its strategy hang."""
        until(self.drain, "the first events")
        self.link.send(Play())

    @property
    def door(self) -> Door:
        until(lambda: list(self.folder.glob("*.json")), "the endpoint")
        return self.endpoints[0].kill_door

    @property
    def endpoints(self) -> list[Endpoint]:
        return [endpoint for _, endpoint in endpoints(self.folder)]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path, *getattr(request, "param", ("none",)))
    yield made
    made.link.close()
    assert made.link.join(10)


def watch_until_halted(line: KillLine, timeout_s: float = 5.0) -> Sight:
    seen: list[Sight] = []

    def halted() -> bool:
        seen.append(line.ask(Look()))
        return seen[-1].is_halted

    until(halted, "the halt", timeout_s)
    return seen[-1]


def hangs(line: KillLine) -> bool:
    sight = line.ask(Look())
    return sight.silent_s > 0.2 and sight.callback == "on_quote"


@pytest.mark.parametrize("engine", [("loop",), ("sleep",), ("socket",)], indirect=True)
def test_a_strategy_that_does_not_come_back_is_stopped_and_the_session_halts(engine: Engine) -> None:
    engine.begin()
    with KillLine(engine.door) as line:
        until(lambda: hangs(line), "the strategy to hang")
        before = line.ask(Look())
        assert (before.orders, [each.quantity for each in before.positions]) == (1, [Decimal(2)])
        assert not before.is_flat
        pressed = time.monotonic()
        line.ask(Fire("a person said so"))
        after = watch_until_halted(line)
        assert time.monotonic() - pressed < 2.0
    assert after.fired == "a person said so"
    assert after.is_flat
    until(lambda: any(isinstance(each, HaltChanged) for each in engine.drain()), "the halt's events")
    (stopped,) = [each.text for each in engine.drain() if isinstance(each, Logged)]
    assert stopped.startswith("The strategy did not come back for ")
    assert stopped.endswith(" s and was stopped by the kill switch.")
    engine.link.send(SetSpeed(3))
    until(lambda: "3" in [e.text for e in engine.drain() if isinstance(e, Logged)], "the session to go on")


@pytest.mark.parametrize("engine", [("deaf",)], indirect=True)
def test_an_engine_that_nothing_stops_is_ended_and_says_so(engine: Engine) -> None:
    engine.begin()
    with KillLine(engine.door) as line:
        until(lambda: hangs(line), "the strategy to hang")
        line.ask(Fire("enough"))
    until(lambda: engine.link.down, "its end")
    assert engine.link.down is not None
    assert engine.link.down.reason.startswith("The engine hung and took no kill for ")
    assert not engine.link.down.expected
    assert engine.link.log is not None
    assert "in never_stop" in engine.link.log.read_text()
    assert engine.endpoints == []
    assert not list(engine.folder.iterdir())


def test_an_idle_session_halts_at_once_and_is_fired_but_once(engine: Engine) -> None:
    with KillLine(engine.door) as line:
        until(lambda: line.ask(Look()).positions, "the session to be up")
        assert line.ask(Look()).fired is None
        line.ask(Fire("first"))
        watch_until_halted(line, 1.0)
        assert line.ask(Fire("second")).fired == "first"
    until(lambda: sum(isinstance(each, HaltChanged) for each in engine.drain()) == 4, "the halt's events")
    assert {each.by for each in engine.drain() if isinstance(each, HaltChanged)} == {"channel"}


@pytest.mark.parametrize("engine", [("slow",)], indirect=True)
def test_a_session_that_loads_halts_as_soon_as_it_is_up(engine: Engine) -> None:
    with KillLine(engine.door) as line:
        sight = line.ask(Fire("too early"))
        assert (sight.loading, sight.fired) == (True, "too early")
        assert watch_until_halted(line).fired == "too early"


def test_only_who_knows_the_key_comes_in_and_who_says_nothing_keeps_nobody_out(engine: Engine) -> None:
    door = engine.door
    with pytest.raises(UserError, match="ended"):
        KillLine(Door(door.address, b"a guess"))
    mutes = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    for mute in mutes:
        mute.connect(door.address)
    with KillLine(door) as line:
        assert line.ask(Look()).pid == engine.link.pid
    for mute in mutes:
        mute.close()


def test_an_engine_that_does_not_answer_is_not_waited_for(engine: Engine) -> None:
    with KillLine(engine.door, 0.3) as line:
        os.kill(engine.link.pid, signal.SIGSTOP)
        process = psutil.Process(engine.link.pid)
        until(lambda: process.status() == psutil.STATUS_STOPPED, "it to stop")
        started = time.monotonic()
        with pytest.raises(Unanswered, match="does not answer"):
            line.ask(Look())
        for _ in range(20):  # as many as fill the queue at its door
            with pytest.raises(Unanswered, match="does not answer"):
                KillLine(engine.door, 0.05)
        assert time.monotonic() - started < 5.0
    os.kill(engine.link.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (("none", KillRules(memory_mb=Decimal(5))), "MB, above 5 MB."),
        (("none", KillRules(lost_window_s=Decimal("0.7"))), "s, above 0.7 s."),
    ],
    indirect=["engine"],
)
def test_a_rule_fires_that_is_watched_from_outside(engine: Engine, reason: str) -> None:
    with KillLine(engine.door) as line:  # and nobody drains the link
        sight = watch_until_halted(line)
        assert sight.fired is not None
        assert reason in sight.fired
    until(lambda: any(isinstance(each, HaltChanged) for each in engine.drain()), "the halt's events")
    assert {each.by for each in engine.drain() if isinstance(each, HaltChanged)} == {"rule"}


def test_a_window_that_lives_is_not_lost(tmp_path: Path) -> None:
    engine = Engine(tmp_path, "none", KillRules(lost_window_s=Decimal(1)))
    until_s = time.monotonic() + 2.5
    with KillLine(engine.door) as line:
        while time.monotonic() < until_s:
            engine.drain()
            time.sleep(0.02)
        assert line.ask(Look()).fired is None
    engine.link.close()
    assert engine.link.join(10)


class Hosted:
    """A session that hangs in a thread of ours, served and watched."""

    def __init__(self, mode: Mode, way: str, callback_s: float) -> None:
        self.door = new_door()
        self._server: Server | None = None
        self._up = threading.Event()
        run = Run(instrument="EURUSD.SIM", mode=mode, strategy=way)
        self._thread = threading.Thread(target=self._host, args=(run, way, callback_s), daemon=True)
        self._thread.start()
        assert self._up.wait(5)

    def _host(self, run: Run, way: str, callback_s: float) -> None:
        watchdog = Watchdog(self.door, run, callbacks(), callback_s=callback_s)
        session = HangingSession(way)
        self._server = Server(session, run=run)
        watchdog.lead_to(self._server, session.kill_switch)
        self._up.set()
        self._server.run()
        watchdog.close()

    def say(self, *commands: object) -> Watcher:
        assert self._server is not None
        watcher = Watcher(self._server)
        watcher.say(*commands)  # type: ignore[arg-type]
        return watcher

    def end(self) -> None:
        self.say(Stop()).leave()
        self._thread.join(5)
        assert not self._thread.is_alive()


def test_a_callback_that_takes_too_long_in_a_market_that_goes_on_fires_by_itself() -> None:
    hosted = Hosted("paper", "loop", 0.6)
    watcher = hosted.say(Play())
    with KillLine(hosted.door) as line:
        sight = watch_until_halted(line)
    assert sight.fired is not None
    assert sight.fired.startswith("The strategy did not come back from on_quote for 0.")
    hosted.end()
    watcher.leave()


def test_in_a_replay_a_callback_may_take_its_time() -> None:
    hosted = Hosted("replay", "loop", 0.3)
    watcher = hosted.say(Play())
    with KillLine(hosted.door) as line:
        until(lambda: line.ask(Look()).silent_s > 1.0, "the strategy to hang")
        assert line.ask(Look()).fired is None
        line.ask(Fire("that is enough"))
        watch_until_halted(line)
    hosted.end()
    watcher.leave()


def test_a_session_in_a_thread_is_found_and_killed_by_its_endpoint(tmp_path: Path) -> None:
    run = Run(instrument="EURUSD.SIM", strategy="loop")
    links = [ThreadLink(lambda: HangingSession("loop"), run, run_folder=tmp_path) for _ in range(2)]
    until(lambda: len(list(tmp_path.glob("*.json"))) == 2, "both endpoints")
    until(links[0].drain, "the session to be up")
    links[0].send(Play())
    found = {endpoint.id: endpoint for _, endpoint in endpoints(tmp_path)}
    assert {endpoint.pid for endpoint in found.values()} == {os.getpid()}
    halted = set()
    for name, endpoint in found.items():
        assert endpoint.door is None
        with KillLine(endpoint.kill_door) as line:
            line.ask(Fire("all"))
            watch_until_halted(line)
            halted.add(name)
    assert halted == set(found)
    for link in links:
        link.close()
        assert link.join(10)
    assert not list(tmp_path.iterdir())


def test_an_engine_that_belongs_to_its_window_is_not_joined(engine: Engine) -> None:
    assert engine.door
    (file,) = engine.folder.glob("*.json")
    assert engine.endpoints[0].door is None
    with pytest.raises(UserError, match="belongs to its window"):
        ProcessLink.attach(file)


def test_what_a_killed_engine_leaves_is_tidied_away(engine: Engine) -> None:
    door = engine.door
    os.kill(engine.link.pid, signal.SIGKILL)
    until(lambda: engine.link.down, "its end")
    until(lambda: not list(engine.folder.iterdir()), "the endpoint to go")
    assert not Path(door.address).parent.exists()
    with pytest.raises(UserError, match="has ended"):
        KillLine(door)


@pytest.mark.parametrize("rule", ["cancel", "keep"])
def test_a_session_left_alone_runs_on_and_cancels_only_where_it_is_to(rule: str) -> None:
    session = FakeSession()
    server = Server(session, on_watcher_lost=rule)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    first = Watcher(server)
    first.say(Play())
    until(lambda: session.ticks, "the market")
    first.leave()
    ticks = session.ticks
    until(lambda: session.ticks > ticks + 5_000, "the session to run on")
    assert (CancelAll() in session.commands) == (rule == "cancel")
    last = Watcher(server)
    last.say(Stop())
    thread.join(5)
    last.leave()
    assert not thread.is_alive()


def test_steps_of_a_halt_are_seen_as_they_come(engine: Engine) -> None:
    with KillLine(engine.door) as line:
        until(lambda: line.ask(Look()).positions, "the session to be up")
        assert line.ask(Look()).step is HaltStep.NONE
        line.ask(Fire(""))
        assert watch_until_halted(line).text == "So it is."


@pytest.mark.parametrize("engine", [("sleep",)], indirect=True)
def test_time_in_which_the_whole_process_was_stopped_does_not_count_as_hanging(engine: Engine) -> None:
    engine.begin()
    with KillLine(engine.door) as line:
        until(lambda: hangs(line), "the strategy to hang")
        line.ask(Fire("now"))
        os.kill(engine.link.pid, signal.SIGSTOP)
        time.sleep(STUCK_S + 0.5)  # longer than an engine may hang
        os.kill(engine.link.pid, signal.SIGCONT)
        watch_until_halted(line)
    assert engine.link.down is None


def test_a_session_that_rests_and_that_nobody_watches_halts_at_once() -> None:
    hosted = Hosted("paper", "none", 30.0)
    with KillLine(hosted.door) as line:
        until(lambda: line.ask(Look()).positions, "the session to be up")
        line.ask(Fire("now"))
        watch_until_halted(line, 1.0)
    hosted.end()
