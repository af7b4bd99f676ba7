"""Small models with passports, and markets to ask them about."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ai.features import FeatureSet
from ai.inference.news import NO_NEWS
from ai.passport import FeatureUse, Input, Label, Normaliser, Output, Passport
from app.feature_tables import MarketPieces
from app.models import open_model
from engine.columns import Columns
from engine.messages.instrument import Instrument
from engine.messages.run import Inference, ModelUse
from engine.session.source import ColumnsSource
from engine.signals.protocols import Forecast, Model, Stream
from tests.ai.loading.onnx_files import graph, model, name, node, number, port, tensor, whole

type Numbers = npt.NDArray[np.float32]

TICK: list[dict[str, Any]] = [
    {"name": "spread", "unit": "ticks"},
    {"name": "microprice", "unit": "bps"},
    {"name": "top_imbalance"},
    {"name": "order_flow_imbalance", "window": 20},
    {"name": "return", "window": "2s"},
    {"name": "realised_volatility", "window": 50},
]


def feature_set(
    clock: str = "quotes", features: Sequence[Mapping[str, Any]] = TICK, bars: str = ""
) -> FeatureSet:
    return FeatureSet.of("test", {"clock": clock, "bars": bars, "feature": list(features)})


# -- ONNX -------------------------------------------------------------------------------------------------


def whole_numbers(called: str, values: Sequence[int]) -> bytes:
    return name(1, called) + b"".join(whole(8, value) for value in values) + whole(20, 7)


def drawn(*shape: int, seed: int = 1) -> Numbers:
    drawn: Numbers = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return drawn / np.float32(np.sqrt(shape[0]))


def mlp(window: int, columns: int, classes: int = 3, hidden: int = 16, seed: int = 1) -> bytes:
    """Logits of a two-layer perceptron over a flat window."""
    flat = np.array([-1, window * columns], np.int64)
    nodes = [
        node("Reshape", ["x", "flat"], ["rows"]),
        node("MatMul", ["rows", "w1"], ["h1"]),
        node("Tanh", ["h1"], ["h"]),
        node("MatMul", ["h", "w2"], ["y"]),
    ]
    tensors = [
        tensor("flat", flat),
        tensor("w1", drawn(window * columns, hidden, seed=seed)),
        tensor("w2", 3 * drawn(hidden, classes, seed=seed + 1)),
    ]
    return _with_ports(nodes, tensors, window, columns, classes)


def lstm(window: int, columns: int, hidden: int = 8, classes: int = 3) -> bytes:
    """Probabilities of an LSTM's last state."""
    nodes = [
        node("Transpose", ["x"], ["xt"], attributes=[whole_numbers("perm", [1, 0, 2])]),
        node("LSTM", ["xt", "w", "r", "b"], ["all", "last"], attributes=[number("hidden_size", hidden)]),
        node("Reshape", ["last", "flat"], ["h"]),
        node("MatMul", ["h", "out"], ["z"]),
        node("Softmax", ["z"], ["y"]),
    ]
    tensors = [
        tensor("w", drawn(1, 4 * hidden, columns)),
        tensor("r", drawn(1, 4 * hidden, hidden)),
        tensor("b", drawn(1, 8 * hidden)),
        tensor("flat", np.array([-1, hidden], np.int64)),
        tensor("out", 3 * drawn(hidden, classes)),
    ]
    return _with_ports(nodes, tensors, window, columns, classes)


def linear(weights: Numbers, bias: float = 0.0) -> bytes:
    """One value: the newest row times `weights` `[F, 1]`, plus `bias`."""
    nodes = [
        node("Reshape", ["x", "flat"], ["rows"]),
        node("MatMul", ["rows", "w"], ["h"]),
        node("Add", ["h", "bias"], ["y"]),
    ]
    tensors = [
        tensor("flat", np.array([-1, len(weights)], np.int64)),
        tensor("w", weights),
        tensor("bias", np.array([bias], np.float32)),
    ]
    return _with_ports(nodes, tensors, 1, len(weights), weights.shape[1])


def logarithm(limit: float) -> bytes:
    """One value of one input x: ln(limit - x)."""
    nodes = [
        node("Reshape", ["x", "flat"], ["rows"]),
        node("Sub", ["limit", "rows"], ["rest"]),
        node("Log", ["rest"], ["y"]),
    ]
    tensors = [
        tensor("flat", np.array([-1, 1], np.int64)),
        tensor("limit", np.array([limit], np.float32)),
    ]
    return _with_ports(nodes, tensors, 1, 1, 1)


