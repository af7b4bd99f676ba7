"""`nexttick data check`: what is doubtful about one instrument's stored rows, and a score with reasons."""

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.progress import tenths
from app.commands.data.spans import range_of
from app.commands.import_ import stamp
from app.corrections import BOOK_LOOK_FIRST, LIKE, LOOK_FIRST, NOTHING_TO_CHANGE
from app.paths import CONFIGS
from engine.messages.data import Check, Finding
from engine.quality import Calendars, Checked, check

_WIDTH = len("book-against-quotes")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("instrument", metavar="INSTRUMENT")
    parser.add_argument(
        "--kind", metavar="KIND,…", default="", help="quotes, trades, deltas, depth or bars-… (default: all)"
    )
    parser.add_argument("--from", dest="start", metavar="TIME", help="2019-02-04; days are checked whole")
    parser.add_argument("--to", dest="end", metavar="TIME", help="last time; a day alone is all of it")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Check, and answer the findings and the score."""
    start_ns, end_ns = range_of(args)
    checked = check(
        opened(args.store),
        args.instrument,
        Calendars.load(CONFIGS / "calendars.toml"),
        kinds=[kind.strip() for kind in args.kind.split(",") if kind.strip()],
        start_ns=start_ns,
        end_ns=end_ns,
        progress=tenths(report),
    )
    return Result(_json(checked), "\n".join(_lines(checked, args.store)))


def _json(checked: Checked) -> dict[str, Any]:
    """All of the answer; a day's findings stand only once, in the list of all."""
    days = [msgspec.structs.replace(day, findings=[]) for day in checked.days]
    told: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(checked, days=days))
    for day in told["days"]:
        del day["findings"]
    return told | {"found": checked.found}


def _lines(checked: Checked, store: Path | None) -> Iterator[str]:
    kinds = ", ".join(f"{each.rows:,} {each.kind}" for each in checked.kinds)
    yield f"{checked.instrument}: {kinds}; the market is open by the calendar '{checked.calendar}'"
    if not checked.found:
        yield "  nothing doubtful was found"
    width = max(len(each.kind) for each in checked.kinds)
    for kind, counts in checked.counts.items():
        for name, count in counts.items():
            worst = _worst(checked, kind, name)
            yield f"  {name:<{_WIDTH}}  {kind:<{width}}{count:>10,}  {_where(worst)}"
            yield f"  {'':<{_WIDTH + width + 12}}  {worst.text}"
    shown = len(checked.findings)
    if shown < checked.found:
        yield f"  {shown:,} of the {checked.found:,} findings are in the JSON: each day and check's worst"
    if checked.score is not None:
        yield f"  score {checked.score:.1f} of 100"
    yield from _reasons(checked)
    yield from (f"  not checked: {note}" for note in checked.notes)
    yield from _next(checked, store)


def _reasons(checked: Checked) -> Iterator[str]:
    """Score of each kind, the worst first, and below it what took points, a line each."""
    for kind in sorted(checked.kinds, key=lambda each: each.score):
        yield f"    {kind.kind} {kind.score:.1f}"
        for reason in kind.reasons:
            if reason.points:
                yield f"      -{reason.points:<7.3g} {reason.text}"


def _worst(checked: Checked, kind: str, name: Check) -> Finding:
    of_check = [each for each in checked.findings if (each.kind, each.check) == (kind, name)]
    order = {"error": 2, "warning": 1, "note": 0}
    return max(of_check, key=lambda each: (order[each.severity], each.rows, each.value or 0.0))


def _where(finding: Finding) -> str:
    rows = (
        f"row {finding.first_row:,}"
        if finding.rows < 2
        else (f"rows {finding.first_row:,} to {finding.first_row + finding.rows - 1:,}")
    )
    return f"worst {stamp(finding.start_ns)}, {rows} of {finding.day}"


def _next(checked: Checked, store: Path | None) -> Iterator[str]:
    """What to do about the heaviest reason."""
    reasons = [reason for kind in checked.kinds for reason in kind.reasons if reason.points]
    heaviest = max(reasons, key=lambda reason: reason.points, default=None)
    if heaviest is not None and heaviest.findings:
        yield f"  next: {next_step(_worst(checked, heaviest.kind, heaviest.check), store)}"


def next_step(finding: Finding, store: Path | None = None) -> str:
    """What to do about a finding that harms no good row: a command, or its time and a sentence.

    `store` is the one that was named.
    """
    if finding.check in NOTHING_TO_CHANGE:
        return f"{stamp(finding.start_ns)}: {NOTHING_TO_CHANGE[finding.check]}"
    is_surely_wrong = finding.check in LIKE or (finding.check == "spike" and finding.severity == "error")
    if is_surely_wrong and finding.kind != "deltas":
        rows = f"{finding.instrument} --kind {finding.kind}"
        named = "" if store is None else f" --store {shlex.quote(str(store))}"
        return f"nexttick data repair {rows} --drop {finding.check} --dry-run{named}"
    return f"{stamp(finding.start_ns)}: {LOOK_FIRST.get(finding.check, BOOK_LOOK_FIRST)}"
