"""Another thread gets a callback out of where it waits, and never anything else of its thread."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.callbacks import Callbacks, Shield, StrategyInterrupted, callbacks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Strategy:
    """Calls a callback as the base of all strategies does."""

    def __init__(self, here: Callbacks) -> None:
        self.here = here
        self.stopped = 0

    def call(self, method: Callable[[], Any]) -> None:
        here = self.here
        outer, interruptible = here.running, here.interruptible
        try:
            try:
                here.entered += 1
                here.running, here.interruptible = "on_quote", True
                method()
            finally:
                here.left(outer, interruptible)
        except StrategyInterrupted:
            here.left(outer, interruptible)
            self.stopped += 1


@pytest.fixture
def here() -> Iterator[Callbacks]:
    before = signal.getsignal(signal.SIGUSR1)
    found = Callbacks()
    found.allow_interrupts()
    yield found
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def interrupter(here: Callbacks) -> Iterator[Callable[[float], None]]:
    """Interrupts what runs, again and again, from a thread of its own."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def begin(every_s: float) -> None:
        def run() -> None:
            while not over.wait(every_s):
                here.interrupt("It did not come back.")

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


def loop() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(3600)


def wait_for_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def wait_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def catch_everything_at_first() -> None:
    try:
        sleep()
    except BaseException:  # noqa: BLE001 - as careless as strategies are
        sleep()


def catch_exceptions() -> None:
    while True:
        try:
            sleep()
        except Exception:  # noqa: BLE001, S112 - as careless as strategies are
            continue


@pytest.mark.parametrize(
    "method",
    [loop, sleep, wait_for_a_socket, wait_for_a_lock, catch_everything_at_first, catch_exceptions],
)
def test_a_callback_of_the_main_thread_is_stopped_wherever_it_waits(
    here: Callbacks, interrupter: Callable[[float], None], method: Callable[[], None]
) -> None:
    strategy = Strategy(here)
    interrupter(0.05)
    started = time.monotonic()
    strategy.call(method)
    assert strategy.stopped == 1
    assert time.monotonic() - started < 2.0
    assert (here.running, here.interruptible) == ("", False)


def test_what_is_no_callback_is_never_interrupted(
    here: Callbacks, interrupter: Callable[[float], None]
) -> None:
    interrupter(0.001)
    assert not here.interrupt("Nothing runs.")
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        time.sleep(0.0)
    signal.raise_signal(signal.SIGUSR1)


def test_our_own_code_in_a_callback_runs_to_its_end(
    here: Callbacks, interrupter: Callable[[float], None]
) -> None:
    strategy, done = Strategy(here), []

    def order() -> None:
        with Shield(here):
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                pass
            done.append("the gate")
        sleep()

    interrupter(0.001)
    strategy.call(order)
    assert done == ["the gate"]
    assert strategy.stopped == 1


def test_a_callback_within_a_callback_leaves_the_outer_one_interruptible(
    here: Callbacks, interrupter: Callable[[float], None]
) -> None:
    inner, outer = Strategy(here), Strategy(here)

    def both() -> None:
        inner.call(lambda: None)
        assert here.running == "on_quote"
        interrupter(0.01)
        sleep()

    outer.call(both)
    assert (inner.stopped, outer.stopped) == (0, 1)


def _hammer(here: Callbacks, seconds: float) -> int:
    """Enter and leave callbacks while another thread interrupts them; how many were stopped."""
    strategy = Strategy(here)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        strategy.call(lambda: sum(range(20)))
        with Shield(here):
            sum(range(20))
    return strategy.stopped


def test_no_interruption_escapes_its_callback_in_a_main_thread(
    here: Callbacks, interrupter: Callable[[float], None]
) -> None:
    interrupter(0.0)
    assert _hammer(here, 2.0) > 1


def test_no_interruption_escapes_its_callback_in_another_thread() -> None:
    over, stopped = threading.Event(), [0, 0]
    found: list[Callbacks] = []

    def work() -> None:
        try:
            here = callbacks()
            assert callbacks() is here
            here.allow_interrupts()
            found.append(here)
            stopped[0] = _hammer(here, 2.0)
            strategy = Strategy(here)
            strategy.call(loop)
            stopped[1] = strategy.stopped
        finally:
            over.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not over.wait(0.0):
        if found:
            found[0].interrupt("It did not come back.")
    thread.join(5)
    assert not thread.is_alive()
    assert stopped[0] > 1
    assert stopped[1] == 1
    assert found[0] is not callbacks()
