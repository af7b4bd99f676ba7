"""What the rows of Binance's archives become: one function for each kind of archive.

Each takes the columns by our names and answers with what is stored and what of the archive is not kept.
"""

from collections import Counter
from typing import Final

import numpy as np
import pyarrow as pa

from engine.bars import BarSpec
from engine.columns import Aggressor, Int64, Quotes, Trades, VendorBars, bars_kind
from engine.errors import UserError
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.rows import Rows
from engine.store.merging import Mask

_AGGREGATES: Final = (
    "Each trade is an aggregate of one order's fills at one price, with the aggregate's number; the numbers "
    "of its first and last fill are not kept."
)
_CANDLE_COUNTS: Final = (
    "Of the candles, the quote volume, the number of trades and the takers' volumes are not kept."
)
_DECIMAL: Final = pa.decimal128(38, 18)
_UNITS: Final = {"s": "SECOND", "m": "MINUTE", "h": "HOUR", "d": "DAY"}
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
    length_ns, spec = _length(interval) if interval else _commonest_length(opened.ns, closed.ns, rows.good)
    end = opened.ns + length_ns
    left = end - closed.ns
    rows.reject((left <= 0) | (left > _LONGEST_UNIT_NS), f"the candle is not one of {spec}")
    (first, high, low, last), price_precision = rows.numbers("open", "high", "low", "close", positive=True)
    volume = rows.number("volume", positive=False)
    inside = (high >= np.maximum(first, last)) & (low <= np.minimum(first, last))
    rows.reject(~inside, "the high and low do not enclose the open and close")
    rows.notes.append(_CANDLE_COUNTS)
    bars = VendorBars(
        ts_event=opened.ns,
        ts_init=end,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume.integers,
        price_precision=price_precision,
        size_precision=volume.precision,
    )
    return rows.decoded(bars_kind(str(spec)), bars, opened.said)


def _length(interval: str) -> tuple[int, BarSpec]:
    """Length in ns and specification of bars of an interval like 15m."""
    unit = _UNITS.get(interval.lstrip("0123456789"))
    try:
        spec = None if unit is None else BarSpec.parse(f"{interval[:-1]}-{unit}-LAST")
    except UserError:
        spec = None
    if spec is None or spec.interval_ns is None:
        raise Undecodable(
            f"it holds candles of {interval}, but bars are kept of seconds, minutes, hours and single days "
            "only; import the symbol's 1d archives"
        )
    return spec.interval_ns, spec


def _commonest_length(opened: Int64, closed: Int64, good: Mask) -> tuple[int, BarSpec]:
    """Length that most candles have."""
    seconds = [int(each) for each in -((opened - closed)[good] // 1_000_000_000)]
    length = Counter(seconds).most_common(1)[0][0] if seconds else 0
    for letter, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if length > 0 and length % size == 0:
            return _length(f"{length // size}{letter}")
    raise Undecodable("its candles end before they begin")


def _decimals(found: Scaled, good: Mask) -> pa.Array:
    """Arrow decimals of one type for all files, however many decimals each has, so that they join."""
    integers = np.ascontiguousarray(found.integers[good])
    exact = pa.decimal64(18, found.precision)
    values = pa.Array.from_buffers(exact, len(integers), [None, pa.py_buffer(integers)])
    return values.cast(_DECIMAL)
