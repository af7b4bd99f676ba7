"""Forecasts row by row: the market's events in, a forecast out in the same call."""

from array import array
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any, Final

import numpy as np

from ai.features import Market
from ai.features.pieces import Piece
from ai.features.sources import NEWS, STREAMS
from ai.inference.ensemble import Ensemble, Member
from ai.inference.explaining import NOT_YET, TOO_OLD, explain
from ai.inference.inputs import StreamInputs
from ai.inference.news import NO_NEWS, after_news
from ai.inference.reading import FOUR
from ai.inference.telling import drifted, health, stage, without_answer, without_value
from ai.runtime.latency import LatencyHistogram
from engine.messages.columns import PREDICTION, Rows
from engine.messages.frames import Explanation, ModelHealth, Stage
from engine.messages.run import InferenceMode
from engine.signals.protocols import Forecast, Needs

_WAITING_ROWS: Final = 1 << 20


class Painted:
    """Forecasts that nobody painted yet, the newest million at most."""

    def __init__(self) -> None:
        self._ts, self._told = array("q"), array("f")

    def add(self, ts: int, told: "array[float]") -> None:
        """Keep one."""
        self._ts.append(ts)
        self._told.extend(told)
        if len(self._ts) > _WAITING_ROWS:
            half = _WAITING_ROWS // 2
            del self._ts[:half], self._told[: FOUR * half]

    def take(self) -> Rows:
        """Those since the last call, dtype `PREDICTION`."""
        rows = np.empty(len(self._ts), PREDICTION)
        told = np.frombuffer(self._told, np.float32).reshape(-1, FOUR) if len(rows) else np.empty((0, FOUR))
        rows["ts"] = np.frombuffer(self._ts, np.int64) if len(rows) else 0
        for place, name in enumerate(("down", "flat", "up", "score")):
            rows[name] = told[:, place]
        self._ts, self._told = array("q"), array("f")
        return rows


