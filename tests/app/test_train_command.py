import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.training.demo import DEMO, RECIPES, SHOWN_SEED
from app.__main__ import main
from app.commands.features import find_set
from app.demo import demo_run
from app.training_rows import simulated_rows, stored_rows
from engine.feeds.simulated import PROFILES, Simulation, simulate
from engine.messages.run import Run
from engine.store import Store

START_NS = 1_700_000_000 * 10**9
QUICK = ["--set", "demo", "--epochs", "2", "--hidden", "8", "--horizon", "20"]


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(PROFILES["crypto"], seed=8, start_ns=START_NS, seconds=120)


@pytest.fixture(scope="module")
def store(drawn: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    Store(root).add(drawn.instrument, {"quotes": drawn.quotes, "trades": drawn.trades})
    return root


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["train", *arguments, "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_model_of_stored_data_is_one_that_the_station_accepts(
    store: Path, drawn: Simulation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine"
    arguments = ["--instrument", "BTCUSDT.SIM", "--store", str(store), "--out", str(out), *QUICK]
    answer = asked(capsys, *arguments)
    assert (answer["accepted"], answer["golden_ok"]) == (True, True)
    assert set(answer["test"]) == {"model", "logistic", "majority"}
    assert main(["model", "inspect", str(out / "model.onnx"), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["accepted"], found["golden_ok"], found["sha256"]) == (True, True, answer["sha256"])
    assert {check["name"]: check["ok"] for check in found["checks"]}["features"] is True
    passport = found["passport"]
    assert passport["name"] == answer["name"] == "mlp-demo-BTCUSDT.SIM-20rows"
    assert passport["feature_set_sha256"] == find_set("demo").sha256
    assert (passport["instruments"], passport["simulated"]) == (["BTCUSDT.SIM"], False)
    # The same arguments again replace it, and give the same model.
    again = asked(capsys, *arguments)
    assert again["test"] == answer["test"]
    # A run that would make another model says so, and leaves that one as it is.
    kept = {path.name: path.read_bytes() for path in out.iterdir()}
    last = str(drawn.quotes.ts_init[-100])
    for more, said in (
        (["--name", "other"], "holds another model (mlp-demo-BTCUSDT.SIM-20rows)"),
        (["--seed", "2"], "holds a model of the same name with other settings (seed 1, now 2)"),
        (["--end", last], "holds a model of the same name with other training data"),
    ):
        assert main(["train", *arguments, *more]) == 2
        assert f"{said}; choose another folder" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == kept


def test_a_person_sees_progress_and_the_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end = str(START_NS + 120 * 10**9)
    arguments = ["--simulate", "crypto", "--start", str(START_NS), "--end", end, "--seed", "8"]
    lstm = ["--model", "lstm", "--window", "5", "--stride", "3", "--epoch-windows", "300"]
    assert main(["train", *arguments, *lstm, *QUICK, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "epoch   2/2 ████████████████████" in said.err
    assert "windows to train on" in said.err
    assert "Each epoch draws 300 of" in said.err
    for part in (
        "model    logistic    majority",
        "log loss",
        "On the test part the model",
    ):
        assert part in said.out
    assert json.loads((tmp_path / "model.json").read_text())["simulated"] is True


def test_labels_look_at_the_mid_and_rows_are_those_of_the_set(store: Path, drawn: Simulation) -> None:
    features = find_set("demo")
    one = stored_rows(Store(store), features, {"": "BTCUSDT.SIM"})
    assert one.ts.tolist() == drawn.quotes.ts_init.tolist()
    assert one.x.shape == (len(drawn.quotes), len(features.outputs))
    mid = (drawn.quotes.bid + drawn.quotes.ask) / 2 / 10**drawn.quotes.price_precision
    assert one.price == pytest.approx(mid)
    first, last = int(one.ts[1000]), int(one.ts[2000])
    part = stored_rows(Store(store), features, {"": "BTCUSDT.SIM"}, first, last)
    assert (part.ts[0], part.ts[-1]) == (first, last)
    assert np.array_equal(part.price, one.price[1000:2001])
    assert np.array_equal(part.x, one.x[1000:2001], equal_nan=True), "what lies before warms the features up"


@pytest.mark.parametrize("clock", ["trades", "book", "bars"])
def test_every_clock_has_a_price_to_look_at(clock: str, tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(f'clock = "{clock}"\nbars = "1-SECOND-MID"\n[[feature]]\nname = "return"\nwindow = 1\n')
    run = Run(instrument="", simulate="crypto", start_ns=START_NS, end_ns=START_NS + 5 * 10**9)
    instrument, found = simulated_rows(run, find_set(str(path)))
    assert instrument == "BTCUSDT.SIM"
    assert len(found.ts) > 3
    returns = np.log(found.price[1:] / found.price[:-1])
    assert found.x[1:, 0] == pytest.approx(returns, abs=1e-9)


def test_the_recipe_uses_no_market_that_the_demo_shows() -> None:
    seeds = [seed for seed, _ in DEMO.draws]
    assert demo_run().seed == SHOWN_SEED
    assert SHOWN_SEED not in seeds
    assert len(set(seeds)) == len(seeds)
    assert demo_run().simulate == DEMO.market


def test_a_recipe_says_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = msgspec.structs.replace(DEMO.plan, epochs=2)
    tiny = msgspec.structs.replace(
        DEMO, plan=plan, train=(100, 101), validation=(200,), test=(300,), seconds=20
    )
    monkeypatch.setitem(RECIPES, "demo", tiny)
    answers = [asked(capsys, "--recipe", "demo", "--out", str(tmp_path / each)) for each in "ab"]
    assert answers[0]["sha256"] == answers[1]["sha256"], "the same file, byte for byte"
    assert (answers[0]["name"], answers[0]["golden_ok"]) == ("demo-mlp", True)
    assert main(["train", "--recipe", "demo", "--epochs", "3", "--out", str(tmp_path / "c")]) == 2
    assert "says all of it; leave out --epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--instrument SYMBOL.VENUE"),
        (["--instrument", "BTCUSDT.SMI"], "choose BTCUSDT.SIM"),
        (["--instrument", "BTCUSDT.SIM", "--set", "tikc"], "choose tick"),
        (["--instrument", "BTCUSDT.SIM", "--set", "book"], "No book updates"),
        (["--instrument", "BTCUSDT.SIM", "--model", "lstn"], "choose lstm"),
        (["--instrument", "BTCUSDT.SIM", "--label", "barrier"], "--label"),
        (["--instrument", "BTCUSDT.SIM", "--set", "demo", "--horizon", "1h"], "longer than the data"),
        (["--instrument", "BTCUSDT.SIM", "--set", "demo", "--window", "5000"], "too little"),
        (["--instrument", "BTCUSDT.SIM", "--threshold", "wide"], "--threshold"),
        (["--instrument", "BTCUSDT.SIM", "--start", "2030-01-01"], "no rows"),
        (["--simulate", "forex"], "fx"),
        (["--simulate", "fx", "--instrument", "BTCUSDT.SIM"], "leave out the instrument"),
        (["--recipe", "dmeo"], "choose demo"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(
    store: Path, tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments, "--store", str(store), "--out", str(tmp_path / "new")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Computing")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "new").exists()


def test_another_models_folder_is_left_alone_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"somebody's")
    assert main(["train", "--simulate", "fx", "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "holds another model; choose another folder" in line


def test_a_folder_that_cannot_be_written_is_told_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert main(["train", "--simulate", "fx", "--out", str(tmp_path / "file" / "mine")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written (not a directory); choose another folder" in line
