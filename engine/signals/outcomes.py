"""What came of a model's words: every row and every entry, judged when the label's horizon has passed.

The engine judges, because only it sees every row: what a screen is shown is conflated. Any batching of the
same rows gives the same figures.
"""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.messages.columns import PREDICTION, Rows, empty
from engine.messages.events import SignalJudged, Signalled
from engine.messages.frames import CalibrationBin, Outcomes
from engine.signals.protocols import Forecast, ModelFacts

BINS: Final = 10
"""Equal steps of probability in which calibration is told."""

LATE_ROWS: Final = 1 << 16
"""How many rows of the clock an answer may come late and still be judged."""

type _Floats = npt.NDArray[np.float64]
type _Indices = npt.NDArray[np.int64]


class Entry(NamedTuple):
    """A signal that opens or turns a position, and the row of the model's clock at which it came."""

    row: int
    signal: Signalled


class Judge:
    """Keeps rows and entries until their horizon has passed, then adds up what came of them.

    The price at the horizon is that of the clock's newest row at or before it, whether or not the model was
    asked of that row. Answers may come late; those to rows that are long gone are not judged.

    Parameters
    ----------
    facts : ModelFacts
        Its horizon; a model without one is never judged.
    """

    def __init__(self, facts: ModelFacts) -> None:
        self._by_rows = facts.horizon_rows is not None
        horizon = facts.horizon_rows if facts.horizon_rows is not None else facts.horizon_ns
        self._horizon = horizon or 0
        self._flat_within = facts.flat_within
        self._is_regression = facts.is_regression
        self._rows: Rows = empty(PREDICTION)
        self._row: _Indices = np.empty(0, np.int64)
        self._first = 0
        """Number of the oldest row of the clock that is kept."""
        self._ts: _Indices = np.empty(0, np.int64)
        self._price: _Floats = np.empty(0)
        self._entries: list[Entry] = []
        self._totals = _Totals()

    @property
    def outcomes(self) -> Outcomes:
        """All that was judged so far."""
        return self._totals.outcomes(is_regression=self._is_regression)

    def take_forecasts(
        self, forecasts: Sequence[Forecast], entries: Iterable[Entry], ts: _Indices, price: _Floats
    ) -> list[SignalJudged]:
        """Take forecasts of a `Stream`, as `take` does."""
        if not forecasts:
            return self.take(empty(PREDICTION), np.empty(0, np.int64), entries, ts, price)
        columns = dict(zip(Forecast._fields, zip(*forecasts, strict=True), strict=True))
        rows = np.empty(len(forecasts), PREDICTION)
        for name in PREDICTION.names or ():
            rows[name] = columns[name]
        return self.take(rows, np.array(columns["row"]), entries, ts, price)

    def take(
        self, rows: Rows, row: _Indices, entries: Iterable[Entry], ts: _Indices, price: _Floats
    ) -> list[SignalJudged]:
        """Take what follows: rows that the model was asked of, entries made at them, and the clock's rows.

        Parameters
        ----------
        rows : structured array `[n]`, dtype `PREDICTION`
        row : int64 array `[n]`
            Number of each on the model's clock, ascending, none beyond the clock's rows so far.
        ts, price : int64 and float64 arrays `[m]`
            Every row of the clock, in order; prices are NaN where there is none.

        Returns
        -------
        list of SignalJudged
            Entries whose horizon has passed by now, in order.
        """
        if not self._horizon:
            return []
        self._ts = np.concatenate([self._ts, ts])
        self._price = np.concatenate([self._price, price])
        known = row >= self._first
        self._rows = np.concatenate([self._rows, rows[known]])
        self._row = np.concatenate([self._row, row[known]])
        self._entries.extend(entry for entry in entries if entry.row >= self._first)
        start, end = self._passed(self._row)
        self._totals.add_rows(self._rows[: len(end)], self._changes(start, end), self._flat_within)
        judged = self._judge_entries()
        self._rows, self._row = self._rows[len(end) :], self._row[len(end) :]
        self._forget()
        return judged

    def _passed(self, row: _Indices) -> tuple[_Indices, _Indices]:
        """Places on the kept clock of those rows whose horizon has passed, and of their horizons."""
        start = row - self._first
        if self._by_rows:
            end = start + self._horizon
            count = int(np.searchsorted(end, len(self._ts)))
            return start[:count], end[:count]
        ends = self._ts[start] + self._horizon
        # A later row may share the time of the newest.
        count = int(np.searchsorted(ends, self._ts[-1])) if len(ends) else 0
        return start[:count], np.searchsorted(self._ts, ends[:count], side="right") - 1

    def _changes(self, start: _Indices, end: _Indices) -> _Floats:
        changes: _Floats = self._price[end] / self._price[start] - 1.0
        return changes

    def _judge_entries(self) -> list[SignalJudged]:
        starts, ends = self._passed(np.array([entry.row for entry in self._entries], np.int64))
        due, self._entries = self._entries[: len(ends)], self._entries[len(ends) :]
        judged = []
        for (_, signal), end, change in zip(due, ends, self._changes(starts, ends).tolist(), strict=True):
            if isnan(change):
                continue  # there is no price to judge by
            hit = change * signal.direction > self._flat_within
            self._totals.add_entry(_side_probability(signal), hit=hit)
            judged.append(
                SignalJudged(
                    ts=int(self._ts[end]),
                    signal=signal.number,
                    instrument=signal.instrument,
                    price=float(self._price[end]),
                    hit=hit,
                )
            )
        return judged

    def _forget(self) -> None:
        """Let go of the clock's rows that nothing can need any more."""
        newest = self._first + len(self._ts)
        waiting = [int(self._row[0])] if len(self._row) else []
        first = max(self._first, min([newest - LATE_ROWS, *waiting]))
        self._ts, self._price = self._ts[first - self._first :], self._price[first - self._first :]
        self._first = first


