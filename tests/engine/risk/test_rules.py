"""Each rule at its edge: exactly at the limit passes, one step beyond is denied, in words that help."""

from typing import Any

import pytest

from engine.errors import UserError
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy
from engine.messages.orders import OrderIntent
from tests.engine.risk.markets import BTC, ETH, MONDAY_NOON, SECOND, D, Desk, buy, instrument, sell


def denied(desk: Desk, intent: OrderIntent) -> tuple[str, str]:
    denial = desk.gate.would(intent)
    assert denial is not None
    assert denial.text.endswith(".")
    return denial.rule, denial.text


def passes(desk: Desk, intent: OrderIntent) -> bool:
    return desk.gate.would(intent) is None


AT_EDGE = [
    (Limits(order_quantity=D(2)), buy("2"), buy("2.01")),
    (Limits(order_notional=D(200)), buy("2"), buy("2.01")),
    (Limits(order_notional=D(200)), buy("2", "100"), buy("2", "100.1")),
    (Limits(price_band_bps=D(50)), buy("1", "100.5"), buy("1", "100.6")),
    (Limits(price_band_bps=D(50)), sell("1", "99.5"), sell("1", "99.4")),
    (Limits(position=D(3)), buy("3"), buy("3.01")),
    (Limits(position=D(3)), sell("3"), sell("3.01")),
    (Limits(gross_exposure=D(300)), buy("3"), buy("3.01")),
    (Limits(net_exposure=D(300)), sell("3"), sell("3.01")),
    (Limits(concentration=D(30)), buy("300"), buy("300.01")),
    (Limits(leverage=D("0.5")), buy("500"), buy("500.01")),
    (Limits(margin=D(5)), buy("500"), buy("500.01")),
    (Limits(trade_loss=D(10)), buy("5", "100", stop=D(98)), buy("5.01", "100", stop=D(98))),
    (Limits(trade_loss=D(10)), sell("5", "100", stop=D(102)), sell("5.01", "100", stop=D(102))),
    (Limits(correlated_exposure=D(300)), buy("3"), buy("3.01")),
]


@pytest.mark.parametrize(("limits", "allowed", "beyond"), AT_EDGE)
@pytest.mark.parametrize("scope", ["account", "strategy", "instrument"])
def test_what_is_at_the_limit_passes_and_one_step_more_does_not(
    limits: Limits, allowed: OrderIntent, beyond: OrderIntent, scope: str
) -> None:
    policy = {
        "account": RiskPolicy(account=limits),
        "strategy": RiskPolicy(strategies={allowed.strategy: limits}),
        "instrument": RiskPolicy(instruments={allowed.instrument: limits}),
    }[scope]
    desk = Desk(policy=policy)
    assert passes(desk, allowed)
    rule, text = denied(desk, beyond)
    assert getattr(limits, rule) is not None
    assert (allowed.strategy in text) == (scope == "strategy")


@pytest.mark.parametrize(("limits", "allowed", "beyond"), AT_EDGE)
def test_another_strategys_and_another_instruments_limits_do_not_bind(
    limits: Limits, allowed: OrderIntent, beyond: OrderIntent
) -> None:
    policy = RiskPolicy(strategies={"OTHER-001": limits}, instruments={ETH.id: limits})
    assert passes(Desk(policy=policy), beyond)


def test_the_sentence_names_the_order_the_limit_and_the_way_out() -> None:
    desk = Desk(Limits(order_notional=D(100_000)))
    desk.quote(BTC.id, "64999.9", "65000")
    _, text = denied(desk, buy("3"))
    assert text == (
        "Order of 3 BTC (about 195,000 USDT) is above the limit of 100,000 USDT an order; "
        "order at most 1.53 BTC."
    )


def test_the_most_that_the_sentence_names_passes() -> None:
    for limits, order, most in (
        (Limits(order_notional=D("123.4")), buy("3"), "1.23"),
        (Limits(position=D("1.5")), buy("3"), "1.5"),
        (Limits(gross_exposure=D(155)), buy("3"), "1.55"),
        (Limits(leverage=D("0.001")), buy("3"), "1"),
    ):
        desk = Desk(limits)
        assert f"order at most {most} BTC" in denied(desk, order)[1]
        assert passes(desk, buy(most))
        assert not passes(desk, buy(str(D(most) + D("0.01"))))


def test_where_a_limit_of_value_is_broken_already_what_makes_it_no_worse_passes() -> None:
    desk = Desk()
    desk.hold("10")
    for limits in (
        Limits(gross_exposure=D(500)),
        Limits(concentration=D("0.5")),
        Limits(leverage=D("0.005")),
    ):
        desk.gate.set_policy(RiskPolicy(account=limits))
        assert passes(desk, sell("12"))  # turned round it is 2 short, less than the 10 long
        assert not passes(desk, buy("0.01"))


