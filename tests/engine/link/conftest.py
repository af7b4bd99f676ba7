"""Links to the fake session, ended after each test."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.link.process import ProcessLink
from engine.link.thread import ThreadLink
from engine.messages.run import Run
from tests.engine.link.fakes import make_session

ENGINE = (sys.executable, "-m", "tests.engine.link.fakes")

type Spawn = Callable[..., ProcessLink]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Spawn an engine process around the fake session; it is gone after the test."""
    links: list[ProcessLink] = []

    def start(strategy: str = "none", **options: Any) -> ProcessLink:
        run = Run(instrument="EURUSD.SIM", strategy=strategy)
        links.append(ProcessLink.spawn(run, command=ENGINE, log_folder=tmp_path / "logs", **options))
        return links[-1]

    yield start
    for link in links:
        link.close()
    for link in links:
        assert link.join(10), "the engine did not end"


@pytest.fixture(params=["process", "thread"])
def link(request: pytest.FixtureRequest) -> Iterator[ProcessLink | ThreadLink]:
    """The fake session, hosted either way."""
    made: ProcessLink | ThreadLink
    if request.param == "process":
        made = request.getfixturevalue("spawn")()
        yield made
    else:
        run = Run(instrument="EURUSD.SIM")
        made = ThreadLink(lambda: make_session(run), run)
        yield made
        made.close()
        assert made.join(10), "the session did not end"
