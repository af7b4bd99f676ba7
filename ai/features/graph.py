"""A graph of values, evaluated over columns block by block."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ai.features.past import BLOCK, Int64, Past
from ai.features.values import NAN, OPERATIONS, Floats, Number, Value
from ai.features.windows import Window

type Columns = Callable[[str, int, int], Floats]
"""Answers rows `start` to `end` of the column of a name, as float64."""


def in_order(outputs: Sequence[Value]) -> list[Value]:
    """All values that the outputs are made of, each after its arguments."""
    ordered: dict[Value, None] = {}

    def visit(value: Number) -> None:
        if isinstance(value, Value) and value not in ordered:
            for argument in value.arguments:
                visit(argument)
            ordered[value] = None

    for output in outputs:
        visit(output)
    return list(ordered)


class Graph:
    """The values in order, by number; a value's block lies in `self._buffers` under its number.

    Parameters
    ----------
    outputs : sequence of Value
        What is asked for; each once.
    """

    def __init__(self, outputs: Sequence[Value]) -> None:
        order = in_order(outputs)
        number = {value: place for place, value in enumerate(order)}
        self._order = order
        self._arguments = [
            [(number[a], 0.0) if isinstance(a, Value) else (-1, float(a)) for a in value.arguments]
            for value in order
        ]
        self._outputs = {number[output]: place for place, output in enumerate(outputs)}
        reaching = [value for value in order if value.operation in ("ago", "total")]
        self._past = Past({value.detail for value in reaching})
        self._series = {
            place: (_Prefix if order[place].operation == "prefix" else _Kept)(self._past)
            for place in sorted({self._arguments[number[value]][0][0] for value in reaching})
        }
        self._memories = {
            place: _MEMORIES[value.operation](value)
            for place, value in enumerate(order)
            if value.operation in _MEMORIES
        }
        self._buffers = self._assigned()

    def _assigned(self) -> list[Floats]:
        """A buffer for each value; one is used again as soon as its value has been read for the last time."""
        last_use = dict.fromkeys(range(len(self._order)), -1)
        for place, arguments in enumerate(self._arguments):
            last_use |= {argument: place for argument, _ in arguments if argument >= 0}
        free: list[Floats] = []
        buffers: list[Floats] = []
        for place, arguments in enumerate(self._arguments):
            is_made = self._order[place].operation not in ("column", "prefix") and place not in self._outputs
            buffers.append((free.pop() if free else np.empty(BLOCK)) if is_made else np.empty(0))
            ended = {argument for argument, _ in arguments if argument >= 0 and last_use[argument] == place}
            free.extend(buffers[argument] for argument in ended if len(buffers[argument]))
        return buffers

    def extend(self, ts: Int64, columns: Columns, results: Sequence[Floats]) -> None:
        """Evaluate the rows of `ts`, which follow those before, into `results`, an array for each output."""
        self._past.extend(ts)
        with np.errstate(all="ignore"):
            for start in range(0, len(ts), BLOCK):
                rows = slice(start, min(start + BLOCK, len(ts)))
                self._past.begin(rows.stop - rows.start)
                self._block(rows, columns, results)

    def _block(self, rows: slice, columns: Columns, results: Sequence[Floats]) -> None:
        blocks: list[Floats] = []
        for place, value in enumerate(self._order):
            given = [blocks[n] if n >= 0 else constant for n, constant in self._arguments[place]]
            output = self._outputs.get(place)
            out = self._buffers[place][: rows.stop - rows.start] if output is None else results[output][rows]
            if value.operation == "column":
                column = columns(value.detail, rows.start, rows.stop)
                if output is None:
                    out = column
                else:
                    out[:] = column
            elif value.operation == "prefix":
                out = given[0]  # type: ignore[assignment]
            elif value.operation in OPERATIONS:
                OPERATIONS[value.operation].numpy(out, *given)
            elif value.operation in _MEMORIES:
                self._memories[place].fill(out, given[0])
            else:
                self._series[self._arguments[place][0][0]].fill(out, value.detail)
            if place in self._series:
                self._series[place].extend(out)
            blocks.append(out)


# -- values that later rows look back at ------------------------------------------------------------------


class _Kept:
    """Past values of one series."""

    def __init__(self, past: Past) -> None:
        self._past, self._series = past, past.add(NAN)

    def extend(self, x: Floats) -> None:
        self._past.block(self._series)[:] = x

    def fill(self, out: Floats, window: Window) -> None:
        if window.ns:
            self._past.before(self._series, window, out)
            return
        missing = self._past.missing(window)
        out[:missing] = NAN
        out[missing:] = self._past.before(self._series, window, out)


class _Prefix:
    """Prefix sums of one series, each a complex number: the sum, and what rounding took from it."""

    def __init__(self, past: Past) -> None:
        self._past, self._series = past, past.add(0j)
        self._high, self._low = np.empty((2, 1 + BLOCK))
        self._spare = np.empty(BLOCK)
        self._pairs = np.empty(BLOCK, np.complex128)
        self._broken: Int64 = np.full(1, -1)
        """Last row up to each of the block whose value is not finite; one number where all are the same."""

    def extend(self, x: Floats) -> None:
        last, sums = self._past.last(self._series), self._past.block(self._series)
        high, low = self._high[: 1 + len(x)], self._low[: 1 + len(x)]
        high[0], low[0] = last.real, last.imag
        high[1:] = x
        np.add.accumulate(high, out=high)
        self._broken = self._broken[-1:]
        if not np.isfinite(high[-1]):
            broken = ~np.isfinite(x)
            self._broken = np.maximum.accumulate(np.where(broken, self._past.rows, self._broken))
            x = np.where(broken, 0.0, x)
            high[0] = last.real
            high[1:] = x
            np.add.accumulate(high, out=high)
        after, earlier = high[1:], high[:-1]
        taken = np.subtract(after, earlier, out=self._spare[: len(x)])
        np.subtract(x, taken, out=low[1:])
        np.subtract(after, taken, out=taken)
        np.subtract(earlier, taken, out=taken)
        np.add(taken, low[1:], out=low[1:])
        np.add.accumulate(low, out=low)
        sums.real, sums.imag = after, low[1:]

    def fill(self, out: Floats, window: Window) -> None:
        missing = self._past.missing(window)
        pairs = self._pairs[: len(out) - missing]
        before = self._past.before(self._series, window, self._pairs)
        np.subtract(self._past.block(self._series)[missing:], before, out=pairs)
        np.add(pairs.real, pairs.imag, out=out[missing:])
        out[:missing] = NAN
        if not window.ns:
            if self._broken[-1] > self._past.start - window.rows:
                out[self._past.rows - window.rows < self._broken] = NAN
            return
        first = self._past.first(window)
        out[: int(first.searchsorted(1))] = NAN
        if self._broken[-1] >= first[0]:
            out[first <= self._broken] = NAN


# -- values with a memory ---------------------------------------------------------------------------------


class _Before:
    def __init__(self, _value: Value) -> None:
        self._last = NAN

    def fill(self, out: Floats, x: Floats) -> None:
        out[0] = self._last
        out[1:] = x[:-1]
        self._last = x[-1]


class _HeldSign:
    def __init__(self, _value: Value) -> None:
        self._last, self._sign = NAN, 0.0

    def fill(self, out: Floats, x: Floats) -> None:
        changes = np.nan_to_num(np.sign(np.diff(x, prepend=self._last)), nan=0.0)
        moved = np.maximum.accumulate(np.where(changes != 0.0, np.arange(len(x)), -1))
        out[:] = np.where(moved < 0, self._sign, changes[moved])
        self._last, self._sign = x[-1], out[-1]


class _First:
    def __init__(self, _value: Value) -> None:
        self._first = NAN

    def fill(self, out: Floats, x: Floats) -> None:
        out[:] = self._first
        if np.isnan(self._first):
            known = np.flatnonzero(~np.isnan(x))
            if len(known):
                self._first = x[known[0]]
                out[known[0] :] = self._first


class _Stepped:
    def __init__(self, value: Value) -> None:
        make, *parameters = value.detail
        self._step: Callable[[float], float] = make(*parameters)

    def fill(self, out: Floats, x: Floats) -> None:
        out[:] = [self._step(each) for each in x.tolist()]


_MEMORIES: Final[Mapping[str, Callable[[Value], Any]]] = {
    "before": _Before,
    "held_sign": _HeldSign,
    "first": _First,
    "stepped": _Stepped,
}
