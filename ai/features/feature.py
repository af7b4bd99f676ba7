"""What a feature is: one class with a batch form, a streaming form and the facts that a passport records.

Both forms do the same IEEE operations in the same order, so they agree to the last bit except where a
library function (log1p, sine) rounds differently. That is what makes a model that was trained on the batch
form behave alike when the streaming form drives it.
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from ai.features.windows import Window
from engine.errors import UserError, unknown_name

type Floats = npt.NDArray[np.float64]
type Row = array[float]
"""Preallocated float64 outputs of a streaming form."""

type Update = Callable[..., None]
"""One event in, its outputs written into a `Row`; the arguments are those that the feature `takes`."""


class Takes(Enum):
    """What both forms read of an event; the value is the batch form's columns, after `ts`.

    The streaming form gets `ts` (int, ns) and these as floats; of `LEVELS` four sequences of floats, best
    level first: bid prices, bid sizes, ask prices, ask sizes.
    """

    TIME = ()
    PRICE = ("price",)
    TICK = ("price", "size")
    TOP = ("bid", "ask", "bid_size", "ask_size")
    TRADE = ("price", "size", "aggressor")
    LEVELS = ("bid_price", "bid_size", "ask_price", "ask_size")
    BAR = ("open", "high", "low", "close", "volume")


STREAMS: Mapping[Takes, tuple[str, ...]] = {
    Takes.TIME: ("quotes", "trades", "book", "bars"),
    Takes.PRICE: ("quotes", "trades", "book", "bars"),
    Takes.TICK: ("trades", "quotes", "bars"),
    Takes.TOP: ("quotes", "book"),
    Takes.TRADE: ("trades",),
    Takes.LEVELS: ("book",),
    Takes.BAR: ("bars",),
}
"""Streams that can feed each; the first is taken where the set's clock is none of them."""


@dataclass(frozen=True, slots=True)
class Market:
    """Facts of the instrument that a feature may need."""

    tick_size: float = math.nan


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What must have passed on the feature's own stream before its first value.

    The first value stands in the first row that has at least `rows` rows before it and lies at least `ns`
    after the first row; all rows before it are NaN.
    """

    rows: int = 0
    ns: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its default, its range and its meaning."""

    kind: Literal["whole", "real", "choice", "window"]
    meaning: str
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()

    def allowed(self) -> str:
        """Valid values, in words."""
        if self.kind == "choice":
            return " or ".join(self.choices)
        if self.kind == "window":
            return "rows from 1 to 1,000,000 or a time like 500ms, 60s, 5m or 1h"
        noun = "a whole number" if self.kind == "whole" else "a number"
        return f"{noun} from {self.minimum:,g} to {self.maximum:,g}"

    def checked(self, value: object) -> Any:
        """`value` as the feature holds it; raises `ValueError` where it is none of the valid ones."""
        if self.kind == "choice":
            if value not in self.choices:
                raise ValueError(value)
            return value
        if self.kind == "window":
            return Window.parse(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(value)  # noqa: TRY004 - one kind of failure for the caller
        if not self.minimum <= value <= self.maximum or (self.kind == "whole" and value != int(value)):
            raise ValueError(value)
        return int(value) if self.kind == "whole" else float(value)


def _declared(parameter: Parameter, default: object) -> Any:
    return field(default=parameter.checked(default), metadata={"parameter": parameter})


def whole(default: int, minimum: int, maximum: int, meaning: str) -> int:
    """Declare a whole number."""
    return _declared(Parameter("whole", meaning, minimum, maximum), default)  # type: ignore[no-any-return]


def real(default: float, minimum: float, maximum: float, meaning: str) -> float:
    """Declare a number."""
    return _declared(Parameter("real", meaning, minimum, maximum), default)  # type: ignore[no-any-return]


def choice(choices: tuple[str, ...], meaning: str) -> str:
    """Declare a choice; the first is the default."""
    return _declared(Parameter("choice", meaning, choices=choices), choices[0])  # type: ignore[no-any-return]


def window(default: int | str, meaning: str) -> Window:
    """Declare a window of rows or of time."""
    return _declared(Parameter("window", meaning), default)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Feature:
    """Base of all features; a subclass is one feature, an instance is it with its parameters.

    Attributes
    ----------
    name : str
        As a feature set names it.
    takes : Takes
        What it reads.
    source : str
        Where the formula is from.
    nan : str
        When a value is NaN after the warm-up.
    lag_rows : int
        Rows of its own stream by which a value trails the row that it stands in.
    """

    name: ClassVar[str]
    takes: ClassVar[Takes]
    source: ClassVar[str]
    nan: ClassVar[str]
    lag_rows: ClassVar[int] = 0

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its columns: the name with the parameters that tell it from its siblings."""
        return ("_".join([self.name, *(str(value) for value in self.parameters().values())]),)

    @property
    def warm_up(self) -> WarmUp:
        """What must have passed before the first value."""
        return WarmUp()

    def shared(self) -> Mapping[str, pl.Expr]:
        """Columns that several features of a set may need; computed once, before all features."""
        return {}

    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        """Batch form: one Float64 expression per output, over the columns of `takes`, `ts` and `shared`."""
        raise NotImplementedError

    def stream(self, market: Market, out: Row, at: int) -> Update:
        """Streaming form: a function that takes one event and writes `out[at:at + len(outputs)]`."""
        raise NotImplementedError

    # -- parameters ---------------------------------------------------------------------------------------

    @classmethod
    def declared(cls) -> dict[str, Parameter]:
        """Parameters by name, in order."""
        return {each.name: _parameter(each) for each in fields(cls)}

    def parameters(self) -> dict[str, int | float | str]:
        """Values as a file holds them, in order, defaults included."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: v.text if isinstance(v, Window) else v for name, v in values.items()}

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Self:
        """Make the feature from parameters as a file holds them.

        Raises
        ------
        UserError
            An unknown parameter (with the nearest valid one), or a value outside its range.
        """
        declared, values = cls.declared(), {}
        for name, value in given.items():
            if name not in declared:
                if not declared:
                    raise UserError(f"Feature {cls.name!r} takes no parameters; leave out {name!r}.")
                raise unknown_name(f"parameter of {cls.name}", name, declared)
            try:
                values[name] = declared[name].checked(value)
            except ValueError:
                raise UserError(
                    f"Parameter {name}={value} of {cls.name} must be {declared[name].allowed()}."
                ) from None
        try:
            return cls(**values)
        except ValueError as error:
            raise UserError(f"Feature {cls.name!r}: {error}") from error


def _parameter(each: "Field[Any]") -> Parameter:
    found: Parameter = each.metadata["parameter"]
    return found


def kernel(function: Callable[..., Floats], *columns: str) -> pl.Expr:
    """Expression over whole columns that `function` computes from NumPy arrays.

    polars' own rolling kernels are not used: they add and subtract in an order of their own, which a
    streaming form cannot follow to the last bit.
    """

    def call(series: Sequence[pl.Series]) -> pl.Series:
        return pl.Series(function(*(each.to_numpy() for each in series)))

    return pl.map_batches([pl.col(name) for name in columns], call, return_dtype=pl.Float64)
