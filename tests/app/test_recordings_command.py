"""`nexttick recordings`, and recordings made and replayed from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.__main__ import main
from app.paths import home
from app.settings import SettingsFile
from engine.feeds.news import decode_news
from engine.messages.events import Published
from engine.recording.recording import Recording
from engine.session.source import SIMULATED_START_NS
from engine.store import Store
from engine.store.series import SeriesStore
from tests.recordings import recording

RUN = ["--simulate", "crypto", "--strategy", "book_imbalance", "--param", "hold_s=1"]
RUN += ["--end", str(SIMULATED_START_NS + 20 * 10**9)]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json", "-"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def sentence(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("nexttick: ")
    return told


@pytest.fixture
def recorded(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return answer(capsys, "backtest", *RUN, "--record")


def test_a_backtest_records_only_where_it_is_asked_to(capsys: pytest.CaptureFixture[str]) -> None:
    plain = answer(capsys, "backtest", *RUN)
    assert "recording" not in plain
    assert answer(capsys, "recordings", "list") == {"recordings": [], "problems": []}
    recorded = answer(capsys, "backtest", *RUN, "--record")
    assert recorded["fills_sha256"] == plain["fills_sha256"]
    assert recorded["recording"]["state"] == "recording"
    [listed] = answer(capsys, "recordings", "list")["recordings"]
    assert Path(recorded["recording"]["folder"]).name == listed["id"]
    assert (listed["ending"], listed["rows_lost"]) == ("ended with its session", 0)


def test_news_of_a_recorded_session_are_told_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = SIMULATED_START_NS + 5 * 10**9
    wire = decode_news(f"time,title\n{at},Rates unchanged\n".encode(), "x.csv", "news").series["news"]
    SeriesStore(tmp_path).add("news", wire)
    words = [*RUN, "--store", str(tmp_path), "--series", "news", "--record"]
    first = Path(answer(capsys, "backtest", *words)["recording"]["folder"])
    for command in (["replay", "--headless"], ["backtest"]):
        again = answer(capsys, *command, "--recording", first.name, "--record")["recording"]["folder"]
        told = [line.event for line in Recording(Path(again)).lines() if isinstance(line.event, Published)]
        assert [(each.ts, each.title) for each in told] == [(at, "Rates unchanged")]


def test_a_recording_is_replayed_by_its_id_to_the_same_fills(
    recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(recorded["recording"]["folder"]).name
    for given in (name, recorded["recording"]["folder"]):
        again = answer(capsys, "replay", "--headless", "--recording", given, *RUN[2:6])
        assert again["fills_sha256"] == recorded["fills_sha256"]
    for command in (["replay", "--headless"], ["backtest"]):
        assert answer(capsys, *command, "--recording", name)["fills_sha256"] == recorded["fills_sha256"]
    assert answer(capsys, "backtest", "--recording", name, "--strategy", "none")["fills"] == 0
    rarer = answer(capsys, "backtest", "--recording", name, "--param", "hold_s=5")
    assert 0 < rarer["fills"] < recorded["fills"]
    assert "Unknown recording" in sentence(capsys, "replay", "--headless", "--recording", "nothing")
    assert "leave out one" in sentence(capsys, "backtest", "--recording", name, "--simulate", "fx")
    assert "is of BTCUSDT.SIM, not EURUSD.SIM" in sentence(
        capsys, "backtest", "--recording", name, "--instrument", "EURUSD.SIM"
    )


def test_info_counts_what_happened(recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    name = Path(recorded["recording"]["folder"]).name
    told = answer(capsys, "recordings", "info", name)
    assert told["lines"]["fill"] == recorded["fills"]
    assert told["lines"]["finish"] == 1
    assert sum(told["rows"].values()) == recorded["recording"]["rows"]
    assert main(["recordings", "info", name]) == 0
    assert "BTCUSDT.SIM, strategy book_imbalance" in capsys.readouterr().out


def test_events_are_exported(
    recorded: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(recorded["recording"]["folder"]).name
    for path, read in ((tmp_path / "e.csv", pl.read_csv), (tmp_path / "e.parquet", pl.read_parquet)):
        assert answer(capsys, "recordings", "export", name, "--to", str(path))["file"] == str(path)
        frame = read(path)
        assert frame["number"].to_list() == list(range(1, len(frame) + 1))
        assert frame.filter(pl.col("what") == "fill").height == recorded["fills"]
    assert "end it with .csv or .parquet" in sentence(capsys, "recordings", "export", name, "--to", "e.txt")


def test_market_data_go_into_the_store_once(
    recorded: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(recorded["recording"]["folder"]).name
    store = str(tmp_path / "store")
    first = answer(capsys, "recordings", "import", name, "--store", store)
    assert sum(first["rows"].values()) == recorded["recording"]["rows"]
    again = answer(capsys, "recordings", "import", name, "--store", store)
    assert sum(again["rows"].values()) == 0
    assert Store(tmp_path / "store").instruments() == ["BTCUSDT.SIM"]
    replayed = answer(capsys, "backtest", "--instrument", "BTCUSDT.SIM", "--store", store, *RUN[2:6])
    assert replayed["fills_sha256"] == recorded["fills_sha256"]


def test_a_recording_is_sent_where_the_settings_say(
    recorded: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(recorded["recording"]["folder"])
    assert "set recording_copies" in sentence(capsys, "recordings", "send", folder.name)
    SettingsFile(home() / "settings.toml").update(recording_copies=str(tmp_path / "copies"))
    assert answer(capsys, "recordings", "send", folder.name)["to"] == [str(tmp_path / "copies")]
    copied = {path.name for path in (tmp_path / "copies" / folder.name).iterdir()}
    assert copied == {path.name for path in folder.iterdir() if path.name != ".lock"}


def test_a_recording_is_deleted(recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(recorded["recording"]["folder"])
    assert answer(capsys, "recordings", "delete", folder.name)["deleted"] == folder.name
    assert not folder.exists()
    assert "There is no recording yet" in sentence(capsys, "recordings", "delete", folder.name)


def test_settings_say_what_is_recorded_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SettingsFile(home() / "settings.toml").update(record="off", recordings=str(tmp_path / "kept"))
    told = answer(capsys, "backtest", *RUN, "--record")["recording"]
    assert Path(told["folder"]).parent == tmp_path / "kept"
    assert told["cap_bytes"] == 2 * 2**30


def test_a_real_market_is_recorded_as_it_is_stored_and_trades_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recorded ETHUSDT book: rows of the recording equal the store's, and the fills are the same."""
    monkeypatch.setenv("NEXTTICK_HOME", str(tmp_path / "home"))
    file, instrument = recording("crypto/binance_raw/spot/ethusdt_20240808.gz"), "ETHUSDT.BINANCE"
    answer(capsys, "import", str(file), "--instrument", instrument)
    run = ["--strategy", "book_imbalance"]
    first = answer(capsys, "backtest", "--instrument", instrument, *run, "--record")
    assert first["fills"] > 0
    (folder,) = (path for path in (home() / "recordings").iterdir() if path.is_dir())
    again = answer(capsys, "backtest", "--recording", folder.name, *run)
    assert again["fills_sha256"] == first["fills_sha256"]
    found = Recording(folder).market()
    for kind in ("quotes", "trades", "deltas"):
        stored = Store(home() / "store").read(instrument, kind)
        parts = list(found[kind].batches())
        rows = type(parts[0]).concat(parts)
        for name, array in stored.arrays().items():
            assert np.array_equal(array, rows.arrays()[name]), (kind, name)
