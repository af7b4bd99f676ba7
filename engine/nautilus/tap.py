"""Takes what a live node delivers, once, as columns: for the recorder, the picture and the mark.

Ticks are only kept by reference as they come; they become columns many at a time, through Arrow.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from nautilus_trader.common import DataActor, DataActorConfig
from nautilus_trader.model import (
    ActorId,
    BookType,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.serialization import (
    book_deltas_to_arrow_record_batch_bytes,
    quotes_to_arrow_record_batch_bytes,
    trades_to_arrow_record_batch_bytes,
)

from engine.columns import Action, Aggressor, Columns, Deltas, Int64, Quotes, Side, Trades, UInt8
from engine.messages.instrument import Instrument
from engine.nautilus.data import UNTOLD_SIZE

_SIDES: Final = {"NO_ORDER_SIDE": Side.NONE, "BUY": Side.BUY, "SELL": Side.SELL}
_AGGRESSORS: Final = {
    "NO_AGGRESSOR": Aggressor.NONE,
    "BUYER": Aggressor.BUYER,
    "SELLER": Aggressor.SELLER,
    "BUY": Aggressor.BUYER,
    "SELL": Aggressor.SELLER,
}


class Tap(DataActor):
    """Subscribes to an instrument and keeps its ticks until they are taken.

    A strategy sees a tick before the tap does, so what it does at a tick is told before the tick is shown.

    Parameters
    ----------
    instrument : Instrument
    kinds : frozenset of str
    socket_changed : callable
        Takes NautilusTrader's events of connections.

    Attributes
    ----------
    ticks : int
        Events so far: quotes, trades, whole book updates.
    newest_ns : int
        When the newest of them was received; 0 before the first.
    """

    def __new__(cls, *_given: Any) -> Self:
        """Make the Rust half, which wants to know nothing of ours."""
        make: Callable[..., Self] = DataActor.__new__  # its stub has `__init__` instead
        return make(cls, DataActorConfig(actor_id=ActorId("TAP-001")))

    def __init__(
        self, instrument: Instrument, kinds: frozenset[str], socket_changed: Callable[[Any], None]
    ) -> None:
        self.ticks = 0
        self.newest_ns = 0
        self._instrument, self._kinds, self._socket_changed = instrument, kinds, socket_changed
        self._quotes: list[QuoteTick] = []
        self._trades: list[TradeTick] = []
        self._deltas: list[OrderBookDelta] = []
        self._taken_to = dict.fromkeys(("quotes", "trades", "deltas"), 0)

    def on_start(self) -> None:
        """Watch all that there is."""
        identity = InstrumentId.from_str(self._instrument.id)
        if "quotes" in self._kinds:
            self.subscribe_quotes(identity)
        if "trades" in self._kinds:
            self.subscribe_trades(identity)
        if "deltas" in self._kinds:
            self.subscribe_book_deltas(identity, BookType.L2_MBP, managed=self._kinds == {"deltas"})

        self.subscribe_socket_state()

    def on_socket_state(self, event: Any) -> None:
        """Pass on that a connection to the venue came or went."""
        self._socket_changed(event)

    def on_quote(self, quote: QuoteTick) -> None:
        """Keep a quote."""
        self._quotes.append(quote)
        self._came(quote)

    def on_trade(self, trade: TradeTick) -> None:
        """Keep a trade."""
        self._trades.append(trade)
        self._came(trade)

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Keep a book update."""
        self._deltas += deltas.deltas
        self._came(deltas)

    def _came(self, tick: Any) -> None:
        self.ticks += 1
        self.newest_ns = max(self.newest_ns, tick.ts_init)

    def take(self) -> Mapping[str, Columns]:
        """Rows since the last call by kind, in the order of receipt; no kind is empty."""
        precisions = self._instrument.price_precision, self._instrument.size_precision
        taken: dict[str, Columns] = {}
        if self._quotes:
            quotes, self._quotes = self._quotes, []
            taken["quotes"] = quotes_of(quotes, *precisions)
        if self._trades:
            trades, self._trades = self._trades, []
            taken["trades"] = trades_of(trades, *precisions)
        if self._deltas:
            deltas, self._deltas = self._deltas, []
            taken["deltas"] = deltas_of(deltas, *precisions)
        return {kind: self._in_order(kind, rows) for kind, rows in taken.items()}

    def _in_order(self, kind: str, rows: Columns) -> Columns:
        """Rows whose receipt never goes back, as it may where a machine's clock is set."""
        received: Int64 = np.maximum.accumulate(np.maximum(rows.ts_init, self._taken_to[kind]))
        self._taken_to[kind] = int(received[-1])
        return rows.with_arrays({"ts_init": received})


