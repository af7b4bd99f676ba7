"""Dukascopy's free archive: an hour of ticks a file, a day of minute candles a file.

`BASE/SYMBOL/YYYY/MM/DD/HHh_ticks.bi5` and `…/BID_candles_min_1.bi5`, the month counted from 00. Hours in
which nothing was quoted are empty or absent. Files appear an hour or two after their time.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from engine.downloads.http import HttpTransport
from engine.downloads.plan import Order, RemoteFile, days, end_of
from engine.downloads.source import Source
from engine.errors import UserError

_VENUE: Final = "DUKASCOPY"
_LZMA: Final = b"]\x00\x00"
_SETTLED: Final = timedelta(days=1)
"""After a file's time, until its absence is believed."""


def _plan(order: Order, base: str, now: datetime) -> list[RemoteFile]:
    symbol = order.symbol or _symbol(order.instrument)
    files = [
        _file(base, f"{symbol}/{day.year:04}/{day.month - 1:02}/{day.day:02}/{name}", end)
        for day in days(order)
        for name, end in _of_day(day, order.kind)
        if end <= now
    ]
    if not files:
        raise UserError(f"No {order.kind} of {order.first} are complete yet; choose an earlier day.")
    return files


def _file(base: str, name: str, end: datetime) -> RemoteFile:
    return RemoteFile(url=f"{base}/{name}", name=name, final_at=end + _SETTLED, absence="empty", begins=_LZMA)


def _of_day(day: date, kind: str) -> list[tuple[str, datetime]]:
    """Names of a day's files, and when their time is over."""
    if kind == "candles":
        return [(f"{side}_candles_min_1.bi5", end_of(day)) for side in ("BID", "ASK")]
    midnight = datetime.combine(day, time(), UTC)
    return [(f"{hour:02}h_ticks.bi5", midnight + timedelta(hours=hour + 1)) for hour in range(24)]


def _symbol(instrument: str) -> str:
    symbol, _, venue = instrument.rpartition(".")
    if venue != _VENUE:
        raise UserError(
            f"{instrument} does not tell Dukascopy's symbol, as its venue is not {_VENUE}; "
            f"write {symbol}.{_VENUE}, or add --symbol {symbol}."
        )
    return symbol


SOURCE: Final = Source(
    name="dukascopy",
    title="Dukascopy",
    kinds=("ticks", "candles"),
    plan=_plan,
    new_transport=HttpTransport,
)
