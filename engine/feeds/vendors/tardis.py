"""Tardis's CSV files: trades, best quotes, book snapshots and incremental books of many crypto exchanges.

Every file has a header, the exchange and its symbol in each row, the venue's time and the time at which
Tardis received the message, both in microseconds.

Columns: https://docs.tardis.dev/downloadable-csv-files/data-types
"""

import re
from typing import Final

import polars as pl

from engine.columns import Aggressor, Quotes, Trades
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.instrument_rules import plain
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import header_line, normalised, text_table
from engine.feeds.vendors.archives import archived_text
from engine.feeds.vendors.markets import FUTURES, SPOT, Evidence, Market, check_market
from engine.feeds.vendors.tardis_book import changes, message_times, snapshots
from engine.messages.instrument import Instrument

_FIRST: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_HEADER_WORDS: Final = frozenset(_FIRST)
_HEADER: Final = ",".join(_FIRST).encode()
_QUOTES: Final = ("ask_amount", "ask_price", "bid_price", "bid_amount")
_TRADES: Final = ("id", "side", "price", "amount")
_CHANGES: Final = ("is_snapshot", "side", "price", "amount")
_SNAPSHOT: Final = "asks[0].price"
_UNREAD: Final = {"funding_rate": "derivative_ticker", "strike_price": "options_chain"}
"""Columns that tell kinds which the station does not keep."""

_LIQUIDATIONS: Final = "liquidations"
"""Their columns are those of trades; only a name tells them."""

_LINEAR: Final = frozenset({Market.LINEAR})
_INVERSE: Final = frozenset({Market.INVERSE})
_MARKETS: Final = {
    **dict.fromkeys(("binance", "binance-us", "bybit-spot", "huobi", "okex", "kraken", "kucoin"), SPOT),
    **dict.fromkeys(("gate-io", "bitfinex"), SPOT),
    **dict.fromkeys(("binance-futures", "huobi-dm-linear-swap"), _LINEAR),
    **dict.fromkeys(("binance-delivery", "huobi-dm", "huobi-dm-swap"), _INVERSE),
    **dict.fromkeys(("bybit", "okex-swap", "okex-futures", "cryptofacilities", "kucoin-futures"), FUTURES),
    **dict.fromkeys(("gate-io-futures", "bitfinex-derivatives"), FUTURES),
}
"""Markets of Tardis's exchanges, where one venue has several under different names."""

_MARKET_WORDS: Final = frozenset(
    {"spot", "futures", "delivery", "swap", "dm", "linear", "derivatives", "options", "european"}
)
"""Words of an exchange's name that tell a market of it and are no part of the venue's name."""

_OTHER_NAMES: Final = {"okex": "OKX", "huobi": "HTX", "cryptofacilities": "KRAKEN"}
_SIDES: Final = {"buy": Aggressor.BUYER, "sell": Aggressor.SELLER, "unknown": Aggressor.NONE}


def matches(head: Head) -> bool:
    """Whether its header begins as those of all Tardis's files do."""
    return head.data.removeprefix(b"\xef\xbb\xbf").startswith(_HEADER)


def header(head: Head) -> bytes | None:
    """Line that pieces of the file begin with; None of book changes, which need the book before them."""
    line = header_line(head.data, _HEADER_WORDS)
    return None if b"is_snapshot" in line else line


def decode(file: SourceFile) -> Decoded:
    """Rows of one file, gzip-compressed or not.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another exchange, market or symbol than the instrument, or of a kind that
        the station does not keep.
    """
    text = archived_text(file)
    table = text_table(text.data, _HEADER_WORDS)
    names = [normalised(name) for name in table.names or ()]
    columns = dict(zip(names, table.columns, strict=False))
    if not set(_FIRST) <= set(columns) or len(columns) < len(names):
        raise Undecodable(f"its header does not begin with {', '.join(_FIRST)}, as Tardis's files do")
    _check_kept(file, columns)
    if not len(table.lines):
        raise Undecodable("it has a header but no rows")
    rows = Rows(table, columns)
    rows.rejected += text.rejected
    _check_exchange(rows, file.instrument)
    if set(_CHANGES) <= set(columns):
        unread = bool(table.rejected)
        at_end = unread and int(table.lines[-1]) < text.data.count(b"\n")
        return changes(rows, lines_missing=unread, cut_off=at_end or bool(text.rejected))
    if _SNAPSHOT in columns:
        return snapshots(rows, text.data)
    if set(_TRADES) <= set(columns):
        return _trades(rows)
    if set(_QUOTES) <= set(columns):
        return _quotes(rows)
    raise Undecodable(
        f"its columns ({', '.join(names[len(_FIRST) :][:8])}) are those of no file of Tardis that is read"
    )


