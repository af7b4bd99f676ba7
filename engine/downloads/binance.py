"""Binance's public archives: a day or month of one kind a zip file, its SHA-256 published beside it.

`BASE/data/MARKET/PERIOD/KIND/SYMBOL/[INTERVAL/]SYMBOL-KIND-YYYY-MM-DD.zip`: MARKET is `spot`, `futures/um`
or `futures/cm`, PERIOD `daily` or `monthly`. A day is published on the next one, a month on the first Monday
after its end (the README of binance-public-data). Bars come in monthly files where a whole month is wanted,
ticks by day, so that a file is of a size to be read. Of some days the archive has no file.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from engine.downloads.http import HttpTransport
from engine.downloads.plan import ZIP, Order, RemoteFile, check_over, days, end_of
from engine.downloads.source import Source
from engine.errors import UserError, unknown_name
from engine.feeds.instrument_rules import plain

_TITLE: Final = "Binance"
_KLINES: Final = "klines"
_INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
_SPOT_KINDS: Final = ("trades", "aggTrades", *(f"{_KLINES}-{each}" for each in ("1s", *_INTERVALS)))
_FUTURES_KINDS: Final = (
    *("trades", "aggTrades", "bookTicker", "bookDepth"),
    *(f"{_KLINES}-{each}" for each in _INTERVALS),
)
_DELIVERY: Final = re.compile(r"[A-Z0-9]+(USDT?)_\d{6}")
"""A future with a date: BTCUSD_240927 is settled in coins, BTCUSDT_240927 in dollars."""

_MONTH_PUBLISHED: Final = timedelta(days=8)
"""After a month's end its file is there, whatever weekday it began with."""


def _plan(order: Order, base: str, now: datetime) -> list[RemoteFile]:
    market, symbol = _market(order)
    kinds = _SPOT_KINDS if market == "spot" else _FUTURES_KINDS
    if order.kind not in kinds:
        raise unknown_name(f"kind of Binance's {market} market", order.kind, kinds)
    check_over(order, now, _TITLE)
    kind, _, interval = order.kind.partition("-")
    files = []
    for period, label, end in _periods(order, now):
        folder = f"{market}/{period}/{kind}/{symbol}{f'/{interval}' if interval else ''}"
        name = f"{folder}/{symbol}-{interval or kind}-{label}.zip"
        url = f"{base}/data/{name}"
        files.append(
            RemoteFile(
                url=url,
                name=name,
                final_at=end,
                absence="missing",
                begins=ZIP,
                checksum_url=f"{url}.CHECKSUM",
            )
        )
    return files


def _periods(order: Order, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Daily or monthly, the date in the name, and the end; months only of bars."""
    wanted = days(order)
    while wanted:
        month = [day for day in wanted if (day.year, day.month) == (wanted[0].year, wanted[0].month)]
        end = end_of(month[-1])
        is_whole = month[0].day == 1 and end.day == 1
        if order.kind.startswith(_KLINES) and is_whole and end + _MONTH_PUBLISHED <= now:
            yield "monthly", f"{month[0]:%Y-%m}", end
        else:
            yield from (("daily", day.isoformat(), end_of(day)) for day in month)
        wanted = wanted[len(month) :]


def _market(order: Order) -> tuple[str, str]:
    """Folder of the market, and Binance's symbol."""
    base, venue, is_perpetual = plain(order.instrument)
    name = order.instrument.rpartition(".")[0]
    if venue != "BINANCE" and not order.symbol:
        raise UserError(
            f"{order.instrument} does not tell Binance's symbol, as its venue is not BINANCE; write "
            f"{name}.BINANCE, or add --symbol."
        )
    symbol = order.symbol or (base if is_perpetual else name)
    if delivery := _DELIVERY.fullmatch(symbol):
        return ("futures/cm" if delivery[1] == "USD" else "futures/um"), symbol
    if not is_perpetual:
        return "spot", symbol
    if symbol.endswith("USD"):
        return "futures/cm", f"{symbol}_PERP"
    return ("futures/cm" if symbol.endswith("USD_PERP") else "futures/um"), symbol


SOURCE: Final = Source(
    name="binance",
    title=_TITLE,
    kinds=tuple(dict.fromkeys((*_SPOT_KINDS, *_FUTURES_KINDS))),
    plan=_plan,
    new_transport=HttpTransport,
)
