"""Real ONNX models in back-tests and replays: asked beforehand or tick by tick, the fills are the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.engine_main import make_session, model_of
from app.paths import CONFIGS
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.messages.commands import Finish, Seek
from engine.messages.events import AnyEvent, EpochBegan, Filled, SignalActed, Signalled
from engine.messages.run import Inference, ModelUse, Run
from engine.session.backtest import backtest, random_windows, replay_headless
from engine.session.source import open_source
from engine.store import Store
from tests.ai.inference.models import feature_set, lstm, mlp, passport, written, zscore
from tests.ai.inference.test_both_forms import deeplob_passport
from tests.engine.session.markets import FX, obey, quotes
from tests.recordings import recording

EURUSD, ETHUSDT = "EURUSD.DUKASCOPY", "ETHUSDT.BINANCE"
LOOSE = {"enter": 0.45, "exit": 0.3, "cool_down_s": 5.0}


def recorded(folder: Path, instrument: str, relative: str) -> Path:
    """Tick store with one recording."""
    known = KnownInstruments.load(CONFIGS / "instruments.toml", folder / "none.toml")
    import_files([recording(relative)], instrument, Store(folder / "store"), known, Source())
    return folder / "store"


def an_lstm(folder: Path) -> ModelUse:
    features = feature_set()
    width = len(features.outputs)
    told = passport(features, 50, "probabilities", normaliser=zscore([1.0] * width, [2.0] * width))
    return written(folder, lstm(50, width), told)


def a_perceptron(folder: Path, name: str = "tested", seed: int = 1) -> ModelUse:
    features = feature_set()
    width = len(features.outputs)
    told = passport(features, 5, name=name, normaliser=zscore([1.0] * width, [3.0] * width))
    return written(folder, mlp(5, width, seed=seed), told)


def run_of(store: Path, instrument: str, *uses: ModelUse, mode: Any = "per-tick", **given: Any) -> Run:
    given = {"parameters": LOOSE, **given}
    inference = Inference(models=uses, mode=mode, latency_us=50.0)
    return Run(instrument=instrument, store=str(store), strategy="ai_signal", inference=inference, **given)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"stop_bps": 0.6, "take_profit_bps": 1.2, "horizon": "seconds", "horizon_s": 60.0},
        {"sizing": "kelly", "stop_bps": 1.0, "take_profit_bps": 1.5, "cap_pct": 50.0},
        {"sizing": "volatility", "target_volatility_bps": 0.5, "on_opposite": "exit"},
    ],
    ids=["fixed", "exits", "kelly", "volatility"],
)
@pytest.mark.parametrize("make", [an_lstm, a_perceptron])
def test_on_the_recorded_dukascopy_day_both_ways_fill_alike(
    make: Any, parameters: dict[str, Any], tmp_path: Path
) -> None:
    store = recorded(tmp_path, EURUSD, "fx/dukascopy/EURUSD/2019/01/04")
    end = int(Store(store).read(EURUSD, "quotes").ts_init[8_000])
    use = make(tmp_path)
    made = {}
    for mode in ("batch", "per-tick"):
        run = run_of(store, EURUSD, use, mode=mode, parameters={**LOOSE, **parameters}, end_ns=end)
        source = open_source(run)
        made[mode] = backtest(run, source, model_of(run, source))
    batch, by_tick = made["batch"], made["per-tick"]
    assert batch.results.fills > 20
    assert batch.fills == by_tick.fills
    assert batch.results.stats == by_tick.results.stats
    ours, theirs = batch.results.inference, by_tick.results.inference
    assert ours is not None
    assert theirs is not None
    assert (ours.predictions, ours.decisions) == (theirs.predictions, theirs.decisions)


def test_random_windows_and_a_seek_back_change_no_fill(tmp_path: Path) -> None:
    store = recorded(tmp_path, EURUSD, "fx/dukascopy/EURUSD/2019/01/04")
    times = Store(store).read(EURUSD, "quotes").ts_init
    use = a_perceptron(tmp_path)
    parameters = {**LOOSE, "stop_bps": 0.8, "take_profit_bps": 1.0}
    run = run_of(store, EURUSD, use, parameters=parameters, end_ns=int(times[3_000]))
    source = open_source(run)
    straight = backtest(run, source, model_of(run, source))
    cut = replay_headless(run, source, model_of(run, source), window_events=random_windows(3))
    assert cut.fills == straight.fills
    session = make_session(run)
    obey(session, Seek(int(times[2_500])))  # type: ignore[arg-type]
    events = obey(session, Seek(int(times[1_000])))  # type: ignore[arg-type]
    events += obey(session, Finish())  # type: ignore[arg-type]
    session.close()
    began = max(at for at, event in enumerate(events) if isinstance(event, EpochBegan))
    assert [event for event in events[began:] if isinstance(event, Filled)] == straight.fills


def test_deeplob_trades_the_recorded_binance_book_the_same_both_ways(tmp_path: Path) -> None:
    file = recording("models/deeplob_onnx/model_b1.onnx")
    store = recorded(tmp_path, ETHUSDT, "crypto/binance_raw/spot/ethusdt_20240808.gz")
    features = feature_set("book", [{"name": "deeplob", "levels": 10}])
    use = written(tmp_path, file.read_bytes(), deeplob_passport(file, features))
    times = Store(store).read(ETHUSDT, "deltas").ts_init
    parameters = {"enter": 0.36, "exit": 0.3, "cool_down_s": 0.1}
    outcomes = []
    for mode in ("batch", "per-tick"):
        run = run_of(store, ETHUSDT, use, mode=mode, parameters=parameters, end_ns=int(times[0]) + 60 * 10**9)
        source = open_source(run)
        outcomes.append(backtest(run, source, model_of(run, source)))
    assert outcomes[0].results.inference is not None
    assert outcomes[0].results.inference.predictions > 100
    assert outcomes[0].fills == outcomes[1].fills


# On the command line


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Store(tmp_path / "store").add(FX, {"quotes": quotes()})
    return tmp_path / "store"


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_a_model_alone_is_followed_and_its_figures_are_told(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_perceptron(tmp_path).file
    what = ("--instrument", FX.id, "--store", store, "--model", file, "--signal-latency-us", "70")
    back = run_json(capsys, "backtest", *what)
    again = run_json(capsys, "replay", "--headless", "--windows", "random", *what)
    assert back["fills"] > 5
    assert back["predictions"] > 5_000
    assert back["predictions_per_s"] > 0
    assert back["decisions"] > 5
    assert back["signal_latency_us"] == 70.0
    for name in ("fills_sha256", "predictions", "decisions", "signal_latency_us"):
        assert back[name] == again[name]
    kept = run_json(capsys, "backtest", *what)
    assert (kept["predictions"], kept["predictions_per_s"]) == (back["predictions"], None)
    assert main([*map(str, ("backtest", *what))]) == 0
    assert f"{back['predictions']:,} (kept from an earlier run)" in capsys.readouterr().out
    slow = run_json(capsys, "backtest", *what[:-1], "500000")
    assert slow["fills_sha256"] != back["fills_sha256"]


def test_models_are_named_by_file_or_by_the_registrys_name_and_weighted(
    store: Path, tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = a_perceptron(tmp_path), a_perceptron(tmp_path, "other", seed=5)
    run_json(capsys, "model", "import", one.file)
    where = ("--instrument", FX.id, "--store", store, "--signal-latency-us", "50")
    by_file = run_json(capsys, "backtest", *where, "--model", one.file)
    by_name = run_json(capsys, "backtest", *where, "--model", "tested")
    assert by_name["fills_sha256"] == by_file["fills_sha256"]
    both = (*where, "--model", "tested", "--model", other.file, "--param", "ensemble=weighted")
    alone = run_json(capsys, "backtest", *both, "--weight", "1", "--weight", "0")
    mixed = run_json(capsys, "backtest", *both, "--weight", "1", "--weight", "3")
    assert alone["fills_sha256"] == by_file["fills_sha256"]
    assert mixed["fills_sha256"] != by_file["fills_sha256"]


def test_a_run_file_may_name_the_models(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use = a_perceptron(tmp_path)
    config = tmp_path / "run.toml"
    config.write_text(
        f"""instrument = "{FX.id}"
