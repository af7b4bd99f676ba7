"""Forecasts from a background thread, as in live trading: the market never waits for the model."""

import threading
from array import array
from time import perf_counter_ns
from typing import NamedTuple, override

import numpy as np

from ai.features import Market
from ai.features.pieces import Piece
from ai.inference.ensemble import Ensemble
from ai.inference.news import NO_NEWS
from ai.inference.reading import FOUR
from ai.inference.streaming import Streaming
from ai.inference.telling import failed, stage, without_answer
from ai.runtime.predictor import Floats
from ai.runtime.worker import Worker
from engine.messages.columns import Rows
from engine.messages.frames import Explanation, ModelHealth, Stage
from engine.messages.run import InferenceMode
from engine.signals.protocols import Forecast, Needs


class Asked(NamedTuple):
    """One row that waits for its answer; windows are views that nobody writes to any more."""

    ts: int
    row: int
    price: float
    volatility: float
    windows: list[Floats]
    are_whole: list[bool]


class Answered(NamedTuple):
    """Its answer; `silent` is the first model that gave no number, where one did not."""

    forecast: Forecast
    silent: str


class Background:
    """The thread that asks an ensemble, for any number of streams.

    Parameters
    ----------
    ensemble : Ensemble
    deadline_ns : int
        How long a row may wait.

    Attributes
    ----------
    lock : Lock
        Held while the models are asked; few runtimes may be asked by two threads at once.
    """

    def __init__(self, ensemble: Ensemble, deadline_ns: int) -> None:
        self._ensemble = ensemble
        self.lock = threading.Lock()
        self.worker: Worker[Asked, Answered] = Worker(self._answer, deadline_ns=deadline_ns)

    def _answer(self, asked: list[Asked]) -> list[Answered]:
        members = self._ensemble.members
        told = np.full((len(members), len(asked), FOUR), np.nan, np.float32)
        are_whole = np.array([each.are_whole for each in asked]).T
        for place, member in enumerate(members):
            windows = [each.windows[place] for each in asked if each.are_whole[place]]
            if windows:
                with self.lock:
                    told[place, are_whole[place]] = member.read(np.concatenate(windows))
        silent = np.isnan(told[:, :, 3]) & are_whole
        answers = []
        for at, (each, numbers) in enumerate(zip(asked, self._ensemble.combined(told).tolist(), strict=True)):
            down, flat, up, score = numbers
            forecast = Forecast(each.ts, each.row, down, flat, up, score, each.price, each.volatility)
            name = members[int(silent[:, at].argmax())].recipe.name if silent[:, at].any() else ""
            answers.append(Answered(forecast, name))
        return answers


class ThreadedStream(Streaming):
    """Asks in the background; each event returns the newest forecast that was finished since the last."""

    mode: InferenceMode = "thread"

    def __init__(
        self,
        ensemble: Ensemble,
        market: Market,
        needs: Needs,
        background: Background,
        news: Piece = NO_NEWS,
    ) -> None:
        super().__init__(ensemble, market, needs, news)
        self._background = background
        self._line = background.worker.line()

    @override
    def _asked(self, ts: int, price: float, begun: int) -> Forecast | None:
        first = self.inputs[0]
        windows, are_whole = [each.window for each in self.inputs], [each.is_whole for each in self.inputs]
        self._line.ask(Asked(ts, first.rows - 1, price, first.volatility, windows, are_whole))
        self._examine()
        self.feature_latency.record(perf_counter_ns() - begun)
        return self._unasked()

    @override
    def _unasked(self) -> Forecast | None:
        answer = self._line.newest()
        if answer is None:
            if self._line.failure and not self.sick:
                self.sick = failed(self.ensemble.name, self._line.failure)
            return None
        if answer.silent and self.needs.sick_on_nan:
            self.sick = self.sick or without_answer(answer.silent)
        self.last_ts = answer.forecast.ts
        return answer.forecast

    @override
    def take_rows(self) -> Rows:
        """Rows that were answered since the last call."""
        for answer in self._line.take():
            forecast = answer.forecast
            self.painted.add(forecast.ts, array("f", forecast[2:6]))
        return super().take_rows()

    @override
    def explain(self, ts: int) -> Explanation:
        """Why the newest row at or before `ts` got its numbers."""
        with self._background.lock:
            return super().explain(ts)

    @override
    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model up to market time `now`."""
        self.predictions = self._line.answered
        self.dropped, self.queued = self._line.dropped, self._line.queued
        return super().health(now)

    @override
    def stages(self) -> list[Stage]:
        """Durations of the steps from a tick to a forecast."""
        worker = self._background.worker
        return [
            stage("feature", self.feature_latency),
            stage("queue", worker.queue_latency),
            stage("inference", worker.inference_latency),
        ]

    @override
    def close(self) -> None:
        """Ask no more."""
        self._line.close()
