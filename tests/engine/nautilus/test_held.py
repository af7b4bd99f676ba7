"""What is held is at last as it is wanted, whatever a venue does in between and in whatever order."""

from decimal import Decimal
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.orders import HAND, Contingency, OrderIntent, Side
from engine.nautilus.held import Held, HeldBook
from engine.nautilus.legs import PACE_NS, Act, Change, Drop, Leg, Place, Said, Trace

D = Decimal
SECOND = 1_000_000_000

type Deed = Literal["look", "answer", "refuse", "enter", "stop", "target", "wait", "cancel"]


def leg(order_id: str, side: Side, kind: str, size: Decimal, *, reduce_only: bool = True) -> Leg:
    intent = OrderIntent(
        instrument="X.SIM",
        strategy=HAND,
        side=side,
        type=kind,
        quantity=size,
        price=D(110) if kind == "LIMIT" else None,
        trigger=None if kind == "LIMIT" else D(90),
        reduce_only=reduce_only,
    )
    return Leg(order_id, intent, size=size)


class Venue:
    """A venue that answers when a test says so; reduce-only orders fill no more than what is held."""

    def __init__(self, held: Held, *, can_change: bool) -> None:
        self.held, self.can_change = held, can_change
        self.net, self.now_ns, self.said = D(0), 0, list[str]()
        self.asked: list[Act] = []
        self.closed = D(0)
        self._names = 0

    def look(self) -> list[Act]:
        done = []
        for act in self.held.acts(self.net, self.now_ns, lambda one: self.can_change and not one.protects):
            done.append(act)
            if isinstance(act, Said):
                self.said.append(act.text)
                continue
            if isinstance(act, Place):
                self._names += 1
                name = f"{act.leg.order_id}.{self._names}" if act.leg.orders else act.leg.order_id
                intent = act.leg.intent
                act.leg.begin(name, Trace(act.size, price=intent.price, trigger=intent.trigger))
            self.asked.append(act)
        return done

    def traces(self, one: Leg) -> list[Trace]:
        return [each for each in one.orders.values() if not each.is_over]

    def answer(self, *, refuse: bool = False) -> None:
        """Answer what was asked first."""
        for each in self.held.every:
            for trace in each.orders.values():
                if trace.status == "SENT":
                    trace.status = "REJECTED" if refuse else "ACCEPTED"
                    return
        if not self.asked:
            return
        act = self.asked.pop(0)
        found = self._trace(act)
        if refuse or found is None or found.is_over:
            return
        if isinstance(act, Drop):
            found.status = "CANCELED"
        elif isinstance(act, Change) and act.size > found.filled:
            found.quantity = act.size

    def _trace(self, act: Act) -> Trace | None:
        if not isinstance(act, Drop | Change):
            return None
        return next(each.orders[act.order_id] for each in self.held.every if act.order_id in each.orders)

    def enter(self, size: Decimal) -> None:
        assert self.held.entry is not None
        trace = self.held.entry.last
        assert trace is not None
        size = min(size, trace.leaves)
        if size and trace.is_at_work:
            self._fill(trace, size)
            self.net += size

    def exit(self, one: Leg, size: Decimal) -> None:
        """All of a leg's orders at work are hit, each by as much as there is to reduce."""
        for trace in self.traces(one):
            taken = min(size, trace.leaves, self.net)
            if taken > 0 and trace.is_at_work:
                self._fill(trace, taken)
                self.net -= taken
                self.closed += taken

    def _fill(self, trace: Trace, size: Decimal) -> None:
        trace.filled += size
        trace.status = "FILLED" if trace.filled == trace.quantity else "PARTIALLY_FILLED"

    def do(self, deed: Deed, size: Decimal) -> None:
        first, second = self.held.legs
        match deed:
            case "look":
                self.look()
            case "answer" | "refuse":
                self.answer(refuse=deed == "refuse")
            case "enter":
                self.enter(size)
            case "stop" | "target":
                self.exit(first if deed == "stop" else second, size)
            case "wait":
                self.now_ns += SECOND
            case "cancel":
                entry = None if self.held.entry is None else self.held.entry.last
                if entry is not None and entry.is_at_work:
                    entry.status = "CANCELED"

    def settle(self) -> None:
        """Let everything be answered, as long as anything is to be done."""
        for _ in range(60):
            self.now_ns += PACE_NS
            self.look()
            for _ in range(8):
                self.answer()


