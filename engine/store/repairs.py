"""Repairs of stored rows: shown before they are done, recorded, and undone again; never a silent change.

The files of the store hold the repaired rows, so every reader sees them; what a repair took out is kept in
the journal (`engine.store.journal`). `engine.store.corrections` says what can be asked for.
"""

import time
from collections.abc import Mapping
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np

from engine.columns import KINDS, Columns
from engine.errors import UserError
from engine.messages.data import Repair
from engine.messages.instrument import Instrument
from engine.progress import Progress, silent
from engine.store import journal
from engine.store.book_check import exact
from engine.store.corrected import CorrectedFiles, side_by_side
from engine.store.corrections import (
    Change,
    Correction,
    checked,
)
from engine.store.journal import Draft, FileDraft, Kept, ahead_of, exchanged
from engine.store.merging import revised_in
from engine.store.schema import PRICES, SIZES
from engine.store.store import Store
from engine.store.writing import Added, with_decimals

_EXAMPLES = 5


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One row that a repair changes: its exact texts before, and after (None: it goes)."""

    ts_event_ns: int
    before: dict[str, str]
    after: dict[str, str] | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair would do.

    Attributes
    ----------
    rows : int
        Rows in the files that it looks at.
    rows_removed, rows_added, files : int
        What would change; a changed row is one removed and one added.
    price_decimals, size_decimals : int
        Decimals that the instrument's prices and sizes would grow by.
    examples : list of Example
        The first rows that would change.
    """

    instrument: str
    kind: str
    rows: int
    rows_removed: int
    rows_added: int
    files: int
    price_decimals: int
    size_decimals: int
    examples: list[Example]


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """A repair that was undone.

    Attributes
    ----------
    rows_restored, rows_taken : int
        Rows put back, and rows taken away.
    rows_missing : int
        Rows of the repair that were gone already.
    rows_replaced : int
        Rows not put back, because an import has brought newer ones of the same time since.
    """

    repair: Repair
    rows_restored: int
    rows_taken: int
    rows_missing: int
    rows_replaced: int


def listed(store: Store, instrument: str) -> list[Repair]:
    """All repairs of an instrument, undone ones too, oldest first."""
    store.instrument(instrument)
    return journal.records(store.root / instrument)


def preview(store: Store, instrument: str, correction: Correction, progress: Progress = silent) -> Preview:
    """What `apply` would do now, without doing it.

    Raises
    ------
    UserError
        The correction makes no sense, or cannot be done exactly.
    """
    looked = CorrectedFiles(store, instrument, checked(correction))
    precisions = looked.grown()
    rows = removed = added = 0
    files: set[Path] = set()
    examples: list[Example] = []
    for path, columns, its in looked.changes(precisions, progress):
        rows, removed, added = rows + len(columns), removed + len(its.removed), added + len(its.added)
        files |= {path} if len(its.removed) else set()
        examples += _examples(columns, its, _EXAMPLES - len(examples))
    return Preview(
        instrument=instrument,
        kind=correction.kind,
        rows=rows,
        rows_removed=removed,
        rows_added=added,
        files=len(files),
        price_decimals=precisions[0] - looked.facts.price_precision,
        size_decimals=precisions[1] - looked.facts.size_precision,
        examples=examples,
    )


def apply(store: Store, instrument: str, correction: Correction, progress: Progress = silent) -> Repair:
    """Change the stored rows and record it.

    Raises
    ------
    UserError
        The correction makes no sense, changes nothing or cannot be done exactly; or another process writes
        this instrument. The store is as it was.
    """
    checked(correction)
    folder = store.root / instrument
    with store.writing(instrument):
        looked = CorrectedFiles(store, instrument, correction)
        done = journal.records(folder)
        number = done[-1].number + 1 if done else 1
        draft = Draft(folder, number)
        try:
            repair = _drafted(draft, looked, number, progress)
        except BaseException:
            draft.discard()
            raise
        draft.commit(repair)
    return repair