def quotes_of(ticks: list[QuoteTick], price_precision: int, size_precision: int) -> Quotes:
    """Columns of quotes; a size that the engine was told in place of none is none again."""
    table = _table(quotes_to_arrow_record_batch_bytes(ticks))
    untold = UNTOLD_SIZE * 10**size_precision
    sizes = {name: _scaled(table[name], size_precision) for name in ("bid_size", "ask_size")}
    return Quotes(
        **_times(table),
        bid=_scaled(table["bid_price"], price_precision),
        ask=_scaled(table["ask_price"], price_precision),
        **{name: np.where(size == untold, 0, size) for name, size in sizes.items()},
        price_precision=price_precision,
        size_precision=size_precision,
    )


def trades_of(ticks: list[TradeTick], price_precision: int, size_precision: int) -> Trades:
    """Columns of trades; an identity that is no number is kept as 0."""
    table = _table(trades_to_arrow_record_batch_bytes(ticks))
    return Trades(
        **_times(table),
        price=_scaled(table["price"], price_precision),
        size=_scaled(table["size"], size_precision),
        aggressor=_codes(table["aggressor_side"], _AGGRESSORS),
        trade_id=_numbers(table["trade_id"]),
        price_precision=price_precision,
        size_precision=size_precision,
    )


def deltas_of(rows: list[OrderBookDelta], price_precision: int, size_precision: int) -> Deltas:
    """Columns of book changes."""
    table = _table(book_deltas_to_arrow_record_batch_bytes(rows))
    actions = {action.name: action for action in Action}
    return Deltas(
        **_times(table),
        action=_codes(table["action"], actions),
        side=_codes(table["side"], _SIDES),
        price=_scaled(table["price"], price_precision),
        size=_scaled(table["size"], size_precision),
        flags=table["flags"].to_numpy(),
        sequence=table["sequence"].to_numpy().astype(np.int64),
        price_precision=price_precision,
        size_precision=size_precision,
    )


def _table(stream: bytes) -> Mapping[str, pa.Array]:
    table = pa.ipc.open_stream(stream).read_all().combine_chunks()
    return {name: _whole(table.column(name)) for name in table.column_names}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _times(table: Mapping[str, pa.Array]) -> dict[str, Int64]:
    return {name: table[name].cast(pa.int64()).to_numpy() for name in ("ts_event", "ts_init")}


def _scaled(values: pa.Array, precision: int) -> Int64:
    """Scaled integers of Decimal128: the low words, as no price or size needs more than 64 bits."""
    exact = pc.fill_null(values, 0).cast(pa.decimal128(38, precision), safe=False)
    words = np.frombuffer(exact.buffers()[1], np.int64)
    scaled: Int64 = words[2 * exact.offset : 2 * (exact.offset + len(exact)) : 2].copy()
    return scaled


def _codes(names: pa.Array, codes: Mapping[str, int]) -> UInt8:
    known = np.array([codes.get(name, 0) for name in names.dictionary.to_pylist()], np.uint8)
    chosen: UInt8 = known[names.indices.to_numpy()]
    return chosen


def _numbers(names: pa.Array) -> Int64:
    plain = pc.match_substring_regex(names, r"^[0-9]{1,18}$")
    numbers: Int64 = pc.if_else(plain, names, "0").cast(pa.int64()).to_numpy()
    return numbers
