"""Live trading through the engine's own Binance adapter at the local exchange, which knows the truth."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nautilus_trader.model import OrderSide, QuoteTick

import engine.nautilus.doubt as doubt
from engine.errors import UserError
from engine.messages.commands import (
    Cancel,
    Finish,
    Flatten,
    Kill,
    Preview,
    Rearm,
    SetArmState,
    Submit,
)
from engine.messages.connection import Connection
from engine.messages.events import (
    AccountChanged,
    ArmStateChanged,
    ConnectionChanged,
    Denied,
    Filled,
    HaltChanged,
    HaltStep,
    OrderChanged,
    Phase,
    PositionChanged,
    Refused,
    Results,
)
from engine.messages.orders import HAND, OrderIntent, OrderType, Side
from engine.messages.run import Mode, Run, VenueRules
from engine.nautilus.instrument import price, quantity
from engine.nautilus.strategy import Context, StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping
from engine.session import live_control
from engine.session.live import LiveSession
from engine.session.live_market import market_at
from engine.session.memory import DayMemory, SessionMemory
from tests.engine.session.live_sessions import Driven
from tests.venue import Setup, ThreadVenue, levels
from tests.venue.client import Client, ClientSetup

ETH = "ETHUSDT-PERP.BINANCE"
LIVE = "Puppet-002"


class Puppet(StationStrategy):
    """Does what a test says between the session's turns."""

    newest: "Puppet | None" = None

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.quotes = 0
        self.recalled: dict[str, str] | None = None
        Puppet.newest = self

    def remember(self) -> dict[str, str]:
        return {"words": "to myself"}

    def recall(self, state: dict[str, str]) -> None:
        self.recalled = state

    def on_start(self) -> None:
        self.watch("quotes")

    def on_quote(self, _quote: QuoteTick) -> None:
        self.quotes += 1

    def market(self, side: str, size: str) -> str:
        amount = quantity(Decimal(size), self.instrument)
        order = self.order_factory.market(self.instrument_id, _side(side), amount)
        self.submit(order)
        return str(order.client_order_id)

    def limit(self, side: str, size: str, at: str) -> str:
        amount, limit = quantity(Decimal(size), self.instrument), price(Decimal(at), self.instrument)
        order = self.order_factory.limit(self.instrument_id, _side(side), amount, limit)
        self.submit(order)
        return str(order.client_order_id)


def _side(name: str) -> OrderSide:
    return OrderSide.BUY if name == "BUY" else OrderSide.SELL


@contextmanager
def at(
    venue: ThreadVenue,
    *,
    mode: Mode = "live",
    arm: bool = True,
    memory: Path | None = None,
    day: Path | None = None,
    recorder: SessionRecorder | None = None,
    **parameters: Any,
) -> Iterator[tuple[Driven, Puppet]]:
    """A session at the venue with a puppet, once quotes come."""
    connection = Connection(
        name="local",
        adapter="binance_futures",
        parameters={
            "environment": "testnet",
            "base_url_http": venue.at.http,
            "base_url_ws": venue.at.ws,
            "base_url_ws_trading": venue.at.trading,
            **parameters,
        },
    )
    rules = VenueRules(balance=Decimal(5_000))
    run = Run(
        instrument=ETH,
        mode=mode,
        connection=connection,
        venue=rules,
        arm="paper" if mode == "paper" else "view",
    )
    secrets = {"api_key": venue.setup.key, "api_secret": venue.setup.secret}
    session = LiveSession(
        run,
        market_at(run, secrets),
        strategy=Puppet,
        recorder=recorder,
        memory=None if memory is None else SessionMemory(memory),
        day=None if day is None else DayMemory(day),
    )
    driven = Driven(session)
    try:
        driven.until(lambda: session.phase == Phase.PLAYING)
        driven.until(lambda: session.feed_age_s is not None)
        assert Puppet.newest is not None
        if mode == "live" and arm:
            session.handle(SetArmState(state="live", account="local"))
        yield driven, Puppet.newest
    finally:
        Puppet.newest = None
        session.close()


