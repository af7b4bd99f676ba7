"""The kill switch of the real engine: a strategy hangs in it, its window is gone, and it ends flat."""

import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.__main__ import main
from app.engines import in_process, sessions
from app.paths import home, logs, run_folder
from engine.link.kill_channel import KillLine, Look, Sight
from engine.link.process import ProcessLink
from engine.messages.commands import Play
from engine.messages.events import AnyEvent, HaltChanged, HaltStep, Logged
from engine.messages.run import Mode, Run
from engine.recording.audited import lines, verify
from tests.e2e.hanging_engine import SEEDS
from tests.engine.link.fakes import until

ENGINE = (sys.executable, "-m", "tests.e2e.hanging_engine")

type Begin = Callable[[str, Mode], ProcessLink]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin a real session, whose strategy buys and then hangs in this way."""
    links: list[ProcessLink] = []

    def start(way: str, mode: Mode) -> ProcessLink:
        run = Run(
            instrument="EURUSD.SIM",
            simulate="fx",
            strategy="buy_and_hold",
            seed=SEEDS.index(way),
            mode=mode,
            arm="paper",
            speed=20.0,
        )
        link = ProcessLink.spawn(
            run, command=ENGINE, log_folder=logs(), run_folder=run_folder(), joinable=False
        )
        links.append(link)
        until(link.drain, "the session to be up", 30.0)
        link.send(Play())
        return link

    yield start
    for link in links:
        link.close()
    for link in links:
        assert link.join(10)


def look(link: ProcessLink) -> Sight:
    (endpoint,) = [each for each in sessions() if each.pid == link.pid]
    with KillLine(endpoint.kill_door) as line:
        return line.ask(Look())


def hangs_with_a_position(link: ProcessLink) -> bool:
    link.drain()  # as a window does
    assert link.down is None, link.down
    sight = look(link)
    return bool(sight.silent_s > 0.3 and sight.callback and sight.positions)


def killed(capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    assert main(["kill", "--json", "-"]) == code
    (end,) = json.loads(capsys.readouterr().out)["sessions"]
    told: dict[str, Any] = end
    return told


@pytest.mark.parametrize("mode", ["replay", "paper"])
@pytest.mark.parametrize("way", ["loop", "sleep", "socket"])
def test_a_hanging_strategy_is_stopped_and_its_position_is_closed(
    begin: Begin, capsys: pytest.CaptureFixture[str], way: str, mode: Mode
) -> None:
    link = begin(way, mode)
    until(lambda: hangs_with_a_position(link), "the strategy to hang with a position", 30.0)
    assert look(link).positions[0].quantity > Decimal(0)
    end = killed(capsys)
    assert (end["flat"], end["step"], end["positions"], end["orders"]) == (True, "halted", [], 0)
    events: list[AnyEvent] = []

    def told() -> bool:
        events.extend(each.event for frame in link.drain() for each in frame.events)
        return any(isinstance(each, HaltChanged) and each.step is HaltStep.HALTED for each in events)

    until(told, "the halt's events")
    texts = [each.text for each in events if isinstance(each, Logged)]
    assert any("and was stopped by the kill switch" in text for text in texts)
    assert link.down is None
    link.close()
    assert link.join(10)
    (folder,) = (path for path in (home() / "recordings").iterdir() if path.is_dir())
    assert not verify(folder / "audit.jsonl").problem
    kinds = [(line.kind, line.cause) for line, _ in lines(folder / "audit.jsonl")]
    assert ("halt", "channel") in kinds
    assert any(kind == "order" and cause == "halt" for kind, cause in kinds)


def test_a_strategy_that_nothing_stops_ends_its_engine_with_a_sentence(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    link = begin("deaf", "paper")
    until(lambda: hangs_with_a_position(link), "the strategy to hang with a position", 30.0)
    end = killed(capsys)
    assert end["ended"]
    until(lambda: link.down, "its end")
    assert link.down is not None
    assert link.down.reason.startswith("The engine hung and took no kill")
    assert link.log is not None
    assert "never_stop" in link.log.read_text()


def test_a_key_is_in_nothing_that_a_session_writes_or_shows(tmp_path: Path) -> None:
    key = "planted-9b1c-key"
    link = in_process(
        Run(instrument="EURUSD.SIM", simulate="fx", mode="paper", arm="paper", strategy="buy_and_hold"),
        secrets={"demo": {"key": key}},
    )
    until(link.drain, "the session to be up", 30.0)
    until(lambda: link.drain() and look(link).positions, "a position", 30.0)
    process = psutil.Process(link.pid)
    assert key not in " ".join([*process.cmdline(), *process.environ().values()])

    def holders() -> list[Path]:
        files = [path for root in (home(), tmp_path) for path in root.rglob("*") if path.is_file()]
        assert len(files) > 3
        return [path for path in files if key.encode() in path.read_bytes()]

    assert holders() == []
    link.close()
    assert link.join(10)
    assert holders() == []
