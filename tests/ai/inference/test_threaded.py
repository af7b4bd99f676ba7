"""Forecasts from the background: the newest, late ones counted, failures told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from ai.features import Market
from ai.inference.ensemble import Ensemble, Member
from ai.inference.recipe import Recipe
from ai.inference.threaded import Background, ThreadedStream
from ai.runtime.latency import LatencyHistogram
from ai.runtime.predictor import Floats, InputPort, Memory, Signature
from engine.messages.frames import Explanation
from engine.signals.protocols import Forecast, Needs
from tests.ai.inference.models import feature_set, passport

FEATURES = feature_set("quotes", [{"name": "mid"}, {"name": "top_imbalance"}])
MS = 1_000_000


class SlowPredictor:
    """Answers the newest mid when it is let; a `Predictor`."""

    runtime, device = "fake", "cpu"

    def __init__(self) -> None:
        self.signature = Signature((InputPort("x", "float32", 2),), ("y",), 0, 1)
        self.latency = LatencyHistogram()
        self.asked: list[int] = []
        self.started, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.raises = ""

    def predict(self, x_BTF: Floats) -> Floats:  # noqa: N803 - named by its shape
        self.asked.append(len(x_BTF))
        self.started.release()
        assert self.go.acquire(timeout=10)
        if self.raises:
            raise ValueError(self.raises)
        return x_BTF[:, -1, :1]

    def warm_up(self) -> None: ...

    def run(self, inputs: Any) -> Any: ...

    def memory(self) -> Memory:
        return Memory(None, None)

    def close(self) -> None: ...


@contextmanager
def streaming(predictor: SlowPredictor, count: int = 1, **needs: Any) -> Iterator[list[ThreadedStream]]:
    told = passport(FEATURES, meaning="value", classes=())
    ensemble = Ensemble([Member(Recipe.of(told), predictor, "0" * 64)], "mean")
    background = Background(ensemble, 50 * MS)
    try:
        yield [ThreadedStream(ensemble, Market(0.1), Needs(**needs), background) for _ in range(count)]
    finally:
        predictor.go.release(1_000)
        background.worker.close()


def quote(stream: ThreadedStream, ts: int, size: float = 1.0) -> Forecast | None:
    return stream.on_quote(ts, 2.0 * ts - 1.0, 2.0 * ts + 1.0, size, size)


def eventually(condition: Callable[[], Any]) -> Any:
    waiting = threading.Event()
    for _ in range(2_000):
        if found := condition():
            return found
        waiting.wait(0.005)
    pytest.fail("it did not happen within 10 s")


def test_events_return_the_newest_finished_forecast_and_never_wait() -> None:
    predictor = SlowPredictor()
    with streaming(predictor) as (stream,):
        assert quote(stream, 1) is None
        assert predictor.started.acquire(timeout=10)
        for ts in (2, 3, 4):
            assert quote(stream, ts) is None
        (told,) = stream.health(10)
        assert (told.queued, told.dropped, told.predictions, told.age_ms) == (3, 0, 0, None)
        predictor.go.release(2)
        forecast = eventually(lambda: stream.on_trade(5, 1.0, 1.0, 0.0))
        if forecast.ts == 1:
            forecast = eventually(lambda: stream.on_trade(5, 1.0, 1.0, 0.0))
        assert (forecast.ts, forecast.row, forecast.score, forecast.price) == (4, 3, 8.0, 8.0)
        assert predictor.asked == [1, 3]
        assert stream.on_trade(6, 1.0, 1.0, 0.0) is None
        rows = stream.take_rows()
        assert rows["ts"].tolist() == [1, 2, 3, 4]
        assert rows["score"].tolist() == [2.0, 4.0, 6.0, 8.0]
        assert len(stream.take_rows()) == 0
        (told,) = stream.health(4 + 2 * MS)
        assert (told.mode, told.predictions, told.queued, told.age_ms) == ("thread", 4, 0, 2.0)
        assert [(each.name, each.count) for each in told.stages] == [
            ("feature", 4),
            ("queue", 4),
            ("inference", 2),
        ]


def test_streams_share_a_batch() -> None:
    predictor = SlowPredictor()
    with streaming(predictor, 2) as (one, other):
        quote(one, 1)
        assert predictor.started.acquire(timeout=10)
        quote(one, 2)
        quote(other, 7)
        predictor.go.release(2)
        assert eventually(lambda: other.on_trade(9, 1.0, 1.0, 0.0)).score == 14.0
        assert predictor.asked == [1, 2]
        other.close()
        quote(other, 8)
        assert other.health(9)[0].dropped == 1


def test_a_failure_of_the_model_makes_it_sick() -> None:
    predictor = SlowPredictor()
    predictor.raises = "no kernel image\nfor this device"
    with streaming(predictor) as (stream,):
        quote(stream, 1)
        predictor.go.release(1)
        eventually(lambda: quote(stream, 2) or stream.sick)
        assert stream.sick == (
            "tested failed in the background (ValueError: no kernel image); no more forecasts come of it."
        )
        assert stream.health(3)[0].dropped >= 1


@pytest.mark.parametrize("sick_on_nan", [True, False])
def test_an_input_without_a_value_is_not_asked(sick_on_nan: bool) -> None:
    predictor = SlowPredictor()
    with streaming(predictor, sick_on_nan=sick_on_nan) as (stream,):
        quote(stream, 1, size=0.0)
        assert stream.sick == ("tested got no value for its input top_imbalance." if sick_on_nan else "")
        forecast = eventually(lambda: stream.on_trade(5, 1.0, 1.0, 0.0))
        assert np.isnan(forecast.score)
        assert predictor.asked == []


def test_an_explanation_waits_its_turn() -> None:
    predictor = SlowPredictor()
    with streaming(predictor) as (stream,):
        quote(stream, 1)
        assert predictor.started.acquire(timeout=10)
        explained: list[Explanation] = []
        asking = threading.Thread(target=lambda: explained.append(stream.explain(1)))
        asking.start()
        assert not predictor.started.acquire(timeout=0.2), "two threads asked the model at once"
        predictor.go.release(2)
        asking.join(10)
        assert explained[0].score == 2.0
        assert predictor.asked == [1, 3]
