"""What the process that looks at models does for the window: look, keep, map, measure, convert."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ai.passport import Input, Output, write_beside
from ai.registry import Registry
from app.model_loading import answer
from app.model_messages import (
    MEASURED,
    Answer,
    Convert,
    Look,
    Looked,
    Measure,
    Measured,
    Propose,
    Proposed,
    Reply,
    Request,
    UseMapping,
)
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, simulate
from engine.store import Store
from tests.ai.inference.models import TICK, drawn, feature_set, linear, mlp, passport
from tests.ai.loading.onnx_files import graph, model, node, number, port, tensor
from tests.recordings import recording

TICK_COLUMNS = 12


@pytest.fixture
def registry(own_home: Path) -> Registry:
    return Registry(own_home / "models")


@pytest.fixture
def ask() -> Callable[[Request], Answer]:
    """Asks as the window does: what crosses is text."""

    def across(request: Request) -> Answer:
        sent: Request = msgspec.json.decode(msgspec.json.encode(request), type=Request)
        told = msgspec.json.decode(msgspec.json.encode(answer(sent, lambda _: None)), type=Reply)
        assert isinstance(told, Looked | Measured | Proposed)
        return told

    return across


def accepted(ask: Callable[[Request], Answer], path: Path, trust: str = "") -> Looked:
    told = ask(Look(str(path), trust))
    assert isinstance(told, Looked)
    assert told.found.accepted, told.found.reason
    return told


def a_model(folder: Path) -> Path:
    """A model with a passport."""
    path = folder / "tested.onnx"
    path.write_bytes(mlp(1, len(TICK)))
    write_beside(passport(feature_set()), folder)
    return path


def test_an_accepted_model_is_kept_once_and_measured(
    ask: Callable[[Request], Answer], registry: Registry, tmp_path: Path
) -> None:
    told = accepted(ask, a_model(tmp_path))
    assert told.entry is not None
    kept = registry.path(told.entry)
    assert told.found.path == str(kept)
    assert accepted(ask, kept).entry == told.entry
    assert registry.entries() == [told.entry]
    measured = ask(Measure(told.found, told.entry))
    assert isinstance(measured, Measured)
    assert measured.choice.best == "onnxruntime-cpu"
    assert not measured.is_flat
    assert registry.entries()[0].metrics[MEASURED] > 0
    mine = registry.add(told.found, name="mine")
    assert accepted(ask, kept).entry == mine


def test_a_model_that_always_answers_the_same_is_found_out(
    ask: Callable[[Request], Answer], tmp_path: Path
) -> None:
    path = a_model(tmp_path)
    path.write_bytes(linear(np.zeros((len(TICK), 1), np.float32), bias=1.0))
    write_beside(passport(feature_set(), meaning="value", classes=()), tmp_path)
    told = accepted(ask, path)
    measured = ask(Measure(told.found, told.entry))
    assert isinstance(measured, Measured)
    assert measured.is_flat


def test_a_model_without_a_passport_is_mapped_and_kept_with_it(
    ask: Callable[[Request], Answer], registry: Registry, tmp_path: Path
) -> None:
    market = simulate(PROFILES["fx"], seed=8, start_ns=1_700_000_000 * 10**9, seconds=120)
    Store(tmp_path / "store").add(market.instrument, {"quotes": market.quotes})
    path = tmp_path / "stranger.onnx"
    path.write_bytes(mlp(1, TICK_COLUMNS))
    told = accepted(ask, path)
    assert told.entry is None
    assert registry.entries() == []
    proposed = ask(Propose(told.found, kinds=("quotes", "trades")))
    assert isinstance(proposed, Proposed)
    assert (proposed.features, proposed.output, proposed.window, proposed.problem) == ("tick", "y", None, "")
    assert set(proposed.sets) == {"tick", "book"}
    assert proposed.classes == ("down", "flat", "up")
    mapping = UseMapping(
        told.found,
        features="tick",
        output="y",
        meaning="logits",
        classes=("up", "flat", "down"),
        horizon="10s",
        fit_on="EURUSD.SIM",
        store=str(tmp_path / "store"),
    )
    mapped = ask(mapping)
    assert isinstance(mapped, Looked)
    assert mapped.entry is not None
    assert mapped.found.passport is not None
    assert mapped.found.passport.normaliser.kind == "zscore"
    assert mapped.found.passport.label is not None
    assert mapped.found.passport.label.class_names == ("up", "flat", "down")
    assert registry.passport(mapped.entry) == mapped.found.passport
    with pytest.raises(UserError, match="3 classes and 2 are named"):
        ask(msgspec.structs.replace(mapping, classes=("up", "down")))


def test_a_window_that_the_file_leaves_free_is_asked_for(
    ask: Callable[[Request], Answer], tmp_path: Path
) -> None:
    newest = node("Gather", ["x", "last"], ["row"], attributes=[number("axis", 1)])
    body = graph(
        [newest, node("MatMul", ["row", "w"], ["y"])],
        [port("x", "float32", ["batch", "rows", TICK_COLUMNS])],
        [port("y", "float32", ["batch", 3])],
        [tensor("w", drawn(TICK_COLUMNS, 3)), tensor("last", np.array(-1, np.int64))],
    )
    path = tmp_path / "stranger.onnx"
    path.write_bytes(model(body))
    proposed = ask(Propose(accepted(ask, path).found))
    assert isinstance(proposed, Proposed)
    assert proposed.window == 50
    assert any("window is free" in told for told in proposed.assumed)


def test_a_trusted_program_is_kept_as_data(
    ask: Callable[[Request], Answer], registry: Registry, tmp_path: Path
) -> None:
    path = Path(shutil.copy(recording("models/torchscript/cartpole_traced.pt"), tmp_path))
    features = feature_set(features=TICK[:4])
    written = passport(
        features,
        name="cartpole",
        inputs=(Input(name="observation", dtype="float32", shape=("batch", 4), columns=features.outputs),),
        outputs=(
            Output(name="action", dtype="float32", shape=("batch", 2), meaning="logits"),
            Output(name="value", dtype="float32", shape=("batch", 1), meaning="unused"),
        ),
        classes=("down", "up"),
    )
    write_beside(written, tmp_path)
    untrusted = ask(Look(str(path)))
    assert isinstance(untrusted, Looked)
    assert untrusted.found.needs_trust
    assert registry.entries() == []
    sha256 = untrusted.found.sha256
    told = accepted(ask, path, trust=sha256)
    converted = ask(Convert(told.found, trust=sha256))
    assert isinstance(converted, Looked)
    assert converted.entry is not None
    assert (converted.found.format, converted.entry.name, converted.entry.version) == ("onnx", "cartpole", 2)
    assert converted.found.passport_from == "inside"
