"""Tardis.dev's datasets: a day of one kind a gzip file, with the person's key.

`BASE/v1/EXCHANGE/KIND/YYYY/MM/DD/SYMBOL.csv.gz`, the key as a bearer token. A day is there on the next one
from about 06:00 UTC; one without data is an empty gzip file; the first day of each month needs no key
(docs.tardis.dev, downloadable CSV files).
"""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from engine.downloads.http import HttpTransport
from engine.downloads.plan import GZIP, Order, RemoteFile, check_over, days, end_of
from engine.downloads.source import Source
from engine.errors import UserError
from engine.feeds.instrument_rules import plain

_TITLE: Final = "Tardis.dev"
_KINDS: Final = (
    *("trades", "quotes", "incremental_book_L2"),
    *("book_snapshot_5", "book_snapshot_25", "book_ticker"),
)
_PUBLISHED: Final = timedelta(hours=6)
_SPOT: Final = {
    "BINANCE": "binance",
    "BYBIT": "bybit-spot",
    "OKX": "okex",
    "OKEX": "okex",
    "HUOBI": "huobi",
    "KRAKEN": "kraken",
    "COINBASE": "coinbase",
    "BITSTAMP": "bitstamp",
    "BITFINEX": "bitfinex",
    "KUCOIN": "kucoin",
    "GATEIO": "gate-io",
    "GEMINI": "gemini",
}
_OUR_SUFFIX: Final = "-PERP"
"""The station's way to say perpetual; -PERPETUAL and -SWAP are part of the exchanges' own symbols."""

_PERPETUAL: Final = {
    "BINANCE": "binance-futures",
    "BYBIT": "bybit",
    "BITMEX": "bitmex",
    "DERIBIT": "deribit",
    "HYPERLIQUID": "hyperliquid",
    "BITFINEX": "bitfinex-derivatives",
}
"""Exchanges whose perpetuals Tardis files under one name; others say it with --dataset."""


def _plan(order: Order, base: str, now: datetime) -> list[RemoteFile]:
    exchange, symbol = _exchange_and_symbol(order)
    check_over(order, now, _TITLE)
    files = []
    for day in days(order):
        name = f"{exchange}/{order.kind}/{day:%Y/%m/%d}/{quote(symbol, safe='')}.csv.gz"
        files.append(
            RemoteFile(url=f"{base}/v1/{name}", name=name, final_at=end_of(day) + _PUBLISHED, begins=GZIP)
        )
    return files


def _exchange_and_symbol(order: Order) -> tuple[str, str]:
    """Tardis' name of the exchange, and its symbol there with `:` and `/` as `-`, in capitals."""
    _, venue, is_perpetual = plain(order.instrument)
    name = order.instrument.rpartition(".")[0]
    exchange = order.dataset or (_PERPETUAL if is_perpetual else _SPOT).get(venue)
    if exchange is None:
        raise UserError(
            f"{order.instrument} does not tell Tardis' exchange; add it with --dataset, for example "
            "--dataset okex-swap, and its symbol there with --symbol."
        )
    symbol = order.symbol or name.removesuffix(_OUR_SUFFIX)
    return exchange, symbol.replace(":", "-").replace("/", "-").upper()


SOURCE: Final = Source(
    name="tardis",
    title=_TITLE,
    kinds=_KINDS,
    plan=_plan,
    new_transport=HttpTransport,
    authorization=lambda key: {"Authorization": f"Bearer {key}"},
    free=lambda order: all(day.day == 1 for day in days(order)),
    free_hint=" (only the first day of a month is free)",
)