def undo(store: Store, instrument: str, number: int, progress: Progress = silent) -> Undone:
    """Put back what a repair took out and take away what it put in; later imports stay.

    Raises
    ------
    UserError
        There is no such repair, it is undone already, or a later one changed the same rows (the sentence
        says which); or another process writes this instrument. The store is as it was.
    """
    folder = store.root / instrument
    with store.writing(instrument):
        repair = _to_undo(folder, number)
        facts = store.instrument(instrument)
        draft = Draft(folder, number)
        try:
            undone = _drafted_undo(draft, folder, facts, repair, progress)
        except BaseException:
            draft.discard()
            raise
        draft.commit(undone.repair)
    return undone


def interrupted(store: Store, instrument: str) -> bool:
    """Whether a repair, or its undoing, was killed and waits for `finish`, or for the next write."""
    store.instrument(instrument)
    return journal.is_unfinished(store.root / instrument)


def finish(store: Store, instrument: str) -> None:
    """Complete a repair that was interrupted, or forget one that had not become valid."""
    with store.writing(instrument):
        pass


def import_notes(store: Store, instrument: str, added: Added, first_ns: int | None) -> list[str]:
    """What an import must say of repairs: rows that they kept out, and rows that they would have changed.

    `first_ns` is the earliest `ts_event` of the import.
    """
    notes = [
        f"{count:,} {kind} were left out because repairs had taken them out; "
        f"'nexttick data repairs {instrument}' lists those."
        for kind, count in added.withheld.items()
        if count
    ]
    splits = (repair for repair in listed(store, instrument) if repair.action == "split-adjust")
    return notes + [
        f"Repair {repair.number} adjusted {repair.kind} for a split, and new ones from before it are as the "
        "vendor gave them; undo it and make it again."
        for repair in splits
        if not repair.undone
        and added.rows.get(repair.kind)
        and first_ns is not None
        and first_ns <= repair.end_ns
    ]


# -- doing ------------------------------------------------------------------------------------------------


def _drafted(draft: Draft, looked: CorrectedFiles, number: int, progress: Progress) -> Repair:
    correction = looked.correction
    precisions = looked.grown()

    def first_half(fraction: float, what: str) -> None:
        progress(fraction / 2, what)

    def second_half(fraction: float, what: str) -> None:
        progress(0.5 + fraction / 2, what)

    changed = {path for path, _, its in looked.changes(precisions, first_half) if len(its.removed)}
    if not changed:
        raise UserError(f"No {correction.kind} of {looked.instrument} are like this, so nothing was changed.")
    removed = added = 0
    for path, parts in groupby(looked.changes(precisions, second_half), key=lambda part: part[0]):
        if path not in changed:
            continue
        with draft.file(correction.kind, path.stem) as file:
            for _, columns, its in parts:
                _draft_stretch(file, columns, its)
                removed, added = removed + len(its.removed), added + len(its.added)
    if precisions != looked.precisions:
        _restate(draft, looked, precisions, changed)
    return Repair(
        number=number,
        instrument=looked.instrument,
        kind=correction.kind,
        action=correction.action,
        start_ns=looked.start_ns,
        end_ns=looked.end_ns,
        parameters=correction.parameters(),
        rows_removed=removed,
        rows_added=added,
        reason=correction.reason,
        made_ns=time.time_ns(),
    )


def _draft_stretch(file: FileDraft, columns: Columns, its: Change) -> None:
    goes = np.zeros(len(columns), np.bool_)
    goes[its.removed] = True
    ahead = ahead_of(columns, goes)
    out = Kept(columns.take(its.removed), ahead)
    into = Kept(its.added, ahead[: len(its.added)])
    file.add(exchanged(columns.take(~goes), None, into)[0], out, into)


def _restate(draft: Draft, looked: CorrectedFiles, precisions: tuple[int, int], changed: set[Path]) -> None:
    """Give all other files of the instrument, and its facts, the decimals that this repair needs."""
    folder = looked.store.root / looked.instrument
    for path in sorted(folder.glob("*/????-??-??.parquet")):
        if path in changed:
            continue
        with draft.file(path.parent.name, path.stem) as file:
            for (columns,) in side_by_side(path.parent.name, [path], precisions):
                file.add(columns)
    tick = looked.facts.tick_size
    if looked.correction.kind in KINDS:  # bars are no prices that an order could have
        tick = min(tick, Decimal(1).scaleb(-precisions[0]))
    draft.facts(with_decimals(looked.facts, *precisions, tick))


# -- undoing ----------------------------------------------------------------------------------------------


