"""Small histories to store: short to write, exact to compare."""

from decimal import Decimal

import numpy as np

from engine.columns import Action, Columns, CorporateActions, Deltas, Flag, Quotes, Side, Trades, VendorBars
from engine.messages.instrument import Instrument

NOON_NS = 1_549_281_600_000_000_000
"""2019-02-04 12:00 UTC."""

DAY_NS = 86_400_000_000_000

EURUSD = Instrument(
    id="EURUSD.SIM",
    kind="fx",
    base="EUR",
    quote="USD",
    price_precision=5,
    size_precision=0,
    tick_size=Decimal("0.00001"),
    lot_size=Decimal(1000),
)


def quotes(
    times: list[int], bids: list[int] | None = None, *, received: list[int] | None = None, **other: list[int]
) -> Quotes:
    """Quotes at noon plus `times` ns; the ask is a point above the bid."""
    bid = np.array(bids if bids is not None else [114_500 + n for n in range(len(times))], np.int64)
    ts = np.array(times, np.int64) + NOON_NS
    return Quotes(
        ts_event=ts,
        ts_init=ts if received is None else np.array(received, np.int64) + NOON_NS,
        bid=bid,
        ask=bid + 1,
        bid_size=np.full(len(bid), 1_000_000, np.int64),
        ask_size=np.full(len(bid), 2_000_000, np.int64),
        price_precision=5,
        size_precision=0,
        **{name: np.array(values, np.int64) for name, values in other.items()},
    )


def trades(times: list[int], prices: list[int], ids: list[int]) -> Trades:
    """Trades of size 7 at noon plus `times` ns."""
    ts = np.array(times, np.int64) + NOON_NS
    return Trades(
        ts_event=ts,
        ts_init=ts,
        price=np.array(prices, np.int64),
        size=np.full(len(ts), 7, np.int64),
        aggressor=np.ones(len(ts), np.uint8),
        trade_id=np.array(ids, np.int64),
        price_precision=5,
        size_precision=0,
    )


def deltas(times: list[int], prices: list[int], sizes: list[int], sequences: list[int]) -> Deltas:
    """Each row one update of the bid side."""
    ts = np.array(times, np.int64) + NOON_NS
    size = np.array(sizes, np.int64)
    return Deltas(
        ts_event=ts,
        ts_init=ts,
        action=np.where(size == 0, Action.DELETE, Action.UPDATE).astype(np.uint8),
        side=np.full(len(ts), Side.BUY, np.uint8),
        price=np.array(prices, np.int64),
        size=size,
        flags=np.full(len(ts), Flag.LAST, np.uint8),
        sequence=np.array(sequences, np.int64),
        price_precision=5,
        size_precision=0,
    )


def bars(times: list[int], prices: list[int]) -> VendorBars:
    """Bars of a minute that open at noon plus `times` ns, all four prices the same."""
    ts, price = np.array(times, np.int64) + NOON_NS, np.array(prices, np.int64)
    return VendorBars(
        ts_event=ts,
        ts_init=ts + 60_000_000_000,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), price),
        price_precision=5,
        size_precision=0,
    )


def actions(times: list[int], kinds: list[int], amounts: list[int]) -> CorporateActions:
    """Splits and dividends at noon plus `times` ns."""
    ts = np.array(times, np.int64) + NOON_NS
    return CorporateActions(
        ts_event=ts,
        ts_init=ts,
        action=np.array(kinds, np.uint8),
        amount=np.array(amounts, np.int64),
        numerator=np.ones(len(ts), np.int64),
        denominator=np.ones(len(ts), np.int64),
        price_precision=5,
        size_precision=0,
    )


def same(left: Columns, right: Columns) -> bool:
    """Whether both hold the same rows at the same precision."""
    return (
        (left.price_precision, left.size_precision) == (right.price_precision, right.size_precision)
        and left.arrays().keys() == right.arrays().keys()
        and all(np.array_equal(array, right.arrays()[name]) for name, array in left.arrays().items())
    )