def test_a_sale_below_the_market_is_valued_at_what_it_will_bring() -> None:
    desk = Desk(Limits(order_notional=D(200)))
    assert not passes(desk, sell("3", "50"))
    assert passes(desk, sell("2", "50"))


def test_an_order_in_quote_currency_is_judged_by_its_base() -> None:
    desk = Desk(Limits(order_quantity=D(2), order_notional=D(200)))
    assert passes(desk, buy("200", quote_quantity=True))
    assert denied(desk, buy("201", quote_quantity=True))[0] == "order_quantity"


def test_an_inverse_contract_is_worth_its_quote_in_base_currency() -> None:
    inverse = instrument(
        "BTCUSD.TEST",
        quote="USD",
        multiplier=D(100),
        inverse=True,
        size_precision=0,
        lot_size=D(1),
    )
    desk = Desk(Limits(order_notional=D(10)), instruments=(inverse,), currency="BTC", balance=50)
    assert passes(desk, buy("10", instrument=inverse.id))  # 10 x 100 USD / 100 = 10 BTC
    _, text = denied(desk, buy("11", instrument=inverse.id))
    assert "11 contracts (about 11 BTC)" in text
    desk.quote(inverse.id, "200", "200")
    assert passes(desk, buy("20", instrument=inverse.id))


def test_a_multiplier_counts() -> None:
    future = instrument("ESZ4.TEST", kind="future", multiplier=D(50), size_precision=0, lot_size=D(1))
    desk = Desk(Limits(gross_exposure=D(10_000)), instruments=(future,))
    assert passes(desk, buy("2", instrument=future.id))
    assert not passes(desk, buy("3", instrument=future.id))


def test_a_stop_limit_is_banded_by_its_own_trigger() -> None:
    desk = Desk(Limits(price_band_bps=D(100)))
    facts: dict[str, Any] = {"type": "STOP_LIMIT", "trigger": D(120)}
    assert passes(desk, buy("1", "121.2", **facts))
    assert not passes(desk, buy("1", "121.3", **facts))


def test_without_a_price_what_needs_one_is_denied() -> None:
    needs = {
        "order_notional": D(1_000),
        "gross_exposure": D(1_000),
        "net_exposure": D(1_000),
        "concentration": D(10),
        "leverage": D(10),
        "margin": D(10),
        "correlated_exposure": D(1_000),
        "feed_age_s": D(10),
    }
    for name, limit in needs.items():
        desk = Desk(Limits(**{name: limit}))  # type: ignore[arg-type]
        del desk.touches[BTC.id]
        rule, text = denied(desk, buy("1"))
        assert rule == name
        assert f"no price of {BTC.id} yet" in text
    desk = Desk(Limits(order_quantity=D(1), position=D(1)))
    del desk.touches[BTC.id]
    assert passes(desk, buy("1"))


def test_what_is_settled_in_other_money_is_denied_where_money_is_limited() -> None:
    euro = instrument("BTCEUR.TEST", quote="EUR")
    desk = Desk(Limits(gross_exposure=D(1_000)), instruments=(euro,))
    rule, text = denied(desk, buy("1", instrument=euro.id))
    assert rule == "gross_exposure"
    assert "EUR" in text
    assert "account is in USDT" in text


# What is held and at work -------------------------------------------------------------------------------


def test_working_orders_of_the_same_side_count_as_filled() -> None:
    desk = Desk(Limits(position=D(5)))
    desk.hold("2")
    desk.order(buy("2", "99"))
    desk.order(sell("4", "101"))
    assert passes(desk, buy("1"))
    assert not passes(desk, buy("1.01"))
    assert passes(desk, sell("3"))
    assert not passes(desk, sell("3.01"))


def test_a_reduce_only_order_opens_nothing_but_takes_away_what_others_were_to_reduce() -> None:
    desk = Desk(Limits(position=D(5)))
    desk.hold("5")
    desk.order(sell("5", "101", reduce_only=True))
    desk.order(sell("5", "105", reduce_only=True))
    assert passes(desk, sell("5"))  # were both filled: 5 short
    assert not passes(desk, sell("5.01"))


def test_an_instrument_is_limited_by_itself_in_the_account_and_money_over_all() -> None:
    desk = Desk(Limits(position=D(3), gross_exposure=D(500)))
    desk.hold("3")
    assert passes(desk, buy("2", instrument=ETH.id))
    assert denied(desk, buy("2.01", instrument=ETH.id))[0] == "gross_exposure"


