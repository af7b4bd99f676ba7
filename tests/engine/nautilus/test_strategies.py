"""The strategies people start from trade as they say, and every order passes the gate."""

from decimal import Decimal

import numpy as np
import pytest

from engine.columns import Columns, Deltas, Quotes
from engine.errors import UserError
from engine.messages.events import AnyEvent, Denied, Filled, Logged, OrderChanged, PositionChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import Denial, OrderIntent
from engine.messages.run import VenueRules
from engine.nautilus.engine import SimulatedVenue
from engine.nautilus.strategies import IMPLEMENTATIONS
from engine.nautilus.strategy import StationStrategy
from engine.risk.gate import VenueGate
from engine.strategies import STRATEGIES, parse_parameters
from tests.engine.session.markets import CRYPTO, FX, START_NS, crypto, crypto_columns
from tests.engine.session.strategies import Bracket, Limit
from tests.engine.session.strategies import Market as MarketOrders

SECOND = 1_000_000_000


def run(
    strategy: str | type[StationStrategy],
    *columns: Columns,
    instrument: Instrument = FX,
    gate: object = None,
    **parameters: object,
) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    loaded = {type(part).__name__.lower(): part for part in columns}
    venue = SimulatedVenue(
        instrument,
        VenueRules(),
        kinds=frozenset(loaded),
        strategy=strategy,
        parameters=parse_parameters(strategy if isinstance(strategy, str) else "none", parameters),  # type: ignore[arg-type]
        emit=events.append,
        gate=gate,  # type: ignore[arg-type]
    )
    try:
        venue.load(loaded)
        venue.run_to(max(int(part.ts_init[-1]) for part in columns))
        venue.finish()
        assert not venue.failure
    finally:
        venue.dispose()
    return events


def fills(events: list[AnyEvent]) -> list[Filled]:
    return [event for event in events if isinstance(event, Filled)]


def positions(events: list[AnyEvent]) -> list[Decimal]:
    return [event.quantity for event in events if isinstance(event, PositionChanged)]


def quotes_at(mids: list[int]) -> Quotes:
    """Quotes one second apart, two ticks wide, around these prices in ticks."""
    mid = np.array(mids)
    ts = START_NS + np.arange(len(mid)) * SECOND
    size = np.full(len(mid), 1_000_000)
    return Quotes(
        ts_event=ts, ts_init=ts, bid=mid - 1, ask=mid + 1, bid_size=size, ask_size=size,
        price_precision=5, size_precision=0,
    )  # fmt: skip


def ema(values: list[float], period: int) -> list[float]:
    """Seeded with the simple average of the first `period` values, 0 before."""
    average, out = 0.0, []
    for count, value in enumerate(values, 1):
        if count < period:
            out.append(0.0)
            continue
        average = (
            sum(values[:period]) / period
            if count == period
            else average + (value - average) * 2 / (period + 1)
        )
        out.append(average)
    return out


def test_every_name_has_an_implementation() -> None:
    assert set(IMPLEMENTATIONS) | {"none"} == set(STRATEGIES)


def test_buy_and_hold_buys_once_at_the_ask() -> None:
    events = run("buy_and_hold", quotes_at([110_000, 110_010, 110_020]), trade_size=3000)
    [fill] = fills(events)
    assert (fill.side, fill.quantity, fill.price) == ("BUY", Decimal(3000), Decimal("1.10001"))
    assert fill.ts == START_NS


def test_the_default_size_is_a_hundredth_of_the_balance_in_lots() -> None:
    [fill] = fills(run("buy_and_hold", quotes_at([110_000, 110_010])))
    assert fill.quantity == 9_000  # 10,000 USD at 1.10001, lots of 1,000


@pytest.mark.parametrize("kinds", [("deltas",), ("trades",), ("quotes", "deltas"), ("quotes", "trades")])
def test_buy_and_hold_buys_whatever_data_there_is(kinds: tuple[str, ...]) -> None:
    columns = [getattr(crypto(), kind) for kind in kinds]
    events = run("buy_and_hold", *columns, instrument=CRYPTO, trade_size="0.005")
    assert sum(fill.quantity for fill in fills(events)) == Decimal("0.005")
    if "quotes" in kinds:  # the first quote finds the book that it was read from
        assert {fill.ts for fill in fills(events)} == {START_NS}


