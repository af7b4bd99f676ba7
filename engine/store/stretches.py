"""Cuts several sorted histories at common times, so that files of any length are merged in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from engine.columns import Columns
from engine.store.row_groups import read_rows, row_groups


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows in `ts_event` order that are loaded when their turn comes; `levels` is for snapshots."""

    first_event_ns: int
    rows: int
    load: Callable[[], Columns]
    levels: int = 0


def stored_batches(kind: str, paths: Sequence[Path]) -> list[Batch]:
    """Row groups of stored files, in the order of the files."""
    return [
        Batch(group.first_event_ns, group.rows, partial(read_rows, kind, group))
        for group in row_groups(paths)
    ]


def stretches(
    sides: Sequence[Sequence[Batch]], rows: int, together_ns: int = 1
) -> Iterator[list[list[Columns]]]:
    """Yield one stretch of time after another: of each side, the parts of its batches that lie in it.

    Rows whose `ts_event` lies within the same `together_ns` never part, and the parts of a side keep the
    order of its batches. A stretch holds at least `rows` rows while there are as many, and more where batches
    overlap: memory is bounded by twice the batches that overlap at one time.
    """
    waiting = sorted(
        (
            (batch.first_event_ns, side, place, batch)
            for side, batches in enumerate(sides)
            for place, batch in enumerate(batches)
        ),
        key=lambda each: each[:3],
        reverse=True,
    )
    loaded: list[dict[int, Columns]] = [{} for _ in sides]
    while waiting or any(loaded):
        while waiting:
            until = waiting[-1][0] // together_ns * together_ns
            held = sum(len(part) for side in loaded for part in side.values())
            complete = sum(_before(part, until) for side in loaded for part in side.values())
            if complete >= max(rows, held / 2):
                break
            _, number, place, batch = waiting.pop()
            loaded[number][place] = batch.load()
        cuts = [
            {place: _before(part, until) if waiting else len(part) for place, part in side.items()}
            for side in loaded
        ]
        yield [
            [side[place].take(slice(0, count)) for place, count in sorted(cut.items()) if count]
            for side, cut in zip(loaded, cuts, strict=True)
        ]
        loaded = [
            {
                place: side[place].take(slice(count, None))
                for place, count in cut.items()
                if count < len(side[place])
            }
            for side, cut in zip(loaded, cuts, strict=True)
        ]


def _before(part: Columns, until_ns: int) -> int:
    return int(np.searchsorted(part.ts_event, until_ns))