def orders(driven: Driven, order_id: str) -> list[OrderChanged]:
    return [event for event in driven.told(OrderChanged) if event.order_id == order_id]


def statuses(driven: Driven, order_id: str) -> list[str]:
    return [event.status for event in orders(driven, order_id)]


def is_now(driven: Driven, order_id: str, status: str) -> bool:
    return statuses(driven, order_id)[-1:] == [status]


def test_orders_fill_at_the_venue_and_both_agree_on_the_account(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        assert driven.told(AccountChanged)[0].balances[0].total == 10_000
        assert puppet.context.balance == 10_000  # not the paper balance of the run
        order_id = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        assert statuses(driven, order_id) == ["SUBMITTED", "ACCEPTED", "FILLED"]
        assert orders(driven, order_id)[-1].venue_order_id
        (fill,) = driven.told(Filled)
        assert (fill.price, fill.quantity, fill.strategy) == (Decimal("2000.10"), Decimal("0.500"), LIVE)
        assert driven.told(PositionChanged)[-1].quantity == Decimal("0.500")
        truth = venue.truth()
        driven.until(lambda: driven.told(AccountChanged)[-1].balances[0].total == truth.wallet)
        assert fill.fee == truth.fees
        driven.session.handle(Finish())
        assert driven.told(Results)[0].starting_balance == "10000.00000000 USDT"
        assert driven.told(Results)[0].open_position == "+0.500 ETH"


def test_real_orders_wait_for_the_accounts_name_and_stop_when_the_time_is_over(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_control, "ARMED_LIVE_NS", 300_000_000)
    with at(venue, arm=False) as (driven, puppet):
        driven.session.handle(SetArmState(state="live", account="another"))
        driven.session.handle(SetArmState(state="paper"))
        assert [event.text for event in driven.told(Refused)] == [
            "Type the account's name, local, to arm it.",
            "This session trades at a venue; arm it live, or open a paper session.",
        ]
        driven.session.handle(Submit(request="r1", intents=(by_hand("0.1"),)))
        assert [event.denial.rule for event in driven.told(Denied)] == ["view"]
        driven.session.handle(SetArmState(state="live", account="local"))
        assert driven.session.take_picture().control.expires_ns is not None
        driven.session.handle(Submit(request="r2", intents=(by_hand("0.1"),)))
        driven.until(lambda: driven.told(Filled))
        driven.until(lambda: driven.told(ArmStateChanged)[-1].by == "rule")
        puppet.market("BUY", "0.1")
        assert [event.denial.rule for event in driven.told(Denied)] == ["view", "view"]
        assert len(venue.truth().orders) == 1


def by_hand(size: str, side: Side = "BUY", kind: OrderType = "MARKET", **rest: Decimal) -> OrderIntent:
    intent = OrderIntent(instrument=ETH, strategy=HAND, side=side, type=kind, quantity=Decimal(size))
    return msgspec.structs.replace(intent, **rest)


@pytest.mark.parametrize(
    ("kind", "prices", "ask"),
    [
        ("STOP_MARKET", {"trigger": Decimal(2100)}, "2110.10"),
        ("STOP_LIMIT", {"trigger": Decimal(2100), "price": Decimal(2120)}, "2110.10"),
        ("MARKET_IF_TOUCHED", {"trigger": Decimal(1900)}, "1890.10"),
    ],
)
def test_a_stop_by_hand_waits_at_the_venue_and_fills_when_it_is_reached(
    venue: ThreadVenue, kind: OrderType, prices: dict[str, Decimal], ask: str
) -> None:
    with at(venue) as (driven, _):
        driven.session.handle(Submit(request="r1", intents=(by_hand("0.1", "BUY", kind, **prices),)))
        driven.until(lambda: "ACCEPTED" in [event.status for event in driven.told(OrderChanged)])
        assert len(venue.truth().waiting) == 1
        venue.show(*levels(str(Decimal(ask) - Decimal("0.10")), ask), clears=True)
        venue.trade(ask, "0.5", "BUY")
        driven.until(lambda: driven.told(Filled))
        assert driven.told(Filled)[0].price == Decimal(ask)


def test_the_kill_switch_leaves_nothing_at_the_venue_whoever_opened_it(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        bought = puppet.market("BUY", "0.5")
        working = puppet.limit("BUY", "0.2", "1900.00")
        driven.until(lambda: is_now(driven, "TAKEN", "FILLED") and is_now(driven, bought, "FILLED"))
        driven.until(lambda: is_now(driven, working, "ACCEPTED"))
        driven.session.handle(Kill())
        driven.until(lambda: [e.step for e in driven.told(HaltChanged)][-1:] == [HaltStep.HALTED])
        truth = venue.truth()
        assert truth.positions == {}
        assert {order.status for order in truth.orders} == {"FILLED", "CANCELED"}
        driven.session.handle(Rearm("local"))
        assert driven.told(HaltChanged)[-1].step == HaltStep.NONE


def test_paper_trading_needs_no_key_and_leaves_no_order_at_the_venue(venue: ThreadVenue) -> None:
    with at(venue, mode="paper") as (driven, puppet):
        assert driven.told(AccountChanged)[0].balances[0].total == 5_000
        sizes = itertools.count(1)

        def has_book() -> bool:
            venue.show(("BUY", "1990.00", str(next(sizes))))  # a book is known from a change on
            return driven.session.take_picture().markets[0].bids.size > 1

        driven.until(has_book)
        order_id = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        assert driven.told(Filled)[0].price == Decimal("2000.10")
        assert venue.truth().orders == ()


def test_a_restarted_session_takes_its_orders_and_its_position_over(
    venue: ThreadVenue, tmp_path: Path
) -> None:
    memory = tmp_path / "memory" / "local.json"
    with at(venue, memory=memory) as (driven, puppet):
        assert puppet.recalled is None
        bought = puppet.market("BUY", "0.5")
        working = puppet.limit("SELL", "0.2", "2100.00")
        driven.until(lambda: is_now(driven, bought, "FILLED") and is_now(driven, working, "ACCEPTED"))
    with at(venue, memory=memory) as (driven, puppet):
        assert puppet.recalled == {"words": "to myself"}
        assert [(event.order_id, event.strategy) for event in driven.told(OrderChanged)] == [(working, LIVE)]
        (position,) = driven.told(PositionChanged)
        assert (position.quantity, position.strategy) == (Decimal("0.500"), LIVE)
        assert puppet.held() == Decimal("0.500")
        assert puppet.net_position() == Decimal("0.300")  # counting the order at work
        with Client(other(venue)) as someone:  # what others do from now on is not the strategy's
            someone.wait(lambda event: event["event"] == "quote")
            someone.do("limit", id="THEIRS", side="BUY", size="0.4", price="1900.00")
            driven.until(lambda: is_now(driven, "THEIRS", "ACCEPTED"))
        assert orders(driven, "THEIRS")[0].strategy == "EXTERNAL"
        driven.session.handle(Cancel(working))
        driven.until(lambda: is_now(driven, working, "CANCELED"))
        puppet.go_to(Decimal(0))
        driven.until(lambda: not venue.truth().positions)
        driven.until(lambda: driven.told(PositionChanged)[-1].closed_ns is not None)


def test_without_resuming_an_earlier_sessions_orders_are_shown_as_theirs_and_the_position_is_foreign(
    venue: ThreadVenue,
) -> None:
    with at(venue) as (driven, puppet):
        bought = puppet.market("BUY", "0.5")
        working = puppet.limit("SELL", "0.2", "2100.00")
        driven.until(lambda: is_now(driven, bought, "FILLED") and is_now(driven, working, "ACCEPTED"))
    with at(venue) as (driven, puppet):
        driven.until(lambda: driven.told(OrderChanged) and driven.told(PositionChanged))
        assert [(event.order_id, event.strategy) for event in driven.told(OrderChanged)] == [(working, LIVE)]
        assert [event.strategy for event in driven.told(PositionChanged)] == ["EXTERNAL"]
        assert puppet.held() == 0


def test_foreign_orders_are_told_apart_and_flattened_with_the_rest(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        someone.do("limit", id="THEIRS", side="BUY", size="0.4", price="1900.00")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        driven.until(lambda: is_now(driven, "TAKEN", "FILLED") and is_now(driven, "THEIRS", "ACCEPTED"))
        assert {event.strategy for event in driven.told(OrderChanged)} == {"EXTERNAL"}
        assert [(each.strategy, each.quantity) for each in driven.told(Filled)] == [
            ("EXTERNAL", Decimal("0.700"))
        ]
        assert driven.told(PositionChanged)[-1].strategy == "EXTERNAL"
        assert puppet.held() == 0
        mine = puppet.market("SELL", "0.2")
        driven.until(lambda: is_now(driven, mine, "FILLED"))
        assert driven.session.course.venue.net_position == Decimal("0.500")
        driven.session.handle(Flatten())
        driven.until(lambda: not venue.truth().positions and is_now(driven, "THEIRS", "CANCELED"))
        assert driven.session.course.venue.desk.positions() == []


def test_what_was_on_its_way_when_all_was_flattened_is_closed_once_it_has_filled(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        driven.session.handle(Submit(request="r1", intents=(by_hand("0.3"),)))
        driven.session.handle(Flatten())
        driven.until(lambda: len(driven.told(Filled)) == 2)
        driven.until(lambda: driven.told(PositionChanged)[-1].closed_ns is not None)
        assert venue.truth().positions == {}


def other(venue: ThreadVenue) -> ClientSetup:
    return ClientSetup(
        http=venue.at.http,
        ws=venue.at.ws,
        trading=venue.at.trading,
        key=venue.setup.key,
        secret=venue.setup.secret,
    )


def test_an_order_whose_answer_is_lost_is_in_doubt_until_the_venue_tells(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "DOUBT_S", 0.5)
    with at(venue) as (driven, puppet):
        venue.inject("blind_ack")
        order_id = puppet.market("BUY", "0.3")
        driven.until(lambda: is_now(driven, order_id, "IN_DOUBT"))
        assert "may or may not be at work" in orders(driven, order_id)[-1].reason
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        truth = venue.truth()
        assert [order.client_id for order in truth.orders] == [order_id]  # never sent again
        driven.until(lambda: driven.told(AccountChanged)[-1].balances[0].total == truth.wallet)


def test_an_order_that_never_arrived_is_in_doubt_until_a_venue_that_answers_knows_of_none(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DOUBT_S": 0.5, "_ASK_EVERY_S": 0.3, "_SURELY_LOST_S": 2.0}.items():
        monkeypatch.setattr(doubt, name, value)
    with at(venue, ws_trading=False) as (driven, puppet):
        venue.inject("http_5xx")
        order_id = puppet.market("BUY", "0.3")
        driven.until(lambda: is_now(driven, order_id, "IN_DOUBT"))
        assert puppet.net_position() == Decimal("0.300")  # it may fill, so nothing is ordered in its place
        driven.until(lambda: is_now(driven, order_id, "REJECTED"))
        assert "knows no such order" in orders(driven, order_id)[-1].reason
        assert venue.truth().orders == ()
        assert puppet.net_position() == 0


def test_while_the_venue_is_away_an_order_stays_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"DOUBT_S": 0.5, "_ASK_EVERY_S": 0.3, "_SURELY_LOST_S": 1.0}.items():
        monkeypatch.setattr(doubt, name, value)
    with ThreadVenue(Setup(pause_s=6.0)) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        with at(venue, ws_trading=False) as (driven, puppet):
            venue.inject("restart")
            order_id = puppet.market("BUY", "0.3")
            driven.until(lambda: is_now(driven, order_id, "IN_DOUBT"))
            until = time.monotonic() + 3.5
            driven.until(lambda: time.monotonic() > until)
            assert is_now(driven, order_id, "IN_DOUBT")
            driven.until(lambda: is_now(driven, order_id, "REJECTED"))
            assert venue.truth().orders == ()


def test_a_cancellation_that_never_arrived_leaves_the_order_at_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"DOUBT_S": 0.5, "_ASK_EVERY_S": 0.3, "_SURELY_LOST_S": 1.0}.items():
        monkeypatch.setattr(doubt, name, value)
    with ThreadVenue(Setup(pause_s=4.0)) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        with at(venue) as (driven, puppet):
            order_id = puppet.limit("BUY", "0.3", "1900.00")
            driven.until(lambda: is_now(driven, order_id, "ACCEPTED"))
            venue.inject("restart")
            driven.session.handle(Cancel(order_id))
            driven.until(lambda: "PENDING_CANCEL" in statuses(driven, order_id))
            # Where the adapter sees at once that it has no connection, there is no doubt to begin with.
            driven.until(lambda: is_now(driven, order_id, "ACCEPTED"))
            doubts = [event.reason for event in orders(driven, order_id) if event.status == "IN_DOUBT"]
            assert all("the cancellation" in reason for reason in doubts)
            assert "CANCELED" not in statuses(driven, order_id)
            assert [order.status for order in venue.truth().orders] == ["NEW"]
            driven.session.handle(Cancel(order_id))
            driven.until(lambda: is_now(driven, order_id, "CANCELED"))
            assert [order.status for order in venue.truth().orders] == ["CANCELED"]


def test_a_lost_connection_is_told_and_trading_goes_on_when_it_is_back(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        venue.inject("restart")
        driven.until(lambda: driven.told(ConnectionChanged)[-1].state == "reconnecting")
        driven.until(lambda: driven.told(ConnectionChanged)[-1].state == "connected")
        venue.show(("BUY", "2000.05", "1"))
        quotes = puppet.quotes
        driven.until(lambda: puppet.quotes > quotes)
        order_id = puppet.market("BUY", "0.1")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))


def test_keys_stand_in_nothing_that_a_session_writes(venue: ThreadVenue, tmp_path: Path) -> None:
    recorder = SessionRecorder(Keeping(root=str(tmp_path)))
    with at(venue, recorder=recorder) as (driven, puppet):
        order_id = puppet.market("BUY", "0.1")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        told = repr(driven.events)
    for planted in (venue.setup.key, venue.setup.secret):
        assert planted not in told
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert written
        assert not [path for path in written if planted.encode() in path.read_bytes()]


def test_an_instrument_that_the_venue_has_not_is_refused(venue: ThreadVenue) -> None:
    connection = Connection(
        name="local",
        adapter="binance_futures",
        parameters={
            "environment": "testnet",
            "base_url_http": venue.at.http,
            "base_url_ws": venue.at.ws,
        },
    )
    run = Run(instrument="NONE-PERP.BINANCE", mode="paper", connection=connection)
    with pytest.raises(UserError, match=r"has no NONE-PERP\.BINANCE"):
        market_at(run, {})
    elsewhere = msgspec.structs.replace(run, instrument="EURUSD.DUKASCOPY")
    with pytest.raises(UserError, match=r"local trades at BINANCE, where there is no EURUSD\.DUKASCOPY"):
        market_at(elsewhere, {})


def test_a_second_gate_stands_before_the_venue_whatever_passed_the_first(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        sent = [puppet.limit("BUY", "0.01", "1900.00") for _ in range(120)]
        ended = (["ACCEPTED"], ["REJECTED"], ["DENIED"])
        driven.until(lambda: all(statuses(driven, order_id)[-1:] in ended for order_id in sent))
        denied = [orders(driven, order_id)[-1] for order_id in sent if is_now(driven, order_id, "DENIED")]
        assert len(denied) == 20
        assert "RATE_LIMIT" in denied[0].reason
        assert len(venue.truth().orders) == 100


def test_a_fee_that_nobody_knows_is_not_told_as_nothing(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        wanted = OrderIntent(
            instrument=ETH, strategy=HAND, side="BUY", type="MARKET", quantity=Decimal("0.5")
        )
        driven.session.handle(Preview(request="p", intents=(wanted,)))
        answer = driven.session.take_picture().preview
        assert answer is not None
        assert answer.notional == Decimal("1000.05")
        assert answer.fee is None
