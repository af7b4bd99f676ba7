"""The check itself: every rule over the stored rows of one instrument, once, in bounded memory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.columns import Int64
from engine.errors import UserError, unknown_name
from engine.messages.data import Check, Finding
from engine.progress import Cancelled, Progress, silent
from engine.quality.calendars import Calendars, Sessions
from engine.quality.kept import keep
from engine.quality.limits import Limits
from engine.quality.results import Checked, CheckedDay, KindScore
from engine.quality.rows import period, pieces, stored
from engine.quality.rules import Rules, checked_kinds
from engine.quality.score import PERFECT, Reason, day_score, percent, points_lost, weight_of, words
from engine.quality.spells import holes
from engine.quality.stretches import DayCount, Naming
from engine.store import Store
from engine.store.row_groups import RowGroup, row_groups

SHOWN = 200
"""Findings of one check and kind in an answer; the worst are kept of each day, the true number is told."""

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class _Time:
    """Time of which one kind should have rows: the venue's sessions less the holes `[n, 2]`."""

    sessions: Sessions
    holes: Int64

    def open_ns(self, start_ns: int, end_ns: int) -> int:
        """Nanoseconds in `[start_ns, end_ns)`; 0 where that is empty."""
        if end_ns <= start_ns:
            return 0
        spans = np.clip(np.concatenate([[[start_ns, end_ns]], self.holes]), start_ns, end_ns)
        whole, *left_out = self.sessions.open_ns(spans[:, 0], spans[:, 1]).tolist()
        return int(whole - sum(left_out))


