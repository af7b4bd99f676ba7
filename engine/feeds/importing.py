"""Files in, stored rows and a report out: decode everything, apply the policy, and only then write.

An import is all or nothing over its files: nothing is stored unless every file was read to its end, so a
wrong file in a list leaves the store as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec

from engine.columns import Columns, Quotes
from engine.errors import UserError
from engine.feeds.instruments import Known, KnownInstruments
from engine.feeds.naming import named_otherwise
from engine.feeds.quality import crossed, out_of_order, silences
from engine.feeds.reader import Reader, ReadFile, Source, data_files, file_size
from engine.feeds.report import ImportReport
from engine.messages.instrument import Instrument
from engine.store import Added, Store
from engine.store.merging import Mask, in_order
from engine.store.schema import restated

type Progress = Callable[[float, str], None]
"""Takes the fraction done, 0 to 1, and what is being done."""

DONE = "Done"
"""What the last call of a `Progress` says."""

_READING = 0.8
"""Share of the progress bar that reading takes; writing is the rest."""

_AS_FOUND = Source()


class Cancelled(Exception):  # noqa: N818 - not an error
    """The user stopped the import; the store is as it was."""


def import_files(
    paths: Sequence[Path],
    instrument_id: str,
    store: Store,
    known: KnownInstruments,
    source: Source = _AS_FOUND,
    progress: Progress = lambda _fraction, _what: None,
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
    total = sum(file_size(file) for file in files) or 1
    reader = Reader(
        facts.instrument, source, lambda number: store.has_sequence(instrument_id, "deltas", number)
    )
    done = 0

    def step(fraction: float, what: str) -> None:
        if cancelled():
            raise Cancelled
        progress(fraction, what)

    for file in files:
        step(_READING * done / total, f"Reading {file.name}")
        reader.read(file)
        done += file_size(file)
    parts, crossed_quotes = _by_policy(_joined(reader.files), reader.files, source)
    instrument = _with_steps(facts, parts)
    added = Added(rows={}, duplicates={})
    if parts:
        label = f"Storing {instrument_id}"
        step(_READING, label)
        added = store.add(instrument, parts, lambda part: step(_READING + (1 - _READING) * part, label))
        instrument = store.instrument(instrument_id)
    progress(1.0, DONE)
    report = _report(reader.files, parts, instrument, added, source, crossed_quotes)
    doubts = named_otherwise(files, instrument.symbol, known)
    return msgspec.structs.replace(report, notes=[*doubts, *report.notes])


def _joined(files: Iterable[ReadFile]) -> dict[str, Columns]:
    """Rows of all files by kind, in the order given, at the finest precision among them."""
    parts: dict[str, Columns] = {}
    files = list(files)
    for kind in dict.fromkeys(kind for file in files for kind in file.decoded.columns):
        columns = [file.decoded.columns[kind] for file in files if kind in file.decoded.columns]
        if columns:
            price = max(part.price_precision for part in columns)
            size = max(part.size_precision for part in columns)
            parts[kind] = type(columns[0]).concat([restated(part, price, size) for part in columns])
    return parts


def _by_policy(
    parts: dict[str, Columns], files: Sequence[ReadFile], source: Source
) -> tuple[dict[str, Columns], int]:
    """Parts without what the policy drops, and how many quotes are crossed."""
    if "quotes" not in parts:
        return parts, 0
    quotes = cast("Quotes", parts["quotes"])
    rows = crossed(quotes)
    count = int(rows.sum())
    if count and source.crossed == "fail":
        raise _crossed_refusal(quotes, rows, files)
    if count and source.crossed == "drop":
        parts = {**parts, "quotes": quotes.take(~rows)}
    return {kind: part for kind, part in parts.items() if len(part)}, count


def _crossed_refusal(quotes: Quotes, rows: Mask, files: Sequence[ReadFile]) -> UserError:
    where = str(files[0].path) if len(files) == 1 else f"these {len(files)} files"
    first = int(quotes.ts_event[rows.argmax()])
    stamp = datetime.fromtimestamp(first // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return UserError(
        f"{int(rows.sum()):,} of {len(quotes):,} quotes in {where} have a bid above the ask (the first at "
        f"{stamp} UTC), so nothing was imported; say --crossed keep or --crossed drop."
    )


def _with_steps(facts: Known, parts: dict[str, Columns]) -> Instrument:
    """Instrument with the smallest decimals seen as steps, where neither list nor rule gives them."""
    if not facts.steps_from_data or not parts:
        return facts.instrument
    price = max(part.price_precision for part in parts.values())
    size = max(part.size_precision for part in parts.values())
    return msgspec.structs.replace(
        facts.instrument,
        price_precision=price,
        size_precision=size,
        tick_size=Decimal(1).scaleb(-price),
        lot_size=Decimal(1).scaleb(-size),
    )


def _report(
    files: Sequence[ReadFile],
    parts: dict[str, Columns],
    instrument: Instrument,
    added: Added,
    source: Source,
    crossed_quotes: int,
) -> ImportReport:
    decoded = [file.decoded for file in files]
    ticks = {kind: part for kind, part in parts.items() if kind in {"quotes", "trades"}}
    silent = sum(
        silences(in_order(part).ts_event, weekend_closed=instrument.kind == "fx") for part in ticks.values()
    )
    return ImportReport(
        instrument=instrument.id,
        files=len(files),
        formats=list(dict.fromkeys(file.format for file in files)),
        rows=sum(len(part) for part in parts.values()),
        added=sum(added.rows.values()),
        duplicates=sum(added.duplicates.values()),
        kinds={kind: len(part) for kind, part in parts.items()},
        rejected=[
            msgspec.structs.replace(each, file=file.path.name)
            for file in files
            for each in file.decoded.rejected
        ],
        out_of_order=sum(out_of_order(part.ts_event) for each in decoded for part in each.columns.values()),
        crossed=crossed_quotes,
        crossed_policy=source.crossed,
        gaps=silent + sum(each.gaps for each in decoded),
        first_ts_ns=min((int(part.ts_event.min()) for part in parts.values()), default=None),
        last_ts_ns=max((int(part.ts_event.max()) for part in parts.values()), default=None),
        price_precision=instrument.price_precision,
        size_precision=instrument.size_precision,
        timestamps=list(dict.fromkeys(each.timestamps for each in decoded if each.columns)),
        notes=list(dict.fromkeys(note for each in decoded for note in each.notes)),
    )
