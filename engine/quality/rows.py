"""Stored rows as the checks take them: consecutive rows of one file, cut alike whoever reads them.

Every rule sees the same pieces however the rows came, and carries over a piece's end what it needs, so any
batching gives the same findings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from engine.columns import KINDS, Columns, Int64
from engine.quality.limits import SECOND_NS
from engine.store import Store
from engine.store.row_groups import read_rows, row_groups
from engine.store.schema import restated

PIECE_ROWS = 16_384
"""Small enough for the processor's cache, large enough that a rule's fixed cost does not show."""

DAY_NS = 86_400 * SECOND_NS


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive rows of one file.

    Attributes
    ----------
    day : str
        The file's name: the UTC day of ticks, the first day of the year of all else.
    first_row : int
        Place of the first row in the file.
    """

    day: str
    first_row: int
    columns: Columns

    def row(self, at: int) -> int:
        """Place in the file of the row at `at`."""
        return self.first_row + at


def pieces(parts: Iterable[Piece]) -> Iterator[Piece]:
    """Cut `parts`, which follow each other, at every `PIECE_ROWS` rows of each file."""
    held: list[Piece] = []
    for part in parts:
        if held and held[0].day != part.day:
            yield _joined(held)
            held = []
        start = 0
        while start < len(part.columns):
            row = part.first_row + start
            end = min(len(part.columns), start + PIECE_ROWS - row % PIECE_ROWS)
            held.append(Piece(part.day, row, part.columns.take(slice(start, end))))
            start = end
            if (part.first_row + end) % PIECE_ROWS == 0:
                yield _joined(held)
                held = []
    if held:
        yield _joined(held)


def _joined(held: list[Piece]) -> Piece:
    if len(held) == 1:
        return held[0]
    first = held[0]
    columns = type(first.columns).concat([each.columns for each in held])
    return Piece(first.day, first.first_row, columns)


def stored(store: Store, instrument: str, kind: str, files: Iterable[Path]) -> Iterator[Piece]:
    """Rows of `files` in the order of `ts_event`, a row group at a time, at the instrument's precision."""
    facts = store.instrument(instrument)
    for path in files:
        row = 0
        for group in row_groups([path]):
            columns = restated(read_rows(kind, group), facts.price_precision, facts.size_precision)
            yield Piece(path.stem, row, columns)
            row += len(columns)


def period(kind: str, day: str) -> tuple[int, int]:
    """Stretch `[start, end)` of `ts_event`, ns UTC, that the file named `day` holds."""
    first = date.fromisoformat(day)
    start = midnight(first)
    return start, start + DAY_NS if kind in KINDS else midnight(first.replace(year=first.year + 1))


def midnight(day: date) -> int:
    """Start of a UTC day, ns."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_NS


def day_of(ts_ns: int) -> str:
    """UTC day of a time."""
    return datetime.fromtimestamp(ts_ns // SECOND_NS, UTC).date().isoformat()


def after(carried: int, array: Int64) -> Int64:
    """`array` moved one place on: each row's predecessor, `carried` before the first."""
    before = np.empty_like(array)
    before[:1] = carried
    before[1:] = array[:-1]
    return before
