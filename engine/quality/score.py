"""From findings to a number: 100 points less what each check takes.

A check takes from a day of one kind

    points * min(1, affected / full)

where `affected` is a share of the day's rows or of its open time, or a number of findings (see `Weight.of`),
and `full` is where all its points are lost. Errors and warnings cost; notes cost nothing. A day's score is
what is left of 100, never below 0. The score of a kind is the mean of its days weighted by their open time,
in which open time of days that are missing between the first and the last row counts as 0, unless it was
never imported: a hole of more than `Limits.hole_sessions` sessions is open time of no day and costs nothing,
so days that lie years apart are as good as each of them is. An instrument is as good as the worst of its
kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from engine.messages.data import Check

PERFECT = 100.0


@dataclass(frozen=True, slots=True)
class Weight:
    """What a check can take: at most `points`, all of them from `full` on."""

    points: float
    full: float
    of: Literal["rows", "open time", "findings"]


WEIGHTS: Mapping[Check, Weight] = {
    "gap": Weight(100, 0.5, "open time"),  # a day with half of it missing is worth nothing
    "stale": Weight(60, 0.5, "open time"),
    "crossed": Weight(60, 0.1, "rows"),  # a tenth crossed, as some retail feeds have, spoils any fill
    "locked": Weight(10, 0.5, "rows"),  # possible where venues are merged
    "spike": Weight(40, 0.001, "rows"),  # few rows, but each makes a false high, stop or label
    "duplicate-time": Weight(10, 0.1, "rows"),
    "time-reversed": Weight(10, 0.1, "rows"),
    "sequence-gap": Weight(60, 0.05, "rows"),
    "trade-outside-book": Weight(40, 0.05, "rows"),
    "book-against-quotes": Weight(60, 0.05, "rows"),
    "bars-against-ticks": Weight(40, 0.5, "rows"),
}
"""By check; of book updates a break of the numbers counts as `BREAK` says."""

BREAK = Weight(60, 20, "findings")
"""Breaks of a book's update numbers: each makes the book unknown until the next snapshot."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What one check took from a score.

    Attributes
    ----------
    note : bool
        Whether it tells of a check's notes, which cost nothing, or of its errors and warnings.
    points : float
        Points lost; 0 for notes.
    affected : float
        In the unit of `Weight.of`: a share, or a number of findings.
    """

    kind: str
    check: Check
    note: bool = False
    points: float
    affected: float
    findings: int
    text: str


def weight_of(kind: str, check: Check) -> Weight:
    """What `check` can take from a day of `kind`."""
    return BREAK if (kind, check) == ("deltas", "sequence-gap") else WEIGHTS[check]


def points_lost(weight: Weight, affected: float) -> float:
    """Points that a check takes."""
    return weight.points * min(1.0, affected / weight.full)


def day_score(reasons: list[Reason]) -> float:
    """What is left of 100."""
    return max(0.0, PERFECT - sum(reason.points for reason in reasons))


def words(check: Check, weight: Weight, affected: float, findings: int) -> str:
    """Sentence that tells a reason: what was found, and how much of the whole that is."""
    places = "1 finding" if findings == 1 else f"{findings:,} findings"
    if weight.of == "findings" or not affected:
        return f"{check}: {places}"
    return f"{check}: {places} in {percent(affected)} of the {weight.of}"


def percent(share: float) -> str:
    """Share as a person reads it; one that is not 0 never reads as 0."""
    for digits in (1, 2, 3, 4):
        if round(share * 100, digits) or not share:
            return f"{share * 100:.{digits}f} %"
    return "less than 0.0001 %"
