"""No sequence of orders, changes, fills in any order, cancels and rejects ends beyond a limit."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import OrderIntent
from tests.engine.risk.markets import BTC, ETH, D, Desk, an_order

POSITION, STRATEGY_POSITION, GROSS, NET, OPEN = D(5), D(4), D(800), D(600), D(4)
SIZES = st.sampled_from(["1", "1", "2", "3", "4", "5", "0.01", "4.99"]).map(D)
SIDES = st.sampled_from(["BUY", "SELL"])
NAMES = st.sampled_from([BTC.id, BTC.id, BTC.id, ETH.id])
PICKS = st.integers(0, 11)
"""Which of the orders at work something happens to."""


class Trading(RuleBasedStateMachine):
    """Whoever trades here tries all that the gate lets pass; the venue answers whenever it likes."""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(position=POSITION, gross_exposure=GROSS, net_exposure=NET, open_orders=OPEN)
        of_strategy = Limits(position=STRATEGY_POSITION)
        policy = RiskPolicy(account=limits, strategies={"A": of_strategy})
        self.desk = Desk(policy=policy)
        self.asked: dict[str, OrderIntent] = {}
        self.held: dict[tuple[str, str], Decimal] = {}

    def net(self, name: str, strategy: str | None = None) -> Decimal:
        """Held, as the fills add up."""
        kept = (q for (held, by), q in self.held.items() if held == name and strategy in (None, by))
        return sum(kept, D(0))

    def pick(self, number: int) -> str:
        live = list(self.desk.book.orders)
        return live[number % len(live)]

    def works(self) -> bool:
        return bool(self.desk.book.orders)

    @rule(
        side=SIDES,
        quantity=SIZES,
        name=NAMES,
        strategy=st.sampled_from(["A", "B"]),
        reduce_only=st.sampled_from([False, False, True]),
    )
    def order(self, side: str, quantity: Decimal, name: str, strategy: str, *, reduce_only: bool) -> None:
        intent = an_order(
            side, str(quantity), "100", instrument=name, strategy=strategy, reduce_only=reduce_only
        )
        before = len(self.desk.book.orders)
        if self.desk.ask(intent) is None and before >= OPEN:
            held = self.net(name), self.net(name, strategy)
            assert any(net < 0 if side == "BUY" else net > 0 for net in held)

    @precondition(works)
    @rule(number=PICKS, quantity=SIZES)
    def change(self, number: int, quantity: Decimal) -> None:
        order_id = self.pick(number)
        if order_id in self.asked or quantity <= self.desk.filled[order_id]:
            return
        intent = self.desk.sent[order_id]
        changed = an_order(
            intent.side,
            str(quantity),
            "100",
            instrument=intent.instrument,
            strategy=intent.strategy,
            reduce_only=intent.reduce_only,
            changes=order_id,
        )
        if self.desk.gate.check(changed) is None:
            self.asked[order_id] = changed

    @precondition(lambda self: bool(self.asked))
    @rule(number=PICKS, accepted=st.sampled_from([True, True, False]))
    def answer(self, number: int, *, accepted: bool) -> None:
        """The venue makes a change, or does not, at any time after it was asked for."""
        order_id = list(self.asked)[number % len(self.asked)]
        changed = self.asked.pop(order_id)
        if order_id not in self.desk.book.orders:
            return
        if accepted and changed.quantity > self.desk.filled[order_id]:
            self.desk.sent[order_id] = changed
            self.desk.tell(order_id, "ACCEPTED")
        else:
            self.desk.tell(order_id, "ACCEPTED", reason="refused")

    @precondition(works)
    @rule(number=PICKS, share=st.sampled_from([100, 100, 50, 7]))
    def fill(self, number: int, share: int) -> None:
        order_id = self.pick(number)
        intent = self.desk.sent[order_id]
        left = intent.quantity - self.desk.filled[order_id]
        key = intent.instrument, intent.strategy
        held = self.held.get(key, D(0))
        if intent.reduce_only:  # the venue cuts it to what is held
            left = min(left, max(D(0), -held if intent.side == "BUY" else held))
        size = (left * share / 100).quantize(D("0.01"), rounding="ROUND_UP")
        if size:
            self.held[key] = held + (size if intent.side == "BUY" else -size)
            self.desk.fill(order_id, size)

    @precondition(works)
    @rule(number=PICKS, status=st.sampled_from(["CANCELED", "REJECTED", "ACCEPTED", "IN_DOUBT", "SUBMITTED"]))
    def tell(self, number: int, status: str) -> None:
        self.desk.tell(self.pick(number), status)

    @invariant()
    def nothing_is_beyond_a_limit(self) -> None:
        nets = [self.net(name) for name in (BTC.id, ETH.id)]
        assert all(abs(net) <= POSITION for net in nets)
        assert all(abs(self.net(name, "A")) <= STRATEGY_POSITION for name in (BTC.id, ETH.id))
        assert sum((abs(net) for net in nets), D(0)) * 100 <= GROSS
        assert abs(sum(nets, D(0))) * 100 <= NET

    @invariant()
    def the_book_holds_what_was_filled(self) -> None:
        for (name, strategy), quantity in self.held.items():
            assert self.desk.book.line(name, strategy).net == quantity
        for name in (BTC.id, ETH.id):
            total, lines = self.desk.book.total(name), self.desk.book.lines_in(name)
            for field in ("net", "long", "short", "cost", "orders", "buys", "sells"):
                assert getattr(total, field) == sum(getattr(line, field) for line in lines)


Trading.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestTrading = Trading.TestCase


@given(
    st.lists(st.tuples(SIDES, SIZES, st.booleans()), max_size=12),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200, deadline=None)
def test_whatever_passed_may_fill_in_any_order(
    orders: list[tuple[str, Decimal, bool]], random: object
) -> None:
    desk = Desk(Limits(position=POSITION))
    desk.hold("3")
    passed = []
    for side, quantity, reduce_only in orders:
        if desk.ask(an_order(side, str(quantity), "100", reduce_only=reduce_only)) is None:
            passed.append(list(desk.sent)[-1])
    random.shuffle(passed)  # type: ignore[attr-defined]
    net = D(3)
    for order_id in passed:
        intent = desk.sent[order_id]
        sign = 1 if intent.side == "BUY" else -1
        size = intent.quantity
        if intent.reduce_only:
            size = min(size, max(D(0), -net * sign))
        net += sign * size
        assert abs(net) <= POSITION
