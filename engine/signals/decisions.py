"""From forecasts to decisions: when to enter, turn and leave, by thresholds with hysteresis.

Two forms of the same rules: `Decider` takes row after row, `decide_all` a whole range at once and spends
Python only where something is decided. What they compare is a *side's strength*: its probability, or for a
regression the score (long) and its negative (short).
"""

from dataclasses import dataclass
from math import nan
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.messages.columns import Rows
from engine.messages.events import Direction
from engine.signals.protocols import Forecast, ModelFacts, Range
from engine.strategies import AiSignalParameters

ROUNDING: Final = 1e-4
"""Rows this near to a threshold (relative to a regression's) are asked again alone: see `decide_all`."""

type Cause = Literal["enter", "reverse", "exit", "horizon", "disarmed"]

type _Floats = npt.NDArray[np.float64]
type _Indices = npt.NDArray[np.int64]
type _Mask = npt.NDArray[np.bool_]


class Decision(NamedTuple):
    """A change of direction at one row, or the end of all decisions (`disarmed`, with its reason).

    `threshold` is the one that was crossed, NaN where none was.
    """

    forecast: Forecast
    direction: Direction
    previous: Direction
    cause: Cause
    threshold: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """The part of the parameters that decides, in the units of rows and ns.

    Attributes
    ----------
    hold_rows, hold_ns : int or None
        Longest hold; None for none. At most one of them is set.
    """

    enter: float
    exit: float
    is_regression: bool
    may_long: bool
    may_short: bool
    on_opposite: Literal["reverse", "exit", "ignore"]
    cool_down_ns: int
    hold_rows: int | None
    hold_ns: int | None


def rules_of(parameters: AiSignalParameters, facts: ModelFacts) -> Rules:
    """Rules of a run; a longest hold by the label is that of the model."""
    by_label = parameters.horizon == "label"
    hold_ns = facts.horizon_ns if by_label and facts.horizon_rows is None else None
    if parameters.horizon == "seconds":
        hold_ns = round(parameters.horizon_s * 1e9)
    return Rules(
        enter=parameters.enter,
        exit=parameters.exit,
        is_regression=facts.is_regression,
        may_long=parameters.sides != "short",
        may_short=parameters.sides != "long",
        on_opposite=parameters.on_opposite,
        cool_down_ns=round(parameters.cool_down_s * 1e9),
        hold_rows=facts.horizon_rows if by_label else None,
        hold_ns=hold_ns,
    )


class Decider:
    """Decides row by row.

    Attributes
    ----------
    direction : Direction
        What is wanted now.
    """

    def __init__(self, rules: Rules) -> None:
        self.direction: Direction = 0
        self._rules = rules
        self._enter, self._is_regression = rules.enter, rules.is_regression
        self._since_ts = self._since_row = 0
        self._enter_from = -(2**63)

    def decide(self, forecast: Forecast) -> Decision | None:
        """Return what this row changes; None where it changes nothing."""
        if self._is_regression:
            long = forecast.score
            short = -long
        else:
            long, short = forecast.up, forecast.down
        enter, direction = self._enter, self.direction
        if not direction:
            if long >= enter and long > short and self._rules.may_long and forecast.ts >= self._enter_from:
                return self._to(1, forecast, "enter", enter)
            if short >= enter and short > long and self._rules.may_short and forecast.ts >= self._enter_from:
                return self._to(-1, forecast, "enter", enter)
            return None
        side, other = (long, short) if direction > 0 else (short, long)
        return self._leave(forecast, side, other)

    def disarm(self, forecast: Forecast, reason: str) -> Decision:
        """Return to flat for good, whatever the row says."""
        return self._to(0, forecast, "disarmed", nan, reason)

    def _leave(self, forecast: Forecast, side: float, other: float) -> Decision | None:
        rules, enter, direction = self._rules, self._enter, self.direction
        if other >= enter and other > side and rules.on_opposite != "ignore":
            may = rules.may_short if direction > 0 else rules.may_long
            if rules.on_opposite == "reverse" and may:
                return self._to(-1 if direction > 0 else 1, forecast, "reverse", enter)
            return self._to(0, forecast, "exit", enter)
        if side < rules.exit:
            return self._to(0, forecast, "exit", rules.exit)
        if not side >= enter and self._is_over(forecast):
            return self._to(0, forecast, "horizon", enter)
        return None

    def _is_over(self, forecast: Forecast) -> bool:
        rules = self._rules
        if rules.hold_rows is not None:
            return forecast.row - self._since_row >= rules.hold_rows
        return rules.hold_ns is not None and forecast.ts - self._since_ts >= rules.hold_ns

    def _to(
        self, direction: Direction, forecast: Forecast, cause: Cause, threshold: float, reason: str = ""
    ) -> Decision:
        previous, self.direction = self.direction, direction
        self._since_ts, self._since_row = forecast.ts, forecast.row
        if not direction:
            self._enter_from = forecast.ts + self._rules.cool_down_ns
        return Decision(forecast, direction, previous, cause, threshold, reason)


@dataclass(frozen=True, slots=True)
class Decided:
    """All decisions of a range.

    Attributes
    ----------
    asked_alone : int
        Rows that were asked once more.
    """

    decisions: list[Decision]
    asked_alone: int


