"""Forecasts of a whole range at once: features piece by piece, predictions in large batches, causally."""

from array import array
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from ai.features import Market
from ai.features.pieces import Piece
from ai.inference.batches import Batches
from ai.inference.counts import STEP, Counting
from ai.inference.ensemble import Ensemble
from ai.inference.explaining import NOT_YET, explain
from ai.inference.predicted import Draft, Predicted, RangeFacts
from ai.inference.range_inputs import RangeInputs, Stretch
from ai.inference.reading import FOUR
from ai.inference.telling import drifted, health, without_answer, without_value
from ai.runtime.predictor import Floats
from engine.messages.columns import PREDICTION, Rows
from engine.messages.frames import Explanation, InputHealth, ModelHealth
from engine.signals.protocols import Needs

type Int64 = npt.NDArray[np.int64]
type Doubles = npt.NDArray[np.float64]

_NAMES: Final = ("down", "flat", "up", "score")


def prediction_rows(ts: Int64, told: Floats) -> Rows:
    """Rows of dtype `PREDICTION` from times `[n]` and numbers `[n, 4]`."""
    rows = np.empty(len(ts), PREDICTION)
    rows["ts"] = ts
    for place, name in enumerate(_NAMES):
        rows[name] = told[:, place]
    return rows


def predict_range(
    ensemble: Ensemble, pieces: Iterable[Mapping[str, Piece]], market: Market, needs: Needs, draft: Draft
) -> Predicted:
    """Predict all rows of a market that comes in pieces, in memory that does not grow with it.

    Parameters
    ----------
    pieces : iterable of mapping of stream to Piece
        In order; see `ai.features.pieces`.
    draft : Draft
        Takes what is found.
    """
    with ExitStack() as stack:
        batches = [stack.enter_context(Batches(member)) for member in ensemble.members]
        asking = _Asking(ensemble, batches, market, needs, draft)
        for each in pieces:
            asking.take(each)
        return asking.finish()


class _Asking:
    """One way through the market."""

    def __init__(
        self, ensemble: Ensemble, batches: list[Batches], market: Market, needs: Needs, draft: Draft
    ) -> None:
        self._ensemble, self._batches, self._needs, self._draft = ensemble, batches, needs, draft
        self._inputs = [
            RangeInputs(member.recipe, market, volatility_ns=needs.volatility_ns if not place else 0)
            for place, member in enumerate(ensemble.members)
        ]
        self._forecasts = 0
        self._sick_from, self._sick = -1, ""
        self._looked = [0] * len(self._inputs)

    def take(self, pieces: Mapping[str, Piece]) -> None:
        """Predict the rows of the next piece."""
        stretches = [inputs.extend(pieces) for inputs in self._inputs]
        first = stretches[0]
        row = reduce(np.intersect1d, [each.asked for each in stretches])
        places = row - first.first
        told = np.full((len(stretches), len(row), FOUR), np.nan, np.float32)
        missing = []
        for member, (stretch, batches) in enumerate(zip(stretches, self._batches, strict=True)):
            window = self._ensemble.members[member].recipe.window
            is_missing = self._inputs[member].last_missing(stretch)[places] > row - window
            missing.append(is_missing)
            if is_missing.any():
                told[member, ~is_missing] = batches.read(stretch.windows, places[~is_missing])
            elif len(row):
                told[member] = batches.read(stretch.windows, places)
            self._draft.add(f"x{member}", stretch.x)
        self._judge(stretches, row, missing, told)
        price = _prices(self._ensemble.clock, pieces)
        self._draft.add("rows", prediction_rows(first.ts[places], self._ensemble.combined(told)))
        self._draft.add("row", row)
        self._draft.add("price", price[places])
        self._draft.add("clock_ts", first.ts)
        self._draft.add("clock_price", price)
        self._draft.add("volatility", first.volatility[places])
        self._forecasts += len(row)

    def finish(self) -> Predicted:
        """All that was predicted."""
        for member, inputs in enumerate(self._inputs):
            counts = np.array(inputs.counts, np.int64).reshape(-1, inputs.counting.width)
            self._draft.add(f"counts{member}", counts)
        return self._draft.finish(
            RangeFacts(
                first_ts=self._inputs[0].first_ts,
                first_warm=tuple(inputs.first_warm for inputs in self._inputs),
                sick_from=self._sick_from if self._sick else self._forecasts,
                sick=self._sick,
            )
        )

    def _judge(
        self, stretches: list[Stretch], row: Int64, missing: list[npt.NDArray[np.bool_]], told: Floats
    ) -> None:
        """Find the first forecast at which a member is sick, in the order in which a stream looks."""
        if self._sick or not len(row):
            return
        found: list[tuple[int, int, str]] = []
        last = 2 * len(self._inputs)
        for place, member in enumerate(self._ensemble.members):
            name = member.recipe.name
            silent = np.isnan(told[place, :, 3]) & ~missing[place]
            if self._needs.sick_on_nan and missing[place].any():
                at = int(missing[place].argmax())
                window = stretches[place].windows[row[at] - stretches[place].first]
                column = member.recipe.columns[_missing_column(window)]
                found.append((at, 2 * place, without_value(name, column)))
            if self._needs.sick_on_nan and silent.any():
                found.append((int(silent.argmax()), last + place, without_answer(name)))
            if self._needs.max_psi and (drift := self._drift(place, row)):
                at, column, psi = drift
                found.append((at, 2 * place + 1, drifted(name, column, psi, self._needs.max_psi)))
        if found:
            at, _, self._sick = min(found)
            self._sick_from = self._forecasts + at

    def _drift(self, place: int, row: Int64) -> tuple[int, str, float] | None:
        """First of these forecasts at which an input has drifted too far, the input, and how far."""
        inputs = self._inputs[place]
        for step in range(self._looked[place], len(inputs.counts)):
            at = int(row.searchsorted(inputs.first_warm + STEP * (step + 1) - 1))
            if at == len(row):
                return None
            self._looked[place] = step + 1
            if found := inputs.counting.drifted(inputs.counts[step], self._needs.max_psi):
                return at, *found
        return None


