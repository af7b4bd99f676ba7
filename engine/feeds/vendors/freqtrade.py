"""What freqtrade keeps of an exchange: candles and trades, as JSON, Feather or Parquet.

The name of a file tells what it holds: `BTC_USDT-5m.json` candles of five minutes, `BTC_USDT_USDT-1h-futures`
those of a perpetual, `BTC_USDT-trades` trades. Candles are date, open, high, low, close and volume; trades
are timestamp, id, type, side, price, amount and cost (price times amount). Times are ms since 1970.
"""

import re
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from engine.columns import Aggressor, Int64, Trades, bars_kind
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table, arrow_table, parquet_table
from engine.feeds.timestamps import Times, times_since_1970
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    PRICES,
    SECOND_NS,
    bars,
    decoded,
    spec_of,
)
from engine.feeds.vendors.json_text import loaded, text_column
from engine.feeds.vendors.markets import FUTURES, SPOT, Evidence, check_market
from engine.messages.instrument import Instrument

_NAME: Final = re.compile(
    r"^(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Za-z0-9]+)(?P<settled>_[A-Za-z0-9]+)?"
    r"-(?:(?P<trades>trades)|(?P<count>\d+)(?P<unit>[smhdwM])o?(?P<type>-[a-z_]+)?)"
    r"\.(?:json|json\.gz|feather|parquet)$"
)
_UNITS: Final = {
    "s": SECOND_NS,
    "m": MINUTE_NS,
    "h": HOUR_NS,
    "d": DAY_NS,
    "w": 7 * DAY_NS,
    "M": 30 * DAY_NS,
}
_CANDLES: Final = ("date", *PRICES, "volume")
_TRADES: Final = ("timestamp", "id", "type", "side", "price", "amount", "cost")
_MS_NS: Final = 1_000_000
_DOUBLE_DIGITS: Final = 15
_NOISY: Final = rf"[1-9][\d.]{{{_DOUBLE_DIGITS},}}"
_DECIMALS: Final = frozenset({*PRICES, "volume", "price", "amount"})
_FLOATS_NOTE: Final = (
    f"The file's floating-point numbers are taken at {_DOUBLE_DIGITS} significant digits, which are all that "
    "such numbers keep of a decimal."
)


def matches(head: Head) -> bool:
    """Whether its name is one of freqtrade's."""
    return _NAME.match(head.path.name) is not None


def decode(file: SourceFile) -> Decoded:
    """Bars or trades of one file.

    Raises
    ------
    Undecodable
        Damaged, of other rows, its name is none of freqtrade's, or it is of another pair or market.
    """
    name = _NAME.match(file.path.name)
    if name is None:
        raise Undecodable("its name is not PAIR-TIMEFRAME or PAIR-trades, as freqtrade's are; keep that name")
    _check_pair(name, file.instrument)
    wanted = _TRADES if name["trades"] else _CANDLES
    table, columns = _read(file.data, wanted)
    if not len(table.lines):
        return Decoded(columns={}, timestamps="")
    rows = Rows(table, columns)
    return _trades(rows) if name["trades"] else _bars(rows, int(name["count"]) * _UNITS[name["unit"]])


def _check_pair(name: re.Match[str], instrument: Instrument) -> None:
    if name["type"] not in {None, "-futures"}:
        raise Undecodable(
            f"it holds {name['type'][1:].replace('_', ' ')} candles, which are no prices traded at"
        )
    pair = f"{name['base']}{name['quote']}"
    if bare_symbol(pair) != bare_symbol(instrument.symbol):
        raise Undecodable(
            f"its name says {pair.upper()}, not {instrument.symbol}; import it as that instrument"
        )
    futures = bool(name["settled"] or name["type"])
    check_market(instrument, (Evidence("its name", FUTURES if futures else SPOT),))


