"""What the gate costs an order: every limit set, orders coming and going as a busy account's do."""

from collections.abc import Sequence
from decimal import Decimal
from time import perf_counter_ns
from typing import Final

from engine.messages.events import OrderChanged
from engine.messages.instrument import Instrument
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import HAND, OrderIntent
from engine.risk.book import AccountBook, Touch
from engine.risk.gate import RiskGate

EVERY_LIMIT: Final = Limits(
    order_quantity=Decimal(100),
    order_notional=Decimal(10_000_000),
    price_band_bps=Decimal(100),
    position=Decimal(10_000),
    gross_exposure=Decimal(1_000_000_000),
    net_exposure=Decimal(1_000_000_000),
    concentration=Decimal(100_000),
    leverage=Decimal(1_000),
    margin=Decimal(100_000),
    open_orders=Decimal(1_000),
    orders_per_second=Decimal(1_000_000),
    orders_per_minute=Decimal(10_000_000),
    day_loss=Decimal(1_000_000),
    session_loss=Decimal(1_000_000),
    drawdown=Decimal(90),
    trade_loss=Decimal(1_000_000),
    correlated_exposure=Decimal(1_000_000_000),
    trading_hours="Mon-Sun 00:00-24:00",
    feed_age_s=Decimal(10),
    inventory_imbalance=Decimal(100),
)
"""All twenty, none of them ever in the way, so that each is asked."""

_INSTRUMENT: Final = Instrument(
    id="BTCUSDT-PERP.BENCH",
    kind="perpetual",
    base="BTC",
    quote="USDT",
    price_precision=1,
    size_precision=3,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"),
)
_WORKING: Final = 20
_STEP_NS: Final = 1_000_000


def gate_ns(orders: int = 20_000, limits: Limits = EVERY_LIMIT) -> Sequence[int]:
    """Time of each of so many checks that pass, ns; bids come and go, 20 are at work at a time."""
    now_ns = 0
    touch = Touch(Decimal("64999.9"), Decimal("65000.0"), 0)
    book = AccountBook(
        {_INSTRUMENT.id: _INSTRUMENT},
        currency="USDT",
        balance=Decimal(1_000_000),
        touch=lambda _name: touch,
        leverage=Decimal(20),
    )
    policy = RiskPolicy(account=limits)
    gate = RiskGate({_INSTRUMENT.id: _INSTRUMENT}, policy, book, lambda: now_ns, arm="paper", mode="paper")
    bid = OrderIntent(
        instrument=_INSTRUMENT.id,
        strategy=HAND,
        side="BUY",
        type="LIMIT",
        quantity=Decimal("0.125"),
        price=Decimal("64990.0"),
        stop=Decimal("64000.0"),
    )
    times = []
    for number in range(orders):
        now_ns = number * _STEP_NS
        touch = Touch(touch.bid, touch.ask, now_ns)
        begin = perf_counter_ns()
        denial = gate.check(bid, f"O-{number}")
        times.append(perf_counter_ns() - begin)
        if denial is not None:
            raise RuntimeError(denial.text)
        book.note(_told(f"O-{number}", bid, now_ns, "ACCEPTED"))
        if number >= _WORKING:
            book.note(_told(f"O-{number - _WORKING}", bid, now_ns, "CANCELED"))
    return times


def _told(order_id: str, intent: OrderIntent, ts: int, status: str) -> OrderChanged:
    return OrderChanged(
        ts=ts,
        order_id=order_id,
        instrument=intent.instrument,
        strategy=intent.strategy,
        side=intent.side,
        type=intent.type,
        quantity=intent.quantity,
        price=intent.price,
        trigger=intent.trigger,
        filled=Decimal(0),
        average_price=None,
        status=status,
    )