strategy = "ai_signal"
[inference]
mode = "per-tick"
latency_us = 90
models = [{{ file = '{use.file}' }}]
""",
        encoding="utf-8",
    )
    where = ("backtest", "--config", config, "--store", store)
    assert run_json(capsys, *where)["signal_latency_us"] == 90.0
    assert run_json(capsys, *where, "--signal-latency-us", "80")["signal_latency_us"] == 80.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategy", "ai_signal"), "ai_signal acts on a model; give --model FILE"),
        (("--model", "nothing.onnx"), "nothing.onnx is no file, and no model in the registry"),
        (("--inference", "batch"), "say how a model is asked, and there is none"),
        (("--weight", "2"), "1 weights were given for 0 models"),
    ],
)
def test_what_is_wrong_with_the_models_is_said(
    arguments: tuple[str, ...], words: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refusal(capsys, "backtest", "--instrument", FX.id, "--store", store, *arguments)


def test_a_strategy_that_takes_no_model_is_given_none(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_perceptron(tmp_path).file
    told = refusal(
        capsys,
        *("backtest", "--instrument", FX.id, "--store", store, "--strategy", "ema_cross", "--model", file),
    )
    assert "ema_cross does not act on a model; choose ai_signal" in told


def test_in_a_background_thread_nothing_is_ordered_early(store: Path, tmp_path: Path) -> None:
    run = run_of(store, FX.id, a_perceptron(tmp_path), mode="thread")
    session = make_session(run)
    events: list[AnyEvent] = obey(session, Finish())  # type: ignore[arg-type]
    session.close()
    signals = {event.number: event.ts for event in events if isinstance(event, Signalled)}
    acted = [event for event in events if isinstance(event, SignalActed)]
    assert len(acted) == len(signals)
    assert all(event.ts >= signals[event.signal] + 50_000 for event in acted)
