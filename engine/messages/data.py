"""The words for stored data: what is there, what is doubtful about it, what was done about it.

Nothing here crosses the link: the store's tools answer with it, the command line and the panels show it.
"""

from typing import Literal

import msgspec

type Check = Literal[
    "gap",
    "stale",
    "crossed",
    "locked",
    "spike",
    "duplicate-time",
    "time-reversed",
    "sequence-gap",
    "trade-outside-book",
    "book-against-quotes",
    "bars-against-ticks",
]
"""What was looked for; `engine.quality` says how each is found."""

type Severity = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One doubtful stretch of stored rows, with where to find it.

    Attributes
    ----------
    kind : str
        Stored kind that the rows are of.
    start_ns, end_ns : int
        `ts_event` of the first and the last row (of a gap: of the rows on both sides; of a session without
        rows: its open and close), ns UTC.
    day : str
        Name of the first row's file, `YYYY-MM-DD`: its UTC day, of bars the first day of its year.
    first_row, rows : int
        Place of the first row in that file from 0, and how many rows; of a gap the row before it, and 0.
    value : float or None
        What was measured, in the unit that `text` names.
    text : str
        One sentence for a person.
    """

    instrument: str
    kind: str
    check: Check
    severity: Severity
    start_ns: int
    end_ns: int
    day: str
    first_row: int
    rows: int
    value: float | None = None
    text: str


class StoredDay(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the store: a UTC day of one kind, of bars a year by its first day.

    `score` is 0 to 100, None before the day was checked (or where it changed since); `findings` counts what
    the check found.
    """

    instrument: str
    kind: str
    day: str
    rows: int
    size_bytes: int
    score: float | None = None
    findings: int = 0


type RepairAction = Literal["drop", "clip", "fill-forward", "split-adjust"]


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded, reversible change of stored rows; the rows it removed are kept.

    Attributes
    ----------
    number : int
        Counts an instrument's repairs from 1.
    start_ns, end_ns : int
        Range of `ts_event` that it was asked for, both ends included, ns UTC.
    parameters : dict
        What the action was told, for example `{"where": "crossed"}` or `{"low": "1.05", "high": "1.20"}`.
    rows_removed, rows_added : int
        A changed row is one removed and one added.
    made_ns : int
        When it was made, ns UTC.
    undone : bool
        The rows are as they were before it.
    """

    number: int
    instrument: str
    kind: str
    action: RepairAction
    start_ns: int
    end_ns: int
    parameters: dict[str, str] = {}
    rows_removed: int
    rows_added: int
    reason: str = ""
    made_ns: int
    undone: bool = False


type JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An import, download or check in the queue.

    `fraction` is 0 to 1, `what` says what is being done, `text` is the outcome in one sentence.
    """

    number: int
    title: str
    state: JobState = "waiting"
    fraction: float = 0.0
    what: str = ""
    text: str = ""


type Sampling = Literal["previous-tick", "refresh-time", "hayashi-yoshida"]
"""At which times prices are compared; see `engine.cross_asset`."""


type Clock = Literal["event", "received"]
"""Whose time: the venue's, or the recorder's."""


class Correlations(msgspec.Struct, frozen=True, kw_only=True):
    """Correlations of log returns over the time that all instruments cover.

    Attributes
    ----------
    step_ns : int or None
        Of `previous-tick`.
    start_ns, end_ns : int
        Times of the first and the last price, ns UTC.
    returns : int
        How many returns each number is made of; of `hayashi-yoshida` the fewest of an instrument.
    doubt : str
        Why the numbers may mislead, one sentence with the next step; mostly empty.
    matrix : list of rows
        As `instruments`; None where a price never moved or too few returns are known.
    """

    instruments: tuple[str, ...]
    kind: str
    by: Clock
    sampling: Sampling
    step_ns: int | None
    start_ns: int
    end_ns: int
    returns: int
    doubt: str = ""
    matrix: list[list[float | None]]


class LeadLagCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Hayashi-Yoshida correlation of two instruments by shift; see `engine.cross_asset.correlation`.

    `lead_ns` is the shift of the largest correlation in size: positive where the first leads. `ratio` is the
    lead-lag ratio, above 1 where the first leads; None where it cannot be told.
    """

    first: str
    second: str
    shifts_ns: list[int]
    correlation: list[float | None]
    lead_ns: int
    ratio: float | None
