"""A model without any learning: a made-up function of the market, asked row by row or all at once.

Asked for a range it rounds otherwise than asked alone, as real ones do in large batches.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from math import exp, isnan, log, nan, sqrt
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.bars import BarSpec
from engine.book import Book
from engine.columns import Columns, Deltas, Flag, Quotes, Trades
from engine.completed_bars import CompletedBars
from engine.messages.columns import PREDICTION, Rows, empty
from engine.messages.frames import Contribution, Explanation, ModelHealth
from engine.messages.instrument import Instrument
from engine.messages.run import Inference, ModelUse
from engine.signals.protocols import Forecast, ModelFacts, Needs

INFERENCE = Inference(models=(ModelUse(file="fake.onnx"),))
BATCH = msgspec.structs.replace(INFERENCE, mode="batch")

FACTS = ModelFacts(
    name="fake",
    clock="quotes",
    streams=frozenset({"quotes"}),
    levels=0,
    bars="",
    is_regression=False,
    horizon_rows=40,
    horizon_ns=None,
    latency_ns=50_000,
    trained=None,
)


def facts(**changed: Any) -> ModelFacts:
    values = {name: getattr(FACTS, name) for name in FACTS.__slots__}
    return ModelFacts(**{**values, **changed})


def f4(value: float) -> float:
    """Nearest single-precision number."""
    return float(np.float32(value))


class FakeStream:
    """Scores how far the price is above its recent average; the first rows say nothing.

    `silent_at` is the row whose input has no value; it is asked of every `stride`-th row, and answers `late`
    rows later.
    """

    def __init__(
        self, told: ModelFacts, needs: Needs, silent_at: int | None, stride: int = 1, late: int = 0
    ) -> None:
        self._stride, self._waiting = stride, deque[Forecast | None]([None] * late)
        self.clock: list[tuple[int, float]] = []
        self.sick = ""
        self.closed = False
        self.told: list[Forecast] = []
        self._facts, self._needs, self._silent_at = told, needs, silent_at
        self._warm = 5 if told.clock == "bars" else 50
        self._row = -1
        self._average = self._volatility = 0.0
        self._last = nan
        self._shown = 0

    def on_quote(self, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> Forecast | None:
        return self._ask(ts, (bid + ask) / 2, bid_size - ask_size) if self._facts.clock == "quotes" else None

    def on_trade(self, ts: int, price: float, size: float, aggressor: float) -> Forecast | None:
        return self._ask(ts, price, size * aggressor) if self._facts.clock == "trades" else None

    def on_book(
        self,
        ts: int,
        bid_prices: list[float],
        bid_sizes: list[float],
        ask_prices: list[float],
        ask_sizes: list[float],
    ) -> Forecast | None:
        assert {len(side) for side in (bid_prices, bid_sizes, ask_prices, ask_sizes)} == {self._facts.levels}
        if self._facts.clock != "book":
            return None
        if isnan(bid_prices[0]) or isnan(ask_prices[0]):
            self._row += 1
            self.clock.append((ts, nan))
            return None
        return self._ask(ts, (bid_prices[0] + ask_prices[0]) / 2, sum(bid_sizes) - sum(ask_sizes))

    def on_bar(
        self, ts: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> Forecast | None:
        return self._ask(ts, close, volume) if self._facts.clock == "bars" else None

    def _ask(self, ts: int, price: float, size: float) -> Forecast | None:
        self._row += 1
        self.clock.append((ts, price))
        change = 0.0 if isnan(self._last) else log(price / self._last)
        self._last = price
        self._average = price if not self._row else self._average + (price - self._average) / 30
        self._volatility += (change * change - self._volatility) / 100
        if self._row < self._warm or (self._row - self._warm) % self._stride:
            return self._answer(None)
        usual = sqrt(self._volatility * 30) + 1e-9
        away = (price / self._average - 1.0) / usual * 2.0 + 1e-9 * (size % 7)
        if self._row == self._silent_at:
            away = nan
            if self._needs.sick_on_nan:
                self.sick = "Input 'away' has no value."
        forecast = self._forecast(ts, price, away)
        return self._answer(forecast)

    def _answer(self, forecast: Forecast | None) -> Forecast | None:
        self._waiting.append(forecast)
        answer = self._waiting.popleft()
        if answer is not None:
            self.told.append(answer)
        return answer

    def _forecast(self, ts: int, price: float, away: float) -> Forecast:
        volatility = sqrt(self._volatility * 100) if self._needs.volatility_ns else nan
        if self._facts.is_regression:
            down = flat = up = nan
            score = f4(away)
        else:
            weights = 1.0, 1.2, exp(min(50.0, max(-50.0, away))) if not isnan(away) else nan
            total = sum(weights)
            down, flat, up = (f4(weight / total) for weight in weights)
            score = f4(up - down)
        return Forecast(ts, self._row, down, flat, up, score, price, volatility)

    def take_rows(self) -> Rows:
        rows, self._shown = rows_of(self.told[self._shown :]), len(self.told)
        return rows

    def explain(self, ts: int) -> Explanation:
        return explained([each for each in self.told if each.ts <= ts])

    def health(self, now: int) -> list[ModelHealth]:
        return [health(len(self.told))]

    def close(self) -> None:
        self.closed = True


class FakeRange:
    """All that a stream says, its last bits off."""

    def __init__(self, stream: FakeStream, forecasts: list[Forecast], sick_from: int) -> None:
        self._exact = rows_of(forecasts)
        self._forecasts = forecasts
        self.rows = self._exact.copy()
        noise = np.random.default_rng(1).uniform(-2e-6, 2e-6, len(forecasts))
        for name in ("down", "up", "score"):
            self.rows[name] += noise
        self.row = np.array([each.row for each in forecasts], np.int64)
        self.price = np.array([each.price for each in forecasts])
        self.volatility = np.array([each.volatility for each in forecasts])
        self.sick, self.sick_from = stream.sick, sick_from
        self.clock_ts = np.array([ts for ts, _ in stream.clock], np.int64)
        self.clock_price = np.array([price for _, price in stream.clock])
        self.seconds, self.is_kept = 0.5, False
        self.asked_alone = 0

    def alone(self, indices: npt.NDArray[np.int64]) -> Rows:
        self.asked_alone += len(indices)
        return self._exact[indices]

    def explain(self, ts: int) -> Explanation:
        return explained([each for each in self._forecasts if each.ts <= ts])

    def health(self, now: int) -> list[ModelHealth]:
        return [health(sum(each.ts <= now for each in self._forecasts))]


class FakeModel:
    """See `FakeStream`."""

    def __init__(
        self, told: ModelFacts = FACTS, silent_at: int | None = None, stride: int = 1, late: int = 0
    ) -> None:
        self.facts = told
        self.closed = False
        self.streams: list[FakeStream] = []
        self.ranges = 0
        self._how = silent_at, stride, late

    def stream(self, instrument: Instrument, needs: Needs, *, threaded: bool = False) -> FakeStream:
        self.streams.append(FakeStream(self.facts, needs, *self._how))
        return self.streams[-1]

    def over(
        self, instrument: Instrument, chunks: Iterable[Mapping[str, Columns]], needs: Needs
    ) -> FakeRange:
        self.ranges += 1
        stream = FakeStream(self.facts, needs, *self._how)
        sick_from = None
        for forecast in _fed(stream, chunks):
            if sick_from is None and stream.sick and forecast is not None:
                sick_from = len(stream.told) - 1
        return FakeRange(stream, stream.told, len(stream.told) if sick_from is None else sick_from)

    def close(self) -> None:
        self.closed = True


def _fed(stream: FakeStream, chunks: Iterable[Mapping[str, Columns]]) -> Iterator[Forecast | None]:
    book, levels = Book(), stream._facts.levels
    bars = CompletedBars(BarSpec.parse(stream._facts.bars)) if stream._facts.bars else None
    for chunk in chunks:
        if bars is not None:
            closed, times = bars.closed(chunk["quotes"])
            price, size = 10.0**closed.price_precision, 10.0**closed.size_precision
            for at, ts in enumerate(times.tolist()):
                high, low, close = closed.high[at] / price, closed.low[at] / price, closed.close[at] / price
                yield stream.on_bar(ts, closed.open[at] / price, high, low, close, closed.volume[at] / size)
        events = [
            (int(ts), order, row)
            for order, kind in enumerate(("deltas", "quotes", "trades"))
            if kind in chunk and (kind if kind != "deltas" else "book") in stream._facts.streams
            for row, ts in enumerate(chunk[kind].ts_init)
        ]
        start = 0
        for ts, order, row in sorted(events):
            columns = chunk[("deltas", "quotes", "trades")[order]]
            price, size = 10.0**columns.price_precision, 10.0**columns.size_precision
            if isinstance(columns, Quotes):
                bid, ask = columns.bid[row] / price, columns.ask[row] / price
                yield stream.on_quote(
                    ts, bid, ask, columns.bid_size[row] / size, columns.ask_size[row] / size
                )
            elif isinstance(columns, Trades):
                traded = columns.price[row] / price, columns.size[row] / size
                yield stream.on_trade(ts, *traded, float(columns.aggressor[row]))
            elif isinstance(columns, Deltas) and columns.flags[row] & Flag.LAST:
                book.apply(columns.take(slice(start, row + 1)))
                start = row + 1
                sides = [
                    _padded(side / (price, size), levels) for side in (book.bids(levels), book.asks(levels))
                ]
                yield stream.on_book(ts, *sides[0], *sides[1])
        if "deltas" in chunk:
            rest = chunk["deltas"].take(slice(start, None))
            assert isinstance(rest, Deltas)
            book.apply(rest)  # an update that the next chunk ends


def _padded(side: Any, levels: int) -> tuple[list[float], list[float]]:
    missing = levels - len(side)
    return side[:, 0].tolist() + [nan] * missing, side[:, 1].tolist() + [0.0] * missing


def rows_of(forecasts: list[Forecast]) -> Rows:
    if not forecasts:
        return empty(PREDICTION)
    return np.array([(each.ts, each.down, each.flat, each.up, each.score) for each in forecasts], PREDICTION)


def explained(forecasts: list[Forecast]) -> Explanation:
    if not forecasts:
        return Explanation(asked_ts=0, problem="No row was asked yet.")
    newest = forecasts[-1]
    return Explanation(
        asked_ts=0,
        ts=newest.ts,
        model="fake",
        contributions=[Contribution("away", newest.price, 0.1)],
        output=[newest.down, newest.flat, newest.up],
        class_names=("down", "flat", "up"),
        score=newest.score,
    )


def health(predictions: int) -> ModelHealth:
    return ModelHealth(
        name="fake",
        sha256="00",
        arming="armed",
        mode="per-tick",
        runtime="fake",
        device="cpu",
        predictions=predictions,
    )
