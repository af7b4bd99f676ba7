"""`nexttick paper` and `nexttick live`: a session in a process of its own, watched by a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.__main__ import main
from app.engines import check_alone
from app.profiles import Profiles
from engine.link.endpoint import Endpoint, new_door, write_endpoint
from engine.messages.connection import Connection
from engine.messages.run import Run

_ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTTICK_HOME", str(tmp_path))


def test_paper_trades_on_a_generated_market_until_its_data_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, fills = tmp_path / "answer.json", tmp_path / "fills.csv"
    run = ["--simulate", "crypto", "--end", "2026-01-05T09:00:20", "--strategy", "buy_and_hold"]
    assert main(["paper", *run, "--speed", "max", "--json", str(answer), "--fills", str(fills)]) == 0
    said = json.loads(answer.read_text())
    assert said["orders"] == 1
    assert said["fills"] == len(fills.read_text().splitlines()) - 1 > 0
    assert said["open_position"]
    assert "paper trading" in capsys.readouterr().err


def test_paper_stops_when_its_time_is_up(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    assert main(["paper", "--simulate", "fx", "--minutes", "0.01", "--json", str(answer)]) == 0
    assert json.loads(answer.read_text())["orders"] == 0


def test_a_halt_is_told_where_there_is_no_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "risk.toml").write_text("[kill]\norders_per_second = 0\n")
    run = ["--simulate", "crypto", "--end", "2026-01-05T09:00:20", "--strategy", "buy_and_hold"]
    answer = tmp_path / "answer.json"
    assert main(["paper", *run, "--speed", "max", "--json", str(answer)]) == 0
    assert "Kill switch (" in capsys.readouterr().err
    assert any("Kill switch (" in line for line in json.loads(answer.read_text())["warnings"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["paper"], "--simulate fx or crypto"),
        (["paper", "--simulate", "fx", "--minutes", "0"], "more than 0"),
        (["paper", "--simulate", "fx", "--speed", "fast"], "0.1 to 1000, or max"),
        (["paper", "--profile", "nowhere", "--instrument", "A.B"], "no connection profile yet"),
        (["live", "--profile", "nowhere", "--instrument", "A.B"], "no connection profile yet"),
        (["live"], "--profile"),
    ],
)
def test_what_cannot_start_says_why(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_live_refuses_without_its_accounts_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "connections" / "trial.toml"
    profile.parent.mkdir()
    profile.write_text('adapter = "binance_futures"\naccount = "MINE"\n')
    command = ["live", "--profile", "trial", "--instrument", "BTCUSDT-PERP.BINANCE"]
    assert main(command) == 2
    assert "add --arm MINE" in capsys.readouterr().err
    assert main([*command, "--arm", "YOURS"]) == 2
    assert "Nothing was started" in capsys.readouterr().err
    assert main([*command, "--simulate", "fx", "--arm", "MINE"]) == 2
    assert "--simulate" in capsys.readouterr().err
    assert main(["paper", *command[1:], "--simulate", "fx"]) == 2
    assert "no --simulate" in capsys.readouterr().err


def test_settings_that_cannot_be_used_stop_a_command_and_stay_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "connections" / "mine.toml"
    profile.parent.mkdir()
    profile.write_text('adapter = "binance_futures"\nenvironment = "live"\n')
    settings = tmp_path / "settings.toml"
    settings.write_text('live_trading = "yes"\n')
    command = ["live", "--profile", "mine", "--instrument", "BTCUSDT-PERP.BINANCE", "--arm", "mine"]
    assert main(command) == 2
    assert "live_trading is a text, not true or false; correct it" in capsys.readouterr().err
    assert main(["paper", "--simulate", "fx", "--minutes", "0.01"]) == 2
    assert "live_trading is a text" in capsys.readouterr().err
    assert settings.read_text() == 'live_trading = "yes"\n'
    settings.unlink()
    assert main(command) == 2
    assert "until live_trading = true stands in its settings.toml" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="there a process is ended without such a signal")
def test_who_ends_the_program_is_told_what_came_of_it(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    (tmp_path / "risk.toml").write_text("[account]\norder_quantity = 0\n")
    command = ["paper", "--simulate", "crypto", "--strategy", "buy_and_hold", "--json", str(answer)]
    with subprocess.Popen(
        [sys.executable, "-m", "app", *command], cwd=_ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        assert any(b"refused" in line for line in running.stderr), "it never came to trade"
        running.terminate()
        assert running.wait(60) == 0
    assert json.loads(answer.read_text())["ticks"] >= 0


def test_no_second_live_session_trades_the_same_over_one_connection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = Connection(name="trial", adapter="binance_futures", parameters={"account": "MINE"})
    Profiles().save(connection)
    run = Run(instrument="BTCUSDT-PERP.BINANCE", mode="live", connection=connection)
    first = Endpoint(id="4711", door=None, kill_door=new_door(), pid=os.getpid(), run=run)
    write_endpoint(tmp_path / "run", first)
    command = ["live", "--profile", "trial", "--arm", "MINE", "--instrument"]
    assert main([*command, "BTCUSDT-PERP.BINANCE"]) == 2
    assert "live over trial already, by session 4711; attach to that one" in capsys.readouterr().err
    check_alone(run, own="4711")
    check_alone(msgspec.structs.replace(run, instrument="ETHUSDT-PERP.BINANCE"))