def test_ema_cross_reverses_at_each_cross() -> None:
    random = np.random.default_rng(4)
    mids = (110_000 + np.cumsum(random.normal(0, 8, 400)).round()).astype(int).tolist()
    events = run("ema_cross", quotes_at(mids), fast=5, slow=20, trade_size=2000)
    fast, slow = ema(mids, 5), ema(mids, 20)
    above = [f > s for f, s in zip(fast, slow, strict=True)][19:]
    crosses = [19 + at for at in range(1, len(above)) if above[at] != above[at - 1]]
    orders = sorted({fill.ts for fill in fills(events)})
    assert orders == [START_NS + at * SECOND for at in crosses]
    assert len(crosses) > 8
    held = [quantity for quantity in positions(events) if quantity]
    assert {abs(quantity) for quantity in held} == {2000}
    assert [quantity > 0 for quantity in held] == [above[at - 19] for at in crosses]


def test_ema_cross_averages_bars_where_it_is_told_to() -> None:
    random = np.random.default_rng(8)
    mids = (110_000 + np.cumsum(random.normal(0, 8, 1_500)).round()).astype(int).tolist()
    events = run("ema_cross", quotes_at(mids), on="bars", bar="10-SECOND-MID", fast=3, slow=9)
    assert len(fills(events)) > 5
    assert all((fill.ts - START_NS) % (10 * SECOND) == (-START_NS) % (10 * SECOND) for fill in fills(events))


def book(sizes: list[tuple[int, int]]) -> Deltas:
    """One bid and one ask level whose sizes (in lots) change each second."""
    rows = [
        (START_NS + at * SECOND, side, price, size, 0 if side == 1 else 128)
        for at, pair in enumerate(sizes)
        for side, price, size in ((1, 600_000, pair[0]), (2, 600_001, pair[1]))
    ]
    ts, side, price, size, flags = (np.array(column) for column in zip(*rows, strict=True))
    return Deltas(
        ts_event=ts, ts_init=ts, action=np.full(len(ts), 2, np.uint8), side=side.astype(np.uint8),
        price=price, size=size, flags=flags.astype(np.uint8), sequence=np.arange(len(ts)),
        price_precision=1, size_precision=3,
    )  # fmt: skip