@dataclass(slots=True)
class _DayFound:
    """What was found in one file, by check and whether it is a note, and the kept findings."""

    affected: defaultdict[tuple[Check, bool], float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[tuple[Check, bool]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, naming: Naming, count: DayCount) -> None:
        key = naming.check, naming.severity == "note"
        self.affected[key] += count.affected
        self.counts[key] += count.findings
        self.findings += count.kept

    def by_check(self) -> dict[Check, int]:
        """Number of findings, notes among them."""
        counts: Counter[Check] = Counter()
        for (check, _), findings in self.counts.items():
            counts[check] += findings
        return dict(counts)


def check(
    store: Store,
    instrument: str,
    calendars: Calendars,
    *,
    kinds: Sequence[str] = (),
    start_ns: int | None = None,
    end_ns: int | None = None,
    limits: Limits = _DEFAULT,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Checked:
    """Check the stored rows of `instrument`, keep the result beside them, and answer it.

    Parameters
    ----------
    kinds : names of stored kinds
        All that are stored, where none is named.
    start_ns, end_ns : int, ns UTC, or None
        Files are checked whole: those with a `ts_event` in `[start_ns, end_ns)` are.

    Raises
    ------
    UserError
        Unknown instrument or kind, nothing stored in the range, no calendar, a damaged file, or the result
        cannot be kept.
    Cancelled
        `cancelled()` became true.
    """
    facts = store.instrument(instrument)
    chosen = _chosen(store, instrument, kinds, start_ns, end_ns)
    read = {path: path.stat() for paths in chosen.values() for path in paths}
    groups = {kind: row_groups(paths) for kind, paths in chosen.items()}
    first = min(group.first_event_ns for each in groups.values() for group in each)
    last = max(max(group.last_event_ns, group.last_init_ns) for each in groups.values() for group in each)
    sessions = calendars.sessions(facts, first, last)
    rules = Rules(store, facts, sessions, limits)
    total = {kind: sum(group.rows for group in each) for kind, each in groups.items()}
    steps = _Steps(sum(total.values()) + total.get("deltas", 0), progress, cancelled)
    days: dict[Path, CheckedDay] = {}
    scores: list[KindScore] = []
    for kind, paths in chosen.items():
        found = _found(store, instrument, kind, paths, rules, steps)
        if kind == "deltas":
            _add_book(found, rules, groups[kind], steps)
        time = _Time(sessions, holes(each for day in found.values() for each in day.findings))
        of_kind = _days(kind, paths, groups[kind], found, time)
        scores.append(_kind_score(kind, [*of_kind.values()], time))
        days |= of_kind
    keep(store, instrument, days, read)
    progress(1.0, "Done")
    return Checked(
        instrument=instrument,
        calendar=calendars.name(facts),
        rows=sum(total.values()),
        score=min((each.score for each in scores), default=None),
        kinds=scores,
        days=list(days.values()),
        findings=[finding for kind in chosen for finding in _shown(kind, days.values())],
        counts={kind: _counts(kind, days.values()) for kind in chosen},
        notes=rules.notes,
    )


class _Steps:
    """Progress over all rows, and the place where a check is stopped."""

    def __init__(self, rows: int, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self._rows, self._progress, self._cancelled = max(1, rows), progress, cancelled
        self._done = 0

    def walked(self, rows: int, what: str) -> None:
        """Count rows; raises `Cancelled` where the user has stopped it."""
        if self._cancelled():
            raise Cancelled
        self._done += rows
        self._progress(min(1.0, self._done / self._rows), what)


def _chosen(
    store: Store, instrument: str, kinds: Sequence[str], start_ns: int | None, end_ns: int | None
) -> dict[str, list[Path]]:
    """Files to check by kind, only kinds that have some."""
    known = [kind for kind in checked_kinds(store.kinds(instrument)) if store.files(instrument, kind)]
    for kind in kinds:
        if kind not in known:
            raise unknown_name(f"stored kind of {instrument}", kind, known)
    chosen: dict[str, list[Path]] = {}
    for kind in kinds or known:
        spans = [(path, *period(kind, path.stem)) for path in store.files(instrument, kind)]
        paths = [
            path
            for path, first, last in spans
            if (end_ns is None or first < end_ns) and (start_ns is None or last > start_ns)
        ]
        if paths:
            chosen[kind] = paths
    if not chosen:
        raise UserError(
            f"Nothing of {instrument} is stored in that time; see 'nexttick data info {instrument}'."
        )
    return chosen


def _found(
    store: Store,
    instrument: str,
    kind: str,
    paths: list[Path],
    rules: Rules,
    steps: _Steps,
) -> dict[str, _DayFound]:
    """Run all rules over the rows of one kind; what they found, by file."""
    of_kind = rules.of(kind)
    for piece in pieces(stored(store, instrument, kind, paths)):
        for rule in of_kind:
            rule.take(piece)
        steps.walked(len(piece.columns), f"Checking {kind} of {piece.day}")
    found: dict[str, _DayFound] = {}
    days = [path.stem for path in paths]
    for rule in of_kind:
        _add(found, rule.found(days))
    return found


def _add(found: dict[str, _DayFound], outcomes: Iterable[tuple[Naming, Mapping[str, DayCount]]]) -> None:
    for naming, by_day in outcomes:
        for day, count in by_day.items():
            found.setdefault(day, _DayFound()).add(naming, count)


def _add_book(found: dict[str, _DayFound], rules: Rules, groups: list[RowGroup], steps: _Steps) -> None:
    """Rebuild the book of these files and add where it differs from the quotes."""
    book = rules.book()
    outcome = book.run(
        lambda rows: steps.walked(rows, "Rebuilding the book"),
        min(group.first_init_ns for group in groups),
        max(group.last_init_ns for group in groups) + 1,
    )
    if not outcome.bbo_compared:
        rules.notes.append("No book update could be compared with a quote, for want of a snapshot or quotes.")
    _add(found, book.found([]))


def _days(
    kind: str, paths: list[Path], groups: list[RowGroup], found: dict[str, _DayFound], time: _Time
) -> dict[Path, CheckedDay]:
    """Score of every file; open time counts from the first row of all to the last."""
    rows: Counter[Path] = Counter()
    for group in groups:
        rows[group.path] += group.rows
    first, last = groups[0].first_event_ns, groups[-1].last_event_ns
    days = {}
    for path in paths:
        low, high = period(kind, path.stem)
        open_ns = time.open_ns(max(low, first), min(high, last))
        day = found.get(path.stem, _DayFound())
        reasons = _reasons(kind, day, rows[path], open_ns)
        days[path] = CheckedDay(
            kind=kind,
            day=path.stem,
            rows=rows[path],
            open_ns=open_ns,
            score=day_score(reasons),
            reasons=reasons,
            findings=sorted(day.findings, key=lambda each: (each.start_ns, each.first_row)),
            counts=day.by_check(),
        )
    return days


def _reasons(kind: str, day: _DayFound, rows: int, open_ns: int) -> list[Reason]:
    """What each check takes from a day, the most first."""
    reasons = []
    for (check, note), findings in day.counts.items():
        weight = weight_of(kind, check)
        affected = day.affected[check, note]
        share = float(findings)
        if weight.of == "open time":
            share = affected / max(open_ns, affected, 1)
        elif weight.of == "rows":
            whole = rows + affected if check == "sequence-gap" else rows
            share = affected / max(whole, 1)
        reasons.append(
            Reason(
                kind=kind,
                check=check,
                note=note,
                points=0.0 if note else points_lost(weight, share),
                affected=share,
                findings=findings,
                text=words(check, weight, share, findings),
            )
        )
    return sorted(reasons, key=lambda reason: -reason.points)


def _kind_score(kind: str, days: list[CheckedDay], time: _Time) -> KindScore:
    """Mean of the days by open time; days that are missing between them count as 0, unless in a hole."""
    spans = [period(kind, day.day) for day in days]
    missing = sum(time.open_ns(before[1], after[0]) for before, after in pairwise(spans))
    weights = {day.day: max(1, day.open_ns) for day in days}
    total = sum(weights.values()) + missing
    merged: dict[tuple[Check, bool], list[tuple[Reason, float]]] = {}
    for day in days:
        for reason in day.reasons:
            parts = merged.setdefault((reason.check, reason.note), [])
            parts.append((reason, weights[day.day] / total))
    reasons = [_merged(kind, check, parts, note=note) for (check, note), parts in merged.items()]
    if missing:
        share = missing / total
        reasons.append(
            Reason(
                kind=kind,
                check="gap",
                points=PERFECT * share,
                affected=share,
                findings=0,
                text=f"gap: nothing is stored of whole days in {percent(share)} of the open time",
            )
        )
    return KindScore(
        kind=kind,
        days=len(days),
        rows=sum(day.rows for day in days),
        score=sum(day.score * weights[day.day] for day in days) / total,
        missing_ns=missing,
        reasons=sorted(reasons, key=lambda reason: -reason.points),
    )


def _merged(kind: str, check: Check, parts: list[tuple[Reason, float]], *, note: bool) -> Reason:
    weight = weight_of(kind, check)
    findings = sum(reason.findings for reason, _ in parts)
    affected = sum(reason.affected * share for reason, share in parts)
    if weight.of == "findings":
        affected = findings
    return Reason(
        kind=kind,
        check=check,
        note=note,
        points=sum(reason.points * share for reason, share in parts),
        affected=affected,
        findings=findings,
        text=words(check, weight, affected, findings),
    )


def _shown(kind: str, days: Iterable[CheckedDay]) -> list[Finding]:
    """Findings of one kind in the order of time, at most `SHOWN` of each check: those of most rows."""
    by_check: dict[Check, list[Finding]] = {}
    for day in days:
        for finding in day.findings if day.kind == kind else ():
            by_check.setdefault(finding.check, []).append(finding)
    shown = [
        finding
        for each in by_check.values()
        for finding in sorted(each, key=lambda one: (-one.rows, -(one.value or 0.0), one.start_ns))[:SHOWN]
    ]
    return sorted(shown, key=lambda one: (one.start_ns, one.first_row))


def _counts(kind: str, days: Iterable[CheckedDay]) -> dict[Check, int]:
    counts: Counter[Check] = Counter()
    for day in days:
        if day.kind == kind:
            counts.update(day.counts)
    return dict(counts)
