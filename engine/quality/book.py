"""A stored book against the venue's own quotes: `engine.store.book_check`, told as findings."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa

from engine.messages.data import Finding
from engine.quality.limits import Limits
from engine.quality.rows import day_of
from engine.quality.stretches import DayCount, Naming, Stretch, Stretches
from engine.store import Store
from engine.store.book_check import BookCheck, BookPlace, check_book
from engine.store.row_groups import RowGroup, open_parquet, row_groups


class BookAgainstQuotes:
    """Rebuilds the book; updates after which it differs from the quote in force, or crosses itself."""

    def __init__(self, differs: Naming, crossed: Naming, limits: Limits, store: Store) -> None:
        self._namings: dict[Literal["differs", "crossed"], Naming] = {"differs": differs, "crossed": crossed}
        self._stretches = {wrong: Stretches(limits) for wrong in self._namings}
        self._store = store
        self._told = 0

    def run(self, walked: Callable[[int], None], start_ns: int, end_ns: int) -> BookCheck:
        """Walk through the updates received in `[start_ns, end_ns)`.

        `walked` is told how many rows were applied, and may raise to end it early.
        """
        instrument = self._namings["differs"].instrument
        return check_book(self._store, instrument, self._take, walked, start_ns, end_ns)

    def _take(self, place: BookPlace) -> None:
        self._told += 1  # stands for the row until that is looked up
        time, row = np.array([place.ts_event]), np.array([self._told])
        self._stretches[place.wrong].add(day_of(place.ts_event), time, row)

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """What was found, by day; updates are what is affected."""
        for wrong, naming in self._namings.items():
            by_day = self._stretches[wrong].by_day(naming)
            for day, count in by_day.items():
                path = self._store.root / naming.instrument / naming.kind / f"{day}.parquet"
                count.kept = placed(count.kept, path)
            yield naming, by_day


def placed(findings: Iterable[Finding], path: Path) -> list[Finding]:
    """Give findings, known by time, the rows of the file that have these times."""
    groups = row_groups([path])
    found = []
    for finding in findings:
        first = _row(groups, finding.start_ns, "left")
        rows = _row(groups, finding.end_ns, "right") - first
        found.append(msgspec.structs.replace(finding, first_row=first, rows=rows))
    return found


def _row(groups: list[RowGroup], ts_ns: int, side: Literal["left", "right"]) -> int:
    row = 0
    for group in groups:
        last = group.last_event_ns
        if last > ts_ns or (last == ts_ns and side == "left"):
            with open_parquet(group.path) as file:
                column = file.read_row_group(group.number, columns=["ts_event"]).column("ts_event")
            times = np.frombuffer(_one(column).buffers()[1], np.int64)
            return row + int(np.searchsorted(times, ts_ns, side=side))
        row += group.rows
    return row


def _one(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def differs_words(stretch: Stretch) -> tuple[float, str]:
    """How many updates, and the sentence."""
    updates = "1 update" if stretch.count == 1 else f"{stretch.count:,} updates"
    return stretch.count, f"After {updates} the book's best is not what the venue quoted."


def crossed_book_words(stretch: Stretch) -> tuple[float, str]:
    """How many updates, and the sentence."""
    updates = "1 update" if stretch.count == 1 else f"{stretch.count:,} updates"
    return stretch.count, f"After {updates} the book's best bid is at or above its best ask."
