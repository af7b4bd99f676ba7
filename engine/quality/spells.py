"""Stretches of time in which nothing came or nothing changed: gaps and stale prices.

What is long depends on the instrument and on the hour, so each is measured against its own past: the limit of
an hour of the day (UTC) is `Limits.spell_factor` times the `Limits.spell_quantile` of its spells that began
in that hour, at least the check's own floor. An hour with fewer than `Limits.spell_sample` spells borrows
those of the hours around it. A spell that reaches into several hours is held to the largest of their limits.
The quantile is the lower one (the spell at index `floor(q (n - 1))` in order of length), so of fewer than
1,000 spells the longest never sets the limit that it is held to.

Only open time counts: a weekend makes no silence. A session without any row is a finding of its own, up to
`Limits.hole_sessions` in a row. A longer silence is time that was never imported: one note from the row
before it to the row after it, which says nothing of what is usual.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engine.columns import Int64, VendorBars
from engine.messages.data import Finding
from engine.quality.calendars import Sessions
from engine.quality.limits import SECOND_NS, Limits
from engine.quality.quotes import best
from engine.quality.rows import Piece, after, day_of, period
from engine.quality.stretches import DayCount, Naming, Stretch

HOUR_NS = 3_600 * SECOND_NS
_HOLE = ("gap", "note")
_HOURS = 24
_BINS_PER_OCTAVE = 8
_BINS = 64 * _BINS_PER_OCTAVE
"""Lengths are counted in bins that grow by 2 ** (1/8), 9 %; a quantile is the upper edge of its bin."""


class Usual:
    """Counts spells by the hour in which they began and says which length is unusual there."""

    def __init__(self, limits: Limits, least_ns: int) -> None:
        self._limits = limits
        self._least_ns = least_ns
        self._counts = np.zeros((_HOURS, _BINS), np.int64)

    def add(self, starts: Int64, lengths: Int64) -> None:
        """Count spells of `lengths` ns, which are above 0."""
        hours = starts // HOUR_NS % _HOURS
        bins = (np.log2(lengths) * _BINS_PER_OCTAVE).astype(np.int64)
        places = np.bincount(hours * _BINS + bins, minlength=_HOURS * _BINS)
        self._counts += places.reshape(_HOURS, _BINS)

    def limits_ns(self) -> Int64 | None:
        """Limit of each hour of the day, int64 `[24]`; None where too few spells were counted to say."""
        if self._counts.sum() < self._limits.spell_least:
            return None
        return np.array([self._of_hour(hour) for hour in range(_HOURS)], np.int64)

    def _of_hour(self, hour: int) -> int:
        around = self._counts[hour]
        for reach in range(1, _HOURS // 2 + 1):
            if around.sum() >= self._limits.spell_sample:
                break
            near = np.arange(hour - reach, hour + reach + 1) % _HOURS
            around = self._counts[np.unique(near)].sum(axis=0)
        index = int(self._limits.spell_quantile * (around.sum() - 1))
        place = int(np.searchsorted(np.cumsum(around), index, side="right"))
        usual = 2.0 ** ((place + 1) / _BINS_PER_OCTAVE)
        return max(self._least_ns, int(self._limits.spell_factor * usual))


def held_to(limits_ns: Int64, starts: Int64, ends: Int64) -> Int64:
    """Limit of each spell: the largest among the hours of the day that it touches."""
    first = starts // HOUR_NS
    span = np.minimum(ends // HOUR_NS - first, _HOURS - 1)
    table = np.empty((_HOURS, _HOURS), np.int64)
    for reach in range(_HOURS):
        table[reach] = np.roll(limits_ns, -reach)
    largest = np.maximum.accumulate(table, axis=0)
    found: Int64 = largest[span, first % _HOURS]
    return found


@dataclass(frozen=True, slots=True)
class Spell:
    """From one row to a later one; `first_row` is the first's place in the file of `day`.

    `count` is the rows of a run of one price, and the whole sessions that a silence swallows.
    """

    day: str
    start_ns: int
    end_ns: int
    first_row: int
    last_row: int
    count: int


class Gaps:
    """Silences of one kind: from a row to the next; of bars, from one's close to the next's open."""

    def __init__(self, naming: Naming, limits: Limits, sessions: Sessions) -> None:
        self._naming, self._limits, self._sessions = naming, limits, sessions
        self._usual = Usual(limits, limits.gap_least_ns)
        self._long: list[Spell] = []
        self._holes: list[Spell] = []
        self._last: tuple[str, int, int] | None = None
        """File, row and end of the row before."""

    def take(self, piece: Piece) -> None:
        """Measure the silences before and between these rows."""
        columns = piece.columns
        ends = columns.ts_init if isinstance(columns, VendorBars) else columns.ts_event
        day, row, carried = self._last or (piece.day, piece.first_row, int(columns.ts_event[0]))
        starts = after(carried, ends)
        lengths = columns.ts_event - starts
        long = lengths >= self._limits.gap_least_ns
        short = (lengths > 0) & ~long
        self._usual.add(starts[short], lengths[short])
        at = np.flatnonzero(long)
        open_ns = self._sessions.open_ns(starts[at], columns.ts_event[at])
        at, open_ns = at[open_ns > 0], open_ns[open_ns > 0]
        sessions = self._sessions.swallowed(starts[at], columns.ts_event[at])
        hole = sessions > self._limits.hole_sessions
        self._usual.add(starts[at[~hole]], open_ns[~hole])
        kept = hole | (open_ns >= self._limits.gap_least_ns)
        for place, inside, is_hole in zip(
            at[kept].tolist(), sessions[kept].tolist(), hole[kept], strict=True
        ):
            before = (day, row) if place == 0 else (piece.day, piece.row(place - 1))
            span = (int(starts[place]), int(columns.ts_event[place]))
            spells = self._holes if is_hole else self._long
            spells.append(Spell(before[0], *span, before[1], before[1], inside))
        self._last = (piece.day, piece.row(len(columns) - 1), int(ends[-1]))

    def found(self, days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """What was found, by the file of the row before a gap; open nanoseconds are what is affected.

        The time of a gap counts in each of the stored `days` that it reaches into.
        """
        usual = self._usual.limits_ns()
        found: dict[str, DayCount] = {}
        gaps = [(spell, part) for spell in self._long for part in self._parts(spell, usual)]
        for spell, (start, end, session) in gaps:
            count = found.setdefault(spell.day, DayCount())
            count.findings += 1
            count.kept.append(self._finding(spell, start, end, session=session))
        for count in found.values():
            count.kept = _longest(count.kept, self._limits.kept)
        if gaps:
            self._spread(found, days, np.array([part[:2] for _, part in gaps], np.int64))
        yield self._naming, found
        yield self._not_imported()

    def _not_imported(self) -> tuple[Naming, dict[str, DayCount]]:
        """Notes of the holes, all of them: of more than five sessions each, a year holds 61 at most."""
        words = partial(hole_words, kind=self._naming.kind)
        naming = replace(self._naming, severity="note", words=words)
        found: dict[str, DayCount] = {}
        for hole in self._holes:
            count = found.setdefault(hole.day, DayCount())
            count.findings += 1
            count.kept.append(naming.finding(_as_stretch(_no_rows(hole), hole.count)))
        return naming, found

    def _parts(self, spell: Spell, usual: Int64 | None) -> Iterator[tuple[int, int, bool]]:
        """Gaps that a silence is made of: the sessions that it swallows, and what is left at its ends."""
        first, last = self._sessions.within(spell.start_ns, spell.end_ns)
        opens, closes = self._sessions.opens, self._sessions.closes
        edges = [(spell.start_ns, spell.end_ns)]
        if last > first:
            edges = [(spell.start_ns, int(opens[first])), (int(closes[last - 1]), spell.end_ns)]
            for number in range(first, last):
                yield int(opens[number]), int(closes[number]), True
        if usual is None:
            return
        starts, ends = (np.array(side, np.int64) for side in zip(*edges, strict=True))
        too_long = self._sessions.open_ns(starts, ends) > held_to(usual, starts, ends)
        for start, end in zip(starts[too_long].tolist(), ends[too_long].tolist(), strict=True):
            yield start, end, False

    def _spread(self, found: dict[str, DayCount], days: list[str], gaps: Int64) -> None:
        for day in days:
            inside = np.clip(gaps, *period(self._naming.kind, day))
            open_ns = int(self._sessions.open_ns(inside[:, 0], inside[:, 1]).sum())
            if open_ns:
                found.setdefault(day, DayCount()).affected += open_ns

    def _finding(self, spell: Spell, start: int, end: int, *, session: bool) -> Finding:
        seconds = int(self._sessions.open_ns(np.array([start]), np.array([end]))[0]) / SECOND_NS
        naming = self._naming
        if session:
            naming = replace(naming, severity="error", words=partial(session_words, kind=naming.kind))
        gap = replace(_no_rows(spell), start_ns=start, end_ns=end)
        return naming.finding(_as_stretch(gap, seconds))


def _no_rows(silence: Spell) -> Spell:
    return replace(silence, last_row=silence.first_row - 1)


def holes(findings: Iterable[Finding]) -> Int64:
    """Start and end of what was never imported, as the notes of gaps tell: int64 `[n, 2]`, ns UTC."""
    found = [(each.start_ns, each.end_ns) for each in findings if (each.check, each.severity) == _HOLE]
    return np.array(found, np.int64).reshape(-1, 2)


def _longest(findings: list[Finding], kept: int) -> list[Finding]:
    worst = sorted(findings, key=lambda each: (-(each.value or 0.0), each.start_ns))[:kept]
    return sorted(worst, key=lambda each: each.start_ns)


class Stale:
    """Prices that stand still while rows keep coming: runs of rows with the same bid and ask."""

    def __init__(self, naming: Naming, limits: Limits, sessions: Sessions) -> None:
        self._naming, self._limits, self._sessions = naming, limits, sessions
        self._usual = Usual(limits, limits.stale_least_ns)
        self._long: list[Spell] = []
        self._run: Spell | None = None
        self._price = (0, 0)

    def take(self, piece: Piece) -> None:
        """Follow the runs through these rows; a long silence ends one, and so does the end of a file."""
        columns = piece.columns
        bid, ask = best(columns).prices
        times = columns.ts_event
        run = self._run
        carried = int(times[0]) if run is None else run.end_ns
        begins = (bid != after(self._price[0], bid)) | (ask != after(self._price[1], ask))
        begins |= times - after(carried, times) >= self._limits.stale_least_ns
        begins[0] |= run is None or run.day != piece.day
        starts = np.flatnonzero(begins)
        head = int(starts[0]) if len(starts) else len(times)
        if run is not None and head:
            rows = run.count + head
            last = piece.row(head - 1)
            run = Spell(run.day, run.start_ns, int(times[head - 1]), run.first_row, last, rows)
        if len(starts):
            if run is not None:
                self._close(run)
            self._closed(piece, starts)
            at = int(starts[-1])
            last = len(times) - 1
            run = Spell(
                piece.day, int(times[at]), int(times[last]), piece.row(at), piece.row(last), last - at + 1
            )
        self._run, self._price = run, (int(bid[-1]), int(ask[-1]))

    def _closed(self, piece: Piece, starts: Int64) -> None:
        """Count the runs that begin and end in this piece, and keep the long ones."""
        times = piece.columns.ts_event
        first, last = starts[:-1], starts[1:] - 1
        lengths = times[last] - times[first]
        self._usual.add(times[first][lengths > 0], lengths[lengths > 0])
        for place in np.flatnonzero(lengths > self._limits.stale_least_ns).tolist():
            begin, end = int(first[place]), int(last[place])
            self._keep(
                Spell(
                    piece.day,
                    int(times[begin]),
                    int(times[end]),
                    piece.row(begin),
                    piece.row(end),
                    end - begin + 1,
                )
            )

    def _close(self, run: Spell) -> None:
        length = run.end_ns - run.start_ns
        if length > 0:
            self._usual.add(np.array([run.start_ns]), np.array([length]))
        if length > self._limits.stale_least_ns:
            self._keep(run)

    def _keep(self, run: Spell) -> None:
        if run.count >= self._limits.stale_rows:
            self._long.append(run)

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """What was found, by the file of a stretch's first row; open nanoseconds are what is affected."""
        if self._run is not None:
            self._close(self._run)
            self._run = None
        usual = self._usual.limits_ns()
        found = {} if usual is None or not self._long else self._too_long(usual)
        yield self._naming, found

    def _too_long(self, usual: Int64) -> dict[str, DayCount]:
        starts = np.array([run.start_ns for run in self._long])
        ends = np.array([run.end_ns for run in self._long])
        open_ns = self._sessions.open_ns(starts, ends)
        found: dict[str, DayCount] = {}
        for place in np.flatnonzero(open_ns > held_to(usual, starts, ends)).tolist():
            run = self._long[place]
            count = found.setdefault(run.day, DayCount())
            count.findings += 1
            count.affected += float(open_ns[place])
            count.kept.append(self._naming.finding(_as_stretch(run, open_ns[place] / SECOND_NS)))
        for count in found.values():
            count.kept = _longest(count.kept, self._limits.kept)
        return found


