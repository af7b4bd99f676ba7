"""What passed the gate leaves only where it does so once more, by the account as it is at that moment."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.messages.events import AnyEvent, OrderChanged, PositionChanged
from engine.messages.limits import Limits, Protection, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent
from engine.risk.book import AccountBook
from engine.risk.last_gate import LastGate
from tests.engine.risk.markets import BTC, ETH, SECOND, D, Desk, buy, sell

LIMITS = Limits(position=D(5))


class Engine:
    """What an engine's cache would show; a test sets it."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Decimal] = {}
        self.orders: dict[str, OrderChanged] = {}
        self.sent: set[str] = set()
        self.answered: dict[str, int] = {}

    def hold(self, quantity: str, strategy: str = HAND) -> None:
        self.held[strategy, f"P-{strategy}"] = D(quantity)

    def work(self, order_id: str, intent: OrderIntent, status: str = "ACCEPTED") -> None:
        self.orders[order_id] = OrderChanged(
            ts=0,
            order_id=order_id,
            instrument=intent.instrument,
            strategy=intent.strategy,
            side=intent.side,
            type=intent.type,
            quantity=intent.quantity,
            filled=D(0),
            price=intent.price,
            trigger=intent.trigger,
            average_price=None,
            status=status,
            reduce_only=intent.reduce_only,
        )

    def events(self) -> Iterator[AnyEvent]:
        for (strategy, position), quantity in self.held.items():
            yield PositionChanged(
                ts=0,
                position_id=position,
                instrument=BTC.id,
                strategy=strategy,
                quantity=quantity,
                average_open=D(100),
                average_close=None,
                realised_pnl=D(0),
                currency="USDT",
                opened_ns=0,
                closed_ns=None,
            )
        yield from self.orders.values()

    def status(self, order_id: str) -> str:
        if order_id in self.orders:
            return self.orders[order_id].status
        return "INITIALIZED" if order_id in self.sent else ""

    def answers(self, order_id: str) -> int:
        return self.answered.get(order_id, 0)


class Log:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.problem = ""

    def last_verdict(self, intent: OrderIntent, order_id: str, denial: Denial | None, ts: int) -> None:
        self.said.append((order_id, "" if denial is None else denial.rule))

    def unwritten(self) -> str:
        return self.problem


class Rig:
    """Both gates of one account, which may disagree about it."""

    def __init__(self, policy: RiskPolicy | None = None, **desk: Any) -> None:
        self.desk = Desk(
            policy=policy or RiskPolicy(account=LIMITS), **{"mode": "live", "arm": "live", **desk}
        )
        self.engine, self.log = Engine(), Log()
        book = AccountBook(
            self.desk.instruments,
            currency="USDT",
            balance=D(100_000),
            touch=self.desk.touches.get,
            leverage=D(10),
        )
        self.gate = LastGate(
            self.desk.gate,
            self.desk.gate,
            self.desk.instruments,
            book,
            self.engine,
            lambda: self.desk.now,
            self.log,
        )

    def send(self, order_id: str, intent: OrderIntent, *, between: Callable[[], object] = str) -> str:
        """Rule by which an order that passed the first gate does not leave; empty where it does."""
        assert self.gate.check(intent, order_id) is None
        between()
        denial = self.gate.leaves(intent, order_id)
        if denial is not None:
            self.gate.withdraw(order_id)
            assert denial.text.startswith("The last check before the venue refused it: ")
            return denial.rule
        self.engine.sent.add(order_id)
        return ""


def test_what_passed_leaves_where_the_engine_sees_the_same_account() -> None:
    rig = Rig()
    assert rig.send("1", buy("5")) == ""
    assert rig.log.said == [("1", "")]


def test_a_foreign_position_that_no_event_told_counts_and_the_first_count_is_taken_back() -> None:
    rig = Rig()
    rig.engine.hold("3", "EXTERNAL")
    assert rig.gate.check(buy("3"), "1") is None
    denial = rig.gate.leaves(buy("3"), "1")
    assert denial is not None
    assert (denial.rule, denial.value, denial.limit) == ("position", D(6), D(5))
    assert rig.log.said == [("1", "position")]
    rig.gate.withdraw("1")
    assert not rig.desk.book.orders
    assert rig.send("2", buy("2")) == ""