def decide_all(asked: Range, rules: Rules, *, exact: bool = False) -> Decided:
    """Decide over all rows at once, as a `Decider` does row by row.

    A row asked in a large batch differs in its last bits from the row asked alone. So the rows at which such
    a difference could tip a comparison are asked again alone first.

    Parameters
    ----------
    exact : bool
        Whether the numbers of the decisions themselves must be those of the rows asked alone, because sizes
        are made from them.
    """
    rows = asked.rows[: asked.sick_from].copy()
    again = _doubtful(rows, rules)
    if len(again):
        rows[again] = asked.alone(again)
    found = _Jumps(rows, asked.row, rules).found()
    if exact and found:
        at = np.array([each.at for each in found], np.int64)
        fresh = at[~np.isin(at, again)]
        if len(fresh):
            rows[fresh] = asked.alone(fresh)
        again = np.append(again, fresh)
    decisions: list[Decision] = []
    direction: Direction = 0
    for each in found:
        forecast = _forecast(asked, rows, each.at)
        decisions.append(Decision(forecast, each.direction, direction, each.cause, each.threshold))
        direction = each.direction
    if asked.sick_from < len(asked.rows):
        forecast = _forecast(asked, asked.rows, asked.sick_from)
        decisions.append(Decision(forecast, 0, direction, "disarmed", nan, asked.sick))
    return Decided(decisions, len(again))


class _Found(NamedTuple):
    at: int
    direction: Direction
    cause: Cause
    threshold: float


class _Jumps:
    """Jumps from decision to decision: the rows that could make one are known beforehand."""

    def __init__(self, rows: Rows, row: _Indices, rules: Rules) -> None:
        self._rules = rules
        self._ts, self._row, self._n = rows["ts"], row, len(rows)
        long, short = _strengths(rows, rules)
        enter = rules.enter
        wants_long, wants_short = (long >= enter) & (long > short), (short >= enter) & (short > long)
        self._wants = {1: np.flatnonzero(wants_long), -1: np.flatnonzero(wants_short)}
        self._below = {1: np.flatnonzero(long < rules.exit), -1: np.flatnonzero(short < rules.exit)}
        self._fading = {1: np.flatnonzero(~(long >= enter)), -1: np.flatnonzero(~(short >= enter))}

    def found(self) -> list[_Found]:
        """All decisions in order."""
        decisions: list[_Found] = []
        direction: Direction = 0
        at = start = 0
        while True:
            found = self._leave(direction, at) if direction else self._enter(start)
            if found is None:
                return decisions
            decisions.append(found)
            at, direction = found.at, found.direction
            if not direction:
                free = int(self._ts[at]) + self._rules.cool_down_ns
                start = max(at + 1, int(np.searchsorted(self._ts, free)))

    def _enter(self, start: int) -> _Found | None:
        none = self._n
        long = self._next(self._wants[1], start) if self._rules.may_long else none
        short = self._next(self._wants[-1], start) if self._rules.may_short else none
        at = min(long, short)
        return None if at == none else _Found(at, 1 if long < short else -1, "enter", self._rules.enter)

    def _leave(self, direction: Direction, since: int) -> _Found | None:
        rules, start = self._rules, since + 1
        other: Direction = -1 if direction > 0 else 1
        opposite = self._n if rules.on_opposite == "ignore" else self._next(self._wants[other], start)
        below = self._next(self._below[direction], start)
        over = self._next(self._fading[direction], max(start, self._over(since)))
        at = min(opposite, below, over)
        if at == self._n:
            return None
        if at == opposite:
            may = rules.may_short if direction > 0 else rules.may_long
            if rules.on_opposite == "reverse" and may:
                return _Found(at, other, "reverse", rules.enter)
            return _Found(at, 0, "exit", rules.enter)
        return _Found(at, 0, "exit", rules.exit) if at == below else _Found(at, 0, "horizon", rules.enter)

    def _over(self, since: int) -> int:
        """First row at which the longest hold is over; n without one."""
        rules = self._rules
        if rules.hold_rows is not None:
            return int(np.searchsorted(self._row[: self._n], int(self._row[since]) + rules.hold_rows))
        if rules.hold_ns is not None:
            return int(np.searchsorted(self._ts, int(self._ts[since]) + rules.hold_ns))
        return self._n

    def _next(self, rows: "npt.NDArray[np.intp]", start: int) -> int:
        at = int(np.searchsorted(rows, start))
        return int(rows[at]) if at < len(rows) else self._n


def _strengths(rows: Rows, rules: Rules) -> tuple[_Floats, _Floats]:
    # In double precision: a comparison in single precision would round the threshold, too.
    if rules.is_regression:
        score = rows["score"].astype(np.float64)
        return score, -score
    return rows["up"].astype(np.float64), rows["down"].astype(np.float64)


def _doubtful(rows: Rows, rules: Rules) -> _Indices:
    """Rows at which the rounding of a batch could tip a comparison."""
    long, short = _strengths(rows, rules)
    scale = max(abs(rules.enter), abs(rules.exit)) if rules.is_regression else 1.0
    near = ROUNDING * scale
    doubtful: _Mask = (np.abs(long - short) <= near) & (np.maximum(long, short) >= rules.enter - near)
    for side, may in ((long, rules.may_long), (short, rules.may_short)):
        doubtful |= np.abs(side - rules.enter) <= near
        if may:
            doubtful |= np.abs(side - rules.exit) <= near
    return np.flatnonzero(doubtful).astype(np.int64)


def _forecast(asked: Range, rows: Rows, index: int) -> Forecast:
    ts, down, flat, up, score = rows[index].tolist()
    return Forecast(
        ts=ts,
        row=int(asked.row[index]),
        down=down,
        flat=flat,
        up=up,
        score=score,
        price=float(asked.price[index]),
        volatility=float(asked.volatility[index]),
    )
