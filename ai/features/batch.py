"""The batch form: a graph of values evaluated over columns, in blocks that stay in the processor's cache.

polars' own expressions would go over memory once per operation and round sums in an order of their own; here
a block of rows passes through the whole graph before the next, and what several features need is computed
once. Of values that later rows look back at only as much is kept as their windows reach.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai.features.values import NAN, OPERATIONS, Floats, Number, Value
from ai.features.windows import Window

type Int64 = npt.NDArray[np.int64]

type Columns = Callable[[str, int, int], Floats]

_BLOCK: Final = 16_384
_PARALLEL_ROWS: Final = 100_000
_COSTS: Final = {"prefix": 15, "total": 6, "log_ratio": 6, "stepped": 100, "sine": 10, "cosine": 10}


def evaluate(outputs: Sequence[Value], ts: Int64, columns: Columns) -> list[Floats]:
    """Values of each output in every row.

    Parameters
    ----------
    outputs : sequence of Value
    ts : int64 array `[rows]`, ns, ascending
    columns : function of (name, start, end)
        Answers rows `start` to `end` of a column as float64.

    Returns
    -------
    list of float64 arrays `[rows]`
    """
    parts = _parted(outputs, 1 if len(ts) < _PARALLEL_ROWS else min(os.cpu_count() or 1, 4))
    found: dict[Value, Floats] = {}
    if len(parts) == 1:
        found = _evaluate_part(parts[0], ts, columns)
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            for part in pool.map(lambda part: _evaluate_part(part, ts, columns), parts):
                found |= part
    return [found[output] for output in outputs]


def _evaluate_part(outputs: Sequence[Value], ts: Int64, columns: Columns) -> dict[Value, Floats]:
    return dict(zip(outputs, Running(outputs).extend(ts, columns), strict=True))


class Running:
    """The same over a table that comes in pieces: any cutting gives the values of the whole."""

    def __init__(self, outputs: Sequence[Value]) -> None:
        self._outputs = outputs
        self._graph = _Graph(outputs)
        self._first = {window.ns: _FirstRows(window.ns) for window in self._graph.windows if window.ns}
        self._rows = 0

    def extend(self, ts: Int64, columns: Columns) -> list[Floats]:
        """Values of each output in the rows of the next piece; `columns` counts rows from its start."""
        before, after = self._rows, self._rows + len(ts)
        results = self._graph.begin(before, len(ts), columns)
        for rows in self._first.values():
            rows.extend(ts)
        with np.errstate(all="ignore"):
            for start in range(before, after, _BLOCK):
                end = min(start + _BLOCK, after)
                self._graph.block(start, end, {ns: rows.of(start, end) for ns, rows in self._first.items()})
        self._rows = after
        return [results[output] for output in self._outputs]


def _parted(outputs: Sequence[Value], parts: int) -> list[list[Value]]:
    """Deal the outputs out to threads, keeping together what shares a costly value."""
    families: list[tuple[set[object], list[Value]]] = []
    for output in dict.fromkeys(outputs):
        costly: set[object] = set()
        for value in in_order([output]):
            if value.operation in ("prefix", "stepped"):
                costly.add(value)
            if value.operation in ("ago", "total") and value.detail.ns:
                costly.add(value.detail.ns)
        kin = [family for family in families if family[0] & costly]
        families = [family for family in families if not family[0] & costly]
        families.append((costly.union(*(f[0] for f in kin)), [*(v for f in kin for v in f[1]), output]))
    dealt: list[list[Value]] = [[] for _ in range(parts)]
    for _, family in sorted(families, key=lambda family: _cost(family[1]), reverse=True):
        min(dealt, key=_cost).extend(family)
    return [part for part in dealt if part] or [[]]


def _cost(outputs: Sequence[Value]) -> int:
    """Rough cost of a row; 1 is an addition."""
    order = in_order(outputs)
    windows = {v.detail.ns for v in order if v.operation in ("ago", "total") and v.detail.ns}
    return 30 * len(windows) + sum(_COSTS.get(value.operation, 1) for value in order)


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


class _Graph:
    """The values in order, by number; a value's block lies in `self._blocks` under its number."""

    def __init__(self, outputs: Sequence[Value]) -> None:
        order = in_order(outputs)
        number = {value: place for place, value in enumerate(order)}
        self._order = order
        self._arguments = [
            [(number[a], 0.0) if isinstance(a, Value) else (-1, float(a)) for a in value.arguments]
            for value in order
        ]
        self._outputs = {number[output]: output for output in outputs}
        self.windows = {value.detail for value in order if value.operation in ("ago", "total")}
        self._series = {
            place: (_Prefix if of.operation == "prefix" else _Kept)(
                [v.detail for v in order if v.operation in ("ago", "total") and v.arguments == (of,)]
            )
            for place, of in enumerate(order)
            if any(v.operation in ("ago", "total") and v.arguments == (of,) for v in order)
        }
        self._memories = {
            place: _MEMORIES[value.operation](value)
            for place, value in enumerate(order)
            if value.operation in _MEMORIES
        }
        self._buffers = self._assigned(order)

    def _assigned(self, order: list[Value]) -> list[Floats]:
        """A buffer for each value; one is used again as soon as its value has been read for the last time."""
        last_use = dict.fromkeys(range(len(order)), -1)
        for place, arguments in enumerate(self._arguments):
            last_use |= {argument: place for argument, _ in arguments if argument >= 0}
        free: list[Floats] = []
        buffers: list[Floats] = []
        for place, arguments in enumerate(self._arguments):
            is_made = order[place].operation not in ("column", "prefix") and place not in self._outputs
            buffers.append((free.pop() if free else np.empty(_BLOCK)) if is_made else np.empty(0))
            ended = {argument for argument, _ in arguments if argument >= 0 and last_use[argument] == place}
            free.extend(buffers[argument] for argument in ended if len(buffers[argument]))
        return buffers

    def begin(self, origin: int, rows: int, columns: Columns) -> dict[Value, Floats]:
        """Begin the piece of `rows` rows from row `origin`; what its blocks will fill."""
        self._origin, self._columns = origin, columns
        self._results = {place: np.empty(rows) for place in self._outputs}
        return {output: self._results[place] for place, output in self._outputs.items()}

    def block(self, start: int, end: int, first: Mapping[int, Int64]) -> None:
        """Evaluate rows `start` to `end`; blocks must follow each other."""
        rows = slice(start - self._origin, end - self._origin)
        blocks: list[Floats] = []
        for place, value in enumerate(self._order):
            given = [blocks[n] if n >= 0 else constant for n, constant in self._arguments[place]]
            result = self._results.get(place)
            out = self._buffers[place][: end - start] if result is None else result[rows]
            if value.operation == "column":
                out = self._columns(value.detail, rows.start, rows.stop)
                if result is not None:
                    result[rows] = out
            elif value.operation == "prefix":
                out = given[0]  # type: ignore[assignment]
            elif value.operation in OPERATIONS:
                OPERATIONS[value.operation].numpy(out, *given)
            elif value.operation in _MEMORIES:
                self._memories[place].fill(out, given[0])
            else:
                series = self._series[self._arguments[place][0][0]]
                series.fill(out, start, end, value.detail, first.get(value.detail.ns))
            if place in self._series:
                self._series[place].extend(start, end, out, first)
            blocks.append(out)


