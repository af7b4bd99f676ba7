"""The models of `bench ai-backtest`: the one that ships and an LSTM; and thresholds at which they trade."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from ai.features import FeatureSet, Market
from ai.loading import wire
from ai.passport import PASSPORT_NAME, Architecture, FeatureUse, Input, Label, Output, Passport, parse
from ai.training.scaling import fitted_normaliser
from app.commands.features import find_set
from app.paths import ROOT
from engine.columns import Quotes
from engine.feeds.simulated import PROFILES, random_quotes
from engine.messages.instrument import Instrument
from engine.signals.decisions import decide_all, rules_of
from engine.signals.protocols import Model, Needs
from engine.strategies import AiSignalParameters

DEMO: Final = ROOT / "resources" / "models" / "demo" / "model.onnx"
INSTRUMENT: Final[Instrument] = PROFILES["crypto"].instrument
SEED: Final = 1
_FITTED_ROWS: Final = 50_000
_WINDOW: Final = 50
_COLUMNS: Final = 8
_SIZES: Final = {"inputs": _COLUMNS, "hidden": 64, "layers": 1, "outputs": 3}
_DECISIONS_PER_QUOTE: Final = 0.002
_LEVELS: Final = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995)


def quotes_of(drawn: int, count: int) -> Quotes:
    """The first `count` quotes of a generated market of `drawn`; another length is another market."""
    return random_quotes(drawn, SEED, INSTRUMENT).take(slice(0, count))


def make_model(kind: str, folder: Path, drawn: int) -> Path:
    """Return the demo model that ships (`mlp`), or write an untrained LSTM(64, 50x8) into `folder`."""
    if kind == "mlp":
        return DEMO
    from ai.runtime.bench_naive import exported  # noqa: PLC0415 - torch, only where a model is made

    tick = find_set("tick")
    features = FeatureSet(kind, tick.title, tick.clock, "", tick.entries[:_COLUMNS])
    data = exported(kind, _SIZES, SEED, (1, _WINDOW, _COLUMNS))
    quotes = quotes_of(drawn, _FITTED_ROWS)
    x = _rows(features, quotes)
    whole = np.isfinite(x).all(axis=1)
    passport = Passport(
        name=f"untrained {kind}",
        task="classification",
        sha256={"model.onnx": hashlib.sha256(data).hexdigest()},
        inputs=(
            Input(
                name="x",
                dtype="float32",
                shape=("batch", _WINDOW, _COLUMNS),
                columns=features.outputs,
            ),
        ),
        outputs=(Output(name="y", dtype="float32", shape=("batch", 3), meaning="logits"),),
        features=tuple(msgspec.convert(entry.facts(), FeatureUse) for entry in features),
        clock=features.clock,
        window=_WINDOW,
        normaliser=fitted_normaliser(x[whole], quotes.ts_init[whole]),
        label=Label(kind="direction", horizon=100, unit="ticks", class_names=("down", "flat", "up")),
        architecture=Architecture(name=kind, sizes=_SIZES),
    )
    (folder / PASSPORT_NAME).write_bytes(passport.to_json())
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


def _rows(features: FeatureSet, quotes: Quotes) -> npt.NDArray[np.float32]:
    price, size = 10.0**quotes.price_precision, 10.0**quotes.size_precision
    table = pl.DataFrame(
        {
            "ts": quotes.ts_init,
            "bid": quotes.bid / price,
            "ask": quotes.ask / price,
            "bid_size": quotes.bid_size / size,
            "ask_size": quotes.ask_size / size,
        }
    )
    market = Market(tick_size=float(INSTRUMENT.tick_size))
    frame = features.batch({"quotes": table.lazy()}, market).collect()
    rows: npt.NDArray[np.float64] = frame.select(features.outputs).to_numpy()
    return rows.astype(np.float32)


def passport_of(path: Path) -> Passport:
    """Passport beside a model of this benchmark."""
    return parse((path.parent / PASSPORT_NAME).read_bytes())


def weights_of(path: Path) -> dict[str, npt.NDArray[np.float32]] | None:
    """Weights that a trained model's ONNX holds, by their names in torch; None where they are seeded."""
    if path != DEMO:
        return None
    budget = wire.Budget()
    graph = wire.grouped(memoryview(path.read_bytes()), budget)[7][0]
    found = {}
    for tensor in wire.grouped(wire.message(graph), budget)[5]:
        told = wire.grouped(wire.message(tensor), budget)
        shape = [size for value in told[1] for size in wire.integers(value)]
        name = wire.text(told[8][0]).removeprefix("network.")
        found[name] = np.frombuffer(wire.message(told[9][0]), "<f4").reshape(shape)
    return found


def thresholds(model: Model, quotes: Quotes) -> tuple[float, float]:
    """Entry and exit at which the model decides about twice in a thousand quotes."""
    asked = model.over(INSTRUMENT, [{"quotes": quotes}], Needs())
    strength = np.maximum(asked.rows["up"], asked.rows["down"])
    leave = float(np.quantile(strength, 0.5))
    found = []
    for level in _LEVELS:
        enter = float(np.quantile(strength, level))
        if leave < enter:
            rules = rules_of(AiSignalParameters(enter=enter, exit=leave), model.facts)
            found.append((len(decide_all(asked, rules).decisions), enter))
    if not found:
        raise RuntimeError("the model says the same of every quote, so no threshold makes it trade")
    wanted = _DECISIONS_PER_QUOTE * len(quotes)
    _, enter = min(found, key=lambda each: abs(each[0] - wanted))
    return enter, leave
