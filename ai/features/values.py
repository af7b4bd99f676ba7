"""The little language that features are written in: a formula is a graph of values, one per event.

A feature is defined once, as arithmetic on `Value`s. `ai.features.batch` evaluates the graph over columns
with NumPy, `ai.features.line_code` writes it out as one Python function per stream; both do the same IEEE
operations in the same order, so the two forms agree to the last bit (but for log1p, sin and cos, which two
libraries may round differently). Equal values are one value, so features share what they have in common.

No operation can reach a later row, so a formula cannot look ahead.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai.features.windows import Window

type Floats = npt.NDArray[np.float64]
type Number = "Value | float"

NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class Operation:
    """A value made of others in the same row.

    Attributes
    ----------
    python : str
        Expression of the streaming form; `{0}` is the first argument's name.
    numpy : function of (*arguments, out)
        Batch form over a block of rows; `out` is no argument's memory.
    """

    python: str
    numpy: Callable[..., object]


def _divide(a: Floats, b: Floats, out: Floats) -> None:
    np.divide(a, b, out)
    if not b.all():
        out[b == 0.0] = NAN


def _log_ratio(price: Floats, before: Floats, out: Floats) -> None:
    np.subtract(price, before, out)
    np.divide(out, before, out)
    np.log1p(out, out)
    if not (price.min(initial=math.inf) > 0.0 and before.min(initial=math.inf) > 0.0):
        out[~(np.minimum(price, before) > 0.0)] = NAN


def _root(x: Floats, out: Floats) -> None:
    np.maximum(x, 0.0, out=out)
    np.sqrt(out, out)


def _bits(number: Floats | float) -> Any:
    return (number if isinstance(number, np.ndarray) else np.float64(number)).view(np.int64)


def _chosen(compare: Callable[..., Any]) -> Callable[..., None]:
    """Choose by arithmetic on bits: a copy under a mask stumbles over each change of the mask."""

    def choose(
        a: Floats | float, b: Floats | float, then: Floats | float, otherwise: Floats | float, out: Floats
    ) -> None:
        bits, wanted, others = _bits(out), _bits(then), _bits(otherwise)
        np.copyto(bits, compare(a, b))
        if not isinstance(then, np.ndarray) and not wanted:
            np.subtract(bits, 1, bits)
            np.bitwise_and(bits, others, bits)
        else:
            np.negative(bits, bits)
            np.bitwise_and(bits, wanted ^ others, bits)
            np.bitwise_xor(bits, others, bits)

    return choose


def _aggressor_sign(aggressor: Floats, otherwise: Floats, out: Floats) -> None:
    np.multiply(aggressor, -2.0, out)
    np.add(out, 3.0, out)
    if not aggressor.all():
        np.copyto(out, otherwise, where=aggressor == 0.0)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "add": Operation("{0} + {1}", np.add),
    "subtract": Operation("{0} - {1}", np.subtract),
    "multiply": Operation("{0} * {1}", np.multiply),
    "divide": Operation("{0} / {1} if {1} else NAN", _divide),
    "less": Operation("{2} if {0} < {1} else {3}", _chosen(np.less)),
    "equal": Operation("{2} if {0} == {1} else {3}", _chosen(np.equal)),
    "absolute": Operation("abs({0})", np.absolute),
    "log_ratio": Operation("log1p(({0} - {1}) / {1}) if {0} > 0.0 and {1} > 0.0 else NAN", _log_ratio),
    "root": Operation("sqrt({0}) if {0} > 0.0 else {0} * 0.0", _root),
    "sine": Operation("sin({0})", np.sin),
    "cosine": Operation("cos({0})", np.cos),
    "aggressor_sign": Operation("{0} * -2.0 + 3.0 if {0} else {1}", _aggressor_sign),
}
"""Operations on values of one row. Division by 0 is NaN; `root` of a negative is 0 (a sum of squares that
rounding took below 0)."""


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """One number per event.

    Attributes
    ----------
    operation : str
        A key of `OPERATIONS`, or one of `column`, `before`, `ago`, `prefix`, `total`, `first`, `held_sign`,
        `stepped`.
    arguments : tuple
        Values it is made of; floats are constants.
    detail : object
        What else tells it from others: a column's name, a window, a step.
    """

    operation: str
    arguments: tuple[Number, ...] = ()
    detail: Any = None
    _hash: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.operation, self.arguments, self.detail)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Value)
            and self._hash == other._hash
            and self.operation == other.operation
            and self.detail == other.detail
            and self.arguments == other.arguments
        )

    def __add__(self, other: Number) -> "Value":
        return Value("add", (self, other))

    def __sub__(self, other: Number) -> "Value":
        return Value("subtract", (self, other))

    def __mul__(self, other: Number) -> "Value":
        return Value("multiply", (self, other))

    def __rmul__(self, other: float) -> "Value":
        return Value("multiply", (self, other))

    def __truediv__(self, other: "Value") -> "Value":
        return Value("divide", (self, other))


def column(name: str) -> Value:
    """Column of the stream's table, or `ns_of_day`, the time since midnight UTC."""
    return Value("column", (), name)