class _FirstRows:
    """Index of the first row of each row's window `(ts - ns, ts]`."""

    def __init__(self, ns: int) -> None:
        self._ns, self._low, self._base = ns, 0, 0
        self._ts: Int64 = np.empty(0, np.int64)

    def extend(self, ts: Int64) -> None:
        """Take in later rows; those before every later window are let go."""
        kept = self._ts[self._low - self._base :]
        self._ts = np.concatenate([kept, ts]) if len(kept) else ts
        self._base = self._low

    def of(self, start: int, end: int) -> Int64:
        base = self._base
        limits = self._ts[start - base : end - base] - self._ns
        high = self._low + int(self._ts[self._low - base : end - base].searchsorted(limits[-1], side="right"))
        low, self._low = self._low, high
        return self._ts[low - base : high - base].searchsorted(limits, side="right") + low


# -- values that later rows look back at ------------------------------------------------------------------


class _History:
    """The newest rows of parallel series; a row's place is `row - base`. Row -1 is before the first."""

    def __init__(self, before_first: Sequence[float], windows: Sequence[Window]) -> None:
        self.rows = np.empty((len(before_first), 4 * _BLOCK))
        self.rows[:, 0] = before_first
        self.base = -1
        self._windows = windows
        self._taken = np.empty((len(before_first), _BLOCK))
        self._places = np.empty(_BLOCK, np.int64)

    def extended(self, start: int, end: int, first: Mapping[int, Int64]) -> npt.NDArray[np.float64]:
        """Make room for rows `start` to `end`: `[series, 1 + end - start]`, led by the row before them."""
        if end - self.base > self.rows.shape[1]:
            reach = [int(first[w.ns][0]) - 1 if w.ns else start - w.rows for w in self._windows]
            oldest = max(min([*reach, start - 1]), self.base)
            kept = self.rows[:, oldest - self.base : start - self.base]
            size = max(self.rows.shape[1], 2 * (kept.shape[1] + _BLOCK))
            moved = np.empty((len(self.rows), size)) if size > self.rows.shape[1] else self.rows
            moved[:, : kept.shape[1]] = kept
            self.rows, self.base = moved, oldest
        return self.rows[:, start - 1 - self.base : end - self.base]

    def past(self, series: int, start: int, end: int, window: Window, first: Int64 | None) -> Floats:
        """Return the series just before each row's window; `_missing` leading rows are left out."""
        of: Floats = self.rows[series]
        if first is not None:
            places, taken = self._places[: len(first)], self._taken[series, : len(first)]
            np.subtract(first, 1 + self.base, out=places)
            np.take(of, places, out=taken, mode="clip")
            return taken
        return of[
            start + _missing(start, end, window) - window.rows - self.base : end - window.rows - self.base
        ]


