"""DBN files as Databento writes them, by its own encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import databento_dbn as dbn
import numpy as np
from databento_dbn import Action, Side

type Member = Any
"""A member of one of the encoder's enums, which its stubs take for text."""

T0 = 1_700_000_000_000_000_000
"""2023-11-14 22:13:20 UTC."""

UNDEFINED = 2**63 - 1
DAYS = (date(2023, 11, 14), date(2023, 11, 16))
LAST, SNAPSHOT = 128, 32


@dataclass
class _Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass
class _Mapping:
    raw_symbol: str
    intervals: Sequence[_Interval]


def dbn_file(
    schema: Member,
    *records: Any,
    symbols: Sequence[tuple[str, int]] = (("AAPL", 7),),
    version: int = 3,
    by_number: bool = False,
    **said: Any,
) -> bytes:
    """Encode a file whose header names these symbols and their instrument numbers."""
    named = [(str(number), symbol) if by_number else (symbol, str(number)) for symbol, number in symbols]
    types = (dbn.SType.INSTRUMENT_ID, dbn.SType.RAW_SYMBOL)
    metadata: Any = dbn.Metadata
    header = metadata(
        dataset="XNAS.ITCH",
        start=T0,
        end=T0 + 10**15,
        limit=0,
        stype_in=types[0] if by_number else types[1],
        stype_out=types[1] if by_number else types[0],
        schema=schema,
        symbols=[name for name, _ in named],
        partial=[],
        not_found=[],
        mappings=[_Mapping(name, [_Interval(*DAYS, stands_for)]) for name, stands_for in named],
        version=version,
        **{"ts_out": False, **said},
    )
    return bytes(header) + b"".join(map(bytes, records))


def nanos(price: float) -> int:
    """Fixed-point price; cents and their parts are exact this way."""
    return round(price * 10_000) * 100_000


def facts(at: int, **said: Any) -> dict[str, Any]:
    """What every message says; the first is T0's."""
    ts = T0 + at * 1_000_000
    found = {"publisher_id": 2, "instrument_id": 7, "ts_event": ts, "ts_recv": ts + 500, "sequence": at}
    return {**found, **said}


def trade(at: int, price: float, size: int, side: Member = Side.BID, **said: Any) -> dbn.TradeMsg:
    """Trade with an aggressor."""
    message = facts(at, price=nanos(price), size=size, side=side, action=Action.TRADE, depth=0, flags=LAST)
    return dbn.TradeMsg(**{**message, **said})


def quote(at: int, bid: float | None, ask: float | None, **said: Any) -> dbn.MBP1Msg:
    """Best bid and ask, sizes 100 and 200; None is an empty side."""
    message = facts(at, price=nanos(bid or 1), size=1, side=Side.BID, action=Action.ADD, depth=0, flags=LAST)
    return dbn.MBP1Msg(**{**message, "levels": level(bid, ask), **said})


def level(bid: float | None, ask: float | None, sizes: tuple[int, int] = (100, 200)) -> dbn.BidAskPair:
    """One level of both sides."""
    return dbn.BidAskPair(
        bid_px=UNDEFINED if bid is None else nanos(bid),
        ask_px=UNDEFINED if ask is None else nanos(ask),
        bid_sz=0 if bid is None else sizes[0],
        ask_sz=0 if ask is None else sizes[1],
        bid_ct=1,
        ask_ct=1,
    )


def depth(at: int, levels: Sequence[dbn.BidAskPair], **said: Any) -> dbn.MBP10Msg:
    """Ten levels."""
    message = facts(at, price=nanos(1), size=1, side=Side.BID, action=Action.ADD, depth=0, flags=LAST)
    return dbn.MBP10Msg(**{**message, "levels": list(levels), **said})


def order(
    at: int,
    action: Member,
    number: int = 0,
    price: float = 1,
    size: int = 1,
    side: Member = Side.BID,
    **said: Any,
) -> dbn.MBOMsg:
    """Message about one order."""
    message = facts(at, order_id=number, price=nanos(price), size=size, side=side, action=action, flags=LAST)
    return dbn.MBOMsg(**{**message, **said})


def bar(at: int, prices: Sequence[float], volume: int, rtype: int = 0x21) -> dbn.OHLCVMsg:
    """Minute bar, by number of the minute."""
    names = ("open", "high", "low", "close")
    return dbn.OHLCVMsg(
        rtype=rtype,
        publisher_id=2,
        instrument_id=7,
        ts_event=T0 - T0 % (60 * 10**9) + at * 60 * 10**9,
        volume=volume,
        **{name: nanos(price) for name, price in zip(names, prices, strict=True)},
    )


def definition(**said: Any) -> dbn.InstrumentDefMsg:
    """Definition of the E-mini future, expiring on 2025-03-21."""
    facts = {
        "publisher_id": 1,
        "instrument_id": 7,
        "ts_event": T0,
        "ts_recv": T0,
        "min_price_increment": 250_000_000,
        "display_factor": 10**9,
        "raw_symbol": "ESH5",
        "asset": "ES",
        "security_type": "FUT",
        "instrument_class": dbn.InstrumentClass.FUTURE,
        "security_update_action": dbn.SecurityUpdateAction.ADD,
        "expiration": 1_742_563_800_000_000_000,
        "unit_of_measure_qty": 50 * 10**9,
        "currency": "USD",
        "exchange": "XCME",
    }
    return dbn.InstrumentDefMsg(**{**facts, **said})


def old_definition(version: int) -> bytes:
    """The same definition as versions 1 and 2 lay it out."""
    kind = {1: dbn.v1, 2: dbn.v2}[version].InstrumentDefMsg
    layout = np.dtype(kind._dtypes)
    record = np.zeros(1, layout)
    said = {
        "length": layout.itemsize // 4,
        "rtype": 0x13,
        "instrument_id": 7,
        "ts_recv": T0,
        "ts_event": T0,
        "min_price_increment": 250_000_000,
        "expiration": 1_742_563_800_000_000_000,
        "unit_of_measure_qty": 50 * 10**9,
        "currency": b"USD",
        "raw_symbol": b"ESH5",
        "asset": b"ES",
        "instrument_class": b"F",
    }
    for name, value in said.items():
        record[name] = value
    return record.tobytes()