def _read(data: bytes, wanted: tuple[str, ...]) -> tuple[Table, dict[str, pl.Series]]:
    """Rows as a table, and the columns `wanted` of it."""
    if data.startswith(b"ARROW1"):
        table = arrow_table(data)
    elif data.startswith(b"PAR1"):
        table = parquet_table(data)
    else:
        return _json_rows(loaded(gunzipped(data)), wanted)
    names = table.names or []
    missing = next((each for each in wanted if each not in names), None)
    if missing:
        raise Undecodable(f"it has no column {missing}, as freqtrade's files of this name have")
    columns = {each: table.columns[names.index(each)] for each in wanted}
    return replace(table, notes=(_FLOATS_NOTE,)), {
        name: column.round_sig_figs(_DOUBLE_DIGITS) if column.dtype.is_float() else column
        for name, column in columns.items()
    }


def _json_rows(document: object, wanted: tuple[str, ...]) -> tuple[Table, dict[str, pl.Series]]:
    if not isinstance(document, list):
        raise Undecodable("its JSON is no list of rows, as freqtrade's files are")
    width = len(wanted)

    def value(row: object, place: int, name: str) -> object:
        if isinstance(row, dict):
            return row.get(name)
        return row[place] if isinstance(row, list) and len(row) == width else None

    columns = {
        name: text_column(value(row, place, name) for row in document) for place, name in enumerate(wanted)
    }
    rounded = {name: _without_noise(column) for name, column in columns.items() if name in _DECIMALS}
    has_noise = any(not rounded[name].equals(columns[name]) for name in rounded)
    notes = (_FLOATS_NOTE,) if has_noise else ()
    return Table([], None, np.arange(1, len(document) + 1), notes=notes), columns | rounded


def _without_noise(column: pl.Series) -> pl.Series:
    """Numbers of more digits than a double keeps of a decimal, cut to those; others as they stand."""
    noisy = (column.str.contains(_NOISY) & column.str.contains(".", literal=True)).fill_null(value=False)
    if not noisy.any():
        return column
    doubles = column.cast(pl.Float64, strict=False).round_sig_figs(_DOUBLE_DIGITS)
    return doubles.cast(pl.String).zip_with(noisy, column)


def _times(rows: Rows, name: str) -> Times:
    column = rows.columns[name]
    ms = column.dt.epoch("ms") if isinstance(column.dtype, pl.Datetime) else column
    found = times_since_1970(ms, _MS_NS, "milliseconds since 1970, UTC")
    rows.reject(~found.valid, "the time is missing, malformed or outside 1980 to 2199")
    return found


def _bars(rows: Rows, interval_ns: int) -> Decoded:
    spec = spec_of(interval_ns, "LAST")
    times = _times(rows, "date")
    rows.reject(times.ns % interval_ns != 0, "the time lies between two bars")
    prices = {name: rows.number(name, positive=True) for name in PRICES}
    made = bars(rows, times.ns, times.ns + interval_ns, prices, rows.number("volume", positive=False))
    return decoded(rows, {bars_kind(spec): made}, times.said)


def _trades(rows: Rows) -> Decoded:
    times = _times(rows, "timestamp")
    price, size = rows.number("price", positive=True), rows.number("amount", positive=True)
    side = rows.text("side").str.to_lowercase()
    bought, sold = ((side == word).fill_null(value=False).to_numpy() for word in ("buy", "sell"))
    trades = Trades(
        ts_event=times.ns,
        ts_init=times.ns,
        price=price.integers,
        size=size.integers,
        aggressor=np.select([bought, sold], [Aggressor.BUYER, Aggressor.SELLER], Aggressor.NONE).astype(
            np.uint8
        ),
        trade_id=_ids(rows),
        price_precision=price.precision,
        size_precision=size.precision,
    )
    return decoded(rows, {"trades": rows.taken(trades)}, times.said)


def _ids(rows: Rows) -> Int64:
    """The exchange's numbers; 0 for all where one of them is no number, as some exchanges' are."""
    numbers = rows.text("id").str.to_integer(strict=False)
    if numbers.filter(pl.Series(rows.good)).null_count():
        rows.notes.append("The trades' ids are no numbers; they are stored without.")
        return np.zeros(len(numbers), np.int64)
    return numbers.fill_null(0).cast(pl.Int64).to_numpy()
