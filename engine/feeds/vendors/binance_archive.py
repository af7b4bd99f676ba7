"""Binance's public archives: trades, aggregate trades, best quotes, depth by distance, and candles.

A file is named SYMBOL-KIND-DATE.zip or .csv, KIND being `trades`, `aggTrades`, `bookTicker`, `bookDepth` or a
candle's interval. Spot files have no header, those of the futures have one since 2022 and one column less.
Times are in milliseconds; those of the spot market since 2025-01-01 in microseconds.

Layouts: Binance's `binance-public-data` repository, README.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table, header_line, normalised, text_table
from engine.feeds.vendors.archives import archived_text
from engine.feeds.vendors.binance_rows import aggregate_trades, best_quotes, book_depth, candles, trades
from engine.feeds.vendors.markets import (
    FUTURES,
    SPOT,
    Evidence,
    Market,
    check_market,
    folder_evidence,
    symbol_evidence,
)

_NAME: Final = re.compile(
    r"^(?P<symbol>[^-]+)-(?P<kind>[a-z0-9]+)-\d{4}-\d{2}(-\d{2})?(\.csv)?(\.zip|\.gz)?$", re.IGNORECASE
)
_INTERVAL: Final = re.compile(r"\d+(s|m|h|d|w|mo)")
_CANDLES: Final = "klines"
_UNREAD: Final = ("metrics", "fundingRate", "liquidationSnapshot")
_OTHER_CANDLES: Final = re.compile(r"(mark|index|premiumindex)price?klines", re.IGNORECASE)
INVERSE_SYMBOL: Final = re.compile(r"USD_(PERP|\d{6})$")

_ROLES: Final = {
    "agg_trade_id": "id",
    "update_id": "id",
    "qty": "size",
    "quantity": "size",
    "transact_time": "time",
    "transaction_time": "time",
    "timestamp": "time",
    "best_bid_price": "bid",
    "best_bid_qty": "bid_size",
    "best_ask_price": "ask",
    "best_ask_qty": "ask_size",
}
"""What we call columns that Binance calls otherwise."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Columns of a file without a header, and the markets whose files have so many."""

    columns: tuple[str, ...]
    markets: frozenset[Market]


def _layout(columns: str, markets: frozenset[Market]) -> _Layout:
    return _Layout(tuple(columns.split()), markets)


_ANY: Final = frozenset(Market)
_LAYOUTS: Final[Mapping[str, tuple[_Layout, ...]]] = {
    "trades": (
        _layout("id price qty quote_qty time is_buyer_maker is_best_match", SPOT),
        _layout("id price qty quote_qty time is_buyer_maker", FUTURES),
    ),
    "aggTrades": (
        _layout(
            "agg_trade_id price quantity first_trade_id last_trade_id transact_time is_buyer_maker "
            "is_best_match",
            SPOT,
        ),
        _layout(
            "agg_trade_id price quantity first_trade_id last_trade_id transact_time is_buyer_maker", FUTURES
        ),
    ),
    "bookTicker": (
        _layout(
            "update_id best_bid_price best_bid_qty best_ask_price best_ask_qty transaction_time event_time",
            FUTURES,
        ),
    ),
    "bookDepth": (_layout("timestamp percentage depth notional", FUTURES),),
    _CANDLES: (
        _layout(
            "open_time open high low close volume close_time quote_volume count taker_buy_volume "
            "taker_buy_quote_volume ignore",
            _ANY,
        ),
    ),
}
_HEADER_WORDS: Final = frozenset(
    name for layouts in _LAYOUTS.values() for each in layouts for name in each.columns
)
_SPARE: Final = frozenset(
    {"quote_qty", "is_best_match", "first_trade_id", "last_trade_id", "quote_volume", "count"}
    | {"taker_buy_volume", "taker_buy_quote_volume", "ignore"}
)
"""Columns that a header may call otherwise, because they are not kept."""

_TELLING: Final = {
    "agg_trade_id": "aggTrades",
    "update_id": "bookTicker",
    "percentage": "bookDepth",
    "open_time": _CANDLES,
    "is_buyer_maker": "trades",
}
"""Columns that tell the kind of a file by themselves, in this order."""

_INVERSE: Final = frozenset({Market.INVERSE})
_FOLDERS: Final = {"spot": Market.SPOT, "um": Market.LINEAR, "cm": Market.INVERSE}
_AMOUNTS: Final = {"quote_qty": _ANY - _INVERSE, "base_qty": _INVERSE}
"""What the header calls a trade's other amount: only COIN-M's is in the base currency."""

_CONTRACTS: Final = "Sizes are numbers of contracts, as Binance's COIN-M market counts."


@dataclass(frozen=True, slots=True)
class _Named:
    """What a file's name tells; `interval` of candles only."""

    symbol: str
    kind: str
    interval: str = ""


