"""What the engine asks of a model, and what it is told: implemented by `app.models`, faked by tests.

A *row* is one event of the model's clock (a quote, a trade, a book update or a closed bar). Both forms below
speak of the same rows and give the same numbers for them, so a run that asks row by row and one that asks
beforehand make the same orders.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from engine.columns import Columns
from engine.messages.columns import Rows
from engine.messages.frames import Explanation, ModelHealth
from engine.messages.instrument import Instrument


class Forecast(NamedTuple):
    """What the model says of one row; probabilities are NaN of a regression.

    `price` is the mid (or last) price of the row; `volatility` the realised volatility of log returns over
    the asked window, NaN where it was not asked for or is not warm.
    """

    ts: int
    row: int
    down: float
    flat: float
    up: float
    score: float
    price: float
    volatility: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a run must know of its model (or ensemble).

    Attributes
    ----------
    streams : frozenset of str
        What it reads: `quotes`, `trades`, `book`, `bars`, and `news`, which the model is made with.
    levels : int
        Book levels a side that it reads.
    bars : str
        Specification of its bars; empty without.
    is_regression : bool
        Scores are values in the label's unit, and thresholds too.
    horizon_rows, horizon_ns : int or None
        How far ahead its label looks.
    latency_ns : int
        Delay from a row to the order it causes; at least 1,000.
    trained : tuple of int, or None
        First and last ns of the training range.
    flat_within : float
        Relative price change to the horizon up to which the label says flat.
    warnings : tuple of str
        What a person should know of this model on this instrument, one sentence each.
    """

    name: str
    clock: str
    streams: frozenset[str]
    levels: int
    bars: str
    is_regression: bool
    horizon_rows: int | None
    horizon_ns: int | None
    latency_ns: int
    trained: tuple[int, int] | None
    flat_within: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run asks of its model besides predictions.

    Attributes
    ----------
    volatility_ns : int
        Window of `Forecast.volatility`; 0 for none.
    max_psi : float
        Drift of any input at which the model is sick; 0 never.
    sick_on_nan : bool
        Whether an input or output without a value, after the warm-up, makes the model sick.
    """

    volatility_ns: int = 0
    max_psi: float = 0.0
    sick_on_nan: bool = True


class Asked(Protocol):
    """What both forms can tell."""

    def explain(self, ts: int) -> Explanation:
        """Why the newest row at or before `ts` got its numbers; the caller fills in what was decided."""

    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model up to market time `now`; arming and signals are filled in by the caller."""


class Stream(Asked, Protocol):
    """Row by row: give it the market's events in their order; a forecast comes back where there is one.

    Prices and sizes are those of the columns, `column / 10**precision`, to the last bit.

    Attributes
    ----------
    sick : str
        Why the model must not be acted on any more, in one sentence; empty while it is well.
    """

    sick: str

    def on_quote(self, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> Forecast | None:
        """One quote."""

    def on_trade(self, ts: int, price: float, size: float, aggressor: float) -> Forecast | None:
        """One trade; `aggressor` as in `columns.TRADE`."""

    def on_book(
        self,
        ts: int,
        bid_prices: list[float],
        bid_sizes: list[float],
        ask_prices: list[float],
        ask_sizes: list[float],
    ) -> Forecast | None:
        """One book update: levels best first, filled up to `ModelFacts.levels` with price NaN and size 0."""

    def on_bar(
        self, ts: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> Forecast | None:
        """One closed bar; `ts` is when it was complete, see `engine.completed_bars`."""

    def take_rows(self) -> Rows:
        """Rows of dtype `PREDICTION` since the last call, for painting."""

    def close(self) -> None:
        """End what works in the background."""


class Range(Asked, Protocol):
    """The whole range at once.

    Attributes
    ----------
    rows : Rows
        Dtype `PREDICTION` `[n]`, the rows that have a forecast, in order.
    row : int64 array `[n]`
        Number of each on the model's clock, from 0, warm-up rows counted.
    price, volatility : float64 arrays `[n]`
    sick_from : int
        Index of the first row at which the model is sick; n where it never is.
    sick : str
        Why, in one sentence.
    clock_ts, clock_price : int64 and float64 arrays
        Every row of the model's clock, whether the model was asked of it or not; NaN where it has no price.
    seconds : float
        Spent on features and inference, or on reading what an earlier run kept.
    is_kept : bool
        Whether all was predicted by an earlier run.
    """

    rows: Rows
    row: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    volatility: npt.NDArray[np.float64]
    sick_from: int
    sick: str
    clock_ts: npt.NDArray[np.int64]
    clock_price: npt.NDArray[np.float64]
    seconds: float
    is_kept: bool

    def alone(self, indices: npt.NDArray[np.int64]) -> Rows:
        """The same rows asked one by one, as `Stream` does: a large batch rounds its last bits otherwise."""


class Model(Protocol):
    """One model or ensemble, loaded and warm; used from one thread."""

    facts: ModelFacts

    def stream(self, instrument: Instrument, needs: Needs, *, threaded: bool = False) -> Stream:
        """A new run, row by row; `threaded` asks in a background thread and drops what is late."""

    def over(self, instrument: Instrument, chunks: Iterable[Mapping[str, Columns]], needs: Needs) -> Range:
        """All rows of the market data that these chunks hold, by kind, in order.

        Chunks that can be gone through more than once need not all be in memory.
        """

    def close(self) -> None:
        """Give back what it holds."""
