"""Doubtful rows that lie near each other as one stretch, counted by day, the worst of them kept."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from engine.columns import Int64
from engine.messages.data import Check, Finding, Severity
from engine.quality.limits import Limits
from engine.quality.rows import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Doubtful rows of one file, none further from the next than `Limits.near_ns`.

    Attributes
    ----------
    start_ns, end_ns : int
        `ts_event` of the first and the last of them.
    first_row, last_row : int
        Their places in the file.
    count : int
        How many rows are doubtful; others may stand between them.
    worst : float
        Largest measure among them, in the check's own unit.
    """

    day: str
    start_ns: int
    end_ns: int
    first_row: int
    last_row: int
    count: int
    worst: float


@dataclass(slots=True)
class DayCount:
    """What a check found in one day, and how much that affects in the unit that the check is scored by."""

    findings: int = 0
    affected: float = 0.0
    kept: list[Finding] = field(default_factory=list)


type Words = Callable[[Stretch], tuple[float | None, str]]
"""The value and the sentence of a stretch."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a check's findings are called: the stored kind, the check, and the words for one stretch."""

    instrument: str
    kind: str
    check: Check
    severity: Severity
    words: Words

    def finding(self, stretch: Stretch) -> Finding:
        """Finding that tells of `stretch`."""
        value, text = self.words(stretch)
        return Finding(
            instrument=self.instrument,
            kind=self.kind,
            check=self.check,
            severity=self.severity,
            start_ns=stretch.start_ns,
            end_ns=stretch.end_ns,
            day=stretch.day,
            first_row=stretch.first_row,
            rows=stretch.last_row - stretch.first_row + 1,
            value=value,
            text=text,
        )


class Stretches:
    """Collects doubtful rows in the order of their file; bounded by the days and `Limits.kept`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, Stretch] = {}
        self._counts: dict[str, list[int]] = {}
        self._worst: dict[str, list[tuple[int, float, int, Stretch]]] = {}

    def add(
        self, day: str, ts_event: Int64, rows: Int64, measures: npt.NDArray[np.number] | None = None
    ) -> None:
        """Take in doubtful rows of `day`, in the order of the file and after all that came before.

        `measures` says how bad each is; without it all are alike.
        """
        if not len(ts_event):
            return
        starts = np.flatnonzero(np.diff(ts_event, prepend=ts_event[0]) > self._limits.near_ns)
        starts = np.concatenate([[0], starts])
        ends = np.concatenate([starts[1:], [len(ts_event)]]) - 1
        worst = np.zeros(len(starts)) if measures is None else np.maximum.reduceat(measures, starts)
        for start, end, most in zip(starts.tolist(), ends.tolist(), worst.tolist(), strict=True):
            self._join(
                Stretch(
                    day=day,
                    start_ns=int(ts_event[start]),
                    end_ns=int(ts_event[end]),
                    first_row=int(rows[start]),
                    last_row=int(rows[end]),
                    count=end - start + 1,
                    worst=float(most),
                )
            )

    def _join(self, new: Stretch) -> None:
        held = self._open.get(new.day)
        if held is None:
            self._open[new.day] = new
        elif new.start_ns - held.end_ns <= self._limits.near_ns:
            self._open[new.day] = replace(
                held,
                start_ns=min(held.start_ns, new.start_ns),
                first_row=min(held.first_row, new.first_row),
                end_ns=max(held.end_ns, new.end_ns),
                last_row=max(held.last_row, new.last_row),
                count=held.count + new.count,
                worst=max(held.worst, new.worst),
            )
        else:
            self._close(held)
            self._open[new.day] = new

    def _close(self, stretch: Stretch) -> None:
        counts = self._counts.setdefault(stretch.day, [0, 0])
        counts[0] += 1
        counts[1] += stretch.count
        heap = self._worst.setdefault(stretch.day, [])
        # Of equals the earlier one is kept.
        ranked = (stretch.count, stretch.worst, -stretch.first_row, stretch)
        if len(heap) < self._limits.kept:
            heapq.heappush(heap, ranked)
        else:
            heapq.heappushpop(heap, ranked)

    def by_day(self, naming: Naming) -> dict[str, DayCount]:
        """What was found, by day, findings in the order of the rows; rows are what is affected."""
        for stretch in self._open.values():
            self._close(stretch)
        self._open.clear()
        return {
            day: DayCount(
                findings,
                affected,
                [naming.finding(ranked[-1]) for ranked in sorted(self._worst[day], key=_place)],
            )
            for day, (findings, affected) in self._counts.items()
        }


class MarkedRows:
    """Base of the rules that mark rows one by one: what they marked, as findings."""

    def __init__(self, naming: Naming, limits: Limits) -> None:
        self._naming, self._limits = naming, limits
        self._marked = Stretches(limits)

    def _mark(self, piece: Piece, at: Int64, measures: npt.NDArray[np.number] | None = None) -> None:
        """Mark the rows at these places of `piece`; `measures` says how bad each is."""
        self._marked.add(piece.day, piece.columns.ts_event[at], piece.first_row + at, measures)

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """What was found, by day; rows are what is affected."""
        yield self._naming, self._marked.by_day(self._naming)


def _place(ranked: tuple[int, float, int, Stretch]) -> int:
    return ranked[-1].first_row
