"""What a feature is: one formula with parameters, and the facts that a passport records of it."""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, Self

from ai.features.sources import Source
from ai.features.values import Value
from ai.features.windows import Window
from engine.errors import UserError, unknown_name

ANY_PRICE = ("quotes", "trades", "book", "bars")
"""Streams that have a price; the first is taken where a set's clock is none of a feature's streams."""


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
    streams : tuple of str
        What can feed it; the first where the set's clock cannot.
    source : str
        Where the formula is from.
    nan : str
        When a value is NaN after the warm-up.
    lag_rows : int
        Rows of its own stream by which a value trails the row that it stands in.
    """

    name: ClassVar[str]
    streams: ClassVar[tuple[str, ...]]
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

    @property
    def levels(self) -> int:
        """Book levels a side that it reads, where it reads a book."""
        return 1

    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        """Values of its outputs, made of the columns of a stream; both forms come from this."""
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
