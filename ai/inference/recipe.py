"""What feeds a model, as its passport tells: feature columns, window, stride, and the range of each input."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai.features import Entry, FeatureSet, Line
from ai.features.price import RealisedVolatility
from ai.features.sets import OWN
from ai.features.windows import Window
from ai.inference.reading import Reading
from ai.passport import Passport
from engine.bars import BarSpec, PriceType
from engine.errors import UserError

type Doubles = npt.NDArray[np.float64]

_VOLATILITY: Final = "volatility of the run"
_SIGMAS: Final = 6.0
_BPS: Final = 10_000.0
_DIRECTION: Final = "direction"


@dataclass(frozen=True)
class WarmUp:
    """When a row is warm: its own line has passed `rows` and `ns`, every other line its own before it."""

    rows: int
    ns: int
    others: Mapping[str, tuple[int, int]]
    """(rows, ns) by stream."""


@dataclass(frozen=True)
class Recipe:
    """One model's inputs and how its answer is read.

    Attributes
    ----------
    features : FeatureSet
        Its columns are the model's inputs, in order.
    """

    passport: Passport
    features: FeatureSet
    reading: Reading

    @classmethod
    def of(cls, passport: Passport) -> "Recipe":
        """Read the passport.

        Raises
        ------
        UserError
            The model cannot run in a session of one instrument, or its classes are not named.
        """
        features = _feature_set(passport)
        _refuse_strange_lines(passport, features)
        return cls(passport, features, Reading.of(passport))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.passport.name

    @property
    def window(self) -> int:
        """Rows of one prediction."""
        return self.passport.window

    @property
    def stride(self) -> int:
        """Rows between two predictions."""
        return self.passport.stride

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return self.features.outputs

    @property
    def streams(self) -> frozenset[str]:
        """Streams that it reads."""
        return frozenset(line.stream for line in self.features.lines)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the numbers of one prediction; empty of a regression."""
        return self.passport.label.class_names if self.passport.label is not None else ()

    @property
    def horizon(self) -> tuple[int | None, int | None]:
        """How far its label looks ahead, in rows or in ns."""
        label = self.passport.label
        if label is None:
            return None, None
        return (None, label.horizon) if label.unit == "ns" else (label.horizon, None)

    @property
    def told_label(self) -> str:
        """What it was trained to tell, in words."""
        label = self.passport.label
        if label is None:
            return ""
        ahead = f"{label.horizon / 1e9:g} s" if label.unit == "ns" else f"{label.horizon:,} {label.unit}"
        beyond = f", beyond {label.threshold:.3g} bps" if label.kind == _DIRECTION and label.threshold else ""
        return f"{label.kind.replace('_', ' ')} over {ahead}{beyond}"

    @property
    def trained(self) -> tuple[int, int] | None:
        """First and last ns of the training range."""
        ranges = self.passport.ranges
        return (ranges.train.start_ns, ranges.train.end_ns - 1) if ranges is not None else None

    @property
    def flat_within(self) -> float:
        """Relative price change to the horizon up to which the label says flat."""
        label = self.passport.label
        if label is None or label.kind != _DIRECTION or not label.threshold:
            return 0.0
        return label.threshold / _BPS

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        """Whether it was trained on any of this time, both ends included."""
        return self.trained is not None and start_ns <= self.trained[1] and end_ns >= self.trained[0]

    @cached_property
    def warm_up(self) -> WarmUp:
        """When a row's features are all past their warm-up."""
        longest = {}
        for line in self.features.lines:
            of = [entry.feature.warm_up for entry in self.features if entry.line == line]
            longest[line.stream] = (
                max((each.rows for each in of), default=0),
                max((each.ns for each in of), default=0),
            )
        rows, ns = longest.pop(self.features.clock)
        return WarmUp(rows, ns, longest)

    def with_volatility(self, window_ns: int) -> FeatureSet:
        """Its features, and as one more column the realised volatility over a window of the clock's rows."""
        feature = RealisedVolatility(Window(f"{window_ns}ns", ns=window_ns))
        entry = Entry(feature, Line(OWN, self.features.clock), (_VOLATILITY,))
        return replace(self.features, entries=(*self.features.entries, entry))

    # -- what training saw of each input ------------------------------------------------------------------

    @cached_property
    def usual(self) -> tuple[Doubles, Doubles]:
        """Lowest and highest value of each input that is not called out of range.

        Six standard deviations around the training mean; without a normaliser the training bins' span once
        more on either side, as the outermost bins are open; infinite where the passport tells neither.
        """
        count = len(self.columns)
        low, high = np.full(count, -np.inf), np.full(count, np.inf)
        for at, edges in enumerate(self.edges):
            if len(edges):
                span = edges[-1] - edges[0]
                low[at], high[at] = edges[0] - span, edges[-1] + span
        normaliser = self.passport.normaliser
        if normaliser.kind == "zscore":
            mean, reach = np.array(normaliser.mean), _SIGMAS * np.array(normaliser.std)
            low, high = mean - reach, mean + reach
        return low, high

    @cached_property
    def edges(self) -> tuple[npt.NDArray[np.float32], ...]:
        """Inner borders of each input's training bins, as float32 like the inputs; empty without."""
        told = {each.column: each.edges for each in self.passport.training_bins}
        return tuple(np.array(told.get(column, ()), np.float32) for column in self.columns)

    @cached_property
    def shares(self) -> tuple[Doubles, ...]:
        """Share of the training rows in each bin; empty without."""
        told = {each.column: each.shares for each in self.passport.training_bins}
        return tuple(np.array(told.get(column, ()), np.float64) for column in self.columns)

    @cached_property
    def ordinary(self) -> npt.NDArray[np.float32]:
        """Stand-in for each input that tells nothing: the training mean, median bin border, or 0."""
        normaliser = self.passport.normaliser
        if normaliser.kind == "zscore":
            return np.array(normaliser.mean, np.float32)
        return np.array(
            [
                edges[min(int(np.searchsorted(shares.cumsum(), 0.5)), len(edges) - 1)] if len(edges) else 0.0
                for edges, shares in zip(self.edges, self.shares, strict=True)
            ],
            np.float32,
        )