def _to_undo(folder: Path, number: int) -> Repair:
    """The repair of this number, which may be undone now."""
    done = {repair.number: repair for repair in journal.records(folder)}
    if number not in done:
        known = f"there are 1 to {len(done)}" if done else "it was never repaired"
        raise UserError(f"{folder.name} has no repair {number}; {known}.")
    repair = done[number]
    if repair.undone:
        raise UserError(f"Repair {number} of {folder.name} is undone already; make it again instead.")
    later = [each for each in done.values() if each.number > number and not each.undone]
    touching = [each.number for each in later if _touches(folder, each, repair)]
    if touching:
        raise UserError(
            f"Repair {touching[-1]} of {folder.name} changed the same rows after repair {number}; undo "
            f"repair {touching[-1]} first."
        )
    return repair


def _touches(folder: Path, later: Repair, earlier: Repair) -> bool:
    """Whether `later` changed rows of the times that `earlier` changed, or would have changed them."""
    if later.kind != earlier.kind:
        return False
    theirs = journal.files(folder, later.number, "removed", later.kind)
    for day, path in journal.files(folder, earlier.number, "removed", earlier.kind).items():
        times = journal.times(path)
        if later.action == "split-adjust" and (times <= later.end_ns).any():
            return True
        if day in theirs and np.isin(times, journal.times(theirs[day])).any():
            return True
    return False


def _drafted_undo(
    draft: Draft, folder: Path, facts: Instrument, repair: Repair, progress: Progress
) -> Undone:
    precisions = facts.price_precision, facts.size_precision
    removed, added = (
        journal.files(folder, repair.number, side, repair.kind) for side in ("removed", "added")
    )
    restored = taken = gone = replaced = 0
    for done, (day, path) in enumerate(removed.items()):
        progress(done / len(removed), f"Restoring {repair.kind} of {day}")
        stored = folder / repair.kind / path.name
        into, out = _KeptStream(path), _KeptStream(added.get(day))
        with draft.file(repair.kind, day) as file:
            for columns, back, own in side_by_side(repair.kind, [stored, path, added.get(day)], precisions):
                rows, missing = exchanged(columns, out.next(own), None)
                kept = into.next(back)
                newer = revised_in(back, rows)
                returns = Kept(back.take(~newer), kept.ahead[~newer])
                file.add(exchanged(rows, None, returns)[0])
                restored, replaced = restored + len(returns.rows), replaced + int(newer.sum())
                taken, gone = taken + len(own) - missing, gone + missing
    return Undone(
        repair=msgspec.structs.replace(repair, undone=True),
        rows_restored=restored,
        rows_taken=taken,
        rows_missing=gone,
        rows_replaced=replaced,
    )


class _KeptStream:
    """Puts what one file of the journal tells of its rows beside them, as they come."""

    def __init__(self, path: Path | None) -> None:
        self._ahead = np.zeros(0, np.int64) if path is None else journal.ahead(path)
        self._done = 0

    def next(self, rows: Columns) -> Kept:
        """The next rows of the file, with their places."""
        start, self._done = self._done, self._done + len(rows)
        return Kept(rows, self._ahead[start : self._done])


# -- examples ---------------------------------------------------------------------------------------------


def _examples(columns: Columns, its: Change, most: int) -> list[Example]:
    rows = its.removed[:most]
    before = _texts(columns.take(rows))
    after: list[dict[str, str] | None] = [*_texts(its.added.take(slice(0, len(rows))))]
    after += [None] * (len(rows) - len(after))
    times = columns.ts_event[rows].tolist()
    return [
        Example(ts_event_ns=ts, before=old, after=new)
        for ts, old, new in zip(times, before, after, strict=True)
    ]


def _texts(columns: Columns) -> list[dict[str, str]]:
    """Exact prices and sizes of each row by name; of a book, the best of each side."""
    scales: Mapping[str, int] = {
        **dict.fromkeys(PRICES, columns.price_precision),
        **dict.fromkeys(SIZES, columns.size_precision),
    }
    best = {
        name: (array[:, 0] if array.ndim == 2 else array).tolist()
        for name, array in columns.arrays().items()
        if name in scales
    }
    return [
        {name: exact(values[row], scales[name]) for name, values in best.items()}
        for row in range(len(columns))
    ]
