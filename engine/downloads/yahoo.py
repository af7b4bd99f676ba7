"""Yahoo's chart answers: daily or minute bars with splits and dividends, kept as Yahoo sends them.

`BASE/v8/finance/chart/SYMBOL?period1=…&period2=…&interval=…`, asked through yfinance, which keeps up with the
cookies and crumbs that Yahoo wants. A daily answer covers the whole order, for its adjusted prices hold only
together; minutes come at most seven days an answer, and Yahoo has them for 30 days.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from engine.downloads.answer import Transport
from engine.downloads.plan import Order, RemoteFile, end_of
from engine.downloads.settings import DownloadSettings
from engine.downloads.source import Source
from engine.errors import UserError

_INTERVALS: Final = {"day": "1d", "minute": "1m"}
_MINUTES_KEPT: Final = timedelta(days=30)
_MINUTES_AN_ANSWER: Final = timedelta(days=7)
_SETTLED: Final = timedelta(days=1)
_PLAIN_VENUES: Final = frozenset(
    {"NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX", "XNAS", "XNYS", "ARCX", "XASE", "YAHOO"}
)
"""Where Yahoo's symbol is the ticker alone; those of other exchanges end in .L, .DE, .T and so on."""


def _plan(order: Order, base: str, now: datetime) -> list[RemoteFile]:
    symbol = order.symbol or _symbol(order.instrument)
    if order.kind == "minute":
        earliest = (now.astimezone(UTC) - _MINUTES_KEPT).date() + timedelta(days=1)
        if order.first < earliest:
            raise UserError(f"Yahoo has minute bars of the last 30 days only; begin at {earliest}.")
    return [_file(base, symbol, order.kind, first, last) for first, last in _parts(order)]


def _parts(order: Order) -> Iterator[tuple[date, date]]:
    """First and last day of each answer."""
    whole = order.last - order.first + timedelta(days=1)
    longest = _MINUTES_AN_ANSWER if order.kind == "minute" else whole
    first = order.first
    while first <= order.last:
        last = min(order.last, first + longest - timedelta(days=1))
        yield first, last
        first = last + timedelta(days=1)


def _file(base: str, symbol: str, kind: str, first: date, last: date) -> RemoteFile:
    end = end_of(last)
    asked = {
        "period1": int(datetime.combine(first, time(), UTC).timestamp()),
        "period2": int(end.timestamp()),
        "interval": _INTERVALS[kind],
        "includePrePost": "false",
        "events": "div,splits,capitalGains",
    }
    quoted = quote(symbol, safe="")
    return RemoteFile(
        url=f"{base}/v8/finance/chart/{quoted}?{urlencode(asked)}",
        name=f"{quoted}/{kind}/{quoted}_{first}_{last}.json",
        final_at=end + _SETTLED,
        begins=b"{",
    )


def _symbol(instrument: str) -> str:
    symbol, _, venue = instrument.rpartition(".")
    if venue not in _PLAIN_VENUES:
        raise UserError(
            f"{instrument} does not tell Yahoo's symbol, which ends in its exchange outside the United "
            f"States; add it with --symbol, for example --symbol {symbol}.L."
        )
    return symbol


def _new_transport(settings: DownloadSettings) -> Transport:
    # Its import takes most of a second, and pandas with it.
    from engine.downloads.yahoo_transport import YahooTransport  # noqa: PLC0415

    return YahooTransport(settings)


SOURCE: Final = Source(
    name="yahoo", title="Yahoo", kinds=tuple(_INTERVALS), plan=_plan, new_transport=_new_transport
)
