"""Proof of a feature set on any data: both forms agree, and no value knows what came after it."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from typing import Any

import numpy as np
import polars as pl

from ai.features.feature import Market
from ai.features.sets import FeatureSet, Line
from ai.features.sources import columns_of
from ai.features.values import Floats

TOLERANCE = 1e-12
"""Largest relative difference of two equal values."""

type Tables = Mapping[str, pl.LazyFrame]
type Markets = Mapping[str, Market] | Market

_SLICE_ROWS = 16_384


def relative_difference(a: Floats, b: Floats) -> Floats:
    """`|a - b| / max(|a|, |b|)` element by element; 0 where equal or both NaN, inf where only one is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    difference[same] = 0.0
    difference[np.isnan(difference)] = np.inf
    return difference


def streamed(features: FeatureSet, tables: Tables, markets: Markets) -> Floats:
    """Run the streaming form over the tables, row by row in the order of time: float64 `[rows, outputs]`."""
    stream = features.stream(markets)
    clock = features.lines[0]
    parts = [
        _events(line, place, tables[str(line)], features.levels) for place, line in enumerate(features.lines)
    ]
    handlers = [stream.handler(line.stream, line.role) for line in features.lines]
    count = int(tables[str(clock)].select(pl.len()).collect().item())
    out, row = np.empty((count, len(features.outputs))), 0
    for ts, place, event in merge(*parts, key=lambda each: each[0]) if len(parts) > 1 else parts[0]:
        handlers[place](ts, *event)
        if not place:
            out[row] = stream.values
            row += 1
    return out


def _events(line: Line, place: int, table: pl.LazyFrame, levels: int) -> Iterator[tuple[int, int, Any]]:
    frame = table.select(columns_of(line.stream, levels)).collect()
    for part in frame.iter_slices(_SLICE_ROWS):
        for ts, *event in part.iter_rows():
            if line.stream == "book":
                yield ts, place, (event[0::4], event[1::4], event[2::4], event[3::4])
            else:
                yield ts, place, event


def parity(features: FeatureSet, tables: Tables, markets: Markets) -> dict[str, float]:
    """Largest relative difference of the two forms, by output; inf where one is NaN and the other is not."""
    tables = {name: table.collect().lazy() for name, table in tables.items()}
    batch = features.batch(tables, markets).select(features.outputs).collect().to_numpy()
    streaming = streamed(features, tables, markets)
    worst = relative_difference(batch, streaming).max(axis=0, initial=0.0)
    return dict(zip(features.outputs, worst.tolist(), strict=True))


def probe_rows(count: int, probes: int) -> list[int]:
    """Rows at which a probe cuts: the first ones, then spread evenly, the last but one included."""
    spread = np.linspace(0, max(count - 2, 0), probes).astype(int).tolist()
    return sorted({row for row in [0, 1, 2, *spread] if row < count})


def look_ahead(
    features: FeatureSet, tables: Tables, markets: Markets, rows: Iterable[int] | None = None
) -> dict[str, int]:
    """Prefix probe: outputs whose value at a row changes when the data after that row are taken away.

    At each probed row of the clock all tables are cut there: the clock's after the row, the others' after
    its `ts`.

    Returns
    -------
    dict
        The first row at which each offending output differs by more than `TOLERANCE`; empty is the proof.
    """
    frames = {name: table.collect() for name, table in tables.items()}
    whole = features.batch({name: frame.lazy() for name, frame in frames.items()}, markets).collect()
    clock = frames[str(features.lines[0])]
    found: dict[str, int] = {}
    for row in probe_rows(clock.height, 16) if rows is None else rows:
        ts = clock["ts"][row]
        cut = {
            name: (frame.head(row + 1) if frame is clock else frame.filter(pl.col("ts") <= ts)).lazy()
            for name, frame in frames.items()
        }
        seen = features.batch(cut, markets).select(features.outputs).tail(1).collect().to_numpy()
        full = whole.select(features.outputs).slice(row, 1).to_numpy()
        differs = relative_difference(full, seen)[0] > TOLERANCE
        for output, is_different in zip(features.outputs, differs.tolist(), strict=True):
            if is_different:
                found.setdefault(output, row)
    return found
