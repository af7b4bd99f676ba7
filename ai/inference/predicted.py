"""What was predicted for a whole range: arrays by name, in memory or in files, and a few facts."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

type Array = npt.NDArray[Any]


class RangeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a range beside its arrays.

    Attributes
    ----------
    first_ts : int
        Time of the clock's first row; 0 without any.
    first_warm : tuple of int
        Number of the first warm row of each member; -1 where none is.
    sick_from : int
        Index of the first forecast at which a member is sick.
    """

    first_ts: int
    first_warm: tuple[int, ...]
    sick_from: int
    sick: str


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """A finished range.

    Attributes
    ----------
    arrays : mapping
        `rows`, `row`, `price`, `volatility`, `clock_ts` and `clock_price` as `engine.signals.protocols.Range`
        has them; for member k `xk`, its inputs in every row of the clock, float32 `[rows, F]`, and `countsk`,
        see `Counting`.
    """

    arrays: Mapping[str, Array]
    facts: RangeFacts


class Draft(Protocol):
    """Takes a range's arrays part by part."""

    def add(self, name: str, part: Array) -> None:
        """Append along the first axis; the first part, empty or not, settles type and width."""

    def finish(self, facts: RangeFacts) -> Predicted:
        """All parts together."""

    def drop(self) -> None:
        """Forget all of it."""


class MemoryDraft:
    """Keeps the parts in memory."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Array]] = defaultdict(list)

    def add(self, name: str, part: Array) -> None:
        """Append along the first axis."""
        self._parts[name].append(part)

    def finish(self, facts: RangeFacts) -> Predicted:
        """All parts together."""
        return Predicted({name: np.concatenate(parts) for name, parts in self._parts.items()}, facts)

    def drop(self) -> None:
        """Forget all of it."""
        self._parts.clear()