def bracket(size: int = 5) -> Held:
    entry = leg("E", "BUY", "LIMIT", D(size), reduce_only=False)
    entry.begin("E", Trace(D(size), price=D(110)))
    legs = [leg("S", "SELL", "STOP_MARKET", D(size)), leg("T", "SELL", "LIMIT", D(size))]
    for each in legs:
        each.size = None
    return Held("bracket", "r", legs, entry)


def pair(*, reduce_only: bool = False) -> Held:
    legs = [leg("A", "SELL", "STOP_MARKET", D(5)), leg("B", "SELL", "LIMIT", D(5))]
    for each in legs:
        each.intent = msgspec.structs.replace(each.intent, reduce_only=reduce_only)
        each.begin(each.order_id, Trace(D(5), price=each.intent.price, trigger=each.intent.trigger))
    return Held("oco", "r", legs)


def opened(venue: Venue, size: int = 5) -> Venue:
    venue.answer()
    venue.enter(D(size))
    venue.settle()
    return venue


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            ("look", "look", "answer", "answer", "refuse", "enter", "stop", "target", "wait", "cancel")
        ),
        st.integers(1, 3),
    ),
    max_size=40,
)


@given(DEEDS, st.booleans())
def test_exits_are_at_last_as_large_as_what_their_bracket_holds(
    deeds: list[tuple[Deed, int]], can_change: bool
) -> None:
    venue = Venue(bracket(), can_change=can_change)
    held = venue.held
    for deed, size in deeds:
        venue.do(deed, D(size))
        assert venue.net >= 0  # what reduces never turns it round
    venue.settle()
    assert held.entry is not None
    gave_up = any("see to it" in text for text in venue.said)
    assert venue.net == held.entry.filled - venue.closed
    for one in held.legs:
        working = sum((trace.leaves for trace in venue.traces(one)), D(0))
        assert working <= venue.net or gave_up
        assert working == venue.net or gave_up or one.ended
    if not venue.net and not held.entry.alive:
        assert held.is_over


@given(DEEDS)
def test_a_stop_at_work_is_only_given_up_for_another_that_works(deeds: list[tuple[Deed, int]]) -> None:
    venue = opened(Venue(bracket(), can_change=True), 2)
    stop = venue.held.legs[0]
    assert venue.traces(stop)
    for deed, size in deeds:
        if deed not in ("stop", "cancel", "look"):
            venue.do(deed, D(size))
        for act in venue.look():
            if isinstance(act, Drop) and act.order_id in stop.orders and venue.net:
                others = [each for name, each in stop.orders.items() if name != act.order_id]
                assert any(each.is_at_work for each in others)


@given(DEEDS)
def test_of_a_pair_no_more_is_filled_than_of_one_where_each_fill_is_seen(
    deeds: list[tuple[Deed, int]],
) -> None:
    venue = Venue(pair(), can_change=False)
    venue.net = D(50)
    first, second = venue.held.legs
    for deed, size in deeds:
        if deed in ("stop", "target"):
            venue.settle()
        if deed not in ("refuse", "enter"):
            venue.do(deed, D(size))
    venue.settle()
    filled = first.filled + second.filled
    assert filled <= 5
    for one in (first, second):
        assert sum((trace.leaves for trace in venue.traces(one)), D(0)) == 5 - filled


@pytest.mark.parametrize("status", ["CANCELED", "REJECTED", "EXPIRED", "DENIED", "GONE", "LOST"])
def test_a_pair_ends_with_either_of_it(status: str) -> None:
    venue = Venue(pair(), can_change=False)
    venue.answer()
    venue.answer()
    venue.held.legs[0].orders["A"].status = status
    venue.settle()
    assert venue.held.is_over
    assert "B ends with it" in venue.said[0]


@pytest.mark.parametrize(("status", "left"), [("CANCELED", 0), ("GONE", 5), ("REJECTED", 5), ("EXPIRED", 5)])
def test_what_is_left_of_a_bracket_when_its_target_ends(status: str, left: int) -> None:
    venue = opened(Venue(bracket(), can_change=False))
    stop, target = venue.held.legs
    target.orders["T"].status = status
    venue.settle()
    assert sum((trace.leaves for trace in venue.traces(stop)), D(0)) == left
    assert bool(venue.traces(target)) == (status in ("REJECTED", "EXPIRED"))


