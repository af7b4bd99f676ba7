"""Models of a run: opened through their gates, measured once, predicted once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.inference.measuring import rounded_up
from ai.loading import Question, inspect
from ai.passport import Golden, Ranges, Span, Tensor
from ai.registry import Registry
from ai.runtime.devices import Device
from app import model_files
from app.paths import home
from engine.columns import Columns, Quotes
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, random_quotes
from engine.messages.run import ModelUse
from engine.signals.protocols import Model, Needs, Range
from tests.ai.inference.models import chunks, feature_set, fed, mlp, opened, passport, written, zscore

FX = PROFILES["fx"].instrument
FEATURES = feature_set()
COLUMNS = len(FEATURES.outputs)
MARKET = random_quotes(3_000, 3, FX, 10**18)
ARRAYS = ("rows", "row", "price", "volatility")


def use_of(folder: Path, seed: int = 1, **changes: Any) -> ModelUse:
    return written(folder, mlp(1, COLUMNS, seed=seed), passport(FEATURES, **changes))


def golden(off: float = 0.0) -> Golden:
    """What `mlp` answers to zeros, or something else."""
    x, y = np.zeros((1, 1, COLUMNS), np.float32), np.full((1, 3), off, np.float32)
    return Golden(inputs={"x": Tensor.of(x)}, outputs={"y": Tensor.of(y)})


# -- opening ----------------------------------------------------------------------------------------------


def test_what_a_run_knows_of_its_model(tmp_path: Path) -> None:
    trained = Ranges(train=Span(start_ns=10, end_ns=20))
    use = use_of(tmp_path, ranges=trained, instruments=("BTCUSDT.SIM",), name="mine", golden=golden())
    model = opened(FX, use, latency_us=0.2)
    facts = model.facts
    assert (facts.name, facts.clock, facts.levels, facts.bars) == ("mine", "quotes", 0, "")
    assert facts.streams == {"quotes"}
    assert (facts.is_regression, facts.horizon_rows, facts.horizon_ns) == (False, 100, None)
    assert (facts.latency_ns, facts.trained) == (1_000, (10, 19))
    assert facts.flat_within == pytest.approx(1e-4)
    assert facts.warnings == (
        "mine was made for BTCUSDT.SIM, not for EURUSD.SIM; what it says may mean nothing here.",
    )
    (told,) = model.stream(FX, Needs()).health(0)
    assert (told.name, told.runtime, told.device, told.warm, told.latency_us) == (
        "mine",
        "onnxruntime",
        "cpu",
        False,
        0.2,
    )
    assert (told.class_names, told.label) == (
        ("down", "flat", "up"),
        "direction over 100 ticks, beyond 1 bps",
    )
    assert told.memory_mb is not None
    model.close()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"expires": "2020-01-01"}, r"model.onnx is refused: It expired on 2020-01-01; train it again."),
        ({"golden": golden(1.0)}, r"model.onnx is refused: Output y differs from the golden one"),
        (
            {"classes": ("a", "b", "c")},
            r"The classes of tested are named a, b, c; name them down, flat and up",
        ),
        ({"meaning": "value", "classes": ()}, r"model.onnx gives 3 numbers where its passport tells of 1"),
    ],
)
def test_a_model_that_cannot_be_armed_is_refused_with_the_reason(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    if "meaning" in changes:
        made = passport(FEATURES, **changes)
        port = msgspec.structs.replace(made.outputs[0], shape=("batch", 3))
        use = written(tmp_path, mlp(1, COLUMNS), msgspec.structs.replace(made, outputs=(port,)))
    else:
        use = use_of(tmp_path, **changes)
    with pytest.raises(UserError, match=told):
        opened(FX, use)


def test_a_file_that_is_no_model_or_another_one_is_refused(tmp_path: Path) -> None:
    use = use_of(tmp_path)
    with pytest.raises(UserError, match="The run names no model"):
        opened(FX)
    with pytest.raises(UserError, match=r"The model .*none.onnx cannot be read \(no such file"):
        opened(FX, ModelUse(file=str(tmp_path / "none.onnx")))
    with pytest.raises(UserError, match=r"model.onnx has changed since it was chosen"):
        opened(FX, msgspec.structs.replace(use, sha256="0" * 64))
    Path(use.file).with_name("model.json").unlink()
    with pytest.raises(UserError, match=r"model.onnx has no passport; map its inputs to features first"):
        opened(FX, use)
    pickle = tmp_path / "model.pkl"
    pickle.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(UserError, match=r"model.pkl is refused: A pickle runs code of its maker"):
        opened(FX, ModelUse(file=str(pickle)))


def test_a_device_that_cannot_run_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use = use_of(tmp_path)
    with pytest.raises(UserError, match="is not here"):
        opened(FX, use, device="cuda:7")
    # As if a GPU were here, and an onnxruntime without CUDA.
    monkeypatch.setattr(model_files, "resolve_device", lambda _setting: Device(0, ""))
    with pytest.raises(
        UserError, match=r"model.onnx cannot run on cuda:0: The installed onnxruntime is built"
    ):
        opened(FX, use, device="cuda:0")
    model = opened(FX, use, device="auto")
    assert model.stream(FX, Needs()).health(0)[0].device == "cpu"
    model.close()


def test_models_that_cannot_be_one_are_refused(tmp_path: Path) -> None:
    trades = feature_set("trades", [{"name": "return", "window": 5}])
    uses = [
        use_of(tmp_path, name="one"),
        written(tmp_path, mlp(1, 1), passport(trades, name="two")),
        written(
            tmp_path,
            mlp(1, COLUMNS, classes=1),
            passport(FEATURES, meaning="value", classes=(), name="three"),
        ),
    ]
    with pytest.raises(UserError, match="one runs on quotes and two on trades; an ensemble needs one clock"):
        opened(FX, *uses[:2])
    with pytest.raises(UserError, match="one and three tell different things"):
        opened(FX, uses[0], uses[2])
    with pytest.raises(UserError, match="Values cannot be voted on"):
        opened(FX, uses[2], uses[2], combine="vote")
    light = msgspec.structs.replace(uses[0], weight=0.0)
    with pytest.raises(UserError, match="weights of an ensemble"):
        opened(FX, light, light, combine="weighted")


def _no_probe(*_: Any, **__: Any) -> Any:
    raise AssertionError("the file was tried in a process of its own")


def test_a_model_of_the_registry_or_of_the_station_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, shipped, strange = (
        use_of(tmp_path, seed, name=name, golden=golden())
        for seed, name in enumerate(("known", "shipped", "new"))
    )
    found = inspect(Path(known.file), Question(measure=False))
    entry = Registry(home() / "models").add(found)
    monkeypatch.setattr("ai.loading.trial.IsolatedModel", _no_probe)
    monkeypatch.setattr(model_files, "RESOURCES", Path(shipped.file).parent)
    for use in (known, shipped, ModelUse(file=str(Registry(home() / "models").path(entry)))):
        model = opened(FX, use)
        assert fed(model.stream(FX, Needs()), model, chunks(FX, MARKET))
        model.close()
    with pytest.raises(AssertionError, match="process of its own"):
        opened(FX, strange)
    # What the passport promises is proven all the same.
    Path(shipped.file).with_name("model.json").write_bytes(passport(FEATURES, golden=golden(1.0)).to_json())
    with pytest.raises(
        UserError, match=r"model.onnx gives another y in onnxruntime on cpu than in its training"
    ):
        opened(FX, shipped)


# -- what a signal costs here -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("us", "rounded"),
    [(0.2, 1), (1, 1), (1.1, 2), (2, 2), (4.9, 5), (5.1, 10), (12, 20), (21, 50), (99, 100), (101, 200)],
)
def test_latency_is_rounded_up_to_1_2_or_5(us: float, rounded: float) -> None:
    assert rounded_up(us) == pytest.approx(rounded)


def test_latency_is_measured_once_and_then_kept(tmp_path: Path) -> None:
    use = use_of(tmp_path)
    first = opened(FX, use, latency_us=None)
    measured_us = first.facts.latency_ns / 1_000
    assert 1 <= measured_us < 1e6
    assert rounded_up(measured_us) == measured_us
    first.close()
    path = home() / "measurements.json"
    told = msgspec.json.decode(path.read_bytes())
    ((key, kept),) = told["latency_us"].items()
    assert kept == measured_us
    assert key.endswith(" onnxruntime cpu")
    path.write_bytes(msgspec.json.encode({"latency_us": {key: 70.0}}))
    again = opened(FX, use, latency_us=None)
    assert again.facts.latency_ns == 70_000
    again.close()
    given = opened(FX, use, latency_us=3.5)
    assert given.facts.latency_ns == 3_500
    given.close()
    path.write_bytes(b"{")
    third = opened(FX, use, latency_us=None)
    assert third.facts.latency_ns != 70_000
    third.close()


# -- whole ranges are predicted once ----------------------------------------------------------------------


class Market:
    """Chunks that can be gone through again, and how often they were."""

    def __init__(self, quotes: Quotes, rows: int = 3_000) -> None:
        self._quotes, self._rows = quotes, rows
        self.times = 0

    def __iter__(self) -> Iterator[Mapping[str, Columns]]:
        self.times += 1
        return chunks(FX, self._quotes, rows=self._rows)


def equal(one: Range, other: Range) -> bool:
    return (one.sick, one.sick_from) == (other.sick, other.sick_from) and all(
        np.array_equal(
            getattr(one, name), getattr(other, name), equal_nan=getattr(one, name).dtype.names is None
        )
        for name in ARRAYS
    )


def is_cached(model: Model, market: Any, needs: Needs) -> bool:
    entries = home() / "predictions"
    before = set(entries.iterdir()) if entries.exists() else set()
    model.over(FX, market, needs)
    return set(entries.iterdir()) == before


@pytest.mark.parametrize(("held_bytes", "times"), [(0, 2), (1 << 20, 1)])
def test_the_same_range_is_predicted_once(
    held_bytes: int, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.models._HELD_BYTES", held_bytes)
    use = use_of(tmp_path)
    model = opened(FX, use)
    market, needs = Market(MARKET), Needs(volatility_ns=10**9)
    first = model.over(FX, market, needs)
    assert first.seconds > 0
    assert market.times == times
    again = opened(FX, use)
    # Cut otherwise, and only once to be gone through: the same rows all the same.
    second = again.over(FX, chunks(FX, MARKET, rows=500), needs)
    assert equal(first, second)
    assert second.explain(2**62).score == pytest.approx(first.explain(2**62).score)
    (told,), (before,) = second.health(2**62), first.health(2**62)
    assert (told.inputs, told.predictions) == (before.inputs, before.predictions)
    assert np.array_equal(second.alone(np.arange(50)), first.alone(np.arange(50)))
    assert is_cached(again, market, needs)
    again.close()
    model.close()


def test_other_news_are_predicted_anew_by_models_that_read_them(tmp_path: Path) -> None:
    news, other = (
        (np.array([1, 2]), {"sentiment": np.array([0.0, tone]), "importance": np.zeros(2)})
        for tone in (0.5, 1)
    )
    told = passport(feature_set("quotes", [{"name": "news_sentiment"}]), name="of_news")
    use, needs = written(tmp_path, mlp(1, 1), told), Needs()
    assert not is_cached(opened(FX, use, news=news), Market(MARKET), needs)
    assert is_cached(opened(FX, use, news=news), Market(MARKET), needs)
    assert not is_cached(opened(FX, use, news=other), Market(MARKET), needs)
    deaf = use_of(tmp_path)
    assert not is_cached(opened(FX, deaf), Market(MARKET), needs)
    assert is_cached(opened(FX, deaf, news=other), Market(MARKET), needs)


def test_what_the_numbers_depend_on_is_predicted_anew(tmp_path: Path) -> None:
    model = opened(FX, use_of(tmp_path))
    needs = Needs()
    model.over(FX, Market(MARKET), needs)
    ask = MARKET.ask.copy()
    ask[1_000] += 1
    assert is_cached(model, Market(MARKET), needs)
    assert not is_cached(model, Market(MARKET.with_arrays({"ask": ask})), needs)
    assert not is_cached(model, Market(MARKET.take(slice(0, 2_999))), needs)
    assert not is_cached(model, Market(MARKET), Needs(volatility_ns=10**9))
    assert not is_cached(model, Market(MARKET), Needs(max_psi=0.5))
    sequence = MARKET.sequence + 1
    assert is_cached(model, Market(MARKET.with_arrays({"sequence": sequence})), needs), "nobody reads it"
    model.close()
    others = {
        "weights": use_of(tmp_path, seed=9, name="weights"),
        "normaliser": use_of(
            tmp_path, name="normaliser", normaliser=zscore([0.0] * COLUMNS, [2.0] * COLUMNS)
        ),
        "window": written(tmp_path, mlp(1, COLUMNS), passport(FEATURES, name="stride", stride=2)),
    }
    for use in others.values():
        other = opened(FX, use)
        assert not is_cached(other, Market(MARKET), needs)
        other.close()
    two = opened(FX, use_of(tmp_path, name="again"), others["weights"])
    assert not is_cached(two, Market(MARKET), needs)
    two.close()


def test_a_range_that_fails_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.models._HELD_BYTES", 0)
    model = opened(FX, use_of(tmp_path))

    class Failing(Market):
        def __iter__(self) -> Iterator[Mapping[str, Columns]]:
            yield from super().__iter__()
            if self.times == 2:
                raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        model.over(FX, Failing(MARKET), Needs())
    assert list((home() / "predictions").iterdir()) == []
    model.close()


# -- in the background ------------------------------------------------------------------------------------


def test_a_threaded_stream_tells_what_an_inline_one_does(tmp_path: Path) -> None:
    model = opened(FX, use_of(tmp_path), mode="thread", deadline_ms=10_000.0)
    inline, threaded = model.stream(FX, Needs()), model.stream(FX, Needs(), threaded=True)
    fed(inline, model, chunks(FX, MARKET))
    heard = fed(threaded, model, chunks(FX, MARKET))
    assert heard
    (told,) = threaded.health(2**62)
    while told.queued:
        (told,) = threaded.health(2**62)
    model.close()
    rows = {row["ts"]: row["score"] for row in inline.take_rows()}
    answered = threaded.take_rows()
    assert len(answered) + told.dropped == len(rows)
    for row in answered:
        assert row["score"] == pytest.approx(rows[row["ts"]], abs=1e-6)
    for forecast in heard:
        assert forecast.score == pytest.approx(rows[forecast.ts], abs=1e-6)
