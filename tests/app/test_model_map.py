import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.__main__ import main
from engine.feeds.simulated import PROFILES, simulate
from engine.store import Store
from tests.ai.loading import onnx_files as files
from tests.recordings import recording

SET = """
[[feature]]
name = "spread"
unit = "ticks"
[[feature]]
name = "return"
window = 5
[[feature]]
name = "top_imbalance"
[[feature]]
name = "mid"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    drawn = simulate(PROFILES["fx"], seed=8, start_ns=1_700_000_000 * 10**9, seconds=60)
    Store(root).add(drawn.instrument, {"quotes": drawn.quotes})
    return root


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    (tmp_path / "four.toml").write_text(SET)
    path = tmp_path / "model" / "linear.onnx"
    path.parent.mkdir()
    path.write_bytes(files.linear())
    return path


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main(["model", *map(str, arguments), "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_mapped_file_is_accepted_with_its_passport(
    linear: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    four = linear.parents[1] / "four.toml"
    arguments = ["map", linear, "--set", four, "--horizon", "10s", "--instrument", "EURUSD.SIM"]
    answer = asked(capsys, *arguments, "--store", store, "--rows", 200)
    assert (answer["accepted"], answer["golden_ok"], answer["set"]) == (True, True, "four")
    assert answer["written"] == str(linear.parent / "model.json")
    assert any("down, flat, up" in told for told in answer["assumptions"])
    passport = asked(capsys, "inspect", linear)["passport"]
    assert (passport["origin"], passport["label"]["unit"]) == ("mapping", "ns")
    mids = Store(store).scan("EURUSD.SIM", "quotes").sort("ts_init").head(200).collect()
    assert passport["normaliser"]["fitted_on"]["end_ns"] == mids["ts_init"][-1] + 1
    mid = mids.select((pl.col("bid") + pl.col("ask")).cast(pl.Float64) / 2).to_series()[5:].mean()
    assert passport["normaliser"]["mean"][3] == pytest.approx(mid)


def test_a_passport_goes_where_it_is_wanted(
    linear: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    four = linear.parents[1] / "four.toml"
    asked(capsys, "map", linear, "--set", four, "--out", tmp_path / "draft.json")
    assert not (linear.parent / "model.json").exists()
    assert json.loads((tmp_path / "draft.json").read_text())["origin"] == "mapping"
    registry = tmp_path / "registry"
    answer = asked(capsys, "map", linear, "--set", four, "--import", "--registry", registry)
    assert answer["accepted"]
    assert not (linear.parent / "model.json").exists()
    (entry,) = asked(capsys, "list", "--registry", registry)["models"]
    assert (entry["name"], entry["has_passport"]) == ("linear", True)
    (kept,) = (registry / "files").glob(f"{entry['sha256']}-*/linear.onnx")
    assert asked(capsys, "inspect", kept)["golden_ok"]


def test_a_mapping_that_fails_says_why_and_writes_nothing(
    linear: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    four = linear.parents[1] / "four.toml"
    for arguments, told in (
        ([], "takes 4 numbers per row, and no feature set gives so many"),
        (["--set", "tick"], "gives 12 columns and the model takes 4"),
        (["--set", four, "--classes", "down,up"], "tells 3 classes and 2 are named"),
        (["--set", four, "--instrument", "X.SIM", "--store", store], "X.SIM"),
        (["--set", four, "--instrument", "EURUSD.SIM", "--store", store, "--rows", 50], "Only 45 rows"),
        (["--set", four, "--out", linear], "is there already"),
        (["--set", four, "--out", linear.parent / "no" / "x.json"], "there is no folder"),
    ):
        assert main(["model", "map", *map(str, [linear, *arguments])]) == 2
        assert told in capsys.readouterr().err
    assert [path.name for path in linear.parent.iterdir()] == ["linear.onnx"]
    assert main(["model", "map", str(linear), "--set", str(four)]) == 0
    assert "assumed  Its classes are down, flat, up" in capsys.readouterr().out
    assert main(["model", "map", str(linear), "--set", str(four)]) == 2
    assert "model.json is there already" in capsys.readouterr().err


def test_a_recorded_deeplob_is_mapped_and_fitted_on_a_recorded_book(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copy(recording("models/deeplob_onnx/model_b1.onnx"), tmp_path))
    raw = recording("crypto/binance_raw/spot/ethusdt_20240808.gz")
    store, eth = str(tmp_path / "store"), "ETHUSDT.BINANCE"
    assert main(["import", str(raw), "--instrument", eth, "--store", store]) == 0
    capsys.readouterr()
    answer = asked(capsys, "map", path, "--instrument", eth, "--store", store)
    assert (answer["accepted"], answer["golden_ok"], answer["set"]) == (True, True, "deeplob")
    means = answer["passport"]["normaliser"]["mean"]
    assert 2_500 < means[2] < means[0] < 3_000, "bid and ask of an ether that day"
