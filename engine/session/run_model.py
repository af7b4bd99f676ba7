"""The model of a session: checked, asked beforehand where that is wanted, and armed as a person says.

In batch mode the whole range is asked once, when the session opens, and every course follows the same
decisions; else each course asks anew, tick by tick.
"""

from collections.abc import Callable, Iterator, Mapping

from engine.bars import BarSpec, PriceType
from engine.columns import Columns
from engine.completed_bars import CompletedBars
from engine.errors import UserError
from engine.messages.events import AnyEvent
from engine.messages.run import Arming, Run
from engine.session.course_model import CourseModel
from engine.session.source import Source
from engine.signals.decisions import Decided, decide_all, rules_of
from engine.signals.lead import Change, ClosedBar, Lead
from engine.signals.protocols import Model, Needs, Range
from engine.strategies import AiSignalParameters


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
            self.asked = model.over(source.instrument, _Chunks(source), self._needs)
            self.decided = decide_all(self.asked, self.rules, exact=parameters.sizing == "kelly")
        self._bars = [] if self.asked is not None or not self.facts.bars else _closed(self.facts.bars, source)

    def new_course(
        self, emit: Callable[[AnyEvent], None], *, watched: bool, start_ns: int | None = None
    ) -> CourseModel:
        """Begin a course: the same model, nothing said yet; past changes of arming are in it.

        It starts at `start_ns`; left out, where the data do.
        """
        stream = None
        if self.asked is None:
            is_threaded = self.inference.mode == "thread"
            stream = self._model.stream(self._instrument, self._needs, threaded=is_threaded)
        lead = Lead(
            self._instrument.id,
            self.facts,
            self.rules,
            arming=self.inference.arming,
            start_ns=self._start_ns if start_ns is None else start_ns,
            emit=emit,
            changes=self._changes,
            stream=stream,
            bars=self._bars,
            decisions=() if self.decided is None else self.decided.decisions,
            judged=watched,
        )
        return CourseModel(
            lead,
            self.asked,
            instrument=self._instrument.id,
            mode=self.inference.mode,
            in_sample=self.in_sample,
            emit=emit,
            watched=watched,
        )

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


class _Chunks:
    """A source's columns, to be gone through any number of times."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Mapping[str, Columns]]:
        return (chunk.columns for chunk in self._source.chunks())


def _needs(parameters: AiSignalParameters) -> Needs:
    by_volatility = parameters.sizing == "volatility"
    return Needs(
        volatility_ns=round(parameters.volatility_window_s * 1e9) if by_volatility else 0,
        max_psi=parameters.disarm_psi,
        sick_on_nan=parameters.disarm_on_nan,
    )


class ModelBars:
    """Bars as a model is given them, made of ticks as these come.

    Parameters
    ----------
    bars : str
        Specification.
    """

    def __init__(self, bars: str) -> None:
        spec = BarSpec.parse(bars)
        self._kind = "trades" if spec.price_type == PriceType.LAST else "quotes"
        self._making = CompletedBars(spec)

    def closed(self, columns: Mapping[str, Columns]) -> list[ClosedBar]:
        """Bars that these rows closed, each at the time at which it was complete."""
        if self._kind not in columns:
            return []
        made, ts = self._making.closed(columns[self._kind])
        price, size = 10.0**made.price_precision, 10.0**made.size_precision
        prices = (made.open, made.high, made.low, made.close)
        told = (each.tolist() for each in (ts, *(each / price for each in prices), made.volume / size))
        return list(map(ClosedBar._make, zip(*told, strict=True)))


def _closed(bars: str, source: Source) -> list[ClosedBar]:
    """All bars of a range."""
    making = ModelBars(bars)
    return [bar for chunk in source.chunks() for bar in making.closed(chunk.columns)]


def _overlap(trained: tuple[int, int] | None, source: Source) -> bool:
    return trained is not None and trained[0] <= source.end_ns and source.start_ns <= trained[1]
