"""Fits the normaliser of a stranger's model, and what drift is told from, on rows of past days."""
# ruff: noqa: N803 - tensors are named by their shape

import datetime as dt

import msgspec
import numpy as np
import numpy.typing as npt

from ai.loading.mapping import Mapped
from ai.passport import ColumnBins, Normaliser, Span
from engine.errors import UserError

LEAST_ROWS = 100
_BINS = 10


def fitted(mapped: Mapped, rows_NF: npt.NDArray[np.float64], span: Span) -> Mapped:
    """Mapping whose normaliser is the z-score of these rows.

    Parameters
    ----------
    mapped : Mapped
    rows_NF : float64 array
        Feature columns in the mapping's order; rows with a NaN (warm-up, missing levels) do not count.
    span : Span
        Time of the rows.

    Raises
    ------
    UserError
        Fewer than 100 rows have all values.
    """
    names = [name for columns in mapped.columns.values() for name in columns]
    whole = rows_NF[np.isfinite(rows_NF).all(axis=1)]
    if len(whole) < LEAST_ROWS:
        raise UserError(
            f"Only {len(whole)} rows have all {len(names)} columns and {LEAST_ROWS} are needed; fit on more."
        )
    std = whole.std(axis=0)
    # A column that never moved has no scale of its own, up to the rounding of its mean.
    std[std <= 1e-12 * np.abs(whole).max(axis=0)] = 1.0
    return msgspec.structs.replace(
        mapped,
        normaliser=Normaliser(
            kind="zscore",
            mean=tuple(whole.mean(axis=0).tolist()),
            std=tuple(std.tolist()),
            fitted_on=span,
        ),
        training_bins=tuple(bins_of(name, whole[:, at]) for at, name in enumerate(names)),
    )


def told_of_normaliser(mapped: Mapped) -> str:
    """Say what happens to the columns before the model sees them."""
    span = mapped.normaliser.fitted_on
    if mapped.normaliser.kind == "none" or span is None:
        return "Its columns are given as they are; fit the z-score on past days where it was trained on such."
    begin, end = (
        dt.datetime.fromtimestamp(ns / 1e9, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        for ns in (span.start_ns, span.end_ns)
    )
    return f"Its columns are z-scored as they were from {begin} to {end} UTC; replay what came after."


def bins_of(name: str, values: npt.NDArray[np.float64]) -> ColumnBins:
    """Shares of a column's values between its deciles; equal deciles are one border.

    A bin holds `edge[k-1] <= x < edge[k]`, as `np.searchsorted(edges, x, side="right")` counts.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return ColumnBins(
        column=name,
        edges=tuple(edges.tolist()),
        shares=tuple((counts / len(values)).tolist()),
    )