# -- within a row -----------------------------------------------------------------------------------------


def where_less(a: Number, b: Number, then: Number, otherwise: Number) -> Value:
    """`then` where `a < b`, else `otherwise`, also where one of the two is NaN."""
    return Value("less", (a, b, then, otherwise))


def where_equal(a: Number, b: Number, then: Number, otherwise: Number) -> Value:
    """`then` where `a == b`, else `otherwise`, also where one of the two is NaN."""
    return Value("equal", (a, b, then, otherwise))


def larger(a: Value, b: Value) -> Value:
    """Larger of two numbers; the first where one is NaN."""
    return where_less(a, b, b, a)


def absolute(a: Value) -> Value:
    """Distance from 0."""
    return Value("absolute", (a,))


def log_ratio(price: Value, before: Value) -> Value:
    """`ln(price / before)` as log1p of the relative change; NaN unless both are above 0."""
    return Value("log_ratio", (price, before))


def root(x: Value) -> Value:
    """Square root of what cannot be negative but for rounding."""
    return Value("root", (x,))


def sine(angle: Value) -> Value:
    """Sine of an angle in radians."""
    return Value("sine", (angle,))


def cosine(angle: Value) -> Value:
    """Cosine of an angle in radians."""
    return Value("cosine", (angle,))


def aggressor_sign(aggressor: Value, otherwise: Value) -> Value:
    """+1 for a buyer (1), -1 for a seller (2), `otherwise` where the venue does not tell (0)."""
    return Value("aggressor_sign", (aggressor, otherwise))


# -- over rows --------------------------------------------------------------------------------------------


def before(x: Value) -> Value:
    """`x` of the row before; NaN in the first."""
    return Value("before", (x,))


def ago(x: Value, window: Window) -> Value:
    """`x` of `window.rows` rows before, or of the last row at or before `ts - window.ns`; NaN without one."""
    return Value("ago", (x,), window)


def total(x: Value, window: Window) -> Value:
    """Sum of `x` over a window.

    Adding what enters and subtracting what leaves drifts, and so does the difference of plain prefix sums; a
    value would then depend on where its stream began. Here a prefix sum carries its own rounding error
    (Knuth's TwoSum: the sum of two doubles is a double and an exact error), so a window's sum is right to
    about one unit in the last place however long the stream has run.

    NaN before the first whole window, and while an `x` that is not finite is in the window.
    """
    return Value("total", (Value("prefix", (x,)),), window)


def held_sign(x: Value) -> Value:
    """Sign of the last change of `x`; 0 before the first."""
    return Value("held_sign", (x,))


def first_of(x: Value) -> Value:
    """Return the first `x` that was not NaN; NaN before it."""
    return Value("first", (x,))


def stepped(x: Value, make: Callable[..., Callable[[float], float]], *parameters: int) -> Value:
    """`make(*parameters)` makes a function with a memory; its answers to `x`, row by row.

    For recurrences, which no vector form rounds alike: both forms run the function itself.
    """
    return Value("stepped", (x,), (make, *parameters))
