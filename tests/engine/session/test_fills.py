"""The canonical text of fills: what the hash stands on."""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from engine.messages.events import Filled
from engine.session.fills import fills_csv, fills_sha256

FILL = Filled(
    ts=1_700_000_000_123_456_789,
    trade_id="T-1",
    order_id="O-1",
    instrument="EURUSD.SIM",
    strategy="s",
    side="BUY",
    quantity=Decimal("1000"),
    price=Decimal("1.10000"),
    fee=Decimal("0.10"),
    fee_currency="USD",
    liquidity="taker",
)


def test_the_text_is_exact_and_numbers_orders_by_their_first_fill() -> None:
    other = msgspec.structs.replace(FILL, order_id="O-9", side="SELL", fee=Decimal(0), liquidity="maker")
    assert fills_csv([other, FILL, other]) == (
        "ts_ns,order,side,quantity,price,fee,fee_currency,liquidity\n"
        "1700000000123456789,1,SELL,1000,1.10000,0,USD,maker\n"
        "1700000000123456789,2,BUY,1000,1.10000,0.10,USD,taker\n"
        "1700000000123456789,1,SELL,1000,1.10000,0,USD,maker\n"
    )
    assert fills_sha256([FILL]) == hashlib.sha256(fills_csv([FILL]).encode()).hexdigest()


def test_a_correction_is_told_as_one() -> None:
    back = msgspec.structs.replace(
        FILL, trade_id="V-1", quantity=Decimal(-1000), fee=Decimal("-0.10"), corrects="T-1"
    )
    assert fills_csv([FILL, back]).splitlines()[-1].endswith("BUY,-1000,1.10000,-0.10,USD,correction")


def test_names_an_engine_draws_do_not_count_but_everything_else_does() -> None:
    def changed(**fields: Any) -> str:
        return fills_sha256([msgspec.structs.replace(FILL, **fields)])

    same = fills_sha256([FILL])
    assert changed(trade_id="T-77", order_id="O-77", strategy="other") == same
    for fields in (
        {"ts": 1},
        {"side": "SELL"},
        {"quantity": Decimal(1)},
        {"price": Decimal("1.10001")},
        {"fee": Decimal(1)},
    ):
        assert changed(**fields) != same