def unfit(passport: Passport) -> str:
    """Why no session can run a model with this passport, in one sentence; empty where one can."""
    try:
        reading = Recipe.of(passport).reading
        sizes = next(each.shape for each in passport.outputs if each.meaning != "unused")[1:]
        if all(isinstance(size, int) for size in sizes):
            reading.check(math.prod(int(size) for size in sizes), passport.name)
    except UserError as error:
        return str(error)
    return ""


def _feature_set(passport: Passport) -> FeatureSet:
    listed: list[dict[str, Any]] = [
        {"name": use.name, **use.parameters, "as": f"input_{at}"}
        | ({"on": use.on} if use.on else {})
        | ({"of": use.of} if use.of else {})
        for at, use in enumerate(passport.features)
    ]
    made = FeatureSet.of(passport.name, {"clock": passport.clock, "bars": passport.bars, "feature": listed})
    entries = []
    for entry, use in zip(made.entries, passport.features, strict=True):
        if len(entry.outputs) != len(use.outputs):
            raise UserError(
                f"Feature {use.name} gives {len(entry.outputs)} columns here and {len(use.outputs)} in the "
                f"passport of {passport.name}; map its inputs anew."
            )
        entries.append(replace(entry, outputs=use.outputs))
    return replace(made, entries=tuple(entries))


def _refuse_strange_lines(passport: Passport, features: FeatureSet) -> None:
    roles = sorted({line.role for line in features.lines if line.role})
    if roles:
        raise UserError(
            f"{passport.name} reads a second instrument as {roles[0]!r}, and a session has one; use it with "
            "'nexttick features' or train it on features of its own instrument."
        )
    streams = {line.stream for line in features.lines}
    if "bars" not in streams:
        return
    made_of = "trades" if BarSpec.parse(passport.bars).price_type == PriceType.LAST else "quotes"
    if features.clock == "bars" and streams != {"bars"}:
        raise UserError(
            f"{passport.name} runs on bars and also reads {', '.join(sorted(streams - {'bars'}))}, which a "
            "session cannot bring together exactly; train it on bars alone, or on the ticks' clock."
        )
    if features.clock not in {"bars", made_of}:
        raise UserError(
            f"{passport.name} runs on {features.clock} and reads bars of {made_of}, which a session cannot "
            f"bring together exactly; train it on the clock of {made_of}."
        )
