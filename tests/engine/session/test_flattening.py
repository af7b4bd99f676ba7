"""Flatten, the kill switch and the drawdown protection get flat, whatever is held and whatever limits say."""

from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from nautilus_trader.model import OrderSide, QuoteTick

from engine.messages.commands import AnyCommand, Flatten, Kill, SetArmState, SetPolicy
from engine.messages.events import Denied
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy
from engine.messages.orders import HAND
from engine.messages.run import VenueRules
from engine.nautilus.instrument import quantity
from engine.nautilus.strategy import Context, StationStrategy
from tests.engine.session.hands import buy, go, of, price, sell
from tests.engine.session.markets import FX, obey, quotes, session

LAST = len(quotes()) - 1
LOTS = st.integers(-6, 6)
LIMITS = (None, 0, 1_000, 4_000)


class Holder(StationStrategy):
    """Trades these sizes at the first quote, and nothing after it."""

    sizes: tuple[int, ...] = ()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.left = list(self.sizes)

    def on_start(self) -> None:
        self.watch("quotes")

    def on_quote(self, _quote: QuoteTick) -> None:
        while self.left:
            size = self.left.pop()
            side = OrderSide.BUY if size > 0 else OrderSide.SELL
            lots = quantity(Decimal(abs(size) * 1_000), self.instrument)
            self.submit(self.order_factory.market(self.instrument_id, side, lots))


@st.composite
def policies(draw: st.DrawFn) -> RiskPolicy:
    def limits() -> Limits:
        sizes = {
            name: draw(st.sampled_from(LIMITS)) for name in ("position", "order_quantity", "net_exposure")
        }
        return Limits(
            **{name: None if size is None else Decimal(size) for name, size in sizes.items()},
            orders_per_second=draw(st.sampled_from([None, Decimal(0)])),
            trading_hours=draw(st.sampled_from(["", "Sun 00:00-00:01"])),
        )

    return RiskPolicy(
        account=limits(),
        strategies={HAND: limits(), "Holder-002": limits()},
        instruments={FX.id: limits()},
        kill=KillRules(flatten_by=draw(st.sampled_from(["market", "limit"]))),
    )


def trades(sizes: tuple[int, ...]) -> list[AnyCommand]:
    made: list[AnyCommand] = []
    for number, size in enumerate(sizes):
        order = buy if size > 0 else sell
        made.append(order(f"r{number}", abs(size) * 1_000))
    return made


def flat_by(way: str, policy: RiskPolicy) -> RiskPolicy:
    """The policy by which that happens."""
    if way != "drawdown":
        return policy
    return RiskPolicy(
        account=policy.account,
        strategies=policy.strategies,
        instruments=policy.instruments,
        protection=Protection(flatten_at=Decimal("0.0000001")),
    )


@pytest.mark.parametrize("way", ["flatten", "kill", "drawdown"])
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    by_hand=st.lists(LOTS.filter(bool), max_size=2).map(tuple),
    by_strategy=st.lists(LOTS.filter(bool), max_size=2).map(tuple),
    policy=policies(),
    resting=st.sampled_from([None, "BUY", "SELL"]),
    is_viewed=st.booleans(),
    oms=st.sampled_from(["NETTING", "HEDGING"]),
)
@example(
    by_hand=(5,),
    by_strategy=(-3,),
    policy=RiskPolicy(account=Limits(position=Decimal(1_000))),
    resting=None,
    is_viewed=False,
    oms="NETTING",
)
def test_all_is_closed(
    way: str,
    by_hand: tuple[int, ...],
    by_strategy: tuple[int, ...],
    policy: RiskPolicy,
    resting: str | None,
    is_viewed: bool,
    oms: Any,
) -> None:
    assume(way != "drawdown" or by_hand or by_strategy)  # who trades nothing loses nothing
    Holder.sizes = by_strategy
    rules = VenueRules(oms=oms)
    with closing(session(strategy=Holder, venue_rules=rules, arm="paper")) as run:
        go(run, 500)
        obey(run, *trades(by_hand))
        if resting is not None:
            away = price(500, -40 if resting == "BUY" else 40)
            order = buy if resting == "BUY" else sell
            obey(run, order("rest", 4_000, type="LIMIT", price=away))
        obey(run, SetPolicy(flat_by(way, policy)))
        if is_viewed:
            obey(run, SetArmState(state="view"))
        events = []
        if way == "flatten":
            events += obey(run, Flatten())
        elif way == "kill":
            events += obey(run, Kill())
        events += go(run, LAST if way == "drawdown" else 700)
        assert [(each.intent, each.denial.text) for each in of(events, Denied)] == []
        assert not run.course.desk._cache.positions_open()
        assert not run.course.desk._cache.orders_open()
