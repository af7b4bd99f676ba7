"""Paper trading on recorded data served live: the events of a replay, on the wall clock."""

import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from nautilus_trader.model import OrderSide, QuoteTick

from engine.bars import BarSpec
from engine.columns import Columns, Quotes
from engine.completed_bars import CompletedBars
from engine.errors import UserError
from engine.messages.commands import (
    AnyCommand,
    Cancel,
    CancelSeek,
    Finish,
    Pause,
    Play,
    Seek,
    SetArming,
    SetLoop,
    SetSpeed,
    Step,
    StepTo,
    Submit,
)
from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    ConnectionChanged,
    Filled,
    Logged,
    OrderChanged,
    Phase,
    PhaseChanged,
    PositionChanged,
    Published,
    Refused,
    Results,
    SignalActed,
    Signalled,
    TwapChanged,
)
from engine.messages.orders import Twap
from engine.messages.run import VenueRules
from engine.nautilus.instrument import quantity
from engine.nautilus.strategy import Context, StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.recording.recording import Recording
from engine.recording.writing import Keeping
from engine.session.feed_watch import FeedWatch
from engine.session.source import RecordedSource
from tests.engine.nautilus.desks import wanted
from tests.engine.session.live_sessions import Driven, paper
from tests.engine.session.markets import CRYPTO, START_NS, crypto, crypto_columns, obey, session
from tests.engine.session.strategies import Market
from tests.engine.signals.fakes import INFERENCE, FakeModel, facts

SECOND = 1_000_000_000