def _with_ports(nodes: list[bytes], tensors: list[bytes], window: int, columns: int, outputs: int) -> bytes:
    ports = [port("x", "float32", ["batch", window, columns])], [port("y", "float32", ["batch", outputs])]
    return model(graph(nodes, *ports, tensors))


def safetensors(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Weights of these shapes, drawn at random."""
    header, data = {}, b""
    for seed, (key, shape) in enumerate(shapes.items()):
        part = drawn(*shape, seed=seed).tobytes()
        header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


# -- passports --------------------------------------------------------------------------------------------


def passport(features: FeatureSet, window: int = 1, meaning: str = "logits", **changes: Any) -> Passport:
    """Passport of one of the models above."""
    classes = changes.pop("classes", ("down", "flat", "up"))
    is_value = meaning == "value"
    facts: dict[str, Any] = {
        "name": "tested",
        "task": "regression" if is_value else "classification",
        "inputs": (
            Input(
                name="x",
                dtype="float32",
                shape=("batch", window, len(features.outputs)),
                columns=features.outputs,
            ),
        ),
        "outputs": (
            Output(name="y", dtype="float32", shape=("batch", len(classes) or 1), meaning=meaning),  # type: ignore[arg-type]
        ),
        "features": tuple(msgspec.convert(entry.facts(), FeatureUse) for entry in features),
        "clock": features.clock,
        "bars": features.bars,
        "window": window,
        "label": Label(kind="direction", horizon=100, unit="ticks", threshold=1.0, class_names=classes),
    }
    return Passport(**facts | changes)


def zscore(mean: Sequence[float], std: Sequence[float]) -> Normaliser:
    return Normaliser(kind="zscore", mean=tuple(mean), std=tuple(std))


def written(folder: Path, data: bytes, told: Passport, file_name: str = "model.onnx") -> ModelUse:
    """Model file with its passport beside it."""
    folder = folder / told.name
    folder.mkdir(parents=True)
    path = folder / file_name
    path.write_bytes(data)
    (folder / "model.json").write_bytes(told.to_json())
    return ModelUse(file=str(path))


def opened(instrument: Instrument, *uses: ModelUse, **how: Any) -> Model:
    combine, news = how.pop("combine", "mean"), how.pop("news", NO_NEWS)
    inference = Inference(models=uses, **{"latency_us": 50.0} | how)
    return open_model(inference, instrument, combine, news)


# -- markets ----------------------------------------------------------------------------------------------


def chunks(instrument: Instrument, *columns: Columns, rows: int = 3_000) -> Iterator[Mapping[str, Columns]]:
    for chunk in ColumnsSource(instrument, *columns, rows=rows).chunks():
        yield chunk.columns


def fed(stream: Stream, model: Model, market: Iterable[Mapping[str, Columns]]) -> list[Forecast]:
    """Give a stream the market's events one by one, as the engine does; its forecasts."""
    return [answer for answer, _ in fed_until_sick(stream, model, market)]


def fed_until_sick(
    stream: Stream, model: Model, market: Iterable[Mapping[str, Columns]]
) -> list[tuple[Forecast, str]]:
    """Forecasts with what the stream says of its health after each."""
    facts = model.facts
    making = MarketPieces(facts.streams, facts.levels, facts.bars)
    handlers = {
        "quotes": (stream.on_quote, ("bid", "ask", "bid_size", "ask_size")),
        "trades": (stream.on_trade, ("price", "size", "aggressor")),
        "bars": (stream.on_bar, ("open", "high", "low", "close", "volume")),
    }
    answers = []
    for chunk in market:
        events: list[tuple[int, int, Any, Any]] = []
        for order, (line, (times, columns)) in enumerate(making.of(chunk).items()):
            if line == "book":
                events += [
                    (t, order, stream.on_book, each) for t, each in _books(times, columns, facts.levels)
                ]
            else:
                handler, names = handlers[line]
                rows = zip(*(columns[each].tolist() for each in names), strict=True)
                events += [(t, order, handler, row) for t, row in zip(times.tolist(), rows, strict=True)]
        for ts, _, handler, event in sorted(events, key=lambda event: event[:2]):
            answer = handler(ts, *event)
            if answer is not None:
                answers.append((answer, stream.sick))
    return answers


def _books(ts: Any, columns: Mapping[str, Any], levels: int) -> Iterator[tuple[int, Any]]:
    fields = ("bid_price", "bid_size", "ask_price", "ask_size")
    table = np.stack(
        [[columns[f"{each}_{level}"] for level in range(1, levels + 1)] for each in fields]
    )  # [4, levels, rows]
    for row, t in enumerate(ts.tolist()):
        yield t, [table[place, :, row].tolist() for place in range(4)]
