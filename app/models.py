"""The models of a run, as the engine asks them: row by row, in the background, or a whole range at once."""

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from ai.features.pieces import Piece
from ai.features.sources import NEWS
from ai.inference.cache import PredictionCache
from ai.inference.ensemble import Combine, Ensemble
from ai.inference.measuring import Measurements
from ai.inference.news import NO_NEWS, NewsPieces
from ai.inference.predicted import Draft, MemoryDraft, Predicted
from ai.inference.recipe import Recipe
from ai.inference.streaming import InlineStream
from ai.inference.threaded import Background, ThreadedStream
from ai.inference.whole_range import WholeRange, predict_range
from ai.registry import Registry
from app.feature_tables import MarketPieces, bar_kind, market
from app.market_hash import MarketHash
from app.model_files import ModelFiles
from app.paths import home
from engine.columns import Columns
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Inference
from engine.signals.protocols import ModelFacts, Needs, Range, Stream

type Chunks = Iterable[Mapping[str, Columns]]

_LEAST_LATENCY_NS: Final = 1_000
_CACHE_VERSION: Final = 2
_PIECE_ROWS: Final = 20_000
_HELD_BYTES: Final = 256 << 20


def open_model(
    inference: Inference, instrument: Instrument, combine: Combine = "mean", news: Piece = NO_NEWS
) -> "LoadedModel":
    """Open, check and warm up the models of a run.

    Parameters
    ----------
    inference : Inference
    instrument : Instrument
        That they are asked about.
    combine : {"mean", "vote", "weighted"}
        How several become one.
    news : Piece
        Headlines of the run's series that concern the instrument, also from before its start.

    Raises
    ------
    UserError
        A file is refused or changed, a model cannot run in a session, or several cannot be one.
    """
    files = ModelFiles(Registry(home() / "models"), Measurements(home() / "measurements.json"))
    cache = PredictionCache(home() / "predictions")
    return LoadedModel.open(inference, instrument, combine, files, cache, news)


class LoadedModel:
    """One model or ensemble, loaded and warm; see `engine.signals.protocols.Model`.

    Parameters
    ----------
    ensemble : Ensemble
    inference : Inference
    instrument : Instrument
    cache : PredictionCache or None
        Keeps predictions of whole ranges; None keeps them in memory, for this range alone.
    news : Piece
        Headlines, for models that read them.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        inference: Inference,
        instrument: Instrument,
        cache: PredictionCache | None = None,
        news: Piece = NO_NEWS,
    ) -> None:
        self._ensemble, self._cache = ensemble, cache
        self._deadline_ns = round(inference.deadline_ms * 1e6)
        self._background: Background | None = None
        self.facts = _facts(ensemble, inference, instrument, news)
        self._news = news if NEWS in self.facts.streams else NO_NEWS

    @classmethod
    def open(
        cls,
        inference: Inference,
        instrument: Instrument,
        combine: Combine,
        files: ModelFiles,
        cache: PredictionCache | None,
        news: Piece = NO_NEWS,
    ) -> "LoadedModel":
        """Open the files of a run's models; see `open_model`."""
        if not inference.models:
            raise UserError("The run names no model; give one with --model FILE.")
        members = []
        try:
            for use in inference.models:
                members.append(files.open(use, inference, market(instrument)))  # noqa: PERF401 - closed below
            return cls(Ensemble(members, combine), inference, instrument, cache, news)
        except BaseException:
            for member in members:
                member.predictor.close()
            raise

    def stream(self, instrument: Instrument, needs: Needs, *, threaded: bool = False) -> Stream:
        """Begin a run, row by row."""
        if not threaded:
            return InlineStream(self._ensemble, market(instrument), needs, self._news)
        if self._background is None:
            self._background = Background(self._ensemble, self._deadline_ns)
        return ThreadedStream(self._ensemble, market(instrument), needs, self._background, self._news)

    def over(self, instrument: Instrument, chunks: Chunks, needs: Needs) -> Range:
        """Predict all rows of the market data that these chunks hold.

        Chunks that can be gone through only once are held in memory, others only while they are few.

        Raises
        ------
        UserError
            Predictions cannot be kept.
        """
        if self._cache is None:
            return self._predicted(instrument, chunks, needs, MemoryDraft())
        bars_of = bar_kind(self.facts.bars) if self.facts.bars else ""
        data = MarketHash(self.facts.streams, bars_of, self._news)
        chunks = _hashed(chunks, data)
        key = self._key(instrument, data.told(), needs)
        begun = time.perf_counter()
        found = self._cache.find(key)
        if found is not None:
            return WholeRange(self._ensemble, found, time.perf_counter() - begun, is_kept=True)
        return self._predicted(instrument, chunks, needs, self._cache.draft(key))

    def close(self) -> None:
        """Give back what the models hold."""
        if self._background is not None:
            self._background.worker.close()
        for member in self._ensemble.members:
            member.predictor.close()

    def _predicted(self, instrument: Instrument, chunks: Chunks, needs: Needs, draft: Draft) -> WholeRange:
        pieces = _Pieces(self.facts, chunks, self._news)
        begun = time.perf_counter()
        try:
            predicted: Predicted = predict_range(self._ensemble, pieces, market(instrument), needs, draft)
        except BaseException:
            draft.drop()
            raise
        return WholeRange(self._ensemble, predicted, time.perf_counter() - begun - pieces.reading_s)

    def _key(self, instrument: Instrument, data: str, needs: Needs) -> str:
        """Hash of all that predictions of this range depend on."""
        members = [
            (
                member.sha256,
                hashlib.sha256(member.recipe.passport.to_json()).hexdigest(),
                member.recipe.features.sha256,
                member.predictor.runtime,
                member.predictor.device,
                member.weight,
            )
            for member in self._ensemble.members
        ]
        tick_size = str(instrument.tick_size)
        told = (_CACHE_VERSION, data, tick_size, members, self._ensemble.combine, needs)
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _hashed(chunks: Chunks, data: MarketHash) -> Chunks:
    """Hash all chunks; they can then be gone through again, from memory where they are few."""
    held: list[Mapping[str, Columns]] = []
    left = math.inf if isinstance(chunks, Iterator) else _HELD_BYTES
    for chunk in chunks:
        data.take(chunk)
        left -= sum(array.nbytes for columns in chunk.values() for array in columns.arrays().values())
        if left > 0:
            held.append(chunk)
        else:
            held.clear()
    return held if left > 0 else chunks