def _missing_column(window: Floats) -> int:
    """Column that has no value in the newest row of the window that lacks one."""
    missing = ~np.isfinite(window)
    newest = np.flatnonzero(missing.any(axis=1))[-1]
    return int(missing[newest].argmax())


def _prices(clock: str, pieces: Mapping[str, Piece]) -> Doubles:
    if clock not in pieces:
        return np.empty(0)
    _, columns = pieces[clock]
    match clock:
        case "quotes":
            return (columns["bid"] + columns["ask"]) * 0.5
        case "book":
            return (columns["bid_price_1"] + columns["ask_price_1"]) * 0.5
        case "trades":
            return columns["price"]
        case _:
            return columns["close"]


class WholeRange:
    """A predicted range, as `engine.signals.protocols.Range`.

    Parameters
    ----------
    ensemble : Ensemble
    predicted : Predicted
    seconds : float
        Spent on features and inference, or on reading what was kept.
    is_kept : bool
        Whether an earlier run predicted it.
    """

    def __init__(
        self, ensemble: Ensemble, predicted: Predicted, seconds: float, *, is_kept: bool = False
    ) -> None:
        arrays, facts = predicted.arrays, predicted.facts
        self._ensemble, self._arrays, self._facts = ensemble, arrays, facts
        self.rows: Rows = arrays["rows"]
        self.row: Int64 = arrays["row"]
        self.price: Doubles = arrays["price"]
        self.volatility: Doubles = arrays["volatility"]
        self.sick_from, self.sick = facts.sick_from, facts.sick
        self.clock_ts: Int64 = arrays["clock_ts"]
        self.clock_price: Doubles = arrays["clock_price"]
        self.seconds, self.is_kept = seconds, is_kept

    def alone(self, indices: Int64) -> Rows:
        """Ask the same rows one by one."""
        out = array("f", [0.0] * FOUR)
        told = np.empty((len(indices), FOUR), np.float32)
        for at, index in enumerate(indices.tolist()):
            windows = self._windows(index)
            self._ensemble.ask(windows, [bool(np.isfinite(each).all()) for each in windows], out)
            told[at] = out
        return prediction_rows(self.rows["ts"][indices], told)

    def _windows(self, index: int) -> list[Floats]:
        row = int(self.row[index]) + 1
        return [
            np.array(self._arrays[f"x{place}"][row - member.recipe.window : row])[None]
            for place, member in enumerate(self._ensemble.members)
        ]

    def explain(self, ts: int) -> Explanation:
        """Why the newest row at or before `ts` got its numbers."""
        index = int(self.rows["ts"].searchsorted(ts, side="right")) - 1
        if index < 0:
            return Explanation(asked_ts=ts, problem=NOT_YET)
        return explain(self._ensemble, self._windows(index), ts, int(self.rows["ts"][index]))

    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model up to market time `now`."""
        asked = int(self.rows["ts"].searchsorted(now, side="right"))
        rows = int(self.row[asked - 1]) + 1 if asked else 0
        return [
            health(
                member,
                mode="batch",
                warm=0 <= first_warm < rows,
                predictions=asked,
                age_ns=now - int(self.rows["ts"][asked - 1]) if asked else None,
                inputs=self._inputs_told(place, max(rows - first_warm, 0) if first_warm >= 0 else 0),
                in_sample=rows > 0 and member.recipe.overlaps(self._facts.first_ts, now),
            )
            for place, (member, first_warm) in enumerate(
                zip(self._ensemble.members, self._facts.first_warm, strict=True)
            )
        ]

    def _inputs_told(self, place: int, warm_rows: int) -> list[InputHealth]:
        counting = Counting(self._ensemble.members[place].recipe)
        steps = warm_rows // STEP
        counts = self._arrays[f"counts{place}"]
        start = self._facts.first_warm[place] + steps * STEP
        rest = self._arrays[f"x{place}"][start : start + warm_rows % STEP]
        none = np.zeros(counting.width, np.int64)
        return counting.told(counts[steps - 1] if steps else none, np.asarray(rest))