def _as_stretch(run: Spell, seconds: float) -> Stretch:
    return Stretch(
        day=run.day,
        start_ns=run.start_ns,
        end_ns=run.end_ns,
        first_row=run.first_row,
        last_row=run.last_row,
        count=run.count,
        worst=float(seconds),
    )


def gap_words(stretch: Stretch, kind: str) -> tuple[float, str]:
    """Seconds of open time, and the sentence of a gap."""
    return stretch.worst, f"No {kind} for {duration(stretch.worst)} while the market was open."


def session_words(stretch: Stretch, kind: str) -> tuple[float, str]:
    """Seconds of open time, and the sentence of a session without rows."""
    return stretch.worst, f"No {kind} in the whole session that ends on {day_of(stretch.end_ns - 1)} (UTC)."


def hole_words(stretch: Stretch, kind: str) -> tuple[float, str]:
    """Sessions, and the sentence of time that was never imported."""
    first, last = day_of(stretch.start_ns), day_of(stretch.end_ns)
    return stretch.worst, f"Not imported: {kind} of {stretch.count:,} sessions from {first} to {last} (UTC)."


def stale_words(stretch: Stretch) -> tuple[float, str]:
    """Seconds, and the sentence of a stale stretch."""
    return (
        stretch.worst,
        f"{stretch.count:,} rows in {duration(stretch.worst)} repeat the same bid and ask.",
    )


def duration(seconds: float) -> str:
    """Length of time as a person reads it, in the two largest units."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, part, per in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if whole >= per:
            below = {"h": 3_600, "min": 60, "s": 1}[part]
            rest = whole % per // below
            return f"{whole // per} {unit} {rest} {part}" if rest else f"{whole // per} {unit}"
    return f"{whole} s"