def matches(head: Head) -> bool:
    """Whether name and number of columns are those of one of Binance's archives, or its header is."""
    first, named = _first_line(head.data), _named(head.name) or _named(head.path.name)
    if named is None:
        return _kind_of_header(first) is not None
    layouts = _LAYOUTS.get(named.kind)
    return layouts is None or len(first) in {len(each.columns) for each in layouts}


def header(head: Head) -> bytes:
    """Line that pieces of the file begin with; empty where it has no header."""
    return header_line(head.data, _HEADER_WORDS)


def decode(file: SourceFile) -> Decoded:
    """Rows of one archive: trades, quotes, bars, or `SYMBOL.VENUE.book_depth` among the series.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another symbol or market than the instrument, of a kind that the station
        does not keep, or not laid out as Binance's archives are.
    """
    text = archived_text(file)
    named = _named(text.name) or _named(file.path.name)
    if named is not None:
        _check_kept(named, file)
        if bare_symbol(named.symbol) != bare_symbol(file.instrument.symbol):
            raise Undecodable(
                f"its name says {named.symbol}, not {file.instrument.symbol}; import it as that instrument"
            )
    table = text_table(text.data, _HEADER_WORDS)
    if not len(table.lines):
        raise Undecodable("it has a header but no rows")
    kind = named.kind if named is not None else _kind_of_header(table.names or [])
    if kind is None:
        raise Undecodable(
            "neither its name nor a header tells what it holds; keep the name that Binance gave it, like "
            "BTCUSDT-trades-2024-01-01.csv"
        )
    layout = _layout_of(table, kind)
    market_notes = check_market(file.instrument, _evidence(file, table, layout, named))
    roles = [_ROLES.get(name, name) for name in layout.columns]
    rows = Rows(table, dict(zip(roles, table.columns, strict=True)))
    rows.rejected += text.rejected
    rows.notes += market_notes
    if file.instrument.inverse:
        rows.notes.append(_CONTRACTS)
    match kind:
        case "trades":
            return trades(rows)
        case "aggTrades":
            return aggregate_trades(rows)
        case "bookTicker":
            return best_quotes(rows)
        case "bookDepth":
            return book_depth(rows, file.instrument.id)
        case _:
            return candles(rows, named.interval if named is not None else "")


def _first_line(data: bytes) -> list[str]:
    line = data.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    return line.decode("ascii", "replace").split(",")


def _named(name: str) -> _Named | None:
    found = _NAME.match(name)
    if found is None:
        return None
    symbol, said = found["symbol"].upper(), found["kind"].lower()
    if _INTERVAL.fullmatch(said):
        return _Named(symbol, _CANDLES, said)
    kind = next((kind for kind in (*_LAYOUTS, *_UNREAD) if kind.lower() == said), None)
    return None if kind is None else _Named(symbol, kind)


def _kind_of_header(names: list[str]) -> str | None:
    """Kind of a file whose header is Binance's own."""
    ours = {normalised(name) for name in names}
    kind = next((kind for name, kind in _TELLING.items() if name in ours), None)
    if kind is None or not set(_LAYOUTS[kind][0].columns) - _SPARE <= ours:
        return None
    return kind


def _check_kept(named: _Named, file: SourceFile) -> None:
    if named.kind not in _LAYOUTS:
        raise Undecodable(
            f"it holds Binance's {named.kind}, which the station does not keep; import trades, aggTrades, "
            "bookTicker, bookDepth or klines"
        )
    other = next((part for part in file.path.parts if _OTHER_CANDLES.fullmatch(part)), None)
    if named.kind == _CANDLES and other is not None:
        raise Undecodable(
            f"its folder says {other}, which are no bars of trades; import those of the folder klines"
        )


def _layout_of(table: Table, kind: str) -> _Layout:
    """Layout of so many columns; with a header, the columns as that names them."""
    width = len(table.columns)
    layout = next((each for each in _LAYOUTS[kind] if len(each.columns) == width), None)
    if layout is None:
        widths = " or ".join(str(len(each.columns)) for each in _LAYOUTS[kind])
        raise Undecodable(f"it has {width} columns; Binance's {kind} have {widths}")
    if table.names is None:
        return layout
    names = tuple(normalised(name) for name in table.names)
    missing = next((name for name in layout.columns if name not in names and name not in _SPARE), None)
    if missing is not None or len(set(names)) < width:
        raise Undecodable(
            f"its header ({', '.join(table.names)}) is not that of Binance's {kind}"
            + ("" if missing is None else f", which has {missing}")
        )
    return _Layout(names, layout.markets)


def _evidence(file: SourceFile, table: Table, layout: _Layout, named: _Named | None) -> tuple[Evidence, ...]:
    found = list(folder_evidence(file.path, _FOLDERS))
    if table.names is not None:
        found += [
            Evidence(f"its column {name}", _AMOUNTS[name]) for name in layout.columns if name in _AMOUNTS
        ]
    found.append(Evidence(f"its layout of {len(layout.columns)} columns", layout.markets))
    if named is not None:
        found.append(symbol_evidence(named.symbol, INVERSE_SYMBOL))
    return tuple(found)