def test_book_imbalance_follows_the_heavier_side_and_holds() -> None:
    sizes = [(500, 500), (900, 100), (100, 900), (100, 900), (100, 900), (500, 500), (100, 900), (500, 500)]
    events = run(
        "book_imbalance", book(sizes), instrument=CRYPTO, levels=1, threshold=0.5, hold_s=3, trade_size="0.01"
    )
    seconds = [(fill.ts - START_NS) // SECOND for fill in fills(events)]
    assert seconds == [1, 4]  # long at 1; the asks weigh more at 2 and 3, but it holds until 4
    assert positions(events) == [Decimal("0.010"), Decimal(0), Decimal("-0.010")]
    closed = next(e for e in events if isinstance(e, PositionChanged) and not e.quantity)
    assert closed.closed_ns == START_NS + 4 * SECOND
    assert closed.average_open == Decimal("60000.1")
    assert closed.average_close == Decimal("60000.0")
    assert closed.realised_pnl == Decimal("-0.001") - 2 * Decimal("0.30000025")


def test_book_imbalance_trades_in_a_generated_market() -> None:
    events = run("book_imbalance", *crypto_columns(), instrument=CRYPTO, threshold=0.3, hold_s=1)
    assert len(fills(events)) > 5


# The gate


class Closed:
    """Refuses all."""

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        assert order_id
        return Denial(rule="closed", text=f"No {intent.side} today.")

    def withdraw(self, order_id: str) -> None:
        raise AssertionError(f"{order_id} never passed")


def test_nothing_passes_a_closed_gate_and_each_refusal_is_told() -> None:
    events = run(MarketOrders, quotes_at([110_000] * 120), gate=Closed())
    assert fills(events) == []
    orders = [event for event in events if isinstance(event, OrderChanged)]
    assert {order.status for order in orders} == {"DENIED"}
    assert orders[0].reason == "No BUY today."
    assert any(isinstance(e, Logged) and e.level == "warning" and "refused" in e.text for e in events)


class NoChanges:
    """Lets orders out but not be changed."""

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        assert order_id
        return None if intent.changes is None else Denial(rule="fixed", text="Orders stay as they are.")

    def withdraw(self, order_id: str) -> None:
        raise AssertionError(f"{order_id} was sent")


def test_changes_of_orders_pass_the_gate_too() -> None:
    calm = quotes_at([110_000] * 200)
    changed = {
        e.status for e in run(Limit, calm) if isinstance(e, OrderChanged) and e.price == Decimal("1.09998")
    }
    assert changed  # an order was moved one tick nearer
    events = run(Limit, calm, gate=NoChanges())
    assert not [e for e in events if isinstance(e, OrderChanged) and e.price == Decimal("1.09998")]
    assert any(isinstance(event, Logged) and "Orders stay" in event.text for event in events)


class Bit(Closed):
    """Lets two orders of three out, and must have them back."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.withdrawn: list[str] = []

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        if len(self.passed) % 3 == 2:
            return super().check(intent, order_id)
        self.passed.append(order_id)
        return None

    def withdraw(self, order_id: str) -> None:
        self.withdrawn.append(order_id)


def test_a_list_passes_the_gate_whole_or_not_at_all() -> None:
    gate = Bit()
    events = run(Bracket, quotes_at([110_000] * 100), gate=gate)
    assert [type(event) for event in events if not isinstance(event, Logged)] == [
        Denied, OrderChanged, OrderChanged, OrderChanged
    ]  # fmt: skip
    orders = [event for event in events if isinstance(event, OrderChanged)]
    assert [order.status for order in orders] == ["DENIED"] * 3
    assert [order.order_id for order in orders[:2]] == gate.passed == gate.withdrawn
    assert orders[2].reason == "No SELL today."
    assert orders[0].reason == f"Not sent, as {orders[2].order_id} was refused."


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"quantity": Decimal(500)}, "at least 1000"),
        ({"quantity": Decimal(1500)}, "multiples of 1000"),
        ({"type": "LIMIT", "price": None}, "needs a price"),
        ({"type": "LIMIT", "price": Decimal("1.100005")}, "multiples of 0.00001"),
        ({"trigger": Decimal(-1)}, "not on the grid"),
        ({"instrument": "GBPUSD.SIM"}, "trade EURUSD.SIM"),
    ],
)
def test_the_venues_gate_refuses_what_is_impossible(wrong: dict[str, object], words: str) -> None:
    right = {"instrument": FX.id, "strategy": "s", "side": "BUY", "type": "MARKET", "quantity": Decimal(2000)}
    gate = VenueGate(FX)
    assert gate.check(OrderIntent(**right)) is None  # type: ignore[arg-type]
    denial = gate.check(OrderIntent(**{**right, **wrong}))  # type: ignore[arg-type]
    assert denial is not None
    assert words in denial.text


# Rules


def test_event_sinks_cannot_be_overridden() -> None:
    with pytest.raises(TypeError, match="on_order_filled"):
        type("Deaf", (StationStrategy,), {"on_order_event": lambda self, event: None})


def test_another_account_currency_is_refused() -> None:
    with pytest.raises(UserError, match="USD"):
        SimulatedVenue(
            FX,
            VenueRules(currency="JPY"),
            kinds=frozenset({"quotes"}),
            strategy="none",
            parameters=parse_parameters("none", {}),
            emit=lambda event: None,
        )


def test_fees_are_the_runs_own_or_the_instruments() -> None:
    market = crypto_columns()
    charged = []
    for rules in (VenueRules(), VenueRules(taker_fee=Decimal(0))):
        events: list[AnyEvent] = []
        venue = SimulatedVenue(
            CRYPTO,
            rules,
            kinds=frozenset({"quotes", "trades", "deltas"}),
            strategy="buy_and_hold",
            parameters=parse_parameters("buy_and_hold", {"trade_size": "0.010"}),
            emit=events.append,
        )
        venue.load({type(part).__name__.lower(): part for part in market})
        venue.run_to(int(market[0].ts_init[-1]))
        venue.dispose()
        charged.append(sum(fill.fee for fill in fills(events)))
        notional = sum(fill.price * fill.quantity for fill in fills(events))
    assert charged[1] == 0
    assert abs(charged[0] - notional * CRYPTO.taker_fee) < Decimal("0.01")
