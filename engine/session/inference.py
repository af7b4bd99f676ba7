"""The model of a session: what it is asked, when it may be acted on, and what is shown of it.

In batch mode the whole range is asked once, when the session opens, and every course follows the same
decisions; else each course asks anew, tick by tick.
"""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from engine.bars import BarSpec, PriceType
from engine.completed_bars import CompletedBars
from engine.errors import UserError
from engine.messages.columns import PREDICTION, Rows, empty
from engine.messages.events import AnyEvent, InferenceFigures
from engine.messages.frames import Explanation, ModelHealth, Predictions, Stage
from engine.messages.run import Arming, Run
from engine.session.conflation import conflate
from engine.session.source import Source
from engine.session.tape import Line
from engine.signals.decisions import Decided, decide_all, rules_of
from engine.signals.lead import Change, ClosedBar, Lead
from engine.signals.outcomes import Judge
from engine.signals.protocols import Model, Needs, Range, Stream
from engine.strategies import AiSignalParameters

HISTORY_ROWS: Final = 400_000
"""Most predictions that are kept for a watcher who joins late (10 MB); beyond, they are conflated to half."""

_ROWS_SHOWN_AGAIN: Final = 100_000
"""Predictions of the past that one picture stands for."""


class RunModel:
    """A run's model, for all courses of its session.

    Parameters
    ----------
    run : Run
        With `inference`.
    source : Source
    parameters : AiSignalParameters
        Checked ones.
    model : Model
        Closed with the session.
    """

    def __init__(self, run: Run, source: Source, parameters: AiSignalParameters, model: Model) -> None:
        assert run.inference is not None  # noqa: S101 - there would be no model
        self.facts, self.inference = model.facts, run.inference
        self.rules = rules_of(parameters, model.facts)
        self.in_sample = _overlap(model.facts.trained, source)
        self._instrument, self._start_ns = source.instrument, source.start_ns
        self._needs = _needs(parameters)
        self._model = model
        self._changes: list[Change] = []
        self.asked: Range | None = None
        self.decided: Decided | None = None
        if run.inference.mode == "batch":
            chunks = (chunk.columns for chunk in source.chunks())
            self.asked = model.over(source.instrument, chunks, self._needs)
            self.decided = decide_all(self.asked, self.rules, exact=parameters.sizing == "kelly")
        self._bars = [] if self.asked is not None or not self.facts.bars else _closed(self.facts.bars, source)

    def new_course(self, emit: Callable[[AnyEvent], None], *, watched: bool) -> "CourseModel":
        """Begin a course: the same model, nothing said yet; past changes of arming are in it."""
        stream = None
        if self.asked is None:
            is_threaded = self.inference.mode == "thread"
            stream = self._model.stream(self._instrument, self._needs, threaded=is_threaded)
        lead = Lead(
            self._instrument.id,
            self.facts,
            self.rules,
            arming=self.inference.arming,
            start_ns=self._start_ns,
            emit=emit,
            changes=self._changes,
            stream=stream,
            bars=self._bars,
            decisions=() if self.decided is None else self.decided.decisions,
            judged=watched,
        )
        return CourseModel(self, lead, self._instrument.id, emit, watched=watched)

    def arm(self, mode: Arming, now: int, lead: Lead) -> None:
        """Let a person's arming stand from `now` on.

        Raises
        ------
        UserError
            A rule disarmed the model for the rest of the course.
        """
        if lead.is_sick:
            raise UserError(
                f"The model was disarmed: {lead.reason} Seek back to before that, or start the run again."
            )
        if mode == lead.standing:
            return
        self._changes.append(Change(now, mode))
        lead.arm(now, mode)

    def rewind(self, target: int) -> None:
        """Go back to `target`: earlier changes of arming stay, and the switch applies there as it is now."""
        stands = self._changes[-1].mode if self._changes else None
        self._changes = [change for change in self._changes if change.ts <= target]
        before = self._changes[-1].mode if self._changes else self.inference.arming
        if stands not in (None, before):
            self._changes.append(Change(target, stands))

    def close(self) -> None:
        """Give back what the model holds."""
        self._model.close()


