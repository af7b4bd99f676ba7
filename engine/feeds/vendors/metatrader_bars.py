"""Bars that MetaTrader 4 and 5 export; the file's name, else the steps between them, tells their length."""

import re
from typing import Final

from engine.columns import bars_kind
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.vendors.bar_rows import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    PRICES,
    bars,
    decoded,
    interval_of,
    spec_of,
)
from engine.feeds.vendors.metatrader import first_line, opened, server_times

_MT4_LINE = re.compile(r"^\d{4}\.\d{2}\.\d{2},\d{2}:\d{2}(,[\d.]+){5}$")
_MT4_NAMES: Final = ("date", "time", *PRICES, "tickvol")
_LENGTHS: Final = (
    *(MINUTE_NS * n for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(HOUR_NS * n for n in (1, 2, 3, 4, 6, 8, 12)),
    DAY_NS,
)
_UNITS: Final = {"MN": 30 * DAY_NS, "M": MINUTE_NS, "H": HOUR_NS, "D": DAY_NS, "W": 7 * DAY_NS}
_WORDS: Final = {"DAILY": DAY_NS, "WEEKLY": 7 * DAY_NS, "MONTHLY": 30 * DAY_NS}
_MT5_NAME = re.compile(r"_(?:(MN|[MHDW])(\d{1,2})|(DAILY|WEEKLY|MONTHLY))(?=[_.])")
_MT4_NAME = re.compile(r"[A-Z](1|5|15|30|60|240|1440|10080|43200)\.")
"""MetaTrader 4 puts the minutes of a bar behind the symbol: EURUSD60.csv."""


def matches(head: Head) -> bool:
    """Whether its first line is the header of MetaTrader 5's bars, or a bar of MetaTrader 4."""
    line = first_line(head)
    return (line.startswith("<DATE>") and "<OPEN>" in line) or _MT4_LINE.match(line) is not None


def decode(file: SourceFile) -> Decoded:
    """Bars of one file: of the bid, or of the last trade where shares or futures are charted so.

    Raises
    ------
    Undecodable
        Damaged, of other columns, or nothing tells how long a bar is.
    """
    table, columns = opened(file, _MT4_NAMES)
    missing = next((name for name in ("date", *PRICES) if name not in columns), None)
    if missing:
        raise Undecodable(f"it has no column <{missing.upper()}>, as MetaTrader's bars have")
    rows = Rows(table, columns)
    shown, times = server_times(rows, file.zone)
    interval_ns = interval_of(rows, shown, _length_in(file.path.name, mt4=table.names is None), _LENGTHS)
    charted_by_last = file.instrument.kind in {"equity", "future"}
    volume = _volume(rows, "vol" if charted_by_last else "tickvol")
    made = bars(
        rows,
        times.ns,
        times.ns + interval_ns,
        {name: rows.number(name, positive=True) for name in PRICES},
        rows.number(volume, positive=False) if volume else None,
    )
    kind = bars_kind(spec_of(interval_ns, "LAST" if charted_by_last else "BID"))
    return decoded(rows, {kind: made}, times.said)


def _volume(rows: Rows, wanted: str) -> str | None:
    """Column of the volume: what was traded on an exchange, else how many ticks there were."""
    found = (
        wanted if wanted in rows.columns else next((v for v in ("tickvol", "vol") if v in rows.columns), None)
    )
    if found == "tickvol":
        rows.notes.append("The bars' volume is how many ticks each has; MetaTrader has no other here.")
    return found


def _length_in(name: str, *, mt4: bool) -> int | None:
    if mt4:
        minutes = _MT4_NAME.search(name.upper())
        return int(minutes[1]) * MINUTE_NS if minutes else None
    found = _MT5_NAME.search(name.upper())
    if found is None:
        return None
    return _WORDS[found[3]] if found[3] else int(found[2]) * _UNITS[found[1]] or None
