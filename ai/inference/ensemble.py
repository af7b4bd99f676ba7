"""One model or several as one: each is asked, and their answers become down, flat, up and score."""
# ruff: noqa: N803 - tensors are named by their shape

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final, Literal, cast

import numpy as np

from ai.inference.reading import FOUR
from ai.inference.recipe import Recipe
from ai.runtime.predictor import Floats, Predictor, one_by_one
from engine.errors import UserError

type Combine = Literal["mean", "vote", "weighted"]

_NOTHING: Final = array("f", [nan] * FOUR)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One loaded model.

    Attributes
    ----------
    latency_us : float
        Delay from a row to its answer that its signals are given.
    """

    recipe: Recipe
    predictor: Predictor
    sha256: str
    weight: float = 1.0
    latency_us: float = 1.0

    def read(self, x_BTF: Floats) -> Floats:
        """Down, flat, up and score of many windows: float32 `[B, 4]`."""
        return self.recipe.reading.many(self.predictor.predict(x_BTF))


class Ensemble:
    """Asks its members and makes one answer of theirs.

    Raises
    ------
    UserError
        Members that cannot be one: other clocks, bars or kinds of answer, a vote of values, no weight.
    """

    def __init__(self, members: Sequence[Member], combine: Combine) -> None:
        self.members = tuple(members)
        self.combine = combine
        self._check()
        weights = np.array([each.weight if combine == "weighted" else 1.0 for each in members])
        self._shares = (weights / weights.sum())[:, None, None]
        self._predicts = [one_by_one(member.predictor) for member in members]
        self._reads = [member.recipe.reading.one() for member in members]
        self._answers = array("f", [0.0] * (FOUR * len(members)))

    @property
    def name(self) -> str:
        """Names of its members."""
        return " + ".join(member.recipe.name for member in self.members)

    @property
    def clock(self) -> str:
        """Stream whose rows it is asked at."""
        return self.members[0].recipe.features.clock

    @property
    def is_regression(self) -> bool:
        """Whether its score is a value in the label's unit."""
        return self.members[0].recipe.reading.is_regression

    def ask(self, windows: Sequence[Floats], are_whole: Sequence[bool], out: "array[float]") -> None:
        """Write down, flat, up and score of one row into `out`; NaN where an input has no value.

        `windows` has one `[1, T, F]` per member.
        """
        if len(windows) == 1:
            self.ask_first(windows[0], out, is_whole=are_whole[0])
            return
        answers = self._answers
        for place, (window, is_whole) in enumerate(zip(windows, are_whole, strict=True)):
            if is_whole:
                self._reads[place](self._predicts[place](window), answers, FOUR * place)
            else:
                answers[FOUR * place : FOUR * place + FOUR] = _NOTHING
        told = np.frombuffer(answers, np.float32).reshape(-1, 1, FOUR)
        out[:] = array("f", self.combined(told)[0].tolist())

    def ask_first(self, window: Floats, out: "array[float]", *, is_whole: bool) -> None:
        """Ask an only member, as `ask` does."""
        if is_whole:
            self._reads[0](self._predicts[0](window), out, 0)
        else:
            out[:] = _NOTHING

    def silent(self, out: "array[float]") -> Member | None:
        """Return the first member whose last answer was no number."""
        answers = self._answers if len(self.members) > 1 else out
        for place, member in enumerate(self.members):
            score = answers[FOUR * place + 3]
            if score - score != 0.0:
                return member
        return None

    def combined(self, told: Floats) -> Floats:
        """One answer per row of those of all members `[members, B, 4]`: float32 `[B, 4]`."""
        if len(told) == 1:
            return cast("Floats", told[0])
        if self.combine == "vote":
            down, flat, up = told[:, :, 0], told[:, :, 1], told[:, :, 2]
            votes = np.stack([(down > up) & (down > flat), (up > down) & (up > flat)], axis=2).astype(
                np.float64
            )
            shares = (votes * self._shares).sum(axis=0)
            out = np.empty((told.shape[1], FOUR), np.float32)
            out[:, 0], out[:, 2] = shares[:, 0], shares[:, 1]
            out[:, 1] = 1.0 - shares[:, 0] - shares[:, 1]
            out[np.isnan(told[:, :, 3]).any(axis=0)] = np.nan
        else:
            out = (told * self._shares).sum(axis=0).astype(np.float32)
        if not self.is_regression:
            out[:, 3] = out[:, 2] - out[:, 0]
        return out

    def _check(self) -> None:
        first, *others = (member.recipe for member in self.members)
        for other in others:
            if other.features.clock != first.features.clock:
                raise UserError(
                    f"{first.name} runs on {first.features.clock} and {other.name} on "
                    f"{other.features.clock}; an ensemble needs one clock, choose models of one."
                )
            if other.features.bars and first.features.bars and other.features.bars != first.features.bars:
                raise UserError(
                    f"{first.name} reads bars {first.features.bars} and {other.name} {other.features.bars}; "
                    "an ensemble needs the same bars, choose models of one kind."
                )
            if other.reading.is_regression != first.reading.is_regression:
                raise UserError(
                    f"{first.name} and {other.name} tell different things (classes and a value); "
                    "an ensemble needs models of one kind."
                )
        if others and self.combine == "vote" and first.reading.is_regression:
            raise UserError("Values cannot be voted on; combine these models by mean or weighted.")
        weights = [member.weight for member in self.members]
        if self.combine == "weighted" and (min(weights) < 0 or sum(weights) <= 0):
            raise UserError("The weights of an ensemble must not be below 0, and one must be above it.")
