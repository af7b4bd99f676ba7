"""Files in, stored rows and a report out: one file after another is decoded, counted and set aside.

An import is all or nothing over its files: nothing is stored unless every file was read to its end, so a
wrong file in a list leaves the store as it was. What is read waits on the disk (`engine.store.incoming`), so
memory holds the largest file and the largest stored day, however many files there are.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.errors import UserError
from engine.feeds.instruments import Known, KnownInstruments
from engine.feeds.naming import check_names, named_otherwise
from engine.feeds.reader import Reader, Source, data_files, file_size
from engine.feeds.report import ImportReport
from engine.feeds.tally import Tally
from engine.messages.instrument import Instrument
from engine.progress import Cancelled, Progress, silent
from engine.store import Added, Spill, Store
from engine.store.repairs import import_notes
from engine.store.series import SeriesAdded, SeriesStore

DONE = "Done"
"""What the last call of a `Progress` says."""

_READING = 0.8
"""Share of the progress bar that reading takes; writing is the rest."""

_AS_FOUND = Source()


def import_files(
    paths: Sequence[Path],
    instrument_id: str,
    store: Store,
    known: KnownInstruments,
    source: Source = _AS_FOUND,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Read `paths` (a folder means the data files in it) as one instrument's history and store it.

    Raises
    ------
    UserError
        A file, the instrument, or what `source` says of them cannot be used; the store is as it was.
    Cancelled
        `cancelled()` became true before anything was put in place.
    """
    facts = known.find(instrument_id)
    files = [file for path in paths for file in data_files(path)]
    check_names(files, facts.instrument.symbol, known)

    def step(fraction: float, what: str) -> None:
        if cancelled():
            raise Cancelled
        progress(fraction, what)

    while True:
        try:
            report = _imported(files, facts, store, source, step)
        except _OvertakenError:
            continue
        progress(1.0, DONE)
        doubts = named_otherwise(files, facts.instrument.symbol, known)
        return msgspec.structs.replace(report, notes=[*doubts, *report.notes])


class _OvertakenError(Exception):
    """Another import has stored a book that one of these files continues; they must be read again."""


def _imported(
    files: Sequence[Path], facts: Known, store: Store, source: Source, step: Progress
) -> ImportReport:
    """Read all of `files`, then store what they hold."""
    instrument = facts.instrument
    total = sum(file_size(file) for file in files) or 1
    reader = Reader(
        instrument, source, lambda number: store.has_sequence(instrument.id, "deltas", number), files
    )
    tally = Tally(instrument.id, source.crossed)
    done = 0
    with store.spill(instrument.id) as spill:
        for file in files:
            step(_READING * done / total, f"Reading {file.name}")
            tally.begin(file)
            size = file_size(file)
            for part in reader.read(file):
                for kind, rows in tally.take(part).items():
                    spill.add(kind, rows)
                for name, table in part.decoded.series.items():
                    spill.add_series(name, table)
                if part.file_bytes < size:
                    step(_READING * (done + part.file_bytes) / total, f"Reading {file.name}")
            done += size
        tally.check()
        facts = _defined(facts, tally, store)
        added = _stored(store, _with_steps(facts, tally), tally, spill, reader, step)
        if tally.rows:
            instrument = store.instrument(instrument.id)
    report = tally.report(instrument, added)
    if not tally.rows:
        return report
    notes = [
        *_merge_notes(added),
        *import_notes(store, instrument.id, added, report.first_ts_ns),
    ]
    return msgspec.structs.replace(report, notes=[*report.notes, *notes])


def _merge_notes(added: Added) -> list[str]:
    """What must be said of new rows beside stored ones."""
    revised = [
        f"{count:,} rows of {kind} were revised: newer ones of the same time replaced them."
        for kind, count in added.replaced.items()
        if count
    ]
    return revised + [
        f"{count:,} new {kind} lie among stored ones, and none of them was stored already: if one source "
        "gives single trades and the other aggregates of them (such as aggTrades), their volume is stored "
        "twice; keep one of the two."
        for kind, count in added.interleaved.items()
        if count
    ]


def _defined(facts: Known, tally: Tally, store: Store) -> Known:
    """What the files, or the store, say of the instrument that its name does not."""
    if tally.defined is not None:
        return Known(tally.defined)
    name = facts.instrument.id
    if not facts.needs_definition:
        return facts
    if name not in store.instruments():
        raise UserError(
            f"{name} is a future, and no name tells the size of its contract; import its definition file "
            "together with these files, or add it as [[instrument]]."
        )
    return Known(store.instrument(name))


def _stored(
    store: Store, instrument: Instrument, tally: Tally, spill: Spill, reader: Reader, step: Progress
) -> Added:
    """Store what was set aside, after whatever other import is storing rows of this instrument."""
    label = f"Storing {instrument.id}"
    of_series: list[tuple[str, SeriesAdded]] = []

    def waiting() -> None:
        step(_READING, f"Waiting for another import of {instrument.id}")

    def begun() -> None:
        if reader.is_outdated():
            raise _OvertakenError
        step(_READING, label)
        for name, table in spill.series():
            of_series.append((name, SeriesStore(store.root).add(name, table, waiting)))

    def progress(part: float) -> None:
        step(_READING + (1 - _READING) * part, label)

    if tally.rows:
        added = store.add(instrument, spill.incoming(), progress, waiting=waiting, begun=begun)
    else:
        begun()
        added = Added(rows={}, duplicates={})
    for name, done in of_series:
        added.rows[name] = added.rows.get(name, 0) + done.rows
        added.duplicates[name] = added.duplicates.get(name, 0) + done.duplicates
    return added


def _with_steps(facts: Known, tally: Tally) -> Instrument:
    """Instrument with the smallest decimals seen as steps, where neither list nor rule gives them."""
    if not facts.steps_from_data or not tally.rows:
        return facts.instrument
    price, size = tally.decimals
    return msgspec.structs.replace(
        facts.instrument,
        price_precision=price,
        size_precision=size,
        tick_size=Decimal(1).scaleb(-price),
        lot_size=Decimal(1).scaleb(-size),
    )
