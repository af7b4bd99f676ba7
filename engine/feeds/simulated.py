"""A seeded market made of orders, for the demo and for every test that must run without recordings.

Quotes, trades and deltas are what one simulated book shows (`engine.feeds.order_flow`), so the three always
agree, and equal seeds give equal columns.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import TypedDict

import numpy as np

from engine.columns import Action, Aggressor, Deltas, Flag, Int64, Quotes, Side, Trades
from engine.feeds.order_flow import ASK, BID, MarketProfile, OrderFlow, RestingOrders
from engine.messages.instrument import Instrument

__all__ = ["PROFILES", "MarketProfile", "Simulation", "market", "random_quotes", "simulate"]

_SECOND_NS = 1_000_000_000
_ADD, _UPDATE, _DELETE, _LAST = int(Action.ADD), int(Action.UPDATE), int(Action.DELETE), int(Flag.LAST)
_AGGRESSOR = (int(Aggressor.SELLER), int(Aggressor.BUYER))
"""Who takes from the bids, who from the asks."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What the market showed; a first block opens with a snapshot (CLEAR and ADD rows) and its quote.

    A quote follows each change of the best prices or their sizes. A market order makes one trade and one
    delta for each level that it reaches, all with its `ts_event`; no two updates share a `ts_event`.
    """

    instrument: Instrument
    quotes: Quotes
    trades: Trades
    deltas: Deltas


def simulate(profile: MarketProfile, seed: int, start_ns: int, seconds: float) -> Simulation:
    """Simulate `seconds` of a market from `start_ns` (ns UTC); equal arguments give equal columns."""
    return next(market(profile, seed, start_ns, seconds))


def market(profile: MarketProfile, seed: int, start_ns: int, block_seconds: float) -> Iterator[Simulation]:
    """Yield successive blocks of an endless market.

    Block k holds what happens in `[start_ns + k * block, start_ns + (k + 1) * block)`; the stream does not
    depend on the length of the blocks.
    """
    run = OrderFlow(profile, seed)
    tape = _Tape(profile.instrument, start_ns)
    tape.write_snapshot(run.book)
    for block in count(1):
        run.advance(block * block_seconds, tape)
        yield tape.cut()


def random_quotes(
    n: int, seed: int, instrument: Instrument, start_ns: int = 0, start_ticks: int = 110_000
) -> Quotes:
    """Draw `n` quotes whose mid walks at random, a cheap load for benchmarks.

    They come 10 ms apart on average (never two at once), the spread is 1 to 4 ticks, sizes are 1 to 100 lots,
    and the bid never falls below one tick. For quotes that agree with a book and trades use `simulate`.
    """
    random = np.random.default_rng(seed)
    tick, lot = _scaled_steps(instrument)
    ts = start_ns + np.cumsum(random.integers(1, 20_000_000, n))
    bid = (1 + np.abs(start_ticks - 1 + np.cumsum(random.integers(-1, 2, n)))) * tick
    return Quotes(
        ts_event=ts,
        ts_init=ts,
        bid=bid,
        ask=bid + random.integers(1, 5, n) * tick,
        bid_size=random.integers(1, 101, n) * lot,
        ask_size=random.integers(1, 101, n) * lot,
        **_precisions(instrument),
    )


PROFILES: Mapping[str, MarketProfile] = {
    "fx": MarketProfile(
        instrument=Instrument(
            id="EURUSD.SIM",
            kind="fx",
            base="EUR",
            quote="USD",
            price_precision=5,
            size_precision=0,
            tick_size=Decimal("0.00001"),
            lot_size=Decimal(1000),
        ),
        start_price=Decimal("1.10000"),
        volatility_ticks=1.2,
        volatility_s=30.0,
        volatility_sd=0.8,
        limit_rate=60.0,
        reach=60,
        near=2.0,
        decay=0.8,
        cancel_rate=0.2,
        market_rate=0.3,
        pick_off_rate=5.0,
        excite_same=0.3,
        excite_other=0.15,
        excite_s=0.5,
        order_lots=500.0,
        market_lots=2000.0,
        size_sd=0.8,
    ),
    "crypto": MarketProfile(
        instrument=Instrument(
            id="BTCUSDT.SIM",
            kind="perpetual",
            base="BTC",
            quote="USDT",
            price_precision=1,
            size_precision=3,
            tick_size=Decimal("0.1"),
            lot_size=Decimal("0.001"),
            maker_fee=Decimal("0.0002"),
            taker_fee=Decimal("0.0005"),
        ),
        start_price=Decimal("60000.0"),
        volatility_ticks=7.0,
        volatility_s=30.0,
        volatility_sd=0.7,
        limit_rate=300.0,
        reach=250,
        near=1.0,
        decay=1.0,
        cancel_rate=0.8,
        market_rate=1.0,
        pick_off_rate=8.0,
        excite_same=0.25,
        excite_other=0.15,
        excite_s=0.3,
        order_lots=60.0,
        market_lots=250.0,
        size_sd=1.2,
    ),
}
"""Markets of the demo: a currency pair with a dense book and a coin with a sparse one."""


class _Tape:
    """Collects rows of ticks and lots and cuts them into columns."""

    def __init__(self, instrument: Instrument, start_ns: int) -> None:
        self._instrument = instrument
        self._start_ns = self._last_ns = start_ns
        self._sequence = self._trade_id = 0
        self._best: tuple[int, int, int, int] | None = None
        self._quotes, self._trades, self._deltas = array("q"), array("q"), array("q")

    def write_snapshot(self, book: RestingOrders) -> None:
        """Write the whole book as of the start, and its quote."""
        ts, flags = self._start_ns, int(Flag.SNAPSHOT)
        self._deltas.extend((ts, Action.CLEAR, Side.NONE, 0, 0, flags, 0))
        for side in (BID, ASK):
            for price in sorted(book.levels[side], reverse=side == BID):
                self._deltas.extend((ts, Action.ADD, side + 1, price, book.levels[side][price], flags, 0))
        self._deltas[-2] |= Flag.LAST
        self._write_quote(ts, book)

    def write(
        self,
        seconds: float,
        book: RestingOrders,
        side: int,
        prices: Sequence[int],
        *,
        is_new: bool = False,
        traded: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Write one update: the levels at `prices` of one side as they now are, and the trades behind it."""
        ts = max(self._start_ns + int(seconds * _SECOND_NS), self._last_ns + 1)
        self._last_ns = ts
        self._sequence += 1
        for price, size in traded:
            self._trade_id += 1
            self._trades.extend((ts, price, size, _AGGRESSOR[side], self._trade_id))
        levels = book.levels[side]
        for price in prices:
            size = levels.get(price, 0)
            action = _ADD if is_new else _UPDATE if size else _DELETE
            self._deltas.extend((ts, action, side + 1, price, size, 0, self._sequence))
        self._deltas[-2] = _LAST
        self._write_quote(ts, book)

    def _write_quote(self, ts: int, book: RestingOrders) -> None:
        bid, ask = book.best
        best = (bid, ask, book.levels[BID][bid], book.levels[ASK][ask])
        if best != self._best:
            self._best = best
            self._quotes.extend((ts, *best))

    def cut(self) -> Simulation:
        """Return the rows since the last cut and start anew."""
        tick, lot = _scaled_steps(self._instrument)
        precisions = _precisions(self._instrument)
        ts, bid, ask, bid_size, ask_size = _columns(self._quotes, 5)
        quotes = Quotes(
            ts_event=ts,
            ts_init=ts,
            bid=bid * tick,
            ask=ask * tick,
            bid_size=bid_size * lot,
            ask_size=ask_size * lot,
            **precisions,
        )
        ts, price, size, aggressor, trade_id = _columns(self._trades, 5)
        trades = Trades(
            ts_event=ts,
            ts_init=ts,
            price=price * tick,
            size=size * lot,
            aggressor=aggressor.astype(np.uint8),
            trade_id=trade_id,
            **precisions,
        )
        ts, action, side, price, size, flags, sequence = _columns(self._deltas, 7)
        deltas = Deltas(
            ts_event=ts,
            ts_init=ts,
            action=action.astype(np.uint8),
            side=side.astype(np.uint8),
            price=price * tick,
            size=size * lot,
            flags=flags.astype(np.uint8),
            sequence=sequence,
            **precisions,
        )
        self._quotes, self._trades, self._deltas = array("q"), array("q"), array("q")
        return Simulation(self._instrument, quotes, trades, deltas)


def _columns(rows: "array[int]", width: int) -> list[Int64]:
    return [column.copy() for column in np.array(rows, np.int64).reshape(-1, width).T]


def _scaled_steps(instrument: Instrument) -> tuple[int, int]:
    """Tick and lot in units of the instrument's precisions."""
    tick = instrument.tick_size.scaleb(instrument.price_precision)
    return int(tick), int(instrument.lot_size.scaleb(instrument.size_precision))


class _Precisions(TypedDict):
    price_precision: int
    size_precision: int


def _precisions(instrument: Instrument) -> _Precisions:
    return {"price_precision": instrument.price_precision, "size_precision": instrument.size_precision}