class Streaming:
    """What inline and threaded streams have in common: events in, explanations and health out.

    Attributes
    ----------
    dropped, queued : int
        Rows that were not asked as they came too late, and that wait now.

    Parameters
    ----------
    ensemble : Ensemble
    market : Market
    needs : Needs
    news : Piece
        Headlines of the session and of the time before it, given to models that read them.
    """

    mode: InferenceMode = "per-tick"

    def __init__(self, ensemble: Ensemble, market: Market, needs: Needs, news: Piece = NO_NEWS) -> None:
        self.sick = ""
        self.dropped = self.queued = 0
        self.ensemble, self.needs = ensemble, needs
        self.inputs = [
            StreamInputs(
                member.recipe,
                market,
                volatility_ns=needs.volatility_ns if not place else 0,
                max_psi=needs.max_psi,
            )
            for place, member in enumerate(ensemble.members)
        ]
        self.painted = Painted()
        self.feature_latency, self.inference_latency = LatencyHistogram(), LatencyHistogram()
        self.predictions, self.last_ts = 0, 0
        feeds = {stream: self._feed(stream) for stream in STREAMS}
        if any(NEWS in inputs.feed for inputs in self.inputs):
            clock = ensemble.clock
            feeds[clock] = after_news(news, self._feed(NEWS), feeds[clock])
        self._quote, self._trade, self._book, self._bar = feeds.values()

    def _feed(self, stream: str) -> Callable[..., bool]:
        """Return what gives one event to every member; whether all of them ask for the new row."""
        feeds = [inputs.feed[stream] for inputs in self.inputs if stream in inputs.feed]
        if not feeds:
            return _ignore
        if len(feeds) == 1:
            return feeds[0]  # type: ignore[return-value]  # None of what is not the clock

        def feed_all(*event: Any) -> bool:
            answers = [feed(*event) for feed in feeds]
            return all(answers)

        return feed_all

    # -- events -------------------------------------------------------------------------------------------

    def on_quote(self, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> Forecast | None:
        """One quote."""
        begun = perf_counter_ns()
        if self._quote(ts, bid, ask, bid_size, ask_size):
            return self._asked(ts, (bid + ask) * 0.5, begun)
        return self._unasked()

    def on_trade(self, ts: int, price: float, size: float, aggressor: float) -> Forecast | None:
        """One trade."""
        begun = perf_counter_ns()
        if self._trade(ts, price, size, aggressor):
            return self._asked(ts, price, begun)
        return self._unasked()

    def on_book(
        self,
        ts: int,
        bid_prices: list[float],
        bid_sizes: list[float],
        ask_prices: list[float],
        ask_sizes: list[float],
    ) -> Forecast | None:
        """One book update."""
        begun = perf_counter_ns()
        if self._book(ts, bid_prices, bid_sizes, ask_prices, ask_sizes):
            return self._asked(ts, (bid_prices[0] + ask_prices[0]) * 0.5, begun)
        return self._unasked()

    def on_bar(
        self, ts: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> Forecast | None:
        """One closed bar."""
        begun = perf_counter_ns()
        if self._bar(ts, open_, high, low, close, volume):
            return self._asked(ts, close, begun)
        return self._unasked()

    def _asked(self, ts: int, price: float, begun: int) -> Forecast | None:
        """Ask the model about the newest row."""
        raise NotImplementedError

    def _unasked(self) -> Forecast | None:
        """Answer an event that gives no row to ask."""
        return None

    def close(self) -> None:
        """Nothing works in the background."""

    # -- telling ------------------------------------------------------------------------------------------

    def take_rows(self) -> Rows:
        """Rows since the last call."""
        return self.painted.take()

    def explain(self, ts: int) -> Explanation:
        """Why the newest row at or before `ts` got its numbers."""
        history = self.inputs[0].history
        row = newest_asked(
            history.row_at(ts, self.inputs[0].rows),
            [(each.first_warm, member.recipe.window, member.recipe.stride) for each, member in self._pairs()],
        )
        if row < 0:
            return Explanation(asked_ts=ts, problem=TOO_OLD if history.blocks[0].first else NOT_YET)
        windows = [window for each in self.inputs if (window := each.history.window(row)) is not None]
        if len(windows) < len(self.inputs):
            return Explanation(asked_ts=ts, problem=TOO_OLD)
        return explain(self.ensemble, windows, ts, history.ts(row))

    def _pairs(self) -> list[tuple[StreamInputs, Member]]:
        return list(zip(self.inputs, self.ensemble.members, strict=True))

    def _examine(self) -> None:
        """Find out whether the inputs make the model sick as of this row; both forms look in this order."""
        for inputs, member in self._pairs():
            if self.needs.sick_on_nan and not inputs.is_whole:
                self.sick = self.sick or without_value(member.recipe.name, inputs.missing_column)
            if inputs.drift is not None:
                self.sick = self.sick or drifted(member.recipe.name, *inputs.drift, self.needs.max_psi)

    def stages(self) -> list[Stage]:
        """Durations of the steps from a tick to a forecast."""
        return [stage("feature", self.feature_latency), stage("inference", self.inference_latency)]

    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model up to market time `now`."""
        return [
            health(
                member,
                mode=self.mode,
                warm=inputs.first_warm >= 0,
                predictions=self.predictions,
                age_ns=now - self.last_ts if self.predictions else None,
                inputs=inputs.told(),
                stages=self.stages(),
                dropped=self.dropped,
                queued=self.queued,
                in_sample=inputs.rows > 0 and member.recipe.overlaps(inputs.first_ts, now),
            )
            for inputs, member in self._pairs()
        ]


def newest_asked(row: int, members: Sequence[tuple[int, int, int]]) -> int:
    """Newest row up to `row` that every member was asked at, from their (first warm row, window, stride)."""
    starts = [first_warm + window - 1 for first_warm, window, _ in members]
    if min(first_warm for first_warm, _, _ in members) < 0:
        return -1
    while row >= max(starts) and any(
        (row - start) % stride for start, (_, _, stride) in zip(starts, members, strict=True)
    ):
        row -= 1
    return row if row >= max(starts) else -1


class InlineStream(Streaming):
    """Asks in the event's own turn: deterministic."""

    def __init__(self, ensemble: Ensemble, market: Market, needs: Needs, news: Piece = NO_NEWS) -> None:
        super().__init__(ensemble, market, needs, news)
        self._out = array("f", [0.0] * FOUR)
        self._has_volatility = needs.volatility_ns > 0
        self._first, self._is_one = self.inputs[0], len(self.inputs) == 1

    def _asked(self, ts: int, price: float, begun: int) -> Forecast | None:
        known = perf_counter_ns()
        out, first = self._out, self._first
        if self._is_one:
            self.ensemble.ask_first(first.window, out, is_whole=first.is_whole)
        else:
            inputs = self.inputs
            self.ensemble.ask([each.window for each in inputs], [each.is_whole for each in inputs], out)
        self.inference_latency.record(perf_counter_ns() - known)
        self.feature_latency.record(known - begun)
        down, flat, up, score = out
        self.predictions += 1
        self.last_ts = ts
        self.painted.add(ts, out)
        if score != score or first.drift is not None or not self._is_one:  # noqa: PLR0124 - NaN is not itself
            self._examine()
            if not self.sick and self.needs.sick_on_nan and (silent := self.ensemble.silent(out)):
                self.sick = without_answer(silent.recipe.name)
        volatility = first.volatility if self._has_volatility else np.nan
        return Forecast(ts, first.rows - 1, down, flat, up, score, price, volatility)


def _ignore(*_event: object) -> bool:
    return False
