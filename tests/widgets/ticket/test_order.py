"""What is typed into the ticket and the orders that come of it: exact, on the grid, or refused by field."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.link.builders import EURUSD, START_NS
from engine.messages.orders import HAND, Side, Sizing, Twap
from widgets.ticket.form import KINDS, Form, Touch
from widgets.ticket.order import Wanted, orders_of

TOUCH = Touch(Decimal("1.09350"), Decimal("1.09352"))
SECOND = 1_000_000_000


def wanted(side: Side = "BUY", touch: Touch | None = TOUCH, **fields: Any) -> Wanted:
    return orders_of(Form(**{"size": "10000", **fields}), side, EURUSD, touch, START_NS)


def test_a_market_order_by_hand() -> None:
    asked = wanted(kind="MARKET", reduce_only=True, time_in_force="IOC")
    (intent,) = asked.intents
    assert (intent.type, intent.side, intent.quantity) == ("MARKET", "BUY", Decimal(10_000))
    assert (intent.strategy, intent.instrument) == (HAND, EURUSD.id)
    assert (intent.reduce_only, intent.time_in_force) == (True, "IOC")
    assert (asked.contingency, asked.sizing, asked.faults) == ("none", None, {})


@pytest.mark.parametrize(
    ("by", "text", "quantity", "sizing"),
    [
        ("quantity", "10k", Decimal(10_000), None),
        ("lots", "3", Decimal(3_000), None),
        ("notional", "5,000.50", Decimal(1_000), Sizing("notional", Decimal("5000.50"))),
        ("equity", "2.5", Decimal(1_000), Sizing("equity", Decimal("2.5"))),
    ],
)
def test_sizes_are_exact_and_what_needs_the_account_is_left_to_the_engine(
    by: str, text: str, quantity: Decimal, sizing: Sizing | None
) -> None:
    asked = wanted(size=text, size_by=by)
    assert asked.intents[0].quantity == quantity
    assert asked.sizing == sizing


def test_a_size_by_risk_needs_a_stop() -> None:
    assert wanted(size="1", size_by="risk").faults == {
        "size": "A size by risk needs a stop loss; tick it and say where."
    }
    asked = wanted(size="1", size_by="risk", bracket=True, stop="20")
    assert asked.sizing == Sizing("risk", Decimal(1))
    assert [each.quantity for each in asked.sized(Decimal(7_000)).intents] == [Decimal(7_000)] * 2
    assert asked.sized(Decimal(7_000)).sizing is None


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"size": ""}, "size", "Size is missing."),
        ({"size": "1500"}, "size", "Size goes in steps of 1000 EUR: 1000 or 2000."),
        ({"size": "1.5", "size_by": "lots"}, "size", "Lots goes in steps of 1: 1 or 2."),
        ({"size": "101", "size_by": "equity"}, "size", "More than 100 % of the equity is not sent"),
        (
            {"kind": "LIMIT", "price": "1.093521"},
            "price",
            "Price goes in steps of 0.00001: 1.09352 or 1.09353.",
        ),
        ({"kind": "LIMIT", "price": "1.09352", "post_only": True}, "price", "Post-only must rest below the"),
        ({"kind": "STOP_MARKET", "trigger": "1.09352"}, "trigger", "A buy stop waits above the market"),
        ({"kind": "MARKET_IF_TOUCHED", "trigger": "1.0936"}, "trigger", "A buy if touched waits below"),
        ({"kind": "OCO", "price": "1.0940", "trigger": "1.0950"}, "price", "The limit must rest below"),
        ({"kind": "TRAILING_STOP_MARKET", "trailing": "1.5"}, "trailing", "Distance in ticks goes in"),
        ({"bracket": True}, "stop", "Give a stop loss, a target or both, or untick Stop loss."),
        (
            {"bracket": True, "stop": "1.1", "stop_by": "price"},
            "stop",
            "Stop loss of a buy lies below its entry",
        ),
        (
            {"bracket": True, "target": "1", "target_by": "price"},
            "target",
            "Target of a buy lies above its entry",
        ),
        ({"bracket": True, "stop": "200000"}, "stop", "Stop loss would lie below zero; make it smaller."),
        ({"bracket": True, "stop": "0.0001", "stop_by": "percent"}, "stop", "0.0001 % is less than a tick"),
        (
            {"bracket": True, "stop": "5", "quote_quantity": True},
            "size",
            "A bracket needs a size in the base",
        ),
        (
            {"kind": "LIMIT", "price": "1", "time_in_force": "GTD", "expiry": "11:00"},
            "expiry",
            "This time has passed",
        ),
        (
            {"kind": "LIMIT", "price": "1", "time_in_force": "GTD", "expiry": "soon"},
            "expiry",
            "Say until when",
        ),
        (
            {"kind": "LIMIT", "price": "1", "time_in_force": "GTD", "expiry": "25:00"},
            "expiry",
            "Say until when",
        ),
        ({"twap": True, "horizon": "1", "interval": "60"}, "interval", "A slice must come more than once"),
        ({"twap": True, "horizon": "600", "interval": "1"}, "interval", "More than 1,000 slices"),
    ],
)
def test_each_fault_is_one_sentence_at_its_field(fields: dict[str, Any], field: str, said: str) -> None:
    asked = wanted(**fields)
    assert asked.intents == ()
    assert list(asked.faults) == [field]
    text = next(iter(asked.faults.values()))
    assert text.startswith(said)
    assert text.endswith(".")


def test_all_faults_are_told_at_once() -> None:
    assert set(wanted(kind="STOP_LIMIT", size="x").faults) == {"size", "price", "trigger"}


def test_a_bracket_around_a_limit_is_measured_from_its_price() -> None:
    asked = wanted(kind="LIMIT", price="1.09300", bracket=True, stop="20", target="0.1", target_by="percent")
    entry, stop, target = asked.intents
    assert asked.contingency == "bracket"
    assert (entry.type, entry.price, entry.stop) == ("LIMIT", Decimal("1.09300"), Decimal("1.09280"))
    assert (stop.type, stop.side, stop.trigger, stop.reduce_only) == (
        "STOP_MARKET",
        "SELL",
        Decimal("1.09280"),
        True,
    )
    assert (target.type, target.side, target.price) == ("LIMIT", "SELL", Decimal("1.09409"))
    assert {each.quantity for each in asked.intents} == {Decimal(10_000)}


def test_a_bracket_around_a_sale_at_market_is_measured_from_the_bid() -> None:
    asked = wanted("SELL", bracket=True, stop="10", target="1.09300", target_by="price")
    assert asked.intents[1].trigger == Decimal("1.09360")
    assert asked.intents[2].price == Decimal("1.09300")
    assert "no market yet" in wanted(touch=None, bracket=True, stop="10").faults["stop"]


def test_one_cancels_the_other() -> None:
    asked = wanted("SELL", kind="OCO", price="1.09400", trigger="1.09300")
    limit, stop = asked.intents
    assert asked.contingency == "oco"
    assert (limit.type, limit.price, limit.trigger) == ("LIMIT", Decimal("1.09400"), None)
    assert (stop.type, stop.price, stop.trigger) == ("STOP_MARKET", None, Decimal("1.09300"))
    assert {each.side for each in asked.intents} == {"SELL"}


def test_a_trailing_stop_keeps_its_distance_in_price() -> None:
    assert wanted(kind="TRAILING_STOP_MARKET", trailing="15").intents[0].trailing_offset == Decimal("0.00015")
    half = wanted(kind="TRAILING_STOP_MARKET", trailing="0.5", trailing_by="percent").intents[0]
    assert half.trailing_offset == Decimal("0.00547")


@pytest.mark.parametrize(
    ("text", "after_s"),
    [("+15m", 900), ("+2h", 7_200), ("12:30", 1_800), ("2024-08-09 12:00", 86_400), ("12:00:30", 30)],
)
def test_good_till_date_counts_in_market_time(text: str, after_s: int) -> None:
    asked = wanted(kind="LIMIT", price="1.09", time_in_force="GTD", expiry=text)
    assert asked.intents[0].expire_ns == START_NS + after_s * SECOND


def test_twap_spreads_a_market_order() -> None:
    assert wanted(twap=True, horizon="5", interval="15").intents[0].twap == Twap(300.0, 15.0)
    assert wanted(kind="LIMIT", price="1.09", twap=True).intents[0].twap is None


def test_what_the_kind_does_not_have_is_passed_over() -> None:
    asked = wanted(
        kind="MARKET", price="nonsense", trigger="x", post_only=True, time_in_force="GTD", expiry="x"
    )
    (intent,) = asked.intents
    assert (intent.price, intent.trigger, intent.post_only, intent.expire_ns) == (None, None, False, None)
    assert intent.time_in_force == "GTC"


_PRICES = st.sampled_from(["", "1", "1.0935", "1.09351", "1.2", "0.00001", "1.093505", "abc", "20", "1,093"])
FORMS = st.builds(
    Form,
    kind=st.sampled_from(list(KINDS)),
    size=st.one_of(
        st.sampled_from(["", "1", "10", "1000", "10k", "1500", "0", "1,000"]), st.text(max_size=6)
    ),
    size_by=st.sampled_from(["quantity", "lots", "notional", "equity", "risk"]),
    price=_PRICES,
    trigger=_PRICES,
    trailing=_PRICES,
    trailing_by=st.sampled_from(["price", "ticks", "percent"]),
    time_in_force=st.sampled_from(["GTC", "IOC", "FOK", "GTD", "DAY"]),
    expiry=st.sampled_from(["", "12:30", "11:00", "+5m", "2024-02-30 10:00", "9999-12-31 23:59"]),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    quote_quantity=st.booleans(),
    bracket=st.booleans(),
    stop=_PRICES,
    stop_by=st.sampled_from(["price", "ticks", "percent"]),
    target=_PRICES,
    target_by=st.sampled_from(["price", "ticks", "percent"]),
    twap=st.booleans(),
    horizon=st.sampled_from(["10", "0", "x"]),
    interval=st.sampled_from(["30", "900", ""]),
)


@given(FORMS, st.sampled_from(["BUY", "SELL"]), st.sampled_from([TOUCH, None]))
def test_any_form_gives_orders_that_a_venue_could_take_or_says_what_is_wrong(
    form: Form, side: Side, touch: Touch | None
) -> None:
    asked = orders_of(form, side, EURUSD, touch, START_NS)
    assert bool(asked.faults) != bool(asked.intents)
    assert all(text.endswith(".") for text in asked.faults.values())
    for intent in asked.intents:
        if not intent.quote_quantity:
            assert intent.quantity % EURUSD.lot_size == 0
        assert intent.quantity > 0
        for price in (intent.price, intent.trigger, intent.trailing_offset):
            assert price is None or (price > 0 and price % EURUSD.tick_size == 0)
        assert (intent.price is not None) == (intent.type in ("LIMIT", "STOP_LIMIT"))
        assert (intent.trigger is not None) == (
            intent.type in ("STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED")
        )
        assert (intent.trailing_offset is not None) == (intent.type == "TRAILING_STOP_MARKET")
        assert (intent.expire_ns is not None) == (intent.time_in_force == "GTD")
        assert intent.expire_ns is None or START_NS < intent.expire_ns < 2**63
        assert not (intent.post_only and intent.time_in_force in ("IOC", "FOK"))
    if asked.contingency == "bracket":
        entry, *exits = asked.intents
        assert all(each.side != entry.side and each.reduce_only for each in exits)
        assert {each.quantity for each in exits} == {entry.quantity}
    elif asked.intents:
        assert len(asked.intents) == (2 if asked.contingency == "oco" else 1)
        assert {each.side for each in asked.intents} == {side}