class _Pieces:
    """Chunks as pieces of a size that costs little, and how long reading them took."""

    def __init__(self, facts: ModelFacts, chunks: Chunks, news: Piece) -> None:
        self._facts, self._chunks, self._news = facts, chunks, news
        self.reading_s = 0.0

    def __iter__(self) -> Iterator[dict[str, Piece]]:
        facts = self._facts
        making = MarketPieces(facts.streams, facts.levels, facts.bars)
        news = NewsPieces(self._news)
        for columns in self._whole():
            now = max(int(part.ts_init[-1]) for part in columns.values())
            yield making.of(columns) | {NEWS: news.until(now)}

    def _whole(self) -> Iterator[Mapping[str, Columns]]:
        """Chunks put together to so many rows at least."""
        waiting: dict[str, list[Columns]] = defaultdict(list)
        rows, chunks = 0, iter(self._chunks)
        while True:
            begun = time.perf_counter()
            chunk = next(chunks, None)
            self.reading_s += time.perf_counter() - begun
            for kind, part in (chunk or {}).items():
                waiting[kind].append(part)
                rows += len(part)
            if rows >= _PIECE_ROWS or (chunk is None and waiting):
                yield {kind: parts[0].concat(parts) for kind, parts in waiting.items()}
                waiting.clear()
                rows = 0
            if chunk is None:
                return


def _facts(ensemble: Ensemble, inference: Inference, instrument: Instrument, news: Piece) -> ModelFacts:
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
        warnings=tuple(_warnings(recipes, instrument, news)),
    )


def _warnings(recipes: list[Recipe], instrument: Instrument, news: Piece) -> Iterator[str]:
    for recipe in recipes:
        if recipe.passport.instruments and instrument.id not in recipe.passport.instruments:
            made_for = ", ".join(recipe.passport.instruments)
            yield (
                f"{recipe.name} was made for {made_for}, not for {instrument.id}; "
                "what it says may mean nothing here."
            )
        if NEWS in recipe.streams and not len(news[0]):
            yield (
                f"{recipe.name} reads news, and the run's series have none of {instrument.id}; "
                "it says nothing before the first."
            )
