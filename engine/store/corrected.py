"""The stored rows that a correction looks at, and what it does to them, a stretch of time after another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.columns import Columns, Deltas, Flag, Quotes
from engine.errors import UserError
from engine.progress import Progress, silent
from engine.store.corrections import Beside, Change, Correction, change, good_quotes, growth, rows_changed
from engine.store.merging import joined, levels, padded
from engine.store.row_groups import RowGroup, read_rows, row_groups
from engine.store.schema import ROW_GROUP_ROWS, empty, restated
from engine.store.store import Store
from engine.store.stretches import stored_batches, stretches


class CorrectedFiles:
    """Files of one kind that hold rows of a correction's range, oldest first, and what it does to them."""

    def __init__(self, store: Store, instrument: str, correction: Correction) -> None:
        self.store, self.instrument, self.correction = store, instrument, correction
        self.facts = store.instrument(instrument)
        self._files = store.files(instrument, correction.kind)
        groups = row_groups(self._files)
        if not groups:
            raise UserError(f"No {correction.kind} of {instrument} are stored; there is nothing to repair.")
        first = min(group.first_event_ns for group in groups)
        last = max(group.last_event_ns for group in groups)
        self.start_ns = first if correction.start_ns is None else correction.start_ns
        self.end_ns = last if correction.end_ns is None else correction.end_ns
        touched = {
            g.path for g in groups if g.first_event_ns <= self.end_ns and g.last_event_ns >= self.start_ns
        }
        self._paths = [path for path in self._files if path in touched]
        self._rows = sum(group.rows for group in groups if group.path in touched)
        self.precisions = self.facts.price_precision, self.facts.size_precision
        for named in correction.rows or ():
            there = sum(group.rows for group in groups if group.path.stem == named.day)
            if named.first_row + named.rows > there:
                raise rows_changed(named.day)
        if correction.kind == "deltas" and correction.action == "drop":
            self._check_book_returns(groups)

    def grown(self) -> tuple[int, int]:
        """Precisions of prices and sizes that the correction needs."""
        if self.correction.action != "split-adjust":
            return self.precisions
        most = (0, 0)
        for _, columns, beside in self._stretches(self.precisions, silent):
            needed = growth(self.correction, columns, beside)
            most = max(most[0], needed[0]), max(most[1], needed[1])
        return self.precisions[0] + most[0], self.precisions[1] + most[1]

    def changes(
        self, precisions: tuple[int, int], progress: Progress
    ) -> Iterator[tuple[Path, Columns, Change]]:
        """Stretch by stretch of every file: its rows at `precisions`, and what is done to them."""
        fills = self.correction.action == "fill-forward"
        good = self._good_before() if fills else None
        for path, columns, place in self._stretches(precisions, progress):
            beside = replace(place, good_before=good)
            yield path, columns, change(self.correction, columns, beside)
            if fills:
                good = self._last_good(columns, beside) or good

    def _stretches(
        self, precisions: tuple[int, int], progress: Progress
    ) -> Iterator[tuple[Path, Columns, Beside]]:
        done = 0
        for path in self._paths:
            first_row, follows = 0, path != self._files[0]
            for (columns,) in side_by_side(self.correction.kind, [path], precisions):
                progress(done / self._rows, f"Looking at {self.correction.kind} of {path.stem}")
                yield path, columns, Beside(path.stem, first_row, follows or first_row > 0)
                first_row, done = first_row + len(columns), done + len(columns)

    def _good_before(self) -> Quotes | None:
        """The last quote before the first of these files that may be copied."""
        before = self._files[: self._files.index(self._paths[0])] if self._paths else []
        for path in reversed(before):
            good = None
            for (columns,) in side_by_side("quotes", [path], self.precisions):
                good = self._last_good(columns, Beside(path.stem, 0, follows=True)) or good
            if good is not None:
                return good
        return None

    def _last_good(self, columns: Columns, beside: Beside) -> Quotes | None:
        last = columns.take(np.flatnonzero(good_quotes(self.correction, columns, beside))[-1:])
        return last if isinstance(last, Quotes) and len(last) else None

    def _check_book_returns(self, groups: list[RowGroup]) -> None:
        """Refuse to drop book updates unless the next ones begin with a snapshot, or none come."""
        for group in groups:
            if group.last_event_ns <= self.end_ns:
                continue
            rows = read_rows("deltas", group)
            first = rows.take(rows.ts_event > self.end_ns).take(slice(0, 1))
            if isinstance(first, Deltas) and first.flags[0] & Flag.SNAPSHOT:
                return
            raise UserError(
                "After these book updates come others without a snapshot, which no book can be built from; "
                "end the range just before a snapshot, or leave out the end."
            )


def side_by_side(
    kind: str, paths: Sequence[Path | None], precisions: tuple[int, int]
) -> Iterator[list[Columns]]:
    """Rows of parallel files, a stretch of time after another; rows of one `ts_event` never part."""
    batches = [stored_batches(kind, [path] if path is not None and path.exists() else []) for path in paths]
    deepest = max((levels(side[0].load()) for side in batches if side), default=0) if kind == "depth" else 0
    for parts in stretches(batches, ROW_GROUP_ROWS):
        joint = [joined(part) if part else empty(kind, *precisions) for part in parts]
        yield [padded(restated(rows, *precisions), deepest) for rows in joint]
