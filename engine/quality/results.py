"""What a check answers: scores with their reasons, and findings, by kind and day."""

import msgspec

from engine.messages.data import Check, Finding
from engine.quality.score import Reason


class CheckedDay(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the store after a check; what is kept beside it.

    Attributes
    ----------
    day : str
        Name of the file: the UTC day of ticks, the first day of the year of bars.
    open_ns : int
        Open time of the venue that the day covers, less what was never imported; it weighs the score.
    reasons : list of Reason
        What took points, the most first; notes, which take none, last.
    findings : list of Finding
        In the order of time; the worst where there are more than are kept.
    counts : dict
        True number of findings of each check.
    """

    kind: str
    day: str
    rows: int
    open_ns: int
    score: float
    reasons: list[Reason]
    findings: list[Finding]
    counts: dict[Check, int]


class KindScore(msgspec.Struct, frozen=True, kw_only=True):
    """All checked days of one kind; `missing_ns` is open time lost between them: whole days, no long hole."""

    kind: str
    days: int
    rows: int
    score: float
    missing_ns: int
    reasons: list[Reason]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of a check.

    Attributes
    ----------
    calendar : str
        When the venue is open, by name.
    score : float or None
        0 to 100, that of the worst kind; None where there was nothing to check.
    findings : list of Finding
        In the order of kind and time; `counts` tells how many there are of each kind and check, which may
        be more.
    notes : list of str
        What was not checked, and why.
    """

    instrument: str
    calendar: str
    rows: int
    score: float | None
    kinds: list[KindScore]
    days: list[CheckedDay]
    findings: list[Finding]
    counts: dict[str, dict[Check, int]]
    notes: list[str]

    @property
    def found(self) -> int:
        """True number of findings."""
        return sum(sum(checks.values()) for checks in self.counts.values())
