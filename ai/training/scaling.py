"""How the columns were distributed in training: what they are normalised by, and what drift is told from."""

import numpy as np

from ai.passport import ColumnBins, Normaliser, Span
from ai.training.stretches import Float32, Float64, Int64

_BINS = 10


def fitted_normaliser(x: Float32, ts: Int64) -> Normaliser:
    """Mean and standard deviation of each column of `x` `[rows, F]`; 1 for a column that never changes."""
    std = x.std(axis=0, dtype=np.float64)
    std[(np.ptp(x, axis=0) == 0) | ~(std > 0)] = 1.0
    return Normaliser(
        kind="zscore",
        mean=tuple(x.mean(axis=0, dtype=np.float64).tolist()),
        std=tuple(std.tolist()),
        fitted_on=Span(start_ns=int(ts[0]), end_ns=int(ts[-1]) + 1),
    )


def normalised(x: Float32, normaliser: Normaliser) -> Float32:
    """Normalise as `ai.runtime.predictor.Signature.feed` does, to the last bit."""
    factor = (1.0 / np.asarray(normaliser.std, np.float32).astype(np.float64)).astype(np.float32)
    return (x - np.asarray(normaliser.mean, np.float32)) * factor


def column_bins(x: Float32, columns: tuple[str, ...]) -> tuple[ColumnBins, ...]:
    """About ten bins of equal share for each column of `x` `[rows, F]`.

    An edge lies halfway between two values that occur, so none lies on it; a column with few values has as
    many bins as it has values to part.
    """
    return tuple(
        _bins(column, np.sort(x[:, place]).astype(np.float64)) for place, column in enumerate(columns)
    )


def _bins(column: str, values: Float64) -> ColumnBins:
    steps = np.flatnonzero(np.diff(values))
    edges = np.empty(0)
    if len(steps):
        wanted = np.arange(1, _BINS) * len(values) / _BINS - 1
        chosen = np.unique(steps[np.minimum(steps.searchsorted(wanted), len(steps) - 1)])
        edges = (values[chosen] + values[chosen + 1]) / 2
    counts = np.diff(values.searchsorted(edges), prepend=0, append=len(values))
    return ColumnBins(
        column=column, edges=tuple(edges.tolist()), shares=tuple((counts / len(values)).tolist())
    )