def test_long_and_short_offset_each_other_in_net_exposure_only() -> None:
    desk = Desk(Limits(net_exposure=D(1_000)))
    desk.hold("10", instrument=ETH.id)
    assert denied(desk, buy("1"))[0] == "net_exposure"
    assert passes(desk, sell("20"))
    assert not passes(desk, sell("20.01"))


def test_correlations_make_a_hedge_small_and_unknown_ones_count_as_one() -> None:
    for known, most in (
        ({}, "1"),
        ({(BTC.id, ETH.id): 0.0}, "3"),  # a right triangle of 3, 4 and 5
        ({(ETH.id, BTC.id): -1.0}, "9"),
    ):
        desk = Desk(Limits(correlated_exposure=D(500)), correlations=known)
        desk.hold("4", instrument=ETH.id)
        assert passes(desk, buy(most))
        assert not passes(desk, buy(str(D(most) + D("0.01"))))
        assert passes(desk, sell("9")) == (most == "1")


def test_correlated_exposure_counts_the_worst_of_what_others_orders_may_become() -> None:
    desk = Desk(Limits(correlated_exposure=D(500)))
    desk.order(buy("4", "99", instrument=ETH.id))
    assert not passes(desk, buy("1.01"))
    assert passes(desk, sell("5"))  # the bid may not fill
    assert not passes(desk, sell("5.01"))


def test_an_order_that_makes_a_broken_limit_no_worse_passes() -> None:
    desk = Desk()
    desk.hold("5")
    desk.gate.set_policy(
        RiskPolicy(account=Limits(gross_exposure=D(300), position=D(3), leverage=D("0.001")))
    )
    assert not passes(desk, buy("0.01"))
    assert passes(desk, sell("5"))
    assert denied(desk, sell("8.01"))[0] == "position"


def test_inventory_is_balanced_by_what_was_traded_and_is_at_work() -> None:
    desk = Desk(Limits(inventory_imbalance=D(20)))
    assert passes(desk, buy("5"))  # nothing was traded yet to be out of balance
    desk.hold("5")
    desk.hold("-5")
    assert passes(desk, buy("1"))
    desk.order(buy("1", "99"))
    assert passes(desk, buy("1"))
    desk.order(buy("1", "98"))
    assert denied(desk, buy("1"))[0] == "inventory_imbalance"
    assert passes(desk, sell("1"))


# Counts -----------------------------------------------------------------------------------------------------


def test_orders_at_work_are_counted_until_they_end() -> None:
    desk = Desk(Limits(open_orders=D(2)))
    first = desk.order(buy("1", "90"))
    assert desk.ask(buy("1", "90")) is None  # sent, and not heard of yet
    assert denied(desk, buy("1", "90"))[0] == "open_orders"
    desk.tell(first, "CANCELED")
    assert passes(desk, buy("1", "90"))


def test_the_window_of_the_order_rate_slides() -> None:
    desk = Desk(Limits(orders_per_second=D(2)))
    assert desk.ask(buy("1")) is None
    desk.now += SECOND // 2
    assert desk.ask(buy("1")) is None
    assert denied(desk, buy("1"))[0] == "orders_per_second"
    desk.now += SECOND // 2 - 1
    assert not passes(desk, buy("1"))
    desk.now += 1  # the first is a second old
    assert desk.ask(buy("1")) is None
    assert not passes(desk, buy("1"))


def test_a_minutes_orders_are_counted_beside_the_seconds() -> None:
    desk = Desk(Limits(orders_per_minute=D(3)))
    for _ in range(3):
        assert desk.ask(buy("1")) is None
        desk.now += 10 * SECOND
    assert denied(desk, buy("1"))[0] == "orders_per_minute"
    desk.now += 30 * SECOND
    assert passes(desk, buy("1"))


def test_a_denied_order_counts_for_the_storm_but_not_for_the_rate() -> None:
    desk = Desk(Limits(orders_per_second=D(2), order_quantity=D(1)))
    for _ in range(5):
        assert desk.ask(buy("2")) is not None
    assert desk.ask(buy("1")) is None
    assert desk.gate.wanted_in_second() == 6
    desk.now += SECOND
    assert desk.gate.wanted_in_second() == 0


def test_what_was_withdrawn_counts_no_more() -> None:
    desk = Desk(Limits(orders_per_second=D(1), open_orders=D(1), position=D(1)))
    assert desk.gate.check(buy("1"), "A") is None
    assert desk.gate.would(buy("1")) is not None
    desk.gate.withdraw("A")
    assert desk.gate.check(buy("1"), "A") is None


