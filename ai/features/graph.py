"""A graph of values, evaluated over columns block by block."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np

from ai.features.memory import BLOCK, Arena
from ai.features.past import Past
from ai.features.series import Kept, Scratch, Sum, extend_sums
from ai.features.times import Times
from ai.features.values import NAN, OPERATIONS, Floats, Number, Value

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


def _sums_together(order: Sequence[Value]) -> list[Value]:
    """The same values, still in order, with prefix sums that need not wait for each other side by side."""
    stage: dict[Number, int] = {}
    for value in order:
        made_of = [a for a in value.arguments if isinstance(a, Value)]
        stage[value] = max((stage[a] + (a.operation == "prefix") for a in made_of), default=0)
    return sorted(order, key=lambda value: (stage[value], value.operation == "prefix"))


class Graph:
    """The values in order, by number; a value's block lies in `self._blocks` under its number.

    Parameters
    ----------
    outputs : sequence of Value
        What is asked for; each once.
    times : Times
        Times of the stream's rows.
    rows : int, optional
        Rows that there will be, if they are known to be few.
    """

    def __init__(self, outputs: Sequence[Value], times: Times, rows: int = BLOCK) -> None:
        order = _sums_together(in_order(outputs))
        number = {value: place for place, value in enumerate(order)}
        self._order = order
        self._blocks: list[Any] = [None] * len(order)
        self._arguments = [[self._place(number, a) for a in value.arguments] for value in order]
        self._outputs = {number[output]: place for place, output in enumerate(outputs)}
        self._arena = Arena(max(1, min(rows, BLOCK)))
        reaching = {value.detail for value in order if value.operation in ("ago", "total")}
        self._past = Past(reaching, times, self._arena)
        self._scratch = Scratch(self._arena)
        self._sums = {
            place: Sum(self._past, self._scratch)
            for place, value in enumerate(order)
            if value.operation == "prefix"
        }
        kept = {self._arguments[place][0] for place, value in enumerate(order) if value.operation == "ago"}
        self._kept = {place: Kept(self._past) for place in sorted(kept)}
        self._together = self._paired()
        self._fill = {
            place: self._filler(place)
            for place, value in enumerate(order)
            if value.operation not in ("column", "prefix")
        }
        self._buffers = self._assigned()

    def _place(self, number: Mapping[Value, int], argument: Number) -> int:
        """Return an argument's place in `self._blocks`; constants come after the values."""
        if isinstance(argument, Value):
            return number[argument]
        self._blocks.append(argument)
        return len(self._blocks) - 1

    def _paired(self) -> dict[int, list[int]]:
        """Prefix sums that are added up together, under the number of the last of them."""
        pairs: dict[int, list[int]] = {}
        for place in self._sums:
            alone = len(pairs.get(place - 1, [])) == 1
            pairs[place] = [*pairs.pop(place - 1), place] if alone else [place]
        return pairs

    def _filler(self, place: int) -> Callable[[Floats], object]:
        """Return what fills a block of the value at `place`, once those of its arguments are there."""
        value, arguments, blocks = self._order[place], self._arguments[place], self._blocks
        detail, first = value.detail, arguments[0]
        if value.operation in ("total", "ago"):
            series: Kept | Sum = self._sums[first] if value.operation == "total" else self._kept[first]
            return lambda out: series.fill(out, detail)
        if value.operation in _MEMORIES:
            memory = _MEMORIES[value.operation](value)
            return lambda out: memory.fill(out, blocks[first])
        operation = OPERATIONS[value.operation].numpy
        if len(arguments) == 1:
            return lambda out: operation(blocks[first], out)
        given = itemgetter(*arguments)
        return lambda out: operation(*given(blocks), out)

    def _assigned(self) -> list[Floats]:
        """A buffer for each value; one is used again as soon as its value has been read for the last time."""
        last_use = {
            argument: place for place, arguments in enumerate(self._arguments) for argument in arguments
        }
        free: list[Floats] = []
        buffers: list[Floats] = []
        for place, arguments in enumerate(self._arguments):
            is_made = self._order[place].operation not in ("column", "prefix") and place not in self._outputs
            if is_made:
                buffers.append(free.pop() if free else self._arena.take(self._arena.block))
            else:
                buffers.append(np.empty(0))
            ended = {argument for argument in arguments if argument < place and last_use[argument] == place}
            free.extend(buffers[argument] for argument in ended if len(buffers[argument]))
        return buffers

    def extend(self, count: int, columns: Columns, results: Sequence[Floats]) -> None:
        """Evaluate the next `count` rows into `results`, an array for each output."""
        with np.errstate(all="ignore"):
            for start in range(0, count, self._arena.block):
                rows = slice(start, min(start + self._arena.block, count))
                self._past.begin(rows.stop - rows.start)
                self._block(rows, columns, results)
        self._blocks[: len(self._order)] = [None] * len(self._order)  # results are the caller's to let go

    def _block(self, rows: slice, columns: Columns, results: Sequence[Floats]) -> None:
        blocks, count = self._blocks, rows.stop - rows.start
        for place, value in enumerate(self._order):
            output = self._outputs.get(place)
            out = self._buffers[place][:count] if output is None else results[output][rows]
            if value.operation == "prefix":
                out = blocks[self._arguments[place][0]]
            elif value.operation != "column":
                self._fill[place](out)
            elif output is None:
                out = columns(value.detail, rows.start, rows.stop)
            else:
                out[:] = columns(value.detail, rows.start, rows.stop)
            blocks[place] = out
            if place in self._kept:
                self._kept[place].extend(out)
            if place in self._together:
                places = self._together[place]
                extend_sums([self._sums[n] for n in places], [blocks[n] for n in places], self._scratch)


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
        changes = np.diff(x, prepend=self._last)
        moved = np.flatnonzero(np.abs(changes) > 0.0)
        signs = np.append(self._sign, np.sign(changes[moved]))
        out[:] = np.repeat(signs, np.diff(moved, prepend=0, append=len(x)))
        self._last, self._sign = x[-1], signs[-1]


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
