"""`nexttick kill`: sessions that are well, hang, or do not answer at all."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.__main__ import main
from app.commands import kill
from app.engines import running, sessions
from app.paths import logs, run_folder
from engine.link.kill_channel import KillLine, Look
from engine.link.process import ProcessLink
from engine.messages.commands import Play
from engine.messages.run import Mode, Run
from tests.engine.link.fakes import until
from tests.engine.link.test_watchdog import ENGINE

type Begin = Callable[..., ProcessLink]


def hangs(link: ProcessLink) -> bool:
    (endpoint,) = [each for each in sessions() if each.pid == link.pid]
    with KillLine(endpoint.kill_door) as line:
        return line.ask(Look()).silent_s > 0.2


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin a session, which hangs in this way once it is up."""
    links: list[ProcessLink] = []

    def start(way: str = "none", mode: Mode = "replay") -> ProcessLink:
        link = ProcessLink.spawn(
            Run(instrument="EURUSD.SIM", strategy=way, mode=mode),
            command=ENGINE,
            log_folder=logs(),
            run_folder=run_folder(),
            joinable=False,
        )
        links.append(link)
        until(lambda: link.drain() or link.down, "the session to be up")
        if way != "none":
            link.send(Play())
            until(lambda: hangs(link), "the strategy to hang")
        return link

    yield start
    for link in links:
        link.close()
    for link in links:
        assert link.join(10)


def answer(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    assert main(["kill", *arguments, "--json", "-"]) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def sentence(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["kill", *arguments]) == 2
    return capsys.readouterr().err.strip()


def test_without_a_session_there_is_nothing_to_kill(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No session runs" in sentence(capsys)
    assert "--wait nan is not possible" in sentence(capsys, "--wait", "nan")
    assert answer(capsys, 0, "--list") == {"sessions": []}


def test_the_one_session_is_halted_and_its_steps_are_told(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    link = begin()
    (listed,) = answer(capsys, 0, "--list")["sessions"]
    assert (listed["id"], listed["orders"], listed["fired"]) == (str(link.pid), 1, None)
    assert "2 EURUSD.SIM" in listed["text"]
    assert running() == [], "nobody is offered to join it"
    assert [endpoint.pid for endpoint in sessions()] == [link.pid]
    (end,) = answer(capsys, 0, "--reason", "lunch")["sessions"]
    assert (end["flat"], end["fired"], end["step"], end["positions"]) == (True, "lunch", "halted", [])
    assert main(["kill"]) == 0
    told = capsys.readouterr()
    assert "halted and flat" in told.out
    assert f"{link.pid}: So it is." in told.err


def test_of_several_sessions_one_is_named_or_all(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    links = [begin(), begin()]
    told = sentence(capsys)
    assert "--all" in told
    assert all(str(link.pid) in told for link in links)
    assert "Unknown session" in sentence(capsys, "--session", "nothing")
    (end,) = answer(capsys, 0, "--session", str(links[1].pid))["sessions"]
    assert end["pid"] == links[1].pid
    fired = {each["pid"]: each["fired"] for each in answer(capsys, 0, "--list")["sessions"]}
    assert fired == {links[0].pid: None, links[1].pid: "nexttick kill"}
    assert {end["flat"] for end in answer(capsys, 0, "--all")["sessions"]} == {True}


@pytest.mark.parametrize("way", ["sleep", "loop"])
def test_a_strategy_that_hangs_is_stopped_and_it_is_told(
    begin: Begin, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    begin(way)
    assert main(["kill"]) == 0
    assert "stopped by the kill switch" in capsys.readouterr().err


def test_an_engine_that_nothing_stops_is_told_as_not_flat_where_money_is_real(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    begin("deaf", "live")
    (end,) = answer(capsys, 1)["sessions"]
    assert not end["flat"]
    assert "positions may be open" in end["text"]
    assert answer(capsys, 0, "--list") == {"sessions": []}


def test_an_engine_that_does_not_answer_at_all_is_ended(
    begin: Begin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kill, "_SILENT_S", 1.0)
    link = begin()
    os.kill(link.pid, signal.SIGSTOP)
    assert answer(capsys, 0, "--list")["sessions"][0]["answers"] is False
    (end,) = answer(capsys, 0)["sessions"]
    assert "its process was ended" in end["text"]
    until(lambda: not psutil.pid_exists(link.pid), "its end")


def test_a_halt_that_takes_too_long_is_not_called_done(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    begin("deaf")
    (end,) = answer(capsys, 1, "--wait", "0.3")["sessions"]
    assert "is not flat after 0.3 s" in end["text"]
    assert end["orders"] == 1


def test_what_is_no_endpoint_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    run_folder().mkdir(parents=True)
    (run_folder() / "1.json").write_text("{}")
    Path(run_folder() / "2.draft").write_text("")
    assert "No session runs" in sentence(capsys)
