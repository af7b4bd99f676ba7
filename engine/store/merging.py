"""Which rows are new: the one rule by which files that overlap, or come twice, still give one history.

A row is identified by all its exact columns but `ts_init` (two recorders receive the same message at
different times; the first one stored is kept).

- Rows that carry the venue's number (`trade_id`, a quote's `sequence`) are the same message if identical.
  Trades are so too if only their times differ, one's being the other's cut to whole milliseconds.
- Rows without a number are counted: the second of two identical trades at one nanosecond is a duplicate only
  if two such trades are stored already. Deltas are counted too, numbered or not: one update may set a level,
  remove it and set it again.
- A quote without a number that repeats the one before it, at the same nanosecond, says nothing and is a
  duplicate.

So importing a file twice, in any pieces, adds nothing. The one case that no rule can tell apart: a file cut
between two identical unnumbered rows of one nanosecond reads as an overlap.

A vendor's bars and corporate actions are statements that the vendor may revise: there is one bar of a time,
and one action of its sort, and the one that came last replaces the others.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.columns import Columns, CorporateActions, Int64, Trades, VendorBars
from engine.store.resolutions import dated_otherwise
from engine.store.schema import restated

type Mask = npt.NDArray[np.bool_]

_NUMBER = {"quotes": "sequence", "trades": "trade_id"}

_REVISED: Final[Mapping[type[Columns], tuple[str, ...]]] = {
    VendorBars: ("ts_event",),
    CorporateActions: ("ts_event", "action"),
}
"""What names a row that later ones of the same name replace."""


class Merged(NamedTuple):
    """Stored and new rows as one history.

    Attributes
    ----------
    rows : Columns
        All rows in order; the stored ones themselves where nothing is new.
    duplicates : int
        New rows that were stored, were withheld, or were revised by later ones of the same files.
    withheld : int
        Of the duplicates, those that a repair took out.
    replaced : int
        Rows that others of the same time replaced.
    """

    rows: Columns
    duplicates: int
    withheld: int = 0
    replaced: int = 0


def in_order[C: Columns](columns: C) -> C:
    """Rows by `ts_event`, then `ts_init`; ties keep their order of arrival."""
    event, init = np.diff(columns.ts_event), np.diff(columns.ts_init)
    if ((event > 0) | ((event == 0) & (init >= 0))).all():
        return columns
    return columns.take(np.lexsort((columns.ts_init, columns.ts_event)))


def joined(parts: Sequence[Columns]) -> Columns:
    """Rows of all parts in the order given, at the finest precision (and deepest book) among them."""
    price, size = (max(getattr(part, f"{of}_precision") for part in parts) for of in ("price", "size"))
    deepest = max(map(levels, parts))
    return type(parts[0]).concat([padded(restated(part, price, size), deepest) for part in parts])


def merge(kind: str, stored: Columns, new: Columns, withheld: Columns | None = None) -> Merged:
    """Merge new rows, in the order in which they came, into the stored ones.

    All sides have the same precisions, and trades of one millisecond come together; `withheld` are rows that
    count as stored but are not, because a repair took them out.
    """
    if type(new) in _REVISED:
        return _revised(stored, new, withheld)
    known = _merged(kind, stored, new, withheld)
    if withheld is None or not len(withheld):
        return known
    return known._replace(withheld=known.duplicates - _merged(kind, stored, new, None).duplicates)


def revised_in(rows: Columns, others: Columns) -> Mask:
    """Which of `rows`, where they are bars or actions, a row of `others` replaces: one of the same name."""
    if type(rows) not in _REVISED:
        return np.zeros(len(rows), np.bool_)
    return _found(_named(rows), _named(others))


def _merged(kind: str, stored: Columns, new: Columns, withheld: Columns | None) -> Merged:
    ordered = in_order(new)
    if _is_stretch_of(stored, ordered):
        return Merged(stored, len(new))
    deepest = max(levels(stored), levels(new))
    wide_stored, ordered = padded(stored, deepest), padded(ordered, deepest)
    taken = _with(wide_stored, withheld)
    if isinstance(new, Trades) and isinstance(taken, Trades):
        ordered = in_order(new.take(~dated_otherwise(taken, new)))
    known = _duplicates(kind, taken, ordered)
    if known.all():
        return Merged(stored, len(new))
    if known.any():
        ordered = ordered.take(~known)
    duplicates = len(new) - len(ordered)
    if len(stored):
        ordered = in_order(type(new).concat([wide_stored, ordered]))
    return Merged(ordered, duplicates)


def _revised(stored: Columns, new: Columns, withheld: Columns | None) -> Merged:
    """Merge rows of which the last one of a name counts; an equal one that came before it is the one kept."""
    out = np.zeros(len(new), np.bool_) if withheld is None else _found(_identity(new), _identity(withheld))
    latest, revised = _latest(new.take(~out))
    both = type(new).concat([stored, latest])
    kept, replaced = _last_of_each(both)
    added = int((kept >= len(stored)).sum())
    rows = in_order(both.take(kept)) if added or len(kept) < len(stored) else stored
    return Merged(rows, len(new) - added, int(out.sum()), revised + replaced)


def _latest(rows: Columns) -> tuple[Columns, int]:
    kept, replaced = _last_of_each(rows)
    return rows.take(kept), replaced


def _last_of_each(rows: Columns) -> tuple[Int64, int]:
    """Of each name the row that brought its last values, in the order of `rows`; how many were replaced."""
    order = np.lexsort(tuple(_named(rows).values()))
    ordered = rows.take(order)
    names = list(_named(ordered).values())
    begins, differs = np.ones((2, len(rows)), np.bool_)
    begins[1:] = np.logical_or.reduce([name[1:] != name[:-1] for name in names])
    differs[1:] = begins[1:] | ~_same_rows(ordered.take(slice(1, None)), ordered.take(slice(None, -1)))
    last_values = np.maximum.accumulate(np.where(differs, np.arange(len(rows)), 0))
    ends = np.append(begins[1:], True)[: len(rows)]
    return np.sort(order[last_values[ends]]), int(differs.sum() - begins.sum())


def _named(columns: Columns) -> dict[str, npt.NDArray[np.generic]]:
    """Columns that name a row which a vendor may revise."""
    return {name: columns.arrays()[name] for name in _REVISED[type(columns)]}


def _found(
    rows: Mapping[str, npt.NDArray[np.generic]], others: Mapping[str, npt.NDArray[np.generic]]
) -> Mask:
    """Which rows stand among the others."""
    sought = pl.DataFrame(dict(rows)).with_row_index("row_of_new")
    there = pl.DataFrame(dict(others))
    found = np.zeros(len(sought), np.bool_)
    found[sought.join(there, on=there.columns, how="semi")["row_of_new"].to_numpy()] = True
    return found


def _with(stored: Columns, withheld: Columns | None) -> Columns:
    return stored if withheld is None or not len(withheld) else in_order(joined([stored, withheld]))


def _tables(columns: Columns) -> list[npt.NDArray[np.generic]]:
    return [array for array in columns.arrays().values() if array.ndim == 2]


def levels(columns: Columns) -> int:
    """Levels of snapshots; 0 for other kinds."""
    return max((array.shape[1] for array in _tables(columns)), default=0)


def padded[C: Columns](columns: C, deepest: int) -> C:
    """Snapshots with `deepest` levels, at least as many as they have; a missing level has size 0."""
    if all(array.shape[1] == deepest for array in _tables(columns)):
        return columns
    wide = {
        name: np.pad(array, ((0, 0), (0, deepest - array.shape[1])))
        for name, array in columns.arrays().items()
        if array.ndim == 2
    }
    return columns.with_arrays(wide)


def _identity(columns: Columns) -> dict[str, npt.NDArray[np.generic]]:
    """Exact columns that identify a row, one dimension each."""
    named: dict[str, npt.NDArray[np.generic]] = {}
    for name, array in columns.arrays().items():
        if name == "ts_init":
            continue
        if array.ndim == 1:
            named[name] = array
        else:
            named |= {f"{name}{level}": array[:, level] for level in range(array.shape[1])}
    return named


def _is_stretch_of(stored: Columns, new: Columns) -> bool:
    """Whether the rows of `new` stand in `stored` one after another: a file imported again, found quickly."""
    if not len(new) or not len(stored):
        return not len(new)
    start = int(np.searchsorted(stored.ts_event, new.ts_event[0]))
    there = stored.take(slice(start, start + len(new)))
    if len(there) < len(new) or not np.array_equal(there.ts_event, new.ts_event):
        return False
    shapes = zip(_tables(there), _tables(new), strict=True)
    return all(one.shape == other.shape for one, other in shapes) and bool(_same_rows(there, new).all())


def _duplicates(kind: str, stored: Columns, new: Columns) -> Mask:
    """Which rows of `new` are duplicates by the rule of this module."""
    number = getattr(new, _NUMBER[kind]) if kind in _NUMBER else None
    known = np.zeros(len(new), np.bool_)
    if kind == "quotes":
        known[1:] = _same_rows(new.take(slice(1, None)), new.take(slice(None, -1)))
    doubtful = _stand_in(new.ts_event, stored.ts_event) & ~known
    if number is not None and len(new) > 1:
        tied = (new.ts_event[1:] == new.ts_event[:-1]) & (number[1:] != 0)
        doubtful[1:] |= tied
        doubtful[:-1] |= tied
        doubtful &= ~known
    rows, others = (
        np.flatnonzero(doubtful),
        np.flatnonzero(_stand_in(stored.ts_event, new.ts_event[doubtful])),
    )
    if len(rows):
        again = _stored_alike(stored.take(others), new.take(rows))
        known[rows[again]] = True
        left, left_others = (
            rows[~again],
            others[_stand_in(stored.ts_event[others], new.ts_event[rows[~again]])],
        )
        if len(left):
            known[left] = _counted(
                stored.take(left_others), new.take(left), None if number is None else number[left]
            )
    return known


def _stand_in(times: Int64, sorted_times: Int64) -> Mask:
    """Which of `times` stand in `sorted_times`."""
    if not len(sorted_times):
        return np.zeros(len(times), np.bool_)
    places = np.minimum(np.searchsorted(sorted_times, times), len(sorted_times) - 1)
    found: Mask = sorted_times[places] == times
    return found


def _same_rows(left: Columns, right: Columns) -> Mask:
    """Row by row: equal in every identifying column."""
    pairs = zip(_identity(left).values(), _identity(right).values(), strict=True)
    same: Mask = np.logical_and.reduce([a == b for a, b in pairs])
    return same


def _stored_alike(stored: Columns, new: Columns) -> Mask:
    """Rows of timestamps at which both sides hold the same rows, so that only the others need counting."""
    times, counts = np.unique(new.ts_event, return_counts=True)
    stored_times, stored_counts = np.unique(stored.ts_event, return_counts=True)
    alike = np.zeros(len(new), np.bool_)
    shared, mine, theirs = np.intersect1d(times, stored_times, assume_unique=True, return_indices=True)
    equal = counts[mine] == stored_counts[theirs]
    if equal.any():
        rows = np.flatnonzero(_stand_in(new.ts_event, shared[equal]))
        others = np.flatnonzero(_stand_in(stored.ts_event, shared[equal]))
        same = _same_rows(new.take(rows), stored.take(others))
        firsts = np.concatenate([[0], np.cumsum(counts[mine][equal])[:-1]])
        alike[rows] = np.repeat(np.logical_and.reduceat(same, firsts), counts[mine][equal])
    return alike


def _counted(stored: Columns, new: Columns, number: Int64 | None) -> Mask:
    """Which rows are duplicates, counting how often each occurs on both sides."""
    old, fresh = _identity(stored), _identity(new)
    both = pl.DataFrame({name: np.concatenate([old[name], fresh[name]]) for name in fresh})
    names = both.columns
    both = both.with_columns(is_old=pl.Series(np.arange(len(stored) + len(new)) < len(stored)))
    counted = both.select(
        stored_rows=pl.col("is_old").sum().over(names),
        place=pl.int_range(pl.len()).over(names),
    )[len(stored) :]
    stored_rows = counted["stored_rows"].to_numpy().astype(np.int64)
    place = counted["place"].to_numpy().astype(np.int64) - stored_rows
    known: Mask = place < stored_rows
    if number is not None:
        known |= (number != 0) & (place > 0)
    return known
