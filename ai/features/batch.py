"""The batch form: a graph of values evaluated over columns, in blocks that stay in the processor's cache.

polars' own expressions would go over memory once per operation and round sums in an order of their own; here
a block of rows passes through the whole graph before the next, and what several features need is computed
once. Of values that later rows look back at only as much is kept as their windows reach. The outputs of a
long table are dealt out to threads; its rows are not, since a sum that began elsewhere rounds differently.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ai.features.graph import Columns, Graph, in_order
from ai.features.memory import not_filled
from ai.features.times import Int64, Times
from ai.features.values import Floats, Value

_PARALLEL_ROWS: Final = 100_000
_COSTS: Final = {"prefix": 20, "total": 8, "log_ratio": 8, "stepped": 300, "sine": 30, "cosine": 30}
"""Rough cost of a row where it is more than that of an addition."""


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
    asked = list(dict.fromkeys(outputs))
    results = dict(zip(asked, not_filled(len(asked) * len(ts)).reshape(len(asked), len(ts)), strict=True))
    times = Times()
    parts = _parted(asked, 1 if len(ts) < _PARALLEL_ROWS else min(os.cpu_count() or 1, 4))
    graphs = [Graph(part, times, len(ts)) for part in parts]
    times.extend(ts)

    def run(graph: Graph, part: Sequence[Value]) -> None:
        graph.extend(len(ts), columns, [results[output] for output in part])

    if len(parts) == 1:
        run(graphs[0], parts[0])
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(run, graphs, parts))
    return [results[output] for output in outputs]


class Running:
    """The same over a table that comes in pieces: any cutting gives the values of the whole."""

    def __init__(self, outputs: Sequence[Value]) -> None:
        self._outputs = outputs
        asked = list(dict.fromkeys(outputs))
        self._places = {output: place for place, output in enumerate(asked)}
        self._times = Times()
        self._graph = Graph(asked, self._times)

    def extend(self, ts: Int64, columns: Columns) -> list[Floats]:
        """Values of each output in the rows of the next piece; `columns` counts rows from its start."""
        results = list(not_filled(len(self._places) * len(ts)).reshape(len(self._places), len(ts)))
        self._times.extend(ts)
        self._graph.extend(len(ts), columns, results)
        return [results[self._places[output]] for output in self._outputs]


def _parted(outputs: Sequence[Value], parts: int) -> list[list[Value]]:
    """Deal the outputs out to threads, keeping together what shares a sum or a recurrence."""
    if parts == 1 or not outputs:
        return [list(outputs)]
    order = in_order(outputs)
    number = {value: place for place, value in enumerate(order)}
    costly = {place for place, value in enumerate(order) if value.operation in ("prefix", "stepped")}
    made_of: list[set[int]] = []
    for place, value in enumerate(order):
        arguments = [number[argument] for argument in value.arguments if isinstance(argument, Value)]
        made_of.append({place}.union(*(made_of[argument] for argument in arguments)))
    families: list[tuple[set[int], list[Value]]] = []
    for output in outputs:
        values, members = made_of[number[output]], [output]
        for family in [family for family in families if family[0] & values & costly]:
            families.remove(family)
            values, members = values | family[0], family[1] + members
        families.append((values, members))

    def cost(values: set[int]) -> int:
        return sum(_COSTS.get(order[place].operation, 1) for place in values)

    dealt: list[tuple[set[int], list[Value]]] = [(set(), []) for _ in range(parts)]
    for values, members in sorted(families, key=lambda family: cost(family[0]), reverse=True):
        least = min(range(parts), key=lambda part: cost(dealt[part][0] | values))
        dealt[least] = (dealt[least][0] | values, dealt[least][1] + members)
    return [members for _, members in dealt if members]
