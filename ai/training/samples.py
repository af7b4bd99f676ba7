"""From stretches of a market to what the loop reads: rows in their parts, labels, normalised columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ai.features import FeatureSet
from ai.passport import ColumnBins, Normaliser
from ai.training.labels import CLASSES, FLAT, balanced_threshold, directions, moves
from ai.training.plan import Plan, span
from ai.training.scaling import column_bins, fitted_normaliser, normalised
from ai.training.splits import Gap, Split, borders_by_share, split
from ai.training.stretches import Bool, Float32, Float64, Int64, Rows, Stretch, joined, with_whole_window
from engine.errors import UserError

_LEAST_TRAIN, _LEAST_JUDGED = 200, 50


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """All that is learnt from and judged by.

    Attributes
    ----------
    x : float32 array `[R, F]`, normalised
    bps : float64 array `[R]`
        Moves over the horizon in basis points; NaN where it is not known.
    classes : int64 array `[R]`
        Their classes; of a regression all flat.
    threshold : float or None
    normaliser, bins
        Fitted on the rows of the training part alone.
    """

    ts: Int64
    x: Float32
    bps: Float64
    classes: Int64
    split: Split
    threshold: float | None
    normaliser: Normaliser
    bins: tuple[ColumnBins, ...]


def samples(
    plan: Plan, features: FeatureSet, stretches: Sequence[Stretch], borders_ns: tuple[int, int] | None = None
) -> Samples:
    """Prepare what a plan learns from.

    Parameters
    ----------
    plan : Plan
    features : FeatureSet
    stretches : sequence of Stretch
        In time order.
    borders_ns : tuple of int, optional
        When validation and test begin; without it they have the plan's shares of the usable rows.

    Raises
    ------
    UserError
        Too few rows, a column without values, a horizon longer than the data, or a class that never comes.
    """
    rows = joined(stretches)
    _check_columns(rows, features)
    ahead = moves(rows, plan.look_ahead)
    if not ahead.known.any():
        raise UserError(
            f"The horizon {plan.horizon} is longer than the data ({_length(rows)}); "
            "give a shorter --horizon or more data."
        )
    usable = ahead.known & with_whole_window(rows, plan.window) & (np.arange(len(rows)) % plan.stride == 0)
    parts = _parts(plan, features, rows, usable, ahead.until_ns, borders_ns)
    threshold, classes = _classes(plan, ahead.bps, rows.price, parts)
    normaliser = fitted_normaliser(rows.x[parts.train], rows.ts[parts.train])
    return Samples(
        ts=rows.ts,
        x=normalised(rows.x, normaliser),
        bps=ahead.bps,
        classes=classes,
        split=parts,
        threshold=threshold,
        normaliser=normaliser,
        bins=column_bins(rows.x[parts.train], features.outputs),
    )


def looks_back(plan: Plan, features: FeatureSet) -> tuple[Gap, ...]:
    """How far inputs of one prediction reach back: the window, and its oldest row's longest warm-up."""
    own = [e.feature.warm_up.rows for e in features.entries if e.line == features.lines[0]]
    rows = Gap(rows=plan.window + max(own, default=0))
    longest_ns = max((entry.feature.warm_up.ns for entry in features.entries), default=0)
    return (rows, Gap(rows=plan.window - 1, ns=longest_ns)) if longest_ns else (rows,)


def _check_columns(rows: Rows, features: FeatureSet) -> None:
    empty = ~np.isfinite(rows.x).any(axis=0)
    if empty.any():
        column = features.outputs[int(empty.argmax())]
        raise UserError(
            f"The column {column} has no value in any of {len(rows):,} rows (too few for its warm-up, or its "
            "source gives none); take more data or another feature set."
        )


def _parts(
    plan: Plan,
    features: FeatureSet,
    rows: Rows,
    usable: Bool,
    until_ns: Int64,
    borders_ns: tuple[int, int] | None,
) -> Split:
    count = int(usable.sum())
    if count >= _LEAST_TRAIN + 2 * _LEAST_JUDGED:
        borders = (
            borders_by_share(usable, plan.shares)
            if borders_ns is None
            else (int(rows.ts.searchsorted(borders_ns[0])), int(rows.ts.searchsorted(borders_ns[1])))
        )
        embargo = looks_back(plan, features)
        if plan.embargo is not None:
            asked = span(plan.embargo, "--embargo")
            embargo = (Gap(asked.rows, asked.ns),)
        parts = split(usable, rows.ts, until_ns, borders, embargo)
        if len(parts.train) >= _LEAST_TRAIN and min(len(parts.validation), len(parts.test)) >= _LEAST_JUDGED:
            # A time as horizon is what was purged; a gap between two markets is more than that.
            ahead = plan.look_ahead
            return replace(parts, purge_ns=ahead.ns) if ahead.ns else parts
        told = (
            f"Of {count:,} windows {len(parts.train):,} are left for training, {len(parts.validation):,} for "
            f"validation and {len(parts.test):,} for the test once the horizon and the embargo are left out"
        )
    else:
        told = f"Only {count:,} of {len(rows):,} rows have a whole window of {plan.window} and a label"
    raise UserError(
        f"{told}, which is too little (at least {_LEAST_TRAIN}, {_LEAST_JUDGED} and {_LEAST_JUDGED}); "
        "take more data, or a shorter --window, --horizon or --embargo."
    )


def _classes(plan: Plan, bps: Float64, price: Float64, parts: Split) -> tuple[float | None, Int64]:
    if plan.task == "regression":
        return None, np.full(len(bps), FLAT)
    train = bps[parts.train]
    threshold = plan.threshold
    if threshold is None:
        threshold = balanced_threshold(train, price[parts.train[0] : parts.train[-1] + 1])
    classes = directions(bps, threshold)
    lacking = [name for at, name in enumerate(CLASSES) if not (classes[parts.train] == at).any()]
    if lacking:
        raise UserError(
            f"No row of the training part is {lacking[0]!r} over {plan.horizon} at a threshold of "
            f"{threshold:g} bps; give another --threshold or a longer --horizon."
        )
    return threshold, classes


def _length(rows: Rows) -> str:
    longest = int(np.max(rows.end - rows.start))
    return f"{longest:,} rows, {(rows.ts[-1] - rows.ts[0]) / 1e9:,.0f} s"