def _check_kept(file: SourceFile, columns: dict[str, pl.Series]) -> None:
    unread = next((kind for column, kind in _UNREAD.items() if column in columns), None)
    if unread is None and any(_LIQUIDATIONS in part.lower() for part in file.path.parts[-5:]):
        unread = _LIQUIDATIONS
    if unread is not None:
        raise Undecodable(
            f"it holds Tardis's {unread}, which the station does not keep; import trades, quotes, "
            "book_ticker, book_snapshot or incremental_book_L2"
        )


def _check_exchange(rows: Rows, instrument: Instrument) -> None:
    """Reject rows that are not of the instrument; refuse a file that has no others."""
    named = pl.DataFrame({"exchange": rows.text("exchange"), "symbol": rows.text("symbol")}).fill_null("")
    pairs = named.unique(maintain_order=True).rows()
    ours = [pair for pair in pairs if _is_of(instrument, *pair)]
    if not ours:
        exchange, symbol = pairs[0]
        raise Undecodable(
            f"it is of {symbol} at {exchange}, not of {instrument.id}; give that symbol and exchange as "
            "--instrument"
        )
    check_market(
        instrument,
        tuple(
            Evidence(f"its exchange {each}", _MARKETS[each])
            for each in dict.fromkeys(exchange for exchange, _ in ours)
            if each in _MARKETS
        ),
    )
    if len(ours) < len(pairs):
        mine = pl.DataFrame(ours, schema=named.schema, orient="row").with_columns(mine=True)
        found = named.join(mine, on=["exchange", "symbol"], how="left", maintain_order="left")["mine"]
        rows.reject(found.is_null().to_numpy(), f"the row is of another symbol than {instrument.id}")


def _is_of(instrument: Instrument, exchange: str, symbol: str) -> bool:
    name = "".join(word for word in exchange.lower().split("-") if word not in _MARKET_WORDS)
    _, venue, _ = plain(instrument.id)
    is_venue = re.sub(r"[-_]", "", venue) in {name.upper(), _OTHER_NAMES.get(name)}
    return is_venue and _plain(symbol) in _names(instrument, symbol)


def _names(instrument: Instrument, symbol: str) -> set[str]:
    """Plain symbols that the instrument may have; Deribit names a perpetual by its coin alone."""
    names = {_plain(instrument.symbol)}
    if instrument.kind != "future":
        names.add(_plain(instrument.base + instrument.quote))
    if instrument.kind == "perpetual" and symbol.upper().endswith("-PERPETUAL"):
        names.add(_plain(instrument.base))
    return names


def _plain(symbol: str) -> str:
    """Symbol without marks, a bitcoin by its usual code: XBTUSD and BTC-USD-SWAP are BTCUSD."""
    return re.sub(r"^XBT", "BTC", bare_symbol(symbol))


def _quotes(rows: Rows) -> Decoded:
    (bid, ask), price_precision = rows.numbers("bid_price", "ask_price", positive=True)
    (bid_size, ask_size), size_precision = rows.numbers("bid_amount", "ask_amount", positive=False)
    event, received, said = message_times(rows)
    quotes = Quotes(
        ts_event=event,
        ts_init=received,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return rows.decoded("quotes", quotes, said)


def _trades(rows: Rows) -> Decoded:
    price, amount = rows.number("price", positive=True), rows.number("amount", positive=True)
    aggressor = rows.words("side", _SIDES)
    event, received, said = message_times(rows)
    number = rows.text("id").str.to_integer(strict=False)
    unnumbered = int(number.is_null().to_numpy()[rows.good].sum())
    if unnumbered:
        rows.notes.append(f"{unnumbered} trades have ids that are no numbers; they are stored without.")
    trades = Trades(
        ts_event=event,
        ts_init=received,
        price=price.integers,
        size=amount.integers,
        aggressor=aggressor,
        trade_id=number.fill_null(0).cast(pl.Int64).to_numpy(),
        price_precision=price.precision,
        size_precision=amount.precision,
    )
    return rows.decoded("trades", trades, said)
