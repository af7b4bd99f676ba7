"""`nexttick recordings audit`: the log of a session that ran, whole, touched, and taken elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.recordings import recorder_of
from app.settings import Settings
from engine.session.source import SIMULATED_START_NS

RUN = ["--simulate", "crypto", "--strategy", "book_imbalance", "--param", "hold_s=1"]
RUN += ["--end", str(SIMULATED_START_NS + 20 * 10**9)]


def answer(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json", "-"]) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.fixture
def folder(capsys: pytest.CaptureFixture[str]) -> Path:
    return Path(answer(capsys, 0, "backtest", *RUN, "--record")["recording"]["folder"])


def test_a_session_that_ended_left_a_whole_log_of_its_orders(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, 0, "recordings", "audit", folder.name, "--verify")
    assert (found["problem"], found["broken"], found["sealed"]) == ("", None, True)
    to = tmp_path / "audit.json"
    exported = answer(capsys, 0, "recordings", "audit", folder.name, "--export", str(to))
    lines = json.loads(to.read_text())
    assert exported["exported"] == found["lines"] == len(lines)
    kinds = {line["kind"] for line in lines}
    assert {"run", "finish", "verdict", "order", "fill", "position", "account", "seal"} <= kinds
    passed = [line["body"] for line in lines if line["what"] == "verdict"]
    ordered = {line["body"]["order_id"] for line in lines if line["kind"] == "order"}
    assert {verdict["order_id"] for verdict in passed if verdict["denial"] is None} == ordered
    assert all(line["cause"] for line in lines if line["kind"] in ("order", "fill", "verdict"))
    assert main(["recordings", "audit", folder.name]) == 0
    assert "as they were written, and sealed" in capsys.readouterr().out


def test_a_log_that_was_touched_is_told_by_line_and_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "audit.jsonl"
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*whole[:4], whole[4].replace(b"1", b"2", 1), *whole[5:]]))
    found = answer(capsys, 1, "recordings", "audit", folder.name, "--verify")
    assert (found["broken"], found["lines"]) == (5, 4)
    path.write_bytes(b"".join(whole[:-1]))
    assert "without a seal" in answer(capsys, 1, "recordings", "audit", folder.name, "--verify")["problem"]
    path.unlink()
    assert main(["recordings", "audit", folder.name]) == 2
    assert "There is no audit log" in capsys.readouterr().err


def test_only_a_replay_goes_without_a_log_and_only_where_nothing_is_to_be_recorded() -> None:
    assert recorder_of(Settings(record="off")) is None
    assert recorder_of(Settings(), "replay") is not None
    for mode in ("paper", "live"):
        assert recorder_of(Settings(record="off"), mode) is not None