def _missing(start: int, end: int, window: Window) -> int:
    """Leading rows of a block that have fewer rows before them than a window has."""
    return min(max(window.rows - 1 - start, 0), end - start)


class _Kept:
    """Past values of one series."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._history = _History([NAN], windows)

    def extend(self, start: int, end: int, x: Floats, first: Mapping[int, Int64]) -> None:
        self._history.extended(start, end, first)[0, 1:] = x

    def fill(self, out: Floats, start: int, end: int, window: Window, first: Int64 | None) -> None:
        missing = _missing(start, end, window)
        out[:missing] = NAN
        out[missing:] = self._history.past(0, start, end, window, first)


class _Prefix:
    """Prefix sums of one series, with what rounding took from them."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._history = _History([0.0, 0.0], windows)
        self._spare = np.empty(_BLOCK)
        self._broken: Int64 = np.full(1, -1)
        """Last row up to each of the block whose value is not finite; one number where all are the same."""

    def extend(self, start: int, end: int, x: Floats, first: Mapping[int, Int64]) -> None:
        high, low = self._history.extended(start, end, first)
        high[1:] = x
        np.add.accumulate(high, out=high)
        self._broken = self._broken[-1:]
        if not np.isfinite(high[-1]):
            broken = ~np.isfinite(x)
            self._broken = np.maximum.accumulate(np.where(broken, np.arange(start, end), self._broken))
            x = np.where(broken, 0.0, x)
            high[1:] = x
            np.add.accumulate(high, out=high)
        after, earlier = high[1:], high[:-1]
        taken = np.subtract(after, earlier, out=self._spare[: len(x)])
        np.subtract(x, taken, out=low[1:])
        np.subtract(after, taken, out=taken)
        np.subtract(earlier, taken, out=taken)
        np.add(taken, low[1:], out=low[1:])
        np.add.accumulate(low, out=low)

    def fill(self, out: Floats, start: int, end: int, window: Window, first: Int64 | None) -> None:
        missing = _missing(start, end, window)
        now = slice(start + missing - self._history.base, end - self._history.base)
        high, low = (self._history.past(series, start, end, window, first) for series in (0, 1))
        total = out[missing:]
        np.subtract(self._history.rows[0, now], high, out=total)
        total += np.subtract(self._history.rows[1, now], low, out=self._spare[: len(total)])
        out[:missing] = NAN
        if first is None:
            if self._broken[-1] > start - window.rows:
                out[np.arange(start - window.rows, end - window.rows) < self._broken] = NAN
            return
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
