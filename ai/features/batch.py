"""The batch form: a graph of values evaluated over columns, in blocks that stay in the processor's cache.

polars' own expressions would go over memory once per operation and round sums in an order of their own; here
a block of rows passes through the whole graph before the next, and what several features need is computed
once. Only values that later rows look back at are kept whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai.features.values import NAN, OPERATIONS, Floats, Number, Value

type Int64 = npt.NDArray[np.int64]

_BLOCK: Final = 8_192


def evaluate(outputs: Sequence[Value], ts: Int64, columns: Mapping[str, Floats]) -> list[Floats]:
    """Values of each output in every row.

    Parameters
    ----------
    outputs : sequence of Value
    ts : int64 array `[rows]`, ns, ascending
    columns : mapping of name to float64 array `[rows]`

    Returns
    -------
    list of float64 arrays `[rows]`
    """
    return _Evaluation(outputs, ts, columns).run()


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


class _Evaluation:
    def __init__(self, outputs: Sequence[Value], ts: Int64, columns: Mapping[str, Floats]) -> None:
        self._ts, self._columns, self._outputs = ts, columns, outputs
        self._order = in_order(outputs)
        self._results = {output: np.empty(len(ts)) for output in outputs}
        self._whole = {
            value.arguments[0]: np.empty(len(ts)) for value in self._order if value.operation == "ago"
        }
        self._prefixes = {v: _Prefix(len(ts)) for v in self._order if v.operation == "prefix"}
        windows = {v.detail.ns: _FirstRows(ts, v.detail.ns) for v in self._order if _reaches_time(v)}
        self._first_rows = windows
        self._last_use = {
            a: k for k, v in enumerate(self._order) for a in v.arguments if isinstance(a, Value)
        }
        self._memory: dict[Value, Any] = {}
        self._free: list[Floats] = []

    def run(self) -> list[Floats]:
        with np.errstate(all="ignore"):
            for start in range(0, len(self._ts), _BLOCK):
                self._block(start, min(start + _BLOCK, len(self._ts)))
        return [self._results[output] for output in self._outputs]

    def _block(self, start: int, end: int) -> None:
        first = {ns: rows.of(start, end) for ns, rows in self._first_rows.items()}
        held: dict[Value, Floats] = {}
        owned: dict[Value, Floats] = {}
        for place, value in enumerate(self._order):
            arguments: list[Any] = [held[a] if isinstance(a, Value) else a for a in value.arguments]
            if value.operation == "column":
                held[value] = self._columns[value.detail][start:end]
            elif value.operation == "prefix":
                self._prefixes[value].extend(start, end, arguments[0])
                held[value] = arguments[0]
            else:
                out = self._free.pop() if self._free else np.empty(_BLOCK)
                owned[value], held[value] = out, out[: end - start]
                self._compute(value, held[value], arguments, start, end, first)
            self._keep(value, held[value], start, end)
            for argument in value.arguments:
                if isinstance(argument, Value) and argument in owned and self._last_use[argument] == place:
                    self._free.append(owned.pop(argument))
        self._free.extend(owned.values())

    def _keep(self, value: Value, block: Floats, start: int, end: int) -> None:
        for store in (self._results, self._whole):
            if value in store:
                store[value][start:end] = block

    def _compute(
        self,
        value: Value,
        out: Floats,
        arguments: list[Any],
        start: int,
        end: int,
        first: Mapping[int, Int64],
    ) -> None:
        if value.operation in OPERATIONS:
            OPERATIONS[value.operation].numpy(out, *arguments)
        elif value.operation == "total":
            (prefix,) = value.arguments
            assert isinstance(prefix, Value)  # noqa: S101 - as `total` makes it
            window = value.detail
            if window.ns:
                self._prefixes[prefix].since(out, start, end, first[window.ns])
            else:
                self._prefixes[prefix].last(out, start, end, window.rows)
        elif value.operation == "ago":
            self._ago(value, out, start, end, first)
        else:
            state = self._memory.setdefault(value, _MEMORIES.get(value.operation, _Stepped)(value))
            state.fill(out, arguments[0])

    def _ago(self, value: Value, out: Floats, start: int, end: int, first: Mapping[int, Int64]) -> None:
        (of,), window = value.arguments, value.detail
        assert isinstance(of, Value)  # noqa: S101 - as `ago` makes it
        whole = self._whole[of]
        if window.ns:
            rows = first[window.ns]
            np.take(whole, rows - 1, out=out, mode="wrap")
            out[: int(np.searchsorted(rows, 1))] = NAN
        else:
            missing = min(max(window.rows - start, 0), end - start)
            out[:missing] = NAN
            out[missing:] = whole[start + missing - window.rows : end - window.rows]


def _reaches_time(value: Value) -> bool:
    return value.operation in ("ago", "total") and bool(value.detail.ns)


class _FirstRows:
    """Index of the first row of each row's window `(ts - ns, ts]`."""

    def __init__(self, ts: Int64, ns: int) -> None:
        self._ts, self._ns, self._low = ts, ns, 0

    def of(self, start: int, end: int) -> Int64:
        limits = self._ts[start:end] - self._ns
        high = int(self._ts.searchsorted(limits[-1], side="right"))
        low, self._low = self._low, high
        return self._ts[low:high].searchsorted(limits, side="right") + low


class _Prefix:
    """Prefix sums of one value over all rows so far, with what rounding took from them."""

    def __init__(self, rows: int) -> None:
        self._high, self._low = np.empty(rows + 1), np.empty(rows + 1)
        self._high[0] = self._low[0] = 0.0
        self._broken: Int64 = np.full(1, -1)
        """Last row up to each of the block whose value is not finite; one number where all are the same."""

    def extend(self, start: int, end: int, x: Floats) -> None:
        high, low = self._high[start : end + 1], self._low[start : end + 1]
        high[1:] = x
        np.add.accumulate(high, out=high)
        self._broken = self._broken[-1:]
        if not np.isfinite(high[-1]):
            broken = ~np.isfinite(x)
            rows = np.where(broken, np.arange(start, end), self._broken)
            self._broken = np.maximum.accumulate(rows)
            x = np.where(broken, 0.0, x)
            high[1:] = x
            np.add.accumulate(high, out=high)
        after, earlier = high[1:], high[:-1]
        taken = after - earlier
        np.subtract(x, taken, out=low[1:])
        np.subtract(after, taken, out=taken)
        np.subtract(earlier, taken, out=taken)
        np.add(taken, low[1:], out=low[1:])
        np.add.accumulate(low, out=low)

    def last(self, out: Floats, start: int, end: int, rows: int) -> None:
        missing = min(max(rows - 1 - start, 0), end - start)
        out[:missing] = NAN
        now, then = slice(start + missing + 1, end + 1), slice(start + missing + 1 - rows, end + 1 - rows)
        total = out[missing:]
        np.subtract(self._high[now], self._high[then], out=total)
        total += self._low[now] - self._low[then]
        if self._broken[-1] > start - rows:
            out[np.arange(start - rows, end - rows) < self._broken] = NAN

    def since(self, out: Floats, start: int, end: int, first: Int64) -> None:
        np.subtract(self._high[start + 1 : end + 1], self._high[first], out=out)
        out += self._low[start + 1 : end + 1] - self._low[first]
        out[: int(np.searchsorted(first, 1))] = NAN
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
