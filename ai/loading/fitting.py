"""Fits the normaliser of a stranger's model, and what drift is told from, on rows of past days."""
# ruff: noqa: N803 - tensors are named by their shape

import datetime as dt

import msgspec
import numpy as np
import numpy.typing as npt

from ai.loading.mapping import Mapped
from ai.training.scaling import column_bins, fitted_normaliser
from engine.errors import UserError

LEAST_ROWS = 100


def fitted(mapped: Mapped, rows_NF: npt.NDArray[np.float64], ts_N: npt.NDArray[np.int64]) -> Mapped:
    """Mapping whose normaliser is the z-score of these rows.

    Parameters
    ----------
    mapped : Mapped
    rows_NF : float64 array
        Feature columns in the mapping's order; rows with a NaN (warm-up, missing levels) do not count.
    ts_N : int64 array
        Times of the rows, ns UTC, ascending.

    Raises
    ------
    UserError
        Fewer than 100 rows have all values.
    """
    names = tuple(name for columns in mapped.columns.values() for name in columns)
    is_whole = np.isfinite(rows_NF).all(axis=1)
    whole = rows_NF[is_whole].astype(np.float32)
    if len(whole) < LEAST_ROWS:
        raise UserError(
            f"Only {len(whole)} rows have all {len(names)} columns and {LEAST_ROWS} are needed; fit on more."
        )
    return msgspec.structs.replace(
        mapped,
        normaliser=fitted_normaliser(whole, ts_N[is_whole]),
        training_bins=column_bins(whole, names),
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