def test_a_working_order_of_others_counts() -> None:
    rig = Rig()
    rig.engine.work("X", buy("4", "90", strategy="EXTERNAL"))
    assert rig.send("1", buy("2")) == "position"
    assert rig.send("2", buy("1")) == ""


@pytest.mark.parametrize("scope", ["account", "instruments", "strategies"])
def test_limits_that_were_made_smaller_meanwhile_hold(scope: str) -> None:
    rig = Rig()
    smaller = Limits(order_quantity=D(1))
    names = {"account": smaller, "instruments": {BTC.id: smaller}, "strategies": {HAND: smaller}}
    policy = msgspec.structs.replace(RiskPolicy(), **{scope: names[scope]})
    assert rig.send("1", buy("2"), between=lambda: rig.desk.gate.set_policy(policy)) == "order_quantity"
    assert rig.send("2", buy("1")) == ""


def test_what_is_disarmed_or_halted_meanwhile_stays() -> None:
    rig = Rig()
    assert rig.send("1", buy("1"), between=lambda: setattr(rig.desk.gate, "halted", True)) == "halted"
    rig.desk.gate.halted = False
    assert rig.send("2", buy("1"), between=lambda: setattr(rig.desk.gate, "arm", "view")) == "view"
    rig.desk.gate.arm = "live"
    assert rig.send("3", buy("1")) == ""


@pytest.mark.parametrize(
    "altered",
    [
        {"quantity": D(2)},
        {"side": "SELL"},
        {"price": D("99.9")},
        {"type": "STOP_LIMIT", "trigger": D(101)},
        {"post_only": True},
        {"reduce_only": True},
        {"time_in_force": "IOC"},
        {"strategy": "OTHER-002"},
    ],
)
def test_what_is_not_as_it_passed_does_not_leave(altered: dict[str, Any]) -> None:
    rig = Rig()
    passed = buy("1", "99")
    assert rig.gate.check(passed, "1") is None
    denial = rig.gate.leaves(msgspec.structs.replace(passed, **altered), "1")
    assert denial is not None
    assert denial.rule == "altered"
    assert "when it passed" in denial.text
    assert rig.gate.leaves(passed, "1") is None


def test_what_never_passed_or_left_before_does_not_leave() -> None:
    rig = Rig()
    for _ in range(2):
        denial = rig.gate.leaves(buy("1"), "1")
        assert denial is not None
        assert denial.rule == "altered"
        assert "not asked" in denial.text
    assert rig.send("2", buy("1")) == ""
    again = rig.gate.leaves(buy("1"), "2")
    assert again is not None
    assert again.rule == "duplicate"


def test_what_truly_reduces_leaves_whatever_else_holds() -> None:
    rig = Rig()
    rig.engine.hold("5")
    rig.desk.gate.halted, rig.desk.gate.arm = True, "view"
    rig.desk.gate.set_policy(RiskPolicy(account=Limits(order_quantity=D(0), position=D(0))))
    assert rig.gate.leaves(sell("5"), "never-passed") is None
    assert rig.gate.leaves(sell("1"), "beyond") is not None


def test_what_the_engine_holds_is_closed_though_the_first_gate_knows_nothing_of_it() -> None:
    rig = Rig()
    rig.engine.hold("5", "EXTERNAL")
    rig.desk.gate.halted = True
    assert rig.send("1", sell("5", closes=BTC.id)) == ""
    for again in (sell("5", closes=BTC.id), buy("5", closes=BTC.id), sell("5")):
        assert rig.gate.check(again, "2") is not None


def test_what_reduces_by_the_first_gates_count_alone_does_not_leave() -> None:
    rig = Rig(RiskPolicy())
    rig.desk.hold("5")
    rig.desk.gate.halted = True
    assert rig.send("1", sell("5")) == "halted"


def test_what_opens_stays_where_it_cannot_be_written_down_and_what_reduces_leaves() -> None:
    rig = Rig()
    rig.engine.hold("3")
    rig.desk.hold("3")
    rig.log.problem = "The disk is full; make room."
    passed = buy("1")
    assert rig.gate.check(passed, "1") is None
    denial = rig.gate.leaves(passed, "1")
    assert denial is not None
    assert denial.rule == "audit"
    assert denial.text.endswith("must stand in the audit log. The disk is full; make room.")
    rig.gate.withdraw("1")
    assert rig.send("2", sell("3")) == ""
    rig.log.problem = ""
    assert rig.send("3", buy("1")) == ""


