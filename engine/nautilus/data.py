"""Columns to NautilusTrader's market data, exactly and in bulk.

The engine wants one Rust value per tick. Building those one by one from Python is slow; its Arrow wranglers
take a record batch and make about two million a second. Prices stay scaled integers until the Arrow decimal.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nautilus_trader.model import (
    Bar,
    BarType,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.persistence import (
    BarDataWrangler,
    OrderBookDeltaDataWrangler,
    QuoteTickDataWrangler,
    TradeTickDataWrangler,
)

from engine.columns import (
    Action,
    Columns,
    Deltas,
    Flag,
    Int64,
    Quotes,
    Side,
    Trades,
    UInt8,
    VendorBars,
    bars_spec,
)

UNTOLD_SIZE: Final = 999_999_937
"""Units that the engine is told of a quote whose source gave no size (stored as 0): any order fills whole.

A prime, so that it is nobody's true size and a strategy can tell it from one.
"""

_DECIMAL = pa.decimal128(38, 16)
_TIME = pa.timestamp("ns", tz="UTC")


def _strings(values: Sequence[str]) -> pa.Array:
    ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
    text = "".join(values).encode()
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(text))


def _array(values: npt.NDArray[np.generic]) -> pa.Array:
    # From the buffer, because `pa.array` would import pandas to ask whether this is one of its arrays.
    flat = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])


_AGGRESSORS = _strings(["NO_AGGRESSOR", "BUYER", "SELLER"])
_ACTIONS = _strings(["NONE", *(action.name for action in Action)])
_SIDES = _strings(["NO_ORDER_SIDE", "BUY", "SELL"])


def to_nautilus(instrument_id: str, columns: Columns, *, untold_size: int = UNTOLD_SIZE) -> Sequence[Any]:
    """Nautilus values of these rows, in order: quotes, trades, or one `OrderBookDeltas` per book update.

    `untold_size` is the units that a quote gets whose source told no size. A book update is atomic here
    because a matching engine that sees its rows one by one would match against books that never existed. Rows
    after the last `Flag.LAST` make an update of their own.
    """
    identity = InstrumentId.from_str(instrument_id)
    scale = columns.price_precision, columns.size_precision
    if isinstance(columns, Quotes):
        return QuoteTickDataWrangler(instrument_id, *scale).process_record_batch_bytes(
            _stream(_quote_arrays(columns, untold_size), QuoteTick.get_metadata(identity, *scale))
        )
    if isinstance(columns, Trades):
        return TradeTickDataWrangler(instrument_id, *scale).process_record_batch_bytes(
            _stream(_trade_arrays(columns), TradeTick.get_metadata(identity, *scale))
        )
    if isinstance(columns, Deltas):
        rows = OrderBookDeltaDataWrangler(instrument_id, *scale).process_record_batch_bytes(
            _stream(_delta_arrays(columns), OrderBookDelta.get_metadata(identity, *scale))
        )
        ends = update_ends(columns).tolist()
        return [
            OrderBookDeltas(identity, rows[start:end])
            for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
    raise TypeError(f"the engine is not fed with {type(columns).__name__}")


def to_nautilus_bars(instrument_id: str, kind: str, bars: VendorBars) -> list[Bar]:
    """A vendor's bars of this stored kind; both of their times are when the bar closed."""
    bar_type = f"{instrument_id}-{bars_spec(kind)}-EXTERNAL"
    scale = bars.price_precision, bars.size_precision
    prices = {name: _decimal(getattr(bars, name), scale[0]) for name in ("open", "high", "low", "close")}
    closed = _time(bars.ts_init)
    arrays = {**prices, "volume": _decimal(bars.volume, scale[1]), "ts_event": closed, "ts_init": closed}
    return BarDataWrangler(bar_type, *scale).process_record_batch_bytes(
        _stream(arrays, Bar.get_metadata(BarType.from_str(bar_type), *scale))
    )


def has_untold_sizes(columns: Columns) -> bool:
    """Whether these are quotes of which some have no size."""
    return isinstance(columns, Quotes) and not (columns.bid_size.all() and columns.ask_size.all())


def update_ends(deltas: Deltas) -> npt.NDArray[np.int64]:
    """Row after each book update: int64 array; the last is `len(deltas)`."""
    ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
    if len(deltas) and (not len(ends) or ends[-1] != len(deltas)):
        ends = np.append(ends, len(deltas))
    return ends.astype(np.int64)


def _quote_arrays(quotes: Quotes, untold_size: int) -> dict[str, pa.Array]:
    price, size = quotes.price_precision, quotes.size_precision
    return {
        "bid_price": _decimal(quotes.bid, price),
        "ask_price": _decimal(quotes.ask, price),
        "bid_size": _decimal(_told(quotes.bid_size, size, untold_size), size),
        "ask_size": _decimal(_told(quotes.ask_size, size, untold_size), size),
        **_times(quotes),
    }


def _told(sizes: Int64, precision: int, untold_size: int) -> Int64:
    return np.where(sizes == 0, untold_size * 10**precision, sizes)


def _trade_arrays(trades: Trades) -> dict[str, pa.Array]:
    return {
        "price": _decimal(trades.price, trades.price_precision),
        "size": _decimal(trades.size, trades.size_precision),
        "aggressor_side": _named(trades.aggressor, _AGGRESSORS),
        "trade_id": _array(trades.trade_id).cast(pa.string()),
        **_times(trades),
    }


def _delta_arrays(deltas: Deltas) -> dict[str, pa.Array]:
    # A CLEAR is of both sides, whatever side its source wrote beside it.
    side = np.where(deltas.action == Action.CLEAR, np.uint8(Side.NONE), deltas.side)
    return {
        "action": _named(deltas.action, _ACTIONS),
        "side": _named(side, _SIDES),
        "price": _decimal(deltas.price, deltas.price_precision),
        "size": _decimal(deltas.size, deltas.size_precision),
        # A level has one order; Nautilus gives it its price for an identity.
        "order_id": _array(np.zeros(len(deltas), np.uint64)),
        "flags": _array(deltas.flags),
        "sequence": _array(deltas.sequence.astype(np.uint64)),
        **_times(deltas),
    }


def _times(columns: Columns) -> dict[str, pa.Array]:
    return {"ts_event": _time(columns.ts_event), "ts_init": _time(columns.ts_init)}


def _time(ns: Int64) -> pa.Array:
    return pa.Array.from_buffers(_TIME, len(ns), [None, pa.py_buffer(np.ascontiguousarray(ns))])


def _decimal(scaled: Int64, precision: int) -> pa.Array:
    """Decimal128(38, 16) of scaled integers; the sign is extended by hand, Arrow does the rescaling."""
    words = np.empty((len(scaled), 2), np.int64)
    words[:, 0] = scaled
    np.right_shift(scaled, 63, out=words[:, 1])
    exact = pa.Array.from_buffers(pa.decimal128(19, precision), len(scaled), [None, pa.py_buffer(words)])
    return exact.cast(_DECIMAL)


def _named(codes: UInt8, names: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(_array(codes.astype(np.int8)), names)


def _stream(arrays: Mapping[str, pa.Array], metadata: Mapping[str, str]) -> bytes:
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], metadata=metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(list(arrays.values()), schema=schema))
    return bytes(sink.getvalue().to_pybytes())
