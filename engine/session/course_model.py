"""What the model says in one course of a session, for the strategy and for whoever watches."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from engine.messages.columns import PREDICTION, Rows, empty
from engine.messages.events import AnyEvent, InferenceFigures
from engine.messages.frames import Explanation, ModelHealth, Predictions, Stage
from engine.messages.run import InferenceMode
from engine.session.conflation import conflate
from engine.session.tape import Line
from engine.signals.lead import Lead
from engine.signals.outcomes import Judge
from engine.signals.protocols import Range, Stream

HISTORY_ROWS: Final = 400_000
"""Most predictions that are kept for a watcher who joins late (10 MB); beyond, they are conflated to half."""

_ROWS_SHOWN_AGAIN: Final = 100_000
"""Predictions of the past that one picture stands for."""


class CourseModel:
    """What the model says in one course, for the strategy (`lead`) and for the watcher.

    Parameters
    ----------
    lead : Lead
    asked : Range or None
        What was asked beforehand; None where the lead has a stream.
    instrument : str
    mode : InferenceMode
    in_sample : bool
        Whether the run overlaps what the model was trained on.
    emit : callable
        Takes every event, in order.
    watched : bool
        Whether pictures will be asked for.
    """

    def __init__(
        self,
        lead: Lead,
        asked: Range | None,
        *,
        instrument: str,
        mode: InferenceMode,
        in_sample: bool,
        emit: Callable[[AnyEvent], None],
        watched: bool,
    ) -> None:
        self.lead = lead
        self._range, self._instrument, self._emit = asked, instrument, emit
        self._mode: InferenceMode = mode
        self._in_sample = in_sample
        self._until = 0
        """Rows of the range up to now."""
        self._passed = 0
        """Rows of the range's clock that the judge was given."""
        self._line = Line(PREDICTION, ("score",)) if watched else None
        self._past: list[Rows] = []
        self._history: list[Rows] = []
        self._kept = 0
        """Rows in the history."""
        self._judge = Judge(lead.facts)

    @property
    def _asked(self) -> Stream | Range:
        either = self.lead.stream if self._range is None else self._range
        assert either is not None  # noqa: S101 - it is one or the other
        return either

    def absorb(self, now: int) -> None:
        """Take what was said up to `now`, for the watcher."""
        self.lead.tell_before(now + 1)
        since, rows = self._until, self._fresh(now)
        if self._line is None:
            return
        forecasts, entries = self.lead.take_judged()
        if self._range is None:
            judged = self._judge.take_forecasts(forecasts, entries, *self.lead.take_clock())
        else:
            fresh = slice(since, self._until)
            begun, times = self._passed, self._range.clock_ts
            self._passed = int(np.searchsorted(times, now, side="right"))
            clock = slice(begun, self._passed)
            judged = self._judge.take(
                rows, self._range.row[fresh], entries, times[clock], self._range.clock_price[clock]
            )
        for event in judged:
            self._emit(event)
        if len(rows):
            self._line.add(rows)

    def _fresh(self, now: int) -> Rows:
        if self._range is not None:
            since, rows = self._until, self._range.rows
            self._until = int(np.searchsorted(rows["ts"], now, side="right"))
            return rows[since : self._until]
        assert self.lead.stream is not None  # noqa: S101 - it is one or the other
        rows = self.lead.stream.take_rows()
        if self._line is not None and len(rows):
            self._history.append(rows)
            self._kept += len(rows)
            if self._kept > HISTORY_ROWS:
                self._history = [conflate(np.concatenate(self._history), ("score",), HISTORY_ROWS // 2)]
                self._kept = len(self._history[0])
        return rows

    def take(self, now: int) -> tuple[list[Predictions], list[ModelHealth]]:
        """News for a picture, what is shown again first."""
        assert self._line is not None  # noqa: S101 - pictures are only taken of what is watched
        if self._past:
            rows, conflated = _conflated(self._past.pop(0))
        else:
            rows, conflated = self._line.take()
        predictions = Predictions(
            instrument=self._instrument,
            rows=rows,
            conflated=conflated,
            enter=self.lead.rules.enter,
            exit=self.lead.rules.exit,
            outcomes=self._judge.outcomes if self._has_horizon else None,
        )
        return [predictions], self.health(now)

    @property
    def _has_horizon(self) -> bool:
        return bool(self.lead.facts.horizon_rows or self.lead.facts.horizon_ns)

    def again(self) -> None:
        """Show all that was said in this course again, in the pictures that follow."""
        assert self._line is not None  # noqa: S101 - only a watcher asks
        self._line.take()
        if self._range is None:
            past = np.concatenate([empty(PREDICTION), *self._history])
        else:
            past = self._range.rows[: self._until]
        self._past = [past[at : at + _ROWS_SHOWN_AGAIN] for at in range(0, len(past), _ROWS_SHOWN_AGAIN)]

    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model, with what this course made of it."""
        lead, stages = self.lead, self._stages()
        return [
            msgspec.structs.replace(
                each,
                arming=lead.standing,
                reason=lead.reason,
                mode=self._mode,
                signals=lead.signals,
                latency_us=lead.facts.latency_ns / 1e3,
                in_sample=self._in_sample,
                stages=[*each.stages, *stages],
            )
            for each in self._asked.health(now)
        ]

    def _stages(self) -> list[Stage]:
        if not self.lead.orders_ns:
            return []
        p50, p99 = np.percentile(self.lead.orders_ns, (50, 99)) / 1e3
        return [Stage("signal-to-order", self.lead.orders, float(p50), float(p99))]

    def explain(self, ts: int, now: int) -> Explanation:
        """Why the newest row at or before `ts` got its numbers, and what was decided as of it."""
        answer = self._asked.explain(min(ts, now))
        if answer.problem:
            return msgspec.structs.replace(answer, asked_ts=ts)
        direction, signal = self.lead.as_of(answer.ts)
        return msgspec.structs.replace(
            answer,
            asked_ts=ts,
            enter=self.lead.rules.enter,
            exit=self.lead.rules.exit,
            direction=direction,
            signal=signal,
        )

    @property
    def asked_beforehand_s(self) -> float:
        """Seconds spent on the model before the course; 0 where it is asked on the way."""
        return 0.0 if self._range is None else self._range.seconds

    def figures(self) -> InferenceFigures:
        """What the model did in this course, up to its end."""
        asked, dropped = self._range, 0
        if asked is not None:
            count, seconds = len(asked.rows), 0.0 if asked.is_kept else asked.seconds
        elif self._mode == "thread":  # not every answer is heard
            told = self._asked.health(0)[0]
            count, dropped, seconds = told.predictions, told.dropped, 0.0
        else:
            count, seconds = self.lead.asked, self.lead.asked_ns / 1e9
        return InferenceFigures(
            mode=self._mode,
            predictions=count,
            predictions_per_s=count / seconds if seconds > 0 else None,
            dropped=dropped,
            decisions=self.lead.signals,
            signal_latency_us=self.lead.facts.latency_ns / 1e3,
            in_sample=self._in_sample,
        )

    def close(self) -> None:
        """End what works in the background."""
        if self.lead.stream is not None:
            self.lead.stream.close()


def _conflated(rows: Rows) -> tuple[Rows, int]:
    kept = conflate(rows, ("score",))
    return kept, len(rows) - len(kept)
