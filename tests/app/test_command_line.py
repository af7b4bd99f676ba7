"""What holds for every command: its name, its version, where its answer goes, and who reads it."""

import subprocess
import sys

import pytest

from app.__main__ import COMMANDS, READER_LEFT, main


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_command_that_is_like_none_is_answered_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    line = said(capsys, "frobnicate")
    assert all(command in line for command in COMMANDS)
    assert said(capsys, "backtset").endswith("choose backtest.")
    assert said(capsys, "imp").endswith("choose import.")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("nexttick 0.")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_demo_lasts_a_time_that_there_is(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "above 0" in said(capsys, "demo", "--offscreen", f"--seconds={seconds}")
    assert "above 0" in said(capsys, "bench", "ui", f"--seconds={seconds}")


def test_a_reader_who_leaves_gets_no_traceback() -> None:
    code = "import sys; from app.__main__ import main; sys.stdin.read(); sys.exit(main(['--help']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate("", timeout=20)
    assert (process.returncode, errors) == (READER_LEFT, "")
