"""A model that reads news: trained on stored headlines, run with a run's series, refused without."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.__main__ import main
from app.engine_main import make_session, model_of
from engine.feeds.news import decode_news
from engine.messages.commands import Finish, Seek
from engine.messages.events import AnyEvent, EpochBegan, Filled, Signalled
from engine.messages.run import Inference, InferenceMode, ModelUse, Run
from engine.session.backtest import backtest, random_windows, replay_headless
from engine.session.source import open_source
from engine.store import Store
from engine.store.series import SeriesStore
from tests.ai.inference.models import feature_set, linear, passport, written
from tests.engine.session.markets import FX, obey, quotes

TIMES: list[int] = quotes().ts_init.tolist()
HEADLINES = [
    (TIMES[0] - 10**12, "EUR", 0.0),
    (TIMES[1_000], "EUR", 1.0),
    (TIMES[2_000], "JPY", -1.0),
    (TIMES[2_500], "", -1.0),
    (TIMES[4_000] + 1, "USD", 0.25),
]
RULES = {"enter": 0.5, "exit": 0.3, "cool_down_s": 0.0}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Store(tmp_path / "store").add(FX, {"quotes": quotes()})
    add(tmp_path / "store", "wire", HEADLINES)
    return tmp_path / "store"


def add(store: Path, name: str, headlines: list[tuple[int, str, float]]) -> None:
    lines = [f"{ts},x,{about},{tone},low\n" for ts, about, tone in headlines]
    data = "time,title,subjects,sentiment,impact\n" + "".join(lines)
    SeriesStore(store).add(name, decode_news(data.encode(), "x.csv", name).series[name])


def of_news(folder: Path) -> ModelUse:
    """Model that says the sentiment of the last headline."""
    features = feature_set("quotes", [{"name": "news_sentiment"}])
    weights = np.array([[1.0]], np.float32)
    return written(folder, linear(weights), passport(features, meaning="value", classes=()))


def run_of(store: Path, use: ModelUse, mode: InferenceMode = "per-tick", **given: Any) -> Run:
    inference = Inference(models=(use,), mode=mode, latency_us=50.0)
    given = {"series": ("wire",), "parameters": RULES, **given}
    return Run(instrument=FX.id, store=str(store), strategy="ai_signal", inference=inference, **given)


def test_it_acts_on_a_headline_at_the_first_quote_after_it(store: Path, tmp_path: Path) -> None:
    use = of_news(tmp_path)
    fills = []
    modes: tuple[InferenceMode, ...] = ("batch", "per-tick")
    for mode in modes:
        session = make_session(run_of(store, use, mode))
        events: list[AnyEvent] = obey(session, Finish())  # type: ignore[arg-type]
        session.close()
        signals = [(each.ts, each.direction) for each in events if isinstance(each, Signalled)]
        assert signals == [(TIMES[1_001], 1), (TIMES[2_501], -1), (TIMES[4_001], 0)]
        fills.append([each for each in events if isinstance(each, Filled)])
    assert len(fills[0]) >= 3
    assert fills[0] == fills[1]


def test_windows_and_a_seek_back_change_no_fill(store: Path, tmp_path: Path) -> None:
    run = run_of(store, of_news(tmp_path))
    source = open_source(run)
    straight = backtest(run, source, model_of(run, source))
    cut = replay_headless(run, source, model_of(run, source), window_events=random_windows(3))
    assert cut.fills == straight.fills
    session = make_session(run)
    obey(session, Seek(TIMES[3_000]))  # type: ignore[arg-type]
    events = obey(session, Seek(TIMES[500]))  # type: ignore[arg-type]
    events += obey(session, Finish())  # type: ignore[arg-type]
    session.close()
    began = max(at for at, event in enumerate(events) if isinstance(event, EpochBegan))
    assert [event for event in events[began:] if isinstance(event, Filled)] == straight.fills


def test_only_the_runs_own_series_are_read(store: Path, tmp_path: Path) -> None:
    add(store, "calendar", [(TIMES[500], "GBP", 1.0)])
    use = of_news(tmp_path)
    run = run_of(store, use, series=("calendar",))
    source = open_source(run)
    outcome = backtest(run, source, model_of(run, source))
    assert outcome.fills == []
    assert any("the run's series have none of EURUSD.SIM" in each for each in outcome.warnings)


def test_without_series_it_is_refused_in_one_sentence(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["backtest", "--instrument", FX.id, "--store", str(store), "--model", of_news(tmp_path).file]
    words += [part for name, value in RULES.items() for part in ("--param", f"{name}={value:g}")]
    assert main(words) == 2
    assert "tested reads news, and this run names none" in capsys.readouterr().err
    assert main([*words, "--series", "wier"]) == 2
    assert "choose wire" in capsys.readouterr().err
    assert main([*words, "--series", "wire", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["fills"] >= 3


def test_one_is_trained_on_stored_headlines_and_run(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen, out = tmp_path / "of_news.toml", tmp_path / "model"
    chosen.write_text(
        'clock = "quotes"\n[[feature]]\nname = "return"\nwindow = 5\n[[feature]]\nname = "news_sentiment"\n'
    )
    words = ["train", "--set", str(chosen), "--epochs", "1", "--hidden", "4", "--out", str(out)]
    assert main([*words, "--simulate", "fx"]) == 2
    assert "a generated market has none" in capsys.readouterr().err
    assert main([*words, "--instrument", FX.id, "--store", str(store), "--json", "-"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["golden_ok"]
    add(store, "calendar", [(TIMES[500], "GBP", 1.0)])
    words[-1] = str(tmp_path / "other")
    assert main([*words, "--instrument", FX.id, "--store", str(store), "--series", "calendar"]) == 2
    assert "No news of EURUSD.SIM are stored" in capsys.readouterr().err
    words = ["backtest", "--instrument", FX.id, "--store", str(store), "--model", str(out / "model.onnx")]
    assert main([*words, "--series", "wire", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"] > 5_000
