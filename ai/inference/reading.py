"""What a model's numbers mean: probabilities of down, flat and up, or one value."""
# ruff: noqa: N803, N806 - tensors are named by their shape

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ai.passport import Meaning, Passport
from ai.runtime.predictor import Floats
from engine.errors import UserError

type One = Callable[[Sequence[float], array[float], int], None]
"""Writes down, flat, up and score of the numbers of one prediction to `out[at:at + 4]`, float32."""

type Doubles = npt.NDArray[np.float64]

_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "down": ("down", "sell", "short", "-1"),
    "flat": ("flat", "hold", "neutral", "stationary", "0"),
    "up": ("up", "buy", "long", "1", "+1"),
}
FOUR: Final = 4
"""Numbers of one reading: down, flat, up, score, as in `columns.PREDICTION`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one prediction is read.

    Attributes
    ----------
    classes : int
        Number of classes; 1 for a value.
    down, flat, up : int
        Place of each class in the output; `flat` is -1 where there are two classes.
    """

    meaning: Meaning
    classes: int = 1
    down: int = -1
    flat: int = -1
    up: int = -1

    @classmethod
    def of(cls, passport: Passport) -> Self:
        """Read the passport.

        Raises
        ------
        UserError
            Its classes are not named, or not as down, (flat,) and up.
        """
        meaning = next(each.meaning for each in passport.outputs if each.meaning != "unused")
        if meaning == "value":
            return cls(meaning)
        names = passport.label.class_names if passport.label is not None else ()
        places = [_place(name) for name in names]
        if sorted(places) not in (["down", "flat", "up"], ["down", "up"]):
            told = f"are named {', '.join(names)}" if names else "have no names"
            raise UserError(
                f"The classes of {passport.name} {told}; name them down, flat and up (or sell, hold, buy, or "
                "short, neutral, long, or -1, 0, 1; of two classes down and up) in the order of its output "
                "under label.class_names in its passport."
            )
        flat = places.index("flat") if "flat" in places else -1
        return cls(meaning, len(names), places.index("down"), flat, places.index("up"))

    @property
    def is_regression(self) -> bool:
        """Whether it tells a value."""
        return self.meaning == "value"

    def check(self, numbers: int, name: str) -> None:
        """Raise `UserError` unless one prediction has as many numbers as this reads."""
        wanted = {1} if self.meaning in {"value", "class"} else {self.classes}
        if self.classes == 2:
            wanted.add(1)
        if numbers not in wanted:
            raise UserError(
                f"{name} gives {numbers} numbers where its passport tells of {max(wanted)}; mend the "
                "output's meaning or label.class_names."
            )

    # -- one prediction, and many: the same but for the last bits -----------------------------------------

    def one(self) -> One:
        """Return what reads the numbers of one prediction."""
        if self.meaning == "value":
            return _read_value
        probabilities = self._probabilities if self.meaning != "probabilities" or self.classes == 2 else None
        down_at, flat_at, up_at = self.down, self.flat, self.up

        def read(y: Sequence[float], out: "array[float]", at: int) -> None:
            p = y if probabilities is None else probabilities(y)
            down, up = p[down_at], p[up_at]
            flat = p[flat_at] if flat_at >= 0 else 0.0
            total = down + flat + up
            if total - total != 0.0:
                out[at] = out[at + 1] = out[at + 2] = out[at + 3] = math.nan
                return
            out[at] = down
            out[at + 1] = flat
            out[at + 2] = up
            out[at + 3] = out[at + 2] - out[at]

        return read

    def _probabilities(self, y: Sequence[float]) -> Sequence[float]:
        if self.meaning == "class":
            if not 0 <= y[0] < self.classes:
                return [math.nan] * self.classes
            return [float(y[0] == place) for place in range(self.classes)]
        if self.meaning == "logits":
            if len(y) == 1:
                y = (0.0, y[0])
            highest = max(y)
            if highest - highest != 0.0:
                return [math.nan] * len(y)
            raised = [math.exp(each - highest) for each in y]
            total = sum(raised)
            return [each / total for each in raised]
        return (1.0 - y[0], y[0]) if len(y) == 1 else y

    def many(self, y_BC: Floats) -> Floats:
        """Down, flat, up and score of many predictions: float32 `[B, 4]`."""
        out = np.full((len(y_BC), FOUR), np.nan, np.float32)
        if self.meaning == "value":
            out[:, 3] = np.where(np.isfinite(y_BC[:, 0]), y_BC[:, 0], np.nan)
            return out
        p = self._many_probabilities(y_BC.astype(np.float64))
        out[:, 0], out[:, 2] = p[:, self.down], p[:, self.up]
        out[:, 1] = p[:, self.flat] if self.flat >= 0 else 0.0
        out[:, 3] = out[:, 2] - out[:, 0]
        out[~np.isfinite(out[:, :3]).all(axis=1)] = np.nan
        return out

    def _many_probabilities(self, y_BC: Doubles) -> Doubles:
        if self.meaning == "class":
            p_BC: Doubles = (y_BC == np.arange(self.classes)).astype(np.float64)
            p_BC[~((y_BC[:, 0] >= 0) & (y_BC[:, 0] < self.classes))] = np.nan
            return p_BC
        if self.meaning == "logits":
            if y_BC.shape[1] == 1:
                y_BC = np.concatenate([np.zeros_like(y_BC), y_BC], axis=1)
            with np.errstate(invalid="ignore"):
                raised = np.exp(y_BC - y_BC.max(axis=1, keepdims=True))
                p: Doubles = raised / raised.sum(axis=1, keepdims=True)
                return p
        return np.concatenate([1.0 - y_BC, y_BC], axis=1) if y_BC.shape[1] == 1 else y_BC


def _read_value(y: Sequence[float], out: "array[float]", at: int) -> None:
    out[at] = out[at + 1] = out[at + 2] = math.nan
    out[at + 3] = y[0] if y[0] - y[0] == 0.0 else math.nan


def _place(name: str) -> str:
    told = name.strip().lower()
    return next((place for place, known in _KNOWN.items() if told in known), "")
