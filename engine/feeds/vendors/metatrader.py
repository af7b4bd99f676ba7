"""What MetaTrader's exports have in common: their columns' names, and times that no file names the zone of.

MetaTrader 5 writes tab-separated columns under names in angle brackets, MetaTrader 4 bars without names. All
times are those of the broker's server.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from engine.columns import Int64
from engine.feeds.decoded import Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import Table, normalised, text_table
from engine.feeds.timestamps import TimeRule, Times
from engine.feeds.unpacking import contents
from engine.feeds.vendors.bar_rows import clock_times

_ZONE_NOTE: Final = (
    "MetaTrader's times are those of the broker's server, often two or three hours ahead of UTC, and no file "
    "tells which; they are stored as if they were UTC unless you say theirs with --zone."
)
_HEADERS: Final = frozenset({"date"})
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def first_line(head: Head) -> str:
    """First line of a text, in whichever encoding MetaTrader wrote it; never raises."""
    start = head.data[:4_096]
    text = start.decode("utf-16" if start.startswith(_UTF16) else "utf-8-sig", "ignore")
    return text.partition("\n")[0].strip()


def opened(file: SourceFile, unnamed: tuple[str, ...] = ()) -> tuple[Table, dict[str, pl.Series]]:
    """Table of an export, and its columns by name in lower case; empty fields are missing.

    Parameters
    ----------
    unnamed : tuple of str
        Names of the columns where the file has no header.

    Raises
    ------
    Undecodable
        Damaged, no table, or of another number of columns.
    """
    inside = contents(file.path.name, file.data)
    if len(inside) > 1:
        raise Undecodable(f"the zip archive holds {len(inside)} files; unpack it and import them one by one")
    table = text_table(inside[0][1], _HEADERS)
    names = unnamed if table.names is None else [normalised(name) for name in table.names]
    if len(names) != len(table.columns):
        raise Undecodable("its columns are not those that MetaTrader writes")
    return table, dict(zip(names, table.columns, strict=True))


def server_times(rows: Rows, zone: str) -> tuple[Int64, Times]:
    """What the server's clock showed in `date` and, where there is one, `time`; and that in UTC.

    Parameters
    ----------
    zone : str
        Time zone of the server as the user said it; empty: it is taken for UTC, and that is told.
    """
    text = rows.columns["date"] + " " + rows.columns.get("time", pl.Series(["00:00"]))
    colons = text.str.count_matches(":").mode()
    rows.columns["stamp"] = text
    form = "%Y.%m.%d %H:%M:%S%.f" if 2 in colons else "%Y.%m.%d %H:%M"
    shown, found = clock_times(rows, "stamp", TimeRule(format=form, zone=zone))
    if not zone:
        rows.notes.append(_ZONE_NOTE)
    return shown, replace(found, said=f"the broker's server time, {found.said}")
