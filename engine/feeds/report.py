"""What an import did, in numbers that add up: the JSON of `nexttick import`, and the window's summary."""

from typing import Literal

import msgspec

from engine.feeds.decoded import Rejected

type CrossedPolicy = Literal["keep", "drop", "fail"]


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over all files of one import.

    Attributes
    ----------
    rows : int
        Rows taken from the files: read, well-formed, and not dropped as crossed. `rows = added + duplicates`.
    added, duplicates : int
        Rows that were not yet stored, and rows that were (or came twice in the files).
    kinds : dict
        `rows` by kind (quotes, trades, deltas, depth, a vendor's bars, actions) and by name of series.
    rejected : list of Rejected
        Rows that could not be taken, by reason; `first_line` counts lines (records of a binary file) from 1.
    out_of_order : int
        Rows whose `ts_event` is earlier than that of a row before them in their file; stored in order.
    crossed : int
        Quotes with a bid above the ask, whatever the policy did with them.
    gaps : int
        Breaks in the venue's numbering, and silences of more than an hour in quotes or trades (for currency
        pairs without the weekend).
    first_ts_ns, last_ts_ns : int or None
        Earliest and latest `ts_event` of `rows`, ns UTC.
    timestamps : list of str
        How times were read, one entry per way.
    """

    instrument: str
    files: int
    formats: list[str]
    rows: int
    added: int
    duplicates: int
    kinds: dict[str, int]
    rejected: list[Rejected]
    out_of_order: int
    crossed: int
    crossed_policy: CrossedPolicy
    gaps: int
    first_ts_ns: int | None
    last_ts_ns: int | None
    price_precision: int
    size_precision: int
    timestamps: list[str]
    notes: list[str]