def test_what_is_held_besides_is_no_business_of_a_bracket() -> None:
    venue = opened(Venue(bracket(), can_change=False))
    stop, target = venue.held.legs
    venue.net += 50
    venue.exit(target, D(2))
    venue.settle()
    assert [trace.leaves for trace in venue.traces(stop)] == [3]
    venue.exit(target, D(3))
    venue.settle()
    assert venue.held.is_over
    assert venue.net == 50


def test_what_is_refused_again_and_again_is_told_and_left_to_a_person() -> None:
    venue = Venue(bracket(), can_change=False)
    venue.answer()
    venue.enter(D(5))
    for _ in range(60):
        venue.now_ns += SECOND
        venue.look()
        for _ in range(4):
            venue.answer(refuse=True)
    assert [text for text in venue.said if "see to it" in text] == [
        "Order S is not as it should be after 6 tries; see to it.",
        "Order T is not as it should be after 6 tries; see to it.",
    ]
    assert len(venue.held.legs[0].orders) == 6


def test_a_stop_follows_the_market_only_towards_it_and_never_faster_than_its_pace() -> None:
    one = leg("S", "SELL", "STOP_MARKET", D(5))
    one.offset = D("1.005")
    one.begin("S", Trace(D(5), trigger=D(90)))
    held = Held("none", "r", [one])
    venue = Venue(held, can_change=False)
    venue.net = D(5)
    venue.answer()
    placed = 0
    for step in range(50):
        bid = D(100) + D(step) / 100 if step % 7 else D(95)
        before = one.intent.trigger
        one.follow(bid, bid + 1, D("0.01"))
        assert one.intent.trigger is not None
        assert before is None or one.intent.trigger >= before
        venue.now_ns += SECOND // 20
        placed += sum(isinstance(act, Place) for act in venue.look())
        venue.answer()
        venue.answer()
    assert one.intent.trigger == D("99.47")  # of 100.48 at best, on the grid away from the market
    assert placed == 5


def test_what_is_gone_after_a_restart_has_filled_as_far_as_the_position_says() -> None:
    filled, cancelled = bracket(), bracket()
    for held in (filled, cancelled):
        held.lost("E")
    book = HeldBook()
    book.every = [filled, cancelled]
    book.explain(D(5))
    assert filled.entry is not None
    assert cancelled.entry is not None
    assert [filled.entry.filled, cancelled.entry.filled] == [5, 0]
    venue = Venue(filled, can_change=False)
    venue.net = D(5)
    venue.settle()
    assert [venue.traces(each)[0].leaves for each in filled.legs] == [5, 5]
    again = HeldBook()
    again.decode(book.encode())
    assert again.every == book.every
    assert not list(again.every[0].acts(D(5), venue.now_ns + SECOND, lambda _: False))


def test_a_cancellation_that_is_refused_is_asked_for_ever_more_rarely() -> None:
    venue = opened(Venue(bracket(), can_change=False))
    venue.net = D(0)
    asked = []
    for second in range(70):
        venue.now_ns += SECOND
        asked += [second for act in venue.look() if isinstance(act, Drop) and act.order_id == "T"]
        venue.asked.clear()
    assert asked == [0, 1, 3, 33, 63]


@pytest.mark.parametrize("status", ["SENT", "SUBMITTED"])
def test_an_exit_that_never_arrived_before_a_restart_is_sent_again(status: str) -> None:
    venue = Venue(bracket(), can_change=False)
    venue.answer()
    venue.enter(D(5))
    venue.look()
    stop = venue.held.legs[0]
    stop.orders["S"].status = status
    venue.held.lost("S")
    venue.settle()
    assert [trace.leaves for trace in venue.traces(stop)] == [5]
    assert list(stop.orders) == ["S", "S.3"]


@pytest.mark.parametrize("kind", ["none", "oco"])
def test_what_only_reduces_ends_with_what_is_held(kind: Contingency) -> None:
    held = pair(reduce_only=True) if kind == "oco" else Held("none", "r", pair(reduce_only=True).legs[:1])
    venue = Venue(held, can_change=False)
    venue.net = D(3)
    for _ in range(3):
        venue.answer()
    venue.settle()
    assert [venue.traces(each)[0].leaves for each in held.legs] == [3] * len(held.legs)
    venue.net = D(0)
    venue.settle()
    assert held.is_over
