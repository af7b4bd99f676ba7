"""Databento's definitions: the venue's own facts of an instrument."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.feeds.decoded import Undecodable
from engine.feeds.instrument_rules import instrument_of
from engine.feeds.timestamps import LATEST_NS
from engine.feeds.vendors.dbn import PRICE_DECIMALS, UNDEFINED, Records
from engine.messages.instrument import Instrument

_EQUITY, _FUTURE = b"KF"
_KINDS: Final = {_EQUITY: "equity", _FUTURE: "future"}


def defined_by(records: Records, asked: Instrument) -> tuple[Instrument, list[str]]:
    """`asked` as the last of the definitions says it is, and what a user should know of it.

    A future's multiplier is the quantity that a contract is of. Shares trade singly, not in round lots.

    Raises
    ------
    Undecodable
        It is neither a share nor a future, or its currency is missing.
    """
    record = records[-1]
    kind = _KINDS.get(int(record["instrument_class"]))
    if kind is None:
        raise Undecodable(f"it defines {asked.symbol} as neither a share nor a future")
    currency = _word(record["currency"])
    if not currency:
        raise Undecodable(f"its definition of {asked.symbol} names no currency")
    base = asked.symbol if kind == "equity" else _word(record["asset"]) or asked.symbol
    tick = _decimal(int(record["tick"])) or asked.tick_size
    quantity = _decimal(int(record["unit_quantity"]))
    return msgspec.structs.replace(
        instrument_of(asked.id, kind, (base, currency), (tick, Decimal(1))),
        multiplier=quantity if kind == "future" and quantity else Decimal(1),
        maker_fee=asked.maker_fee,
        taker_fee=asked.taker_fee,
    ), _expiry(asked.symbol, int(record["expiration"])) if kind == "future" else []


def _expiry(symbol: str, ns: int) -> list[str]:
    if ns >= LATEST_NS:
        return []
    return [f"{symbol} expires on {datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d}."]


def _word(padded: bytes) -> str:
    return padded.split(b"\0")[0].decode("ascii", "replace").strip()


def _decimal(nanos: int) -> Decimal:
    """A fixed-point number; 0 where there is none."""
    return Decimal(nanos).scaleb(-PRICE_DECIMALS).normalize() + 0 if 0 < nanos < UNDEFINED else Decimal(0)