# The engine's lag ------------------------------------------------------------------------------------------


def test_what_left_counts_before_the_engine_has_it_at_work() -> None:
    rig = Rig()
    assert rig.send("1", buy("4")) == ""
    rig.desk.book.clear()  # so that the first gate has forgotten it
    assert rig.send("2", buy("2")) == "position"
    rig.engine.work("1", buy("4"), "SUBMITTED")
    assert rig.send("3", buy("2")) == "position"
    rig.engine.work("1", buy("4"), "REJECTED")
    assert rig.send("4", buy("5")) == ""


def test_what_was_not_sent_after_all_counts_no_more() -> None:
    rig = Rig()
    assert rig.send("1", buy("4")) == ""
    rig.engine.sent.clear()
    rig.gate.withdraw("1")
    assert rig.send("2", buy("5")) == ""


def test_the_size_of_an_order_in_quote_currency_counts_in_the_base() -> None:
    rig = Rig()
    assert rig.send("1", buy("300", type="MARKET", quote_quantity=True)) == ""
    rig.engine.work("1", buy("300", type="MARKET", quote_quantity=True), "SUBMITTED")
    assert rig.send("2", buy("2")) == ""
    rig.desk.book.clear()
    assert rig.send("3", buy("0.01")) == "position"


def test_a_change_counts_with_its_larger_size_until_it_is_answered() -> None:
    rig = Rig()
    first = buy("1", "90")
    assert rig.send("1", first) == ""
    rig.engine.work("1", first)
    larger = buy("4", "90", changes="1")
    assert rig.send("1", larger) == ""
    rig.desk.book.clear()
    assert rig.send("2", buy("2")) == "position"
    rig.engine.answered["1"] = 1  # refused: it works as it was
    assert rig.send("3", buy("2")) == ""


def test_a_change_is_judged_and_taken_back_like_an_order() -> None:
    rig = Rig()
    first = buy("1", "90")
    assert rig.send("1", first) == ""
    rig.engine.work("1", first)
    assert rig.send("1", buy("2", "90", changes="1")) == ""
    rig.engine.hold("3", "EXTERNAL")
    assert rig.send("1", buy("3", "90", changes="1")) == "position"
    # The one before is still under way, and counts.
    rig.desk.book.clear()
    rig.engine.held.clear()
    assert rig.send("2", buy("3.01")) == "position"
    assert rig.send("3", buy("3")) == ""
    assert rig.gate.leaves(buy("1", "91", changes="gone"), "gone") is not None


# What it leaves to the first -----------------------------------------------------------------------------


def test_what_needs_a_history_is_left_to_the_first_gate() -> None:
    policy = RiskPolicy(
        account=Limits(
            orders_per_second=D(1_000),
            orders_per_minute=D(1_000),
            day_loss=D(1),
            session_loss=D(1),
            drawdown=D(1),
            inventory_imbalance=D(50),
        ),
        protection=Protection(pause_at=D(1)),
    )
    rig = Rig(policy, balance=10)
    assert [rig.send(str(number), buy("0.01")) for number in range(30)] == [""] * 30


def test_prices_must_be_fresh_and_the_order_within_its_band() -> None:
    rig = Rig(RiskPolicy(account=Limits(feed_age_s=D(1), price_band_bps=D(10))))
    later = rig.desk.now + 2 * SECOND
    assert rig.send("1", buy("1"), between=lambda: setattr(rig.desk, "now", later)) == "feed_age_s"
    rig.desk.quote(BTC.id, "100", "100")
    rig.desk.quote(ETH.id, "100", "100")
    fallen = buy("1", "100")
    assert rig.send("2", fallen, between=lambda: rig.desk.quote(BTC.id, "90", "90")) == "price_band_bps"


def test_the_stop_of_an_entry_is_known_from_the_first_gate() -> None:
    rig = Rig(RiskPolicy(account=Limits(trade_loss=D(50))))
    entry = buy("1", stop=D(90))
    assert rig.gate.check(entry, "1") is None
    assert rig.gate.leaves(msgspec.structs.replace(entry, stop=None), "1") is None