# Losses -----------------------------------------------------------------------------------------------------


def test_the_loss_of_the_day_counts_open_profit_and_fees_and_begins_at_midnight() -> None:
    desk = Desk(Limits(day_loss=D(100)))
    desk.hold("10")
    desk.quote(BTC.id, "90", "90")
    assert passes(desk, buy("1"))  # exactly 100 are lost
    desk.quote(BTC.id, "89.9", "90")
    rule, text = denied(desk, buy("1"))
    assert rule == "day_loss"
    assert "100.5 USDT were lost since midnight UTC" in text
    assert desk.gate.loss_broken() in text
    desk.now += 12 * 3_600 * SECOND
    assert passes(desk, buy("1"))
    desk.quote(BTC.id, "79", "79")
    assert not passes(desk, buy("1"))


def test_the_loss_of_the_session_does_not_begin_anew_at_midnight() -> None:
    desk = Desk(Limits(session_loss=D(100)))
    desk.hold("10")
    desk.quote(BTC.id, "89.9", "89.9")
    desk.now += 24 * 3_600 * SECOND
    assert denied(desk, buy("1"))[0] == "session_loss"


def test_the_drawdown_falls_from_the_peak() -> None:
    desk = Desk(Limits(drawdown=D(10)))
    desk.hold("1000")
    desk.quote(BTC.id, "200", "200")
    desk.gate.mark()  # the peak: 200,000
    desk.quote(BTC.id, "180", "180")
    assert passes(desk, buy("1"))
    desk.quote(BTC.id, "179.9", "179.9")
    assert denied(desk, buy("1"))[0] == "drawdown"
    assert passes(desk, sell("1000"))


def test_losses_are_kept_apart_by_strategy_and_instrument() -> None:
    lost = Limits(session_loss=D(50))
    desk = Desk(policy=RiskPolicy(strategies={"A": lost}, instruments={ETH.id: lost}))
    desk.hold("10", strategy="A")
    desk.hold("10", strategy="B", instrument=ETH.id)
    assert passes(desk, buy("1", strategy="A"))
    desk.quote(BTC.id, "94.9", "94.9")
    assert denied(desk, buy("1", strategy="A"))[0] == "session_loss"
    assert passes(desk, buy("1", strategy="B"))
    desk.quote(ETH.id, "94.9", "94.9")
    assert not passes(desk, buy("1", strategy="B", instrument=ETH.id))
    assert passes(desk, buy("1", strategy="B"))


def test_an_entry_needs_a_stop_on_its_side_where_its_loss_is_limited() -> None:
    desk = Desk(Limits(trade_loss=D(10)))
    assert "order a bracket" in denied(desk, buy("1"))[1]
    assert "not below" in denied(desk, buy("1", "100", stop=D(100)))[1]
    assert "not above" in denied(desk, sell("1", "100", stop=D(99)))[1]
    assert passes(desk, sell("1", "110", reduce_only=True))  # an exit of a bracket
    desk.hold("1")
    assert passes(desk, sell("1"))


def test_both_fees_are_part_of_a_trades_loss() -> None:
    taxed = instrument(taker_fee=D("0.01"))
    desk = Desk(Limits(trade_loss=D("11.9")), instruments=(taxed,))
    assert passes(desk, buy("1", "100", stop=D("90")))  # 10 + 1 + 0.9
    assert not passes(desk, buy("1.01", "100", stop=D("90")))


# Times ------------------------------------------------------------------------------------------------------


def test_orders_wait_for_the_trading_hours() -> None:
    desk = Desk(Limits(trading_hours="Mon-Fri 07:00-12:00"))
    desk.now = MONDAY_NOON - 1
    assert passes(desk, buy("1"))
    desk.now = MONDAY_NOON
    assert denied(desk, buy("1"))[0] == "trading_hours"


def test_nothing_new_is_ordered_on_old_market_data() -> None:
    desk = Desk(Limits(feed_age_s=D(5)))
    desk.hold("1")
    desk.now += 5 * SECOND
    assert passes(desk, buy("1"))
    desk.now += 1
    rule, text = denied(desk, buy("1"))
    assert rule == "feed_age_s"
    assert "5 s" in text
    assert passes(desk, sell("1"))


# Use --------------------------------------------------------------------------------------------------------


