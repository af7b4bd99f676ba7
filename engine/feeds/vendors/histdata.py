"""HistData's minute bars (`DAT_ASCII_EURUSD_M1_2019.csv`): of the bid, in Eastern Standard Time all year.

A line is `20190101 170000;open;high;low;close;volume`; the volume is always 0, as the vendor has none. The
ticks of the same vendor are read by `engine.feeds.delimited`.
"""

import re
from typing import Final

from engine.columns import bars_kind
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import text_table
from engine.feeds.timestamps import times_in
from engine.feeds.unpacking import contents
from engine.feeds.vendors.bar_rows import MINUTE_NS, PRICES, bars, decoded

_LINE = re.compile(rb"^\d{8} \d{6};[\d.]+;[\d.]+;[\d.]+;[\d.]+;\d+(\s|$)")
_COLUMNS: Final = ("time", *PRICES, "volume")
_EST_TO_UTC_HOURS: Final = 5


def matches(head: Head) -> bool:
    """Whether it begins with such a line."""
    return _LINE.match(head.data) is not None


def decode(file: SourceFile) -> Decoded:
    """Bars of one file, or of the one table in the vendor's zip archive.

    Raises
    ------
    Undecodable
        Damaged, or of other columns.
    """
    inside = contents(file.path.name, file.data)
    tables = [each for each in inside if each[0].lower().endswith(".csv")] or inside
    if len(tables) > 1:
        raise Undecodable(f"the zip archive holds {len(tables)} tables; unpack it and import them one by one")
    table = text_table(tables[0][1], frozenset(), is_whole=tables[0][1] is not file.data)
    if len(table.columns) != len(_COLUMNS) or table.names is not None:
        raise Undecodable("its lines are not time, open, high, low, close and volume, as HistData's bars are")
    rows = Rows(table, dict(zip(_COLUMNS, table.columns, strict=True)))
    said = "text in Eastern Standard Time all year (UTC-5), as HistData writes it"
    times = times_in("%Y%m%d %H%M%S", rows.columns["time"], said, _EST_TO_UTC_HOURS)
    rows.reject(~times.valid, "the time is missing, malformed or outside 1980 to 2199")
    rows.reject(times.ns % MINUTE_NS != 0, "the time lies between two bars")
    made = bars(
        rows,
        times.ns,
        times.ns + MINUTE_NS,
        {name: rows.number(name, positive=True) for name in PRICES},
        rows.number("volume", positive=False),
    )
    return decoded(rows, {bars_kind("1-MINUTE-BID"): made}, times.said)
