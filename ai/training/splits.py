"""Parts the rows in time: training first, then validation, then test, with nothing that reaches across.

A row is purged from a part where its label looks at a moment at which the next part has begun. An embargo
then leaves out the first rows of the next part, whose inputs still look back at prices that trained a label
(Lopez de Prado, "Advances in Financial Machine Learning", 2018, chapter 7).
"""

from dataclasses import dataclass

import numpy as np

from ai.training.stretches import Bool, Int64


@dataclass(frozen=True, slots=True)
class Gap:
    """What is left out after a border: a time of `ns`, and then `rows` more."""

    rows: int = 0
    ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Row numbers of each part, ascending, and the least gaps that were left between parts."""

    train: Int64
    validation: Int64
    test: Int64
    purge_ns: int
    embargo_ns: int


def borders_by_share(usable: Bool, shares: tuple[float, float]) -> tuple[int, int]:
    """Rows at which validation and test begin, so that the parts have these shares of the usable rows."""
    rows = np.flatnonzero(usable)
    first = int(rows[int(len(rows) * shares[0])])
    return first, int(rows[int(len(rows) * (shares[0] + shares[1]))])


def split(
    usable: Bool, ts: Int64, until_ns: Int64, borders: tuple[int, int], embargo: tuple[Gap, ...]
) -> Split:
    """Part the usable rows.

    Parameters
    ----------
    usable : bool array `[R]`
    ts, until_ns : int64 arrays `[R]`
        Time of each row, and the last moment that its label looks at.
    borders : tuple of int
        Rows at which validation and test begin.
    embargo : tuple of Gap
        What is left out after a border; the longest counts.
    """
    rows = np.flatnonzero(usable)
    begins = [_after(border, ts, embargo) for border in borders]
    starts, ends = [0, *begins], [*borders, len(ts)]
    train, validation, test = (
        part[until_ns[part] < ts[end]] if end < len(ts) else part
        for part, end in (
            (rows[(rows >= start) & (rows < end)], end) for start, end in zip(starts, ends, strict=True)
        )
    )
    purges = [
        int(ts[border] - ts[part[-1]]) - 1
        for part, border in ((train, borders[0]), (validation, borders[1]))
        if len(part)
    ]
    embargoes = [int(ts[min(b, len(ts) - 1)] - ts[border]) for b, border in zip(begins, borders, strict=True)]
    return Split(train, validation, test, min(purges, default=0), min(embargoes))


def _after(border: int, ts: Int64, embargo: tuple[Gap, ...]) -> int:
    """First row after the embargo that follows a border."""
    return max(
        each.rows + (int(ts.searchsorted(ts[border] + each.ns)) if each.ns else border) for each in embargo
    )