class CourseModel:
    """What the model says in one course, for the strategy (`lead`) and for the watcher.

    Parameters
    ----------
    of : RunModel
    lead : Lead
    instrument : str
    emit : callable
        Takes every event, in order.
    watched : bool
        Whether pictures will be asked for.
    """

    def __init__(
        self, of: RunModel, lead: Lead, instrument: str, emit: Callable[[AnyEvent], None], *, watched: bool
    ) -> None:
        self.lead = lead
        self._of, self._instrument, self._emit = of, instrument, emit
        self._asked: Stream | Range
        if lead.stream is not None:
            self._asked = lead.stream
        else:
            assert of.asked is not None  # noqa: S101 - it is one or the other
            self._asked = of.asked
        self._until = 0
        """Rows of the range up to now."""
        self._line = Line(PREDICTION, ("score",)) if watched else None
        self._past: list[Rows] = []
        self._history: list[Rows] = []
        self._judge = Judge(of.facts)

    def absorb(self, now: int) -> None:
        """Take what was said up to `now`, for the watcher."""
        self.lead.tell_before(now + 1)
        since, rows = self._until, self._fresh(now)
        if self._line is None:
            return
        forecasts, entries = self.lead.take_judged()
        of = self._of.asked
        if of is None:
            judged = self._judge.take_forecasts(forecasts, entries)
        else:
            fresh = slice(since, self._until)
            judged = self._judge.take(rows, of.row[fresh], of.price[fresh], entries)
        for event in judged:
            self._emit(event)
        if len(rows):
            self._line.add(rows)

    def _fresh(self, now: int) -> Rows:
        if self._of.asked is not None:
            since, rows = self._until, self._of.asked.rows
            self._until = int(np.searchsorted(rows["ts"], now, side="right"))
            return rows[since : self._until]
        assert self.lead.stream is not None  # noqa: S101 - it is one or the other
        rows = self.lead.stream.take_rows()
        if self._line is not None and len(rows):
            self._history.append(rows)
            if sum(map(len, self._history)) > HISTORY_ROWS:
                self._history = [conflate(np.concatenate(self._history), ("score",), HISTORY_ROWS // 2)]
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
            enter=self._of.rules.enter,
            exit=self._of.rules.exit,
            outcomes=self._judge.outcomes if self._has_horizon else None,
        )
        return [predictions], self.health(now)

    @property
    def _has_horizon(self) -> bool:
        return bool(self._of.facts.horizon_rows or self._of.facts.horizon_ns)

    def again(self) -> None:
        """Show all that was said in this course again, in the pictures that follow."""
        assert self._line is not None  # noqa: S101 - only a watcher asks
        self._line.take()
        asked = self._of.asked
        past = (
            np.concatenate([empty(PREDICTION), *self._history])
            if asked is None
            else asked.rows[: self._until]
        )
        self._past = [past[at : at + _ROWS_SHOWN_AGAIN] for at in range(0, len(past), _ROWS_SHOWN_AGAIN)]

    def health(self, now: int) -> list[ModelHealth]:
        """Figures of every model, with what this course made of it."""
        lead, stages = self.lead, self._stages()
        return [
            msgspec.structs.replace(
                each,
                arming=lead.standing,
                reason=lead.reason,
                mode=self._of.inference.mode,
                signals=lead.signals,
                latency_us=lead.facts.latency_ns / 1e3,
                in_sample=self._of.in_sample,
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
            enter=self._of.rules.enter,
            exit=self._of.rules.exit,
            direction=direction,
            signal=signal,
        )

    @property
    def asked_beforehand_s(self) -> float:
        """Seconds spent on the model before the course; 0 where it is asked on the way."""
        return 0.0 if self._of.asked is None else self._of.asked.seconds

    def figures(self) -> InferenceFigures:
        """What the model did in this course, up to its end."""
        asked = self._of.asked
        count, seconds = (
            (self.lead.asked, self.lead.asked_ns / 1e9) if asked is None else (len(asked.rows), asked.seconds)
        )
        return InferenceFigures(
            predictions=count,
            predictions_per_s=count / seconds if seconds > 0 else 0.0,
            decisions=self.lead.signals,
            signal_latency_us=self.lead.facts.latency_ns / 1e3,
            in_sample=self._of.in_sample,
        )

    def close(self) -> None:
        """End what works in the background."""
        if self.lead.stream is not None:
            self.lead.stream.close()


def _needs(parameters: AiSignalParameters) -> Needs:
    by_volatility = parameters.sizing == "volatility"
    return Needs(
        volatility_ns=round(parameters.volatility_window_s * 1e9) if by_volatility else 0,
        max_psi=parameters.disarm_psi,
        sick_on_nan=parameters.disarm_on_nan,
    )


def _closed(bars: str, source: Source) -> list[ClosedBar]:
    """All bars of a range, as a model is given them."""
    spec = BarSpec.parse(bars)
    kind = "trades" if spec.price_type == PriceType.LAST else "quotes"
    making = CompletedBars(spec)
    closed: list[ClosedBar] = []
    for chunk in source.chunks():
        if kind not in chunk.columns:
            continue
        made, ts = making.closed(chunk.columns[kind])
        price, size = 10.0**made.price_precision, 10.0**made.size_precision
        prices = (made.open, made.high, made.low, made.close)
        columns = (each.tolist() for each in (ts, *(each / price for each in prices), made.volume / size))
        closed += map(ClosedBar._make, zip(*columns, strict=True))
    return closed


def _overlap(trained: tuple[int, int] | None, source: Source) -> bool:
    return trained is not None and trained[0] <= source.end_ns and source.start_ns <= trained[1]


def _conflated(rows: Rows) -> tuple[Rows, int]:
    kept = conflate(rows, ("score",))
    return kept, len(rows) - len(kept)