class RoundTrip(StationStrategy):
    """Buys at its fifth quote and sells at its tenth."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.seen = 0

    def on_start(self) -> None:
        self.watch("quotes")

    def on_quote(self, _quote: QuoteTick) -> None:
        self.seen += 1
        side = {5: OrderSide.BUY, 10: OrderSide.SELL}.get(self.seen)
        if side is not None:
            size = quantity(3 * self.instrument.lot_size, self.instrument)
            self.submit(self.order_factory.market(self.instrument_id, side, size))


class Raising(StationStrategy):
    """Has a mistake in it."""

    def on_start(self) -> None:
        self.watch("quotes")

    def on_quote(self, _quote: QuoteTick) -> None:
        raise RuntimeError("no such thing")


def lives(events: list[AnyEvent]) -> list[tuple[object, ...]]:
    """What became of orders and positions, without times and prices."""
    told: list[tuple[object, ...]] = []
    for event in events:
        match event:
            case OrderChanged():
                told.append(("order", event.side, event.type, event.status, event.quantity, event.filled))
            case Filled():
                told.append(("fill", event.side, event.quantity, event.liquidity, event.fee_currency))
            case PositionChanged():
                told.append(("position", event.quantity, event.currency, event.closed_ns is None))
            case AccountChanged():
                told.append(("account", event.balances[0].currency))
            case _:
                pass
    return told


def closed(driven: Driven) -> bool:
    return any(event.closed_ns for event in driven.told(PositionChanged))


def test_orders_tell_the_same_story_as_in_a_replay() -> None:
    with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0) as driven:
        driven.until(lambda: closed(driven))
        driven.until(lambda: driven.told(AccountChanged)[-1].balances[0].locked == 0)
        live = lives(driven.events)
    replayed = session(*crypto_columns(), strategy=RoundTrip)
    past = lives(obey(replayed, Finish()))
    replayed.close()
    assert live[0] == ("account", "USDT")  # before anything was traded
    assert live[1:] == past


def test_the_account_is_the_starting_balance_and_what_fills_made_of_it() -> None:
    rules = VenueRules(balance=Decimal(50_000), taker_fee=Decimal("0.001"))
    with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0, venue_rules=rules) as driven:
        driven.until(lambda: closed(driven))
        driven.session.handle(Finish())
        buy, sell = driven.told(Filled)
        paid = buy.fee + sell.fee
        assert paid == (buy.price * buy.quantity + sell.price * sell.quantity) * Decimal("0.001")
        expected = 50_000 + (sell.price - buy.price) * buy.quantity - paid
        assert driven.told(AccountChanged)[-1].balances[0].total == expected
        risk = driven.session.take_picture().risks[0]
        assert risk.equity == pytest.approx(float(expected))
        assert risk.fees == pytest.approx(float(paid))
        results = driven.told(Results)[0]
        assert results.final_balance == f"{expected} USDT"
        assert (results.orders, results.fills, results.open_position) == (2, 2, None)


def test_an_order_arrives_after_the_latency_of_the_wall_clock() -> None:
    with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0, latency_ms=60.0) as driven:
        driven.until(lambda: driven.told(Filled))
        sent = next(event for event in driven.told(OrderChanged) if event.status == "SUBMITTED")
        assert 60e6 <= driven.told(Filled)[0].ts - sent.ts < 500e6


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_twap_is_told_to_its_end_where_its_slices_are_told_later_than_sent(cancelled: bool) -> None:
    with paper(speed=10.0, latency_ms=20.0) as driven:
        driven.until(lambda: driven.session.take_picture().health.ticks)
        slices = wanted("BUY", 3_000, twap=Twap(horizon_s=0.9, interval_s=0.3))
        driven.session.handle(Submit(request="r1", intents=(slices,)))
        driven.until(lambda: any(each.order.filled for each in driven.told(TwapChanged)))
        if cancelled:
            driven.session.handle(Cancel("r1"))
        driven.until(lambda: driven.told(TwapChanged)[-1].order.status in ("FILLED", "CANCELED", "EXPIRED"))
        last = driven.told(TwapChanged)[-1]
        bought = sum(fill.quantity for fill in driven.told(Filled))
        assert last.order.filled == bought
        assert last.order.status == ("CANCELED" if cancelled else "FILLED")
        assert (bought == 3_000) != cancelled
        driven.session.handle(Finish())
        driven.until(lambda: driven.told(Results))
        [results] = driven.told(Results)
        assert results.orders == last.sent, "the whole is no order at the venue"


def test_events_and_market_count_on_the_same_clock_the_present() -> None:
    before = time.time_ns()
    with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0) as driven:
        driven.until(lambda: closed(driven), watched=True)
        shown = np.concatenate([each.markets[0].quotes["ts"] for each in driven.pictures])
        assert before <= shown.min() <= driven.told(Filled)[0].ts <= time.time_ns()
        assert np.all(np.diff(shown) >= 0)
        transport = driven.pictures[-1].transport
        assert (transport.phase, transport.speed) == (Phase.PLAYING, 4.0)
        assert before <= transport.start < transport.now <= time.time_ns()


def test_pictures_hold_every_row_once_and_again_for_who_comes_back() -> None:
    made = crypto()
    with paper(*crypto_columns(), speed=0.0) as driven:
        driven.until(lambda: driven.told(ConnectionChanged)[-1].state == "ended", watched=True)
        driven.until(lambda: driven.session.take_picture().health.ticks >= len(made.quotes))
        driven.until(lambda: _count(driven, "quotes") == len(made.quotes), watched=True)
        assert _count(driven, "trades") == len(made.trades)
        assert driven.pictures[0].instruments == [CRYPTO]
        driven.session.rewatch()
        again = driven.session.take_picture()
        assert again.instruments == [CRYPTO]
        assert len(again.markets[0].quotes) == len(made.quotes)
        np.testing.assert_allclose(again.markets[0].quotes["bid"], made.quotes.bid / 10)
        assert len(again.markets[0].bids) == len(driven.pictures[-1].markets[0].bids) > 0


def _count(driven: Driven, kind: str) -> int:
    return sum(len(getattr(each.markets[0], kind)) for each in driven.pictures)


@pytest.mark.parametrize(
    "command", [Play(), Pause(), StepTo(Step.TICK), Seek(START_NS), CancelSeek(), SetLoop(1, 2)]
)
def test_a_live_market_is_neither_paused_nor_sought(command: AnyCommand) -> None:
    with paper() as driven:
        driven.session.handle(command)
        (refused,) = driven.told(Refused)
        assert "can't be paused" in refused.text
        driven.until(lambda: driven.session.phase == Phase.PLAYING)


def test_the_speed_of_what_is_served_can_be_set_and_an_impossible_one_is_refused() -> None:
    with paper(*crypto_columns(), speed=1.0) as driven:
        driven.until(lambda: driven.session.feed_age_s is not None)
        driven.session.handle(SetSpeed(5000.0))
        driven.session.handle(SetSpeed(20.0))
        assert len(driven.told(Refused)) == 1
        began = time.monotonic()
        driven.until(lambda: driven.told(ConnectionChanged)[-1].state == "ended")
        assert time.monotonic() - began < 10  # of twenty seconds of market
        assert driven.session.take_picture().transport.speed == 20.0


def test_an_impossible_speed_is_refused_before_anything_starts() -> None:
    with pytest.raises(UserError, match="Speed -1 is not possible"), paper(speed=-1.0):
        pass


def test_it_stops_without_waiting_for_the_market_to_end() -> None:
    with paper(*crypto_columns(), strategy=Market, speed=0.1) as driven:  # for another 200 s
        driven.until(lambda: driven.told(Filled))
        began = time.monotonic()
    assert time.monotonic() - began < 10.0


def test_the_end_of_a_recording_is_told_and_the_session_stays_until_it_is_ended() -> None:
    few = crypto().quotes.take(slice(0, 20))
    with paper(few, speed=0.0) as driven:
        driven.until(lambda: driven.told(ConnectionChanged)[-1].state == "ended")
        assert [event.state for event in driven.told(ConnectionChanged)] == [
            "connecting",
            "connected",
            "ended",
        ]
        assert driven.session.phase == Phase.PLAYING
        driven.session.handle(Finish())
        assert driven.told(PhaseChanged)[-1].phase == Phase.FINISHED
        assert driven.told(Results)[0].ticks == 20
        assert not driven.session.advance(0.0)
        driven.session.handle(Finish())
        assert driven.told(Refused)[-1].text == "The session has ended; open another."


def test_the_feeds_age_grows_when_nothing_comes_any_more() -> None:
    few = crypto().quotes.take(slice(0, 20))
    with paper(few, speed=0.0) as driven:
        assert driven.session.take_picture().control.feed_age_s is None
        driven.until(lambda: (driven.session.feed_age_s or 0) > 0.3)
        control = driven.session.take_picture().control
        assert control.mode == "paper"
        assert control.feed_age_s is not None
        assert 0.3 < control.feed_age_s < 10


def test_a_stale_feed_is_told_once_and_told_again_when_it_comes_back() -> None:
    watch, now = FeedWatch("here", stale_s=5.0), START_NS
    assert watch.look(now + 5 * SECOND, now, ended=False) == []
    (stale,) = watch.look(now + 6 * SECOND, now, ended=False)
    assert isinstance(stale, Logged)
    assert (stale.level, stale.text) == ("warning", "The feed is stale: nothing came from here for 6 s.")
    assert watch.is_stale
    assert watch.look(now + 7 * SECOND, now, ended=False) == []
    (fresh,) = watch.look(now + 8 * SECOND, now + 8 * SECOND, ended=False)
    assert isinstance(fresh, Logged)
    assert fresh.text == "Market data come from here again."
    assert not watch.is_stale


@pytest.mark.expects_log
def test_a_strategys_mistake_is_told_and_the_session_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with paper(*crypto_columns(), strategy=Raising) as driven:
        driven.until(lambda: any(event.level == "warning" for event in driven.told(Logged)))
        told = [event for event in driven.told(Logged) if event.level in ("error", "warning")]
        assert [event.level for event in told] == ["error", "warning"]
        assert "no such thing" in told[0].text
        ticks = driven.session.take_picture().health.ticks
        driven.until(lambda: driven.session.take_picture().health.ticks > ticks)
        assert driven.session.phase == Phase.PLAYING
    assert "no such thing" in capfd.readouterr().err


def test_quotes_without_sizes_fill_and_say_so() -> None:
    quotes = crypto().quotes
    none = np.zeros(len(quotes), np.int64)
    untold: Columns = quotes.with_arrays({"bid_size": none, "ask_size": none})
    with paper(untold, strategy=RoundTrip, speed=4.0) as driven:
        driven.until(lambda: closed(driven), watched=True)
        assert any("without sizes" in event.text for event in driven.told(Logged))
        assert max(each.markets[0].quotes["bid_size"].max(initial=0) for each in driven.pictures) == 0


def test_what_is_recorded_can_be_replayed(tmp_path: Path) -> None:
    recorder = SessionRecorder(Keeping(root=str(tmp_path)))
    with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0, recorder=recorder) as driven:
        driven.until(lambda: closed(driven))
        driven.session.handle(Finish())
        shown = driven.session.take_picture().health.ticks
        events = driven.told(OrderChanged)
    (folder,) = tmp_path.iterdir()
    recording = Recording(folder)
    kept = [line.event for line in recording.lines() if isinstance(line.event, OrderChanged)]
    assert kept == events
    assert recording.manifest.run.mode == "paper"
    source = RecordedSource(recording.manifest.run.__class__(instrument="", recording=str(folder)))
    rows = dict.fromkeys(source.kinds, 0)
    for chunk in source.chunks():
        for kind, columns in chunk.columns.items():
            rows[kind] += len(columns)
    made = crypto()
    assert 0 < rows["quotes"] < len(made.quotes)
    assert sum(rows.values()) >= shown


def test_a_model_is_asked_as_the_market_comes_and_its_signals_are_acted_on() -> None:
    with paper(
        *crypto_columns(),
        strategy="ai_signal",
        model=FakeModel(facts(latency_ns=2_000_000), None, 1, 0),
        inference=INFERENCE,
        parameters={"horizon": "off", "cool_down_s": 0.0},
        speed=10.0,
    ) as driven:
        driven.until(lambda: driven.told(SignalActed), watched=True)
        signal, acted = driven.told(Signalled)[0], driven.told(SignalActed)[0]
        assert acted.signal == signal.number
        assert acted.ts >= signal.ts + 2_000_000
        assert acted.verdict == "ordered"
        assert sum(len(each.predictions[0].rows) for each in driven.pictures) > 0
        driven.session.handle(SetArming("off"))
        driven.until(lambda: any("Switched to off" in event.text for event in driven.told(Logged)))


def test_a_model_of_bars_gets_those_that_a_replay_would_give_it_and_acts_on_them() -> None:
    told = facts(streams=frozenset({"bars"}), clock="bars", bars="10-TICK-MID", latency_ns=2_000_000)
    model = FakeModel(told, None, 1, 0)
    columns = crypto_columns()
    with paper(
        *columns,
        strategy="ai_signal",
        model=model,
        inference=INFERENCE,
        parameters={"horizon": "off", "cool_down_s": 0.0, "enter": 0.01, "exit": 0.0},
        speed=10.0,
    ) as driven:
        driven.until(lambda: len(model.streams[0].clock) >= 12 and driven.told(SignalActed))
        quoted = next(each for each in columns if isinstance(each, Quotes))
        bars, _ = CompletedBars(BarSpec.parse("10-TICK-MID")).closed(quoted)
        closes = (bars.close / 10.0**bars.price_precision).tolist()
        known = model.streams[0].clock
        assert [price for _, price in known] == closes[: len(known)]
        assert [ts for ts, _ in known] == sorted(ts for ts, _ in known)
        acted = driven.told(SignalActed)[0]
        assert acted.verdict == "ordered"
        assert any("10 times" in each.text for each in driven.told(Logged) if each.level == "warning")


@pytest.mark.parametrize(
    ("told", "mode", "words"),
    [
        ({}, "batch", "can't be predicted beforehand"),
        ({"streams": frozenset({"quotes", "news"})}, "per-tick", "reads news"),
    ],
)
def test_a_model_of_what_a_live_market_has_not_is_refused(
    told: dict[str, object], mode: str, words: str
) -> None:
    inference = INFERENCE.__class__(models=INFERENCE.models, mode=mode)  # type: ignore[arg-type]
    model = FakeModel(facts(**told), None, 1, 0)
    with (
        pytest.raises(UserError, match=words),
        paper(*crypto_columns(), strategy="ai_signal", model=model, inference=inference),
    ):
        pass


def test_two_sessions_follow_each_other_in_one_thread() -> None:
    for _ in range(2):
        with paper(*crypto_columns(), strategy=RoundTrip, speed=4.0) as driven:
            driven.until(lambda: closed(driven))
            assert not driven.told(Published)
