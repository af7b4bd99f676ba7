"""What the rows of Binance's archives become: one function for each kind of archive.

Each takes the columns by our names and answers with what is stored and what of the archive is not kept.
"""

from collections import Counter
from typing import Final

import numpy as np
import pyarrow as pa

from engine.columns import Aggressor, Int64, Quotes, Trades, bars_kind
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.rows import Rows
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
from engine.store.merging import Mask

_AGGREGATES: Final = (
    "Each trade is an aggregate of one order's fills at one price, with the aggregate's number; the numbers "
    "of its first and last fill are not kept."
)
_CANDLE_COUNTS: Final = (
    "Of the candles, the quote volume, the number of trades and the takers' volumes are not kept."
)
_DECIMAL: Final = pa.decimal128(38, 18)
_UNITS_NS: Final = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS, "w": 7 * DAY_NS}
_LONGEST_UNIT_NS: Final = 1_000_000
"""A candle's close time is one unit, at most a millisecond, before its end."""


def trades(rows: Rows) -> Decoded:
    """Trades; where the buyer was the maker, the seller took liquidity."""
    price, size = rows.number("price", positive=True), rows.number("size", positive=True)
    number, time = rows.whole("id"), rows.time("time")
    buyer_made = rows.flags("is_buyer_maker")
    columns = Trades(
        ts_event=time.ns,
        ts_init=time.ns,
        price=price.integers,
        size=size.integers,
        aggressor=np.where(buyer_made, Aggressor.SELLER, Aggressor.BUYER).astype(np.uint8),
        trade_id=number,
        price_precision=price.precision,
        size_precision=size.precision,
    )
    return rows.decoded("trades", columns, time.said)


def aggregate_trades(rows: Rows) -> Decoded:
    """Trades, one for each aggregate."""
    rows.notes.append(_AGGREGATES)
    return trades(rows)


def best_quotes(rows: Rows) -> Decoded:
    """Quotes numbered by update; an event is sent after its transaction, never before."""
    (bid, ask), price_precision = rows.numbers("bid", "ask", positive=True)
    (bid_size, ask_size), size_precision = rows.numbers("bid_size", "ask_size", positive=False)
    number, time, sent = rows.whole("id"), rows.time("time"), rows.time("event_time")
    quotes = Quotes(
        ts_event=time.ns,
        ts_init=np.maximum(time.ns, sent.ns),
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        sequence=number,
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return rows.decoded("quotes", quotes, time.said)


def book_depth(rows: Rows, instrument: str) -> Decoded:
    """Depth and notional up to a distance from the price, as the series `SYMBOL.VENUE.book_depth`.

    It is no book: `percentage` is the distance from the price in percent (below 0: bids), `depth` the size
    of all orders up to there and `notional` their worth.
    """
    time = rows.time("time")
    numbers = {"percentage": rows.decimal("percentage")} | {
        role: rows.number(role, positive=False) for role in ("depth", "notional")
    }
    columns = {"ts_event": pa.array(time.ns[rows.good]), "ts_init": pa.array(time.ns[rows.good])}
    columns |= {role: _decimals(found, rows.good) for role, found in numbers.items()}
    table = pa.table(columns)
    return Decoded(
        columns={},
        timestamps=time.said,
        rejected=tuple(rows.rejected),
        notes=tuple(rows.notes),
        series={f"{instrument}.book_depth": table} if len(table) else {},
    )


def candles(rows: Rows, interval: str) -> Decoded:
    """Bars of trades; `interval` is Binance's word for their length, empty where no name tells it.

    Raises
    ------
    Undecodable
        The station has no bars of that length.
    """
    opened, closed = rows.time("open_time"), rows.time("close_time")
    length_ns = _told_ns(interval) if interval else _commonest_ns((closed.ns - opened.ns)[rows.good])
    spec = spec_of(length_ns, "LAST")
    end = opened.ns + length_ns
    left = end - closed.ns
    rows.reject((left <= 0) | (left > _LONGEST_UNIT_NS), f"the candle is not one of {spec}")
    prices = {name: rows.number(name, positive=True) for name in PRICES}
    made = bars(rows, opened.ns, end, prices, rows.number("volume", positive=False))
    rows.notes.append(_CANDLE_COUNTS)
    return decoded(rows, {bars_kind(spec): made}, opened.said)


def _told_ns(interval: str) -> int:
    """Length of an interval like 15m."""
    unit = interval.lstrip("0123456789")
    if unit not in _UNITS_NS:
        raise Undecodable(
            f"it holds candles of {interval}, and months are not all of one length; import the symbol's 1d "
            "archives"
        )
    return int(interval.removesuffix(unit)) * _UNITS_NS[unit]


def _commonest_ns(until_close: Int64) -> int:
    """Length of most candles, of which these are the times from open to close, a unit short of it."""
    seconds = Counter((-(-until_close // SECOND_NS)).tolist()).most_common(1)
    if not seconds or seconds[0][0] <= 0:
        raise Undecodable("its candles end before they begin")
    return int(seconds[0][0]) * SECOND_NS


def _decimals(found: Scaled, good: Mask) -> pa.Array:
    """Arrow decimals of one type for all files, however many decimals each has, so that they join."""
    integers = np.ascontiguousarray(found.integers[good])
    exact = pa.decimal64(18, found.precision)
    values = pa.Array.from_buffers(exact, len(integers), [None, pa.py_buffer(integers)])
    return values.cast(_DECIMAL)