def _side_probability(signal: Signalled) -> float | None:
    return signal.up if signal.direction > 0 else signal.down


class _Totals:
    """Running sums; rows come in batches, so the moments are merged batch by batch."""

    def __init__(self) -> None:
        self._rows = 0
        self._signals = self._hits = 0
        self._expected = 0.0
        self._count = np.zeros(BINS, np.int64)
        self._probability = np.zeros(BINS)
        self._came = np.zeros(BINS, np.int64)
        self._squares = 0.0
        self._mean = np.zeros(2)
        self._moments = np.zeros((2, 2))

    def add_entry(self, probability: float | None, *, hit: bool) -> None:
        self._signals += 1
        self._hits += hit
        self._expected += probability or 0.0

    def add_rows(self, rows: Rows, change: _Floats, flat_within: float) -> None:
        """Add rows and the relative price changes to their horizons."""
        # A row without a side (or a number) says nothing that could come true.
        some = np.isfinite(change) & np.isfinite(rows["score"]) & (rows["score"] != 0)
        rows, change = rows[some], change[some]
        if not len(rows):
            return
        side = np.sign(rows["score"]).astype(np.float64)
        came = change * side > flat_within
        probability = np.where(side > 0, rows["up"], rows["down"]).astype(np.float64)
        known = np.isfinite(probability)
        place = np.minimum((probability[known] * BINS).astype(np.int64), BINS - 1)
        self._count += np.bincount(place, minlength=BINS)
        self._probability += np.bincount(place, probability[known], BINS)
        self._came += np.bincount(place, came[known], BINS).astype(np.int64)
        self._squares += float(((probability - came)[known] ** 2).sum())
        self._add_moments(rows["score"].astype(np.float64), change)
        self._rows += len(rows)

    def _add_moments(self, score: _Floats, change: _Floats) -> None:
        pair = np.stack([score, change])
        mean = pair.mean(axis=1)
        apart = mean - self._mean
        count, added = self._rows, len(score)
        centred = pair - mean[:, None]
        share = count * added / (count + added)
        self._moments += centred @ centred.T + np.outer(apart, apart) * share
        self._mean += apart * added / (count + added)

    def outcomes(self, *, is_regression: bool) -> Outcomes:
        judged = int(self._count.sum())
        some = np.flatnonzero(self._count)
        predicted = self._probability[some] / self._count[some]
        realised = self._came[some] / self._count[some]
        spread = float(np.sqrt(self._moments[0, 0] * self._moments[1, 1]))
        return Outcomes(
            rows=self._rows,
            signals=self._signals,
            hits=self._hits,
            expected=None if is_regression or not self._signals else self._expected / self._signals,
            bins=[
                CalibrationBin(float(mean), float(share), int(count))
                for mean, share, count in zip(predicted, realised, self._count[some], strict=True)
            ],
            brier=self._squares / judged if judged else None,
            ece=float((self._count[some] * np.abs(predicted - realised)).sum() / judged) if judged else None,
            correlation=float(self._moments[0, 1]) / spread if spread > 0 else None,
        )
