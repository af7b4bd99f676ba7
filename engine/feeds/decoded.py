"""What every decoder answers: exact columns in the order of the file, and what it could not take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa

from engine.columns import Columns
from engine.messages.instrument import Instrument


class Undecodable(Exception):  # noqa: N818 - it reads as what it says of a file
    """Why a whole file cannot be taken, as the end of the sentence "FILE cannot be imported: …"."""


class Damaged(Undecodable):
    """Bytes of a file are missing or wrong, so that another copy of it may well be whole.

    Attributes
    ----------
    what : str
        What is wrong, without the next step.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; fetch it again")
        self.what = what


class ColumnsUnknown(Undecodable):
    """A table was read, and what its columns are must be said by whoever knows them."""


class Rejected(msgspec.Struct, frozen=True):
    """Rows that were left out for one reason; `first_line` is the first one's line (or record), from 1."""

    reason: str
    count: int
    first_line: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows of one file.

    Attributes
    ----------
    columns : mapping of kind to Columns
        In the order of the file, not sorted; kinds without rows are left out.
    timestamps : str
        How its times were read, for the report: unit, zone, and what was assumed.
    gaps : int
        Breaks in the venue's own numbering.
    notes : tuple of str
        Whole sentences about what a user should know of this file.
    series : mapping of str to pyarrow.Table
        Timed rows that are no ticks (news, depth by distance), by name; each table has `ts_event` and
        `ts_init` (int64, ns UTC) and columns of its own. See `engine.store.series`.
    instrument : Instrument or None
        The vendor's own facts of the instrument, where the file tells them (a definition).
    """

    columns: Mapping[str, Columns]
    timestamps: str
    rejected: tuple[Rejected, ...] = ()
    gaps: int = 0
    notes: tuple[str, ...] = ()
    series: "Mapping[str, pa.Table]" = field(default_factory=dict)
    instrument: Instrument | None = None
