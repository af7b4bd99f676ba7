"""Opens the models of a run, and is what the engine asks for forecasts."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ai.inference.ensemble import Combine, Ensemble, Member
from ai.inference.predicted import MemoryDraft
from ai.inference.recipe import Recipe
from ai.inference.streaming import InlineStream
from ai.inference.whole_range import WholeRange, predict_range
from ai.loading import Inspection, Question, inspect
from ai.loading.opening import open_predictor
from ai.runtime.devices import resolve_device
from ai.runtime.predictor import warm_up_rows
from app.commands.model import known_features
from app.feature_tables import MarketPieces, market
from engine.columns import Columns
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Inference, ModelUse
from engine.signals.protocols import Model, ModelFacts, Needs, Range, Stream

_LEAST_LATENCY_NS: Final = 1_000


def open_model(inference: Inference, instrument: Instrument, combine: Combine = "mean") -> Model:
    """Open, check and warm up the models of a run.

    Parameters
    ----------
    inference : Inference
    instrument : Instrument
        That they are asked about.
    combine : {"mean", "vote", "weighted"}
        How several become one.

    Raises
    ------
    UserError
        A file is refused or changed, a model cannot run in a session, or several cannot be one.
    """
    if not inference.models:
        raise UserError("The run names no model; give one with --model FILE.")
    members = [_member(use, inference) for use in inference.models]
    return LoadedModel(Ensemble(members, combine), inference)


def _member(use: ModelUse, inference: Inference) -> Member:
    found = inspect(Path(use.file), Question(known_features=known_features, measure=False))
    recipe = _recipe(found, use)
    predictor = open_predictor(found, resolve_device(inference.device))
    predictor.warm_up()
    recipe.reading.check(predictor.predict(warm_up_rows(predictor.signature)).shape[1], recipe.name)
    return Member(recipe, predictor, found.sha256, use.weight, 50.0)


def _recipe(found: Inspection, use: ModelUse) -> Recipe:
    name = Path(use.file).name
    if use.sha256 and use.sha256 != found.sha256:
        raise UserError(f"{name} has changed since it was chosen; look at it again and arm it anew.")
    if not found.accepted:
        raise UserError(f"{name} is refused: {found.reason}")
    if found.passport is None:
        raise UserError(f"{name} has no passport; map its inputs to features first.")
    return Recipe.of(found.passport)


class LoadedModel:
    """One model or ensemble, loaded and warm."""

    def __init__(self, ensemble: Ensemble, inference: Inference) -> None:
        self._ensemble = ensemble
        self.facts = _facts(ensemble, inference)

    def stream(self, instrument: Instrument, needs: Needs, *, threaded: bool = False) -> Stream:
        """Begin a run, row by row."""
        return InlineStream(self._ensemble, market(instrument), needs)

    def over(self, instrument: Instrument, chunks: Iterable[Mapping[str, Columns]], needs: Needs) -> Range:
        """Predict all rows of the market data that these chunks hold."""
        begun = time.perf_counter()
        making = MarketPieces(self.facts.streams, self.facts.levels, self.facts.bars)
        pieces = (making.of(chunk) for chunk in chunks)
        predicted = predict_range(self._ensemble, pieces, market(instrument), needs, MemoryDraft())
        return WholeRange(self._ensemble, predicted, time.perf_counter() - begun)

    def close(self) -> None:
        """Give back what the models hold."""
        for member in self._ensemble.members:
            member.predictor.close()


def _facts(ensemble: Ensemble, inference: Inference) -> ModelFacts:
    recipes = [member.recipe for member in ensemble.members]
    rows, spans = zip(*(recipe.horizon for recipe in recipes), strict=True)
    trained = [each for recipe in recipes if (each := recipe.trained) is not None]
    latency_us = inference.latency_us
    if latency_us is None:
        latency_us = sum(member.latency_us for member in ensemble.members)
    return ModelFacts(
        name=ensemble.name,
        clock=ensemble.clock,
        streams=frozenset[str]().union(*(recipe.streams for recipe in recipes)),
        levels=max(recipe.features.levels for recipe in recipes),
        bars=next((recipe.features.bars for recipe in recipes if "bars" in recipe.streams), ""),
        is_regression=ensemble.is_regression,
        horizon_rows=min((each for each in rows if each is not None), default=None),
        horizon_ns=min((each for each in spans if each is not None), default=None),
        latency_ns=max(round(latency_us * 1_000), _LEAST_LATENCY_NS),
        trained=(min(first for first, _ in trained), max(last for _, last in trained)) if trained else None,
        flat_within=max(recipe.flat_within for recipe in recipes),
    )