def test_every_limit_that_is_set_has_a_bar_but_hours() -> None:
    limits = Limits(
        **{name: D(50) for name in Limits.__struct_fields__ if name != "trading_hours"},
        trading_hours="00:00-24:00",
    )
    desk = Desk(policy=RiskPolicy(account=limits, strategies={"A": Limits(position=D(7))}))
    names = [use.rule for use in desk.gate.uses() if use.scope == "account"]
    assert sorted(names) == sorted(set(Limits.__struct_fields__) - {"trading_hours"})
    (of_a,) = [use for use in desk.gate.uses() if use.scope == "strategy"]
    assert (of_a.name, of_a.title, of_a.unit, of_a.limit) == ("A", "Position", "size", 7.0)


def test_bars_tell_what_is_used() -> None:
    desk = Desk(
        Limits(
            position=D(10),
            gross_exposure=D(1_000),
            leverage=D(1),
            open_orders=D(5),
            day_loss=D(100),
            orders_per_second=D(10),
            order_quantity=D(10),
            feed_age_s=D(10),
        )
    )
    desk.hold("2")
    desk.order(buy("3", "99"))
    desk.quote(BTC.id, "95", "95")
    desk.now += SECOND // 2
    desk.gate.mark()
    used = {use.rule: use.value for use in desk.gate.uses()}
    assert used == {
        "position": 5.0,
        "gross_exposure": 475.0,
        "leverage": pytest.approx(475 / 99_990),
        "open_orders": 1.0,
        "day_loss": 10.0,
        "orders_per_second": 1.0,
        "order_quantity": 3.0,
        "feed_age_s": 0.5,
    }


@pytest.mark.parametrize(
    "policy",
    [
        RiskPolicy(strategies={"A": Limits(trading_hours="always")}),
        RiskPolicy(kill=KillRules(memory_mb=D(-1))),
        RiskPolicy(kill=KillRules(stale_feed_s=D("NaN"))),
    ],
)
def test_a_limit_that_is_none_is_refused_and_those_before_stay(policy: RiskPolicy) -> None:
    desk = Desk(Limits(order_quantity=D(1)))
    with pytest.raises(UserError):
        desk.gate.set_policy(policy)
    assert denied(desk, buy("2"))[0] == "order_quantity"


def test_a_new_policy_holds_at_once_and_forgets_no_count() -> None:
    desk = Desk()
    assert desk.ask(buy("1")) is None
    desk.gate.set_policy(RiskPolicy(account=Limits(orders_per_second=D(1))))
    assert denied(desk, buy("1"))[0] == "orders_per_second"


def test_values_are_exact() -> None:
    desk = Desk(Limits(order_notional=D("0.3")))
    desk.quote(BTC.id, "0.1", "0.1")
    assert passes(desk, buy("3"))
    denial = desk.gate.would(buy("3.01"))
    assert denial is not None
    assert denial.value == D("0.301")


# Drawdown protection --------------------------------------------------------------------------------

FALLING = RiskPolicy(
    account=Limits(order_quantity=D(100), order_notional=D(20_000), position=D(1_000)),
    protection=Protection(scale_at=D(5), scale_to=D(20), pause_at=D(10), flatten_at=D(15)),
)


def fallen(price: str, policy: RiskPolicy = FALLING) -> Desk:
    """1,000 were bought at 100 with 100,000 of equity, and are worth this now."""
    desk = Desk(policy=RiskPolicy())
    desk.hold("1000")
    desk.gate.set_policy(policy)
    desk.quote(BTC.id, price, price)
    desk.gate.mark()
    return desk


def test_limits_of_size_shrink_with_the_drawdown_and_the_denial_says_so() -> None:
    desk = fallen("92.5")  # half of the way: 60 % are left
    assert passes(desk, buy("60", instrument=ETH.id))
    rule, text = denied(desk, buy("60.01", instrument=ETH.id))
    assert rule == "order_quantity"
    assert "60 % of 100, as the drawdown protection says" in text
    assert "order at most 60 ETH" in text
    assert denied(desk, buy("30", "90"))[0] == "position"
    assert passes(desk, sell("1000"))
    risk = desk.gate.risk()
    assert (risk.stage, risk.share) == ("scaled", 0.6)
    assert next(use.limit for use in risk.uses if use.rule == "order_quantity") == 60


@pytest.mark.parametrize(("price", "said"), [("90", "nothing is opened"), ("85", "nothing is held")])
def test_far_down_only_what_reduces_passes(price: str, said: str) -> None:
    desk = fallen(price)
    rule, text = denied(desk, buy("0.01"))
    assert rule == "protection"
    assert said in text
    assert passes(desk, sell("1000"))
    assert denied(desk, sell("1000.01"))[0] == "protection"


def test_protection_needs_a_limit_that_it_can_scale() -> None:
    with pytest.raises(UserError, match="set a limit of order size"):
        Desk(policy=RiskPolicy(protection=Protection(scale_at=D(5))))
