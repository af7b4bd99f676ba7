"""A paper session behind the link: in a process of its own and in a thread, with commands and frames."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine_main import make_session
from engine.link.process import ProcessLink
from engine.link.thread import ThreadLink
from engine.messages.commands import Finish, Pause
from engine.messages.events import AnyEvent, Filled, OrderChanged, Phase, PhaseChanged, Refused, Results
from engine.messages.frames import Frame
from engine.messages.run import Run

RUN = Run(instrument="", simulate="crypto", mode="paper", arm="paper", strategy="buy_and_hold", speed=2.0)
_LONGEST_S = 40.0


class Watcher:
    """Takes frames as a window does."""

    def __init__(self, link: ProcessLink | ThreadLink) -> None:
        self.link = link
        self.frames: list[Frame] = []

    @property
    def events(self) -> list[AnyEvent]:
        return [each.event for frame in self.frames for each in frame.events]

    def has[E](self, kind: type[E]) -> E | None:
        return next((event for event in self.events if isinstance(event, kind)), None)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + _LONGEST_S
        while not condition():
            assert time.monotonic() < deadline, (self.link.down, self.events[-5:])
            self.frames += self.link.drain()
            time.sleep(0.002)


@pytest.fixture(params=["process", "thread"])
def watcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watcher]:
    link: ProcessLink | ThreadLink
    if request.param == "process":
        command = (sys.executable, "-m", "app.engine_main")
        link = ProcessLink.spawn(RUN, command=command, log_folder=tmp_path / "logs")
    else:
        link = ThreadLink(lambda: make_session(RUN))
    yield Watcher(link)
    link.close()
    assert link.join(10), "the engine did not end"


def test_orders_fill_behind_the_link_and_the_end_has_figures(watcher: Watcher) -> None:
    watcher.until(lambda: watcher.has(Filled))
    fill = watcher.has(Filled)
    assert fill is not None
    assert any(
        event.order_id == fill.order_id and event.status == "FILLED"
        for event in watcher.events
        if isinstance(event, OrderChanged)
    )
    watcher.link.send(Pause())
    watcher.until(lambda: watcher.has(Refused))
    control = watcher.frames[-1].control
    assert control.mode == "paper"
    assert control.feed_age_s is not None
    assert control.feed_age_s < 5
    assert sum(len(frame.markets[0].quotes) for frame in watcher.frames if frame.markets) > 0
    watcher.link.send(Finish())
    watcher.until(lambda: watcher.has(Results))
    phases = [event.phase for event in watcher.events if isinstance(event, PhaseChanged)]
    assert phases == [Phase.PLAYING, Phase.FINISHED]


def test_stop_ends_it_while_the_market_goes_on(watcher: Watcher) -> None:
    watcher.until(lambda: watcher.has(Filled))
    began = time.monotonic()
    watcher.link.close()
    assert watcher.link.join(5.0)  # a loaded machine; alone it takes a tenth of a second
    assert time.monotonic() - began < 5.0
