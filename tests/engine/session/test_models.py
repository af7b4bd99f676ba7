"""A model in a session: the same orders however it is asked, never early, armed as a person says."""

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.columns import Columns, Deltas, Flag
from engine.errors import UserError
from engine.messages.columns import Rows
from engine.messages.commands import AnyCommand, Explain, Finish, Play, Seek, SetArming, SetSpeed
from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    ArmingChanged,
    EpochBegan,
    Filled,
    Logged,
    OrderChanged,
    PositionChanged,
    Refused,
    Results,
    SignalActed,
    SignalJudged,
    Signalled,
)
from engine.messages.run import Inference, VenueRules
from engine.session.backtest import backtest, random_windows
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource
from engine.signals.protocols import Forecast, ModelFacts
from tests.engine.session.markets import FX, START_NS, crypto, obey, quotes, session
from tests.engine.signals.fakes import (
    BATCH,
    FACTS,
    INFERENCE,
    FakeModel,
    FakeRange,
    FakeStream,
    facts,
    health,
)

SECOND = 1_000_000_000
EXITS = {"stop_bps": 0.5, "take_profit_bps": 0.4}


def coin() -> tuple[Columns, ...]:
    """Twenty seconds of a generated coin: quotes, trades and book."""
    market = crypto()
    return market.quotes, market.trades, market.deltas


def modelled(
    *columns: Columns,
    inference: Inference = INFERENCE,
    told: ModelFacts = FACTS,
    silent_at: int | None = None,
    parameters: dict[str, Any] | None = None,
    stride: int = 1,
    late: int = 0,
    **run: Any,
) -> ReplaySession:
    """Session that follows a fake model."""
    return session(
        *columns,
        strategy="ai_signal",
        model=FakeModel(told, silent_at, stride, late),
        inference=inference,
        parameters={"horizon": "off", "cool_down_s": 0.2, **(parameters or {})},
        **run,
    )


def done(run: ReplaySession, *commands: AnyCommand) -> list[AnyEvent]:
    """Events of commands that are given one after the other."""
    return [event for command in commands for event in obey(run, command)]


def finished(run: ReplaySession, *commands: AnyCommand) -> list[AnyEvent]:
    events = done(run, *commands, Finish())
    run.close()
    return events


def of[T](events: list[AnyEvent], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def acts(events: list[AnyEvent]) -> list[AnyEvent]:
    """All that a model causes, in order; of one time its signals first.

    Without the numbers of signals, whose last bits a batch rounds otherwise.
    """
    numbers = dict.fromkeys(("down", "flat", "up", "score"), 0.0)
    signals = [
        msgspec.structs.replace(event, **numbers) if isinstance(event, Signalled) else event
        for event in events
        if isinstance(event, Signalled | ArmingChanged)
    ]
    kinds = OrderChanged | Filled | PositionChanged | AccountChanged | SignalActed
    return sorted(
        [*signals, *(event for event in events if isinstance(event, kinds))], key=lambda each: each.ts
    )


def judged(events: list[AnyEvent]) -> list[SignalJudged]:
    return of(events, SignalJudged)


# The same orders


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "label's horizon": {"parameters": {"horizon": "label"}},
    "seconds": {"parameters": {"horizon": "seconds", "horizon_s": 0.7, "on_opposite": "exit"}},
    "exits": {"parameters": EXITS},
    "exits, venue latency": {"parameters": EXITS, "latency_ms": 35.0},
    "kelly": {"parameters": {"sizing": "kelly", **EXITS}},
    "volatility": {"parameters": {"sizing": "volatility", "target_volatility_bps": 0.3}},
    "regression": {"told": facts(is_regression=True), "parameters": {"enter": 0.4, "exit": -0.1}},
    "long only": {"parameters": {"sides": "long", "on_opposite": "ignore"}},
    "slow": {"told": facts(latency_ns=700_000_000)},
    "sick": {"silent_at": 3_000},
    "trades": {"told": facts(clock="trades", streams=frozenset({"trades"}))},
    "book": {"told": facts(clock="book", streams=frozenset({"book"}), levels=5), "parameters": EXITS},
    "time bars": {"told": facts(clock="bars", streams=frozenset({"bars"}), bars="1-SECOND-MID")},
    "tick bars": {"told": facts(clock="bars", streams=frozenset({"bars"}), bars="10-TICK-BID")},
    "quotes and book": {"told": facts(streams=frozenset({"quotes", "book"}), levels=3)},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_asked_by_tick_or_beforehand_a_model_makes_the_same_orders_to_the_nanosecond(variant: str) -> None:
    given = VARIANTS[variant]
    columns = coin() if {"book", "trades"} & given.get("told", FACTS).streams else (quotes(),)
    runs = [finished(modelled(*columns, inference=inference, **given)) for inference in (INFERENCE, BATCH)]
    by_tick, beforehand = map(acts, runs)
    assert len(of(by_tick, Filled)) >= (3 if variant in ("sick", "time bars") else 8)
    assert by_tick == beforehand
    assert judged(runs[0]) == judged(runs[1])
    if "exits" in variant or variant == "kelly":
        kinds = {event.type for event in of(by_tick, OrderChanged) if event.status == "FILLED"}
        assert kinds == {"MARKET", "STOP_MARKET", "LIMIT"}


def test_they_do_where_book_updates_go_on_in_the_next_chunk() -> None:
    market, trades, deltas = coin()
    assert isinstance(deltas, Deltas)
    flags = deltas.flags.copy()
    flags[::5] &= ~np.uint8(Flag.LAST)
    columns = (market, trades, deltas.with_arrays({"flags": flags}))
    told = facts(clock="book", streams=frozenset({"book"}), levels=5)
    runs = [
        acts(finished(modelled(*columns, told=told, inference=inference, rows=50)))
        for inference in (INFERENCE, BATCH)
    ]
    assert runs[0] == runs[1]
    assert len(of(runs[0], Filled)) > 8


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_events_come_in_the_order_of_their_times(inference: Inference) -> None:
    told = facts(latency_ns=30_000_000)
    events = finished(modelled(inference=inference, told=told, parameters=EXITS, latency_ms=5.0))
    kinds = Signalled | SignalActed | OrderChanged | Filled | PositionChanged
    times = [event.ts for event in events if isinstance(event, kinds)]
    assert times == sorted(times)


def test_sizes_by_probability_are_made_from_rows_asked_alone() -> None:
    asked = []
    for sizing in ("fixed", "kelly"):
        run = modelled(inference=BATCH, parameters={"sizing": sizing})
        assert run._model is not None
        assert run._model.decided is not None
        asked.append(run._model.decided.asked_alone)
        signals = len(run._model.decided.decisions)
        run.close()
    assert asked[1] - asked[0] > signals * 0.9


@pytest.mark.parametrize("kinds", [("deltas",), ("trades",), ("quotes", "trades")])
def test_they_do_whatever_data_the_run_has(kinds: tuple[str, ...]) -> None:
    columns = [part for part in coin() if type(part).__name__.lower() in kinds]
    clock = {"deltas": "book"}.get(kinds[0], kinds[0])
    told = facts(clock=clock, streams=frozenset({clock}), levels=2 if clock == "book" else 0)
    exits = {"stop_bps": 0.05, "take_profit_bps": 0.1}
    runs = [
        acts(finished(modelled(*columns, told=told, inference=inference, parameters=exits)))
        for inference in (INFERENCE, BATCH)
    ]
    assert runs[0] == runs[1]
    assert len(of(runs[0], Filled)) > 8
    assert any(
        event.type == "STOP_MARKET" and event.status == "FILLED" for event in of(runs[0], OrderChanged)
    )


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_windows_chunks_and_seeks_change_nothing(inference: Inference) -> None:
    straight = acts(finished(modelled(inference=inference, parameters=EXITS)))
    cut = modelled(
        inference=inference, parameters=EXITS, rows=300, window_events=random_windows(4), watched=False
    )
    assert acts(finished(cut)) == straight
    middle, late = (int(quotes().ts_init[at]) for at in (2_500, 5_000))
    wandering = finished(modelled(inference=inference, parameters=EXITS), Seek(late), Seek(middle))
    assert acts(since_epoch(wandering)) == straight


def test_a_seek_back_asks_the_range_no_second_time() -> None:
    model = FakeModel()
    run = session(strategy="ai_signal", model=model, inference=BATCH)
    done(run, Seek(int(quotes().ts_init[4_000])), Seek(int(quotes().ts_init[100])), Finish())
    run.close()
    assert model.ranges == 1
    assert model.closed


def test_the_headless_run_is_the_same() -> None:
    run = modelled(inference=BATCH, parameters=EXITS)
    results = of(finished(run), Results)[0]
    source = ColumnsSource(FX, quotes())
    outcome = backtest(run._run, source, FakeModel())
    assert outcome.results.fills_sha256 == results.fills_sha256
    assert outcome.results.inference == results.inference


# Latency


@pytest.mark.parametrize("latency_ns", [1_000, 50_000, 40_000_000])
@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_nothing_is_ordered_before_the_latency_has_passed(inference: Inference, latency_ns: int) -> None:
    events = finished(modelled(inference=inference, told=facts(latency_ns=latency_ns)))
    signals = {event.number: event.ts for event in of(events, Signalled)}
    acted = of(events, SignalActed)
    assert len(acted) > 20
    assert {event.ts - signals[event.signal] for event in acted} == {latency_ns}
    ordered = {event.order_id: signals[event.signal] + latency_ns for event in acted if event.order_id}
    assert all(event.ts >= ordered[event.order_id] for event in of(events, OrderChanged))
    assert {event.order_id for event in of(events, Filled)} <= ordered.keys()


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_while_no_data_comes_acts_happen_when_they_are_due_and_not_before(inference: Inference) -> None:
    gap, told = 3_000, facts(latency_ns=3 * SECOND)
    ts = quotes().ts_init.copy()
    ts[gap:] += 20 * SECOND
    market = quotes().with_arrays({"ts_init": ts, "ts_event": ts})
    straight = finished(modelled(market, inference=inference, told=told))
    last = int(ts[gap - 1])
    due = [event.ts for event in of(straight, SignalActed) if last < event.ts < ts[gap]]
    assert len(due) > 3
    run = modelled(market, inference=inference, told=told)
    done(run, Seek(last))
    for at in due:
        before, then = done(run, Seek(at - 1)), done(run, Seek(at))
        assert of(before, SignalActed) == []
        assert [event.ts for event in of(then, SignalActed)] == [at]
        assert {event.ts for event in of(then, Filled)} <= {at}
    run.close()


def test_the_venues_latency_comes_on_top() -> None:
    events = finished(modelled(latency_ms=20.0))
    signals = {event.number: event.ts for event in of(events, Signalled)}
    ordered = {e.order_id: signals[e.signal] for e in of(events, SignalActed) if e.order_id}
    waits = [event.ts - ordered[event.order_id] for event in of(events, Filled)]
    assert len(waits) > 20
    assert min(waits) >= 20_050_000


# Arming


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_shadow_signals_and_trades_nothing(inference: Inference) -> None:
    armed = finished(modelled(inference=inference))
    shadowed = finished(modelled(inference=msgspec.structs.replace(inference, arming="shadow")))
    assert of(shadowed, Signalled) == of(armed, Signalled)
    assert {event.verdict for event in of(shadowed, SignalActed)} == {"shadow"}
    assert of(shadowed, OrderChanged) == []
    assert of(shadowed, ArmingChanged)[0].mode == "shadow"


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_switched_off_there_are_no_signals(inference: Inference) -> None:
    events = finished(modelled(inference=msgspec.structs.replace(inference, arming="off")))
    assert not [event for event in acts(events) if not isinstance(event, ArmingChanged)]
    assert of(events, Results)[0].inference.predictions == 5_950  # type: ignore[union-attr]


def held_at(events: list[AnyEvent], ts: int) -> Decimal:
    return next(
        (event.quantity for event in reversed(of(events, PositionChanged)) if event.ts <= ts), Decimal(0)
    )


def in_a_position() -> int:
    """Market time at which the armed run holds a position."""
    events = finished(modelled())
    times = [event.ts for event in of(events, PositionChanged)]
    return next(ts for ts in times[6:] if held_at(events, ts)) + 1


@pytest.mark.parametrize("mode", ["shadow", "off"])
@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_leaving_armed_closes_what_is_held_and_says_so(inference: Inference, mode: Any) -> None:
    ts = in_a_position()
    run = modelled(inference=inference)
    before = done(run, Seek(ts))
    assert held_at(before, ts) != 0
    at_once = done(run, SetArming(mode))  # although time stands still
    assert of(at_once, ArmingChanged) == [ArmingChanged(ts=ts, mode=mode, by="person")]
    [said] = of(at_once, Logged)
    assert f"Switched to {mode}: closing the open position of " in said.text
    assert of(at_once, PositionChanged)[-1].quantity == 0
    assert {event.ts for event in of(at_once, Filled)} == {ts}
    assert run.take_picture().models[0].arming == mode
    after = finished(run)
    assert of(after, Filled) == []
    assert {event.verdict for event in of(after, SignalActed)} <= {"shadow"}


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_a_switch_before_the_first_tick_holds_from_there_on(inference: Inference) -> None:
    run = modelled(inference=inference)
    done(run, SetArming("shadow"))
    assert run.take_picture().models[0].arming == "shadow"
    events = done(run, Seek(int(quotes().ts_init[3_000])))
    assert {event.verdict for event in of(events, SignalActed)} == {"shadow"}
    again = done(run, Seek(int(quotes().ts_init[2_000])))
    assert [event.mode for event in of(again, ArmingChanged)] == ["armed", "shadow"]
    assert of(finished(run), Filled) == []


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_switched_between_two_chunks_of_data_it_closes_at_once_too(inference: Inference) -> None:
    times = quotes().ts_init
    last = int(np.searchsorted(times, in_a_position(), side="right"))
    run = modelled(inference=inference, rows=last + 1)
    done(run, Seek(int(times[last])))
    assert of(done(run, SetArming("off")), PositionChanged)[-1].quantity == 0
    finished(run)


def test_armed_again_it_waits_for_the_next_signal() -> None:
    ts = in_a_position()
    run = modelled()
    done(run, Seek(ts), SetArming("off"), Seek(ts + SECOND))
    after = finished(run, SetArming("armed"))
    first = of(after, SignalActed)[0]
    assert min(event.ts for event in of(after, Filled)) >= first.ts > ts + SECOND


def test_what_a_switch_did_is_done_again_when_the_past_is_run_again() -> None:
    ts = in_a_position()
    run = modelled()
    first = done(run, Seek(ts), SetArming("off"), SetArming("armed"), Seek(ts + SECOND))
    again = done(run, Seek(ts + SECOND // 2))
    run.close()
    assert held_at(first, ts) == 0
    assert acts(since_epoch(again)) == [event for event in acts(first) if event.ts <= ts + SECOND // 2]


def since_epoch(events: list[AnyEvent]) -> list[AnyEvent]:
    began = max(at for at, event in enumerate(events) if isinstance(event, EpochBegan))
    return events[began:]


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_a_seek_back_keeps_the_past_and_the_switch_stands_as_it_is_from_there(inference: Inference) -> None:
    ts, later, latest = (int(quotes().ts_init[at]) for at in (1_500, 3_000, 4_500))
    run = modelled(inference=inference)
    first = done(run, Seek(ts), SetArming("shadow"), Seek(later), SetArming("armed"), Seek(latest))
    again = done(run, Seek(later + 1))
    assert acts(since_epoch(again)) == [event for event in acts(first) if event.ts <= later + 1]
    # Now back into the shadow: what was so stays so up to there, and from there it is armed, as it is now.
    between = (ts + later) // 2
    done(run, Seek(between))
    assert run.take_picture().models[0].arming == "armed"
    rest = finished(run)
    verdicts = {event.verdict for event in of(rest, SignalActed)}
    assert verdicts <= {"ordered", "held"}
    assert "ordered" in verdicts


def test_a_run_without_a_model_has_nothing_to_arm_or_explain() -> None:
    run = session(strategy="ema_cross")
    refused = [
        event.text for event in done(run, SetArming("off"), Explain(START_NS)) if isinstance(event, Refused)
    ]
    assert ["no model" in text for text in refused] == [True, True]
    picture = run.take_picture()
    assert (picture.predictions, picture.models, picture.explanation) == ([], [], None)
    assert of(finished(run), Results)[0].inference is None


# What came of it


@pytest.mark.parametrize(("stride", "rows", "ns"), [(50, None, SECOND), (7, 20, None)])
def test_what_came_of_rows_is_told_by_the_markets_prices_however_few_rows_are_asked(
    stride: int, rows: int | None, ns: int | None
) -> None:
    told = facts(horizon_rows=rows, horizon_ns=ns)
    times, mids = quotes().ts_init, (quotes().bid + quotes().ask) / 2
    outcomes = []
    for inference, late in ((INFERENCE, 0), (BATCH, 0), (INFERENCE, 60)):
        run = modelled(inference=inference, told=told, stride=stride, late=late)
        events = done(run, Seek(int(times[-2])))
        found = run.take_picture().predictions[0].outcomes
        assert found is not None
        events += run.take_events()
        run.close()
        outcomes.append((found, judged(events)))
        entries = {event.number: event for event in of(events, Signalled)}
        assert len(judged(events)) >= 5
        for event in judged(events):
            entry = entries[event.signal]
            row = int(np.searchsorted(times, entry.ts))
            end = row + (rows or 0)
            if ns is not None:
                end = int(np.searchsorted(times, entry.ts + ns, "right")) - 1
            assert event.ts == times[end]
            assert event.price * 1e5 == pytest.approx(mids[end])
            assert event.hit == ((mids[end] - mids[row]) * entry.direction > 0)
        assert found.hits == sum(event.hit for event in judged(events))
    (by_tick, told_by_tick), (batch, told_batch), (late_ones, _) = outcomes
    assert told_by_tick == told_batch
    assert (by_tick.rows, by_tick.hits) == (batch.rows, batch.hits)
    assert by_tick.brier == pytest.approx(batch.brier, abs=1e-4)
    assert late_ones.rows >= by_tick.rows - 60 // stride - 1


# Sick


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_an_input_without_a_value_disarms_flat_and_says_why(inference: Inference) -> None:
    run = modelled(inference=inference, silent_at=3_000)
    events = done(run, Seek(int(quotes().ts_init[-2])))
    sick_ts = int(quotes().ts_init[3_000])
    rule = [event for event in of(events, ArmingChanged) if event.by == "rule"]
    assert rule == [ArmingChanged(ts=sick_ts, mode="off", by="rule", reason="Input 'away' has no value.")]
    assert max(event.ts for event in of(events, Signalled)) <= sick_ts
    assert of(events, PositionChanged)[-1].quantity == 0
    assert max(event.ts for event in of(events, Filled)) <= sick_ts + 50_000
    health = run.take_picture().models[0]
    assert (health.arming, health.reason) == ("off", "Input 'away' has no value.")
    [refused] = done(run, SetArming("armed"))
    assert isinstance(refused, Refused)
    assert "Input 'away' has no value. Seek back" in refused.text
    run.close()


def test_a_model_that_falls_sick_without_a_word_is_disarmed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = FakeStream._ask

    def silenced(self: FakeStream, ts: int, price: float, size: float) -> Forecast | None:
        forecast = ask(self, ts, price, size)
        return None if self.sick else forecast

    monkeypatch.setattr(FakeStream, "_ask", silenced)
    run = modelled(silent_at=3_000)
    events = done(run, Seek(int(quotes().ts_init[-2])))
    assert run.take_picture().models[0].arming == "off"
    assert [event.ts for event in of(events, ArmingChanged)][1:] == [int(quotes().ts_init[3_000])]
    assert of(events, PositionChanged)[-1].quantity == 0
    assert of(finished(run), Results)[0].inference.predictions == 2_950  # type: ignore[union-attr]


def test_where_the_run_says_so_a_missing_value_is_only_passed_over() -> None:
    events = finished(modelled(silent_at=3_000, parameters={"disarm_on_nan": False}))
    assert [event.by for event in of(events, ArmingChanged)] == ["run"]
    assert max(event.ts for event in of(events, Filled)) > int(quotes().ts_init[4_000])


def test_before_the_row_that_made_it_sick_a_model_may_be_armed_again() -> None:
    run = modelled(silent_at=3_000)
    done(run, Seek(int(quotes().ts_init[4_000])), Seek(int(quotes().ts_init[2_000])))
    assert run.take_picture().models[0].arming == "armed"
    events = done(run, SetArming("shadow"), Seek(int(quotes().ts_init[4_000])))
    assert [(event.mode, event.by) for event in of(events, ArmingChanged)] == [
        ("shadow", "person"),
        ("off", "rule"),
    ]
    run.close()


# Exits


def test_stop_and_take_profit_stand_around_the_entrys_fill_and_end_the_position_until_the_next_signal() -> (
    None
):
    events = finished(modelled(parameters=EXITS))
    entries = {event.order_id for event in of(events, SignalActed)}
    fills = of(events, Filled)
    orders = of(events, OrderChanged)
    placed = {order.order_id: order for order in orders if order.type in ("STOP_MARKET", "LIMIT")}
    entry = fills[0]
    assert entry.order_id in entries
    stop, profit = list(placed.values())[:2]
    sign = 1 if entry.side == "BUY" else -1
    assert stop.trigger == round(entry.price * (1 - sign * Decimal("0.00005")), 5)
    assert profit.price == round(entry.price * (1 + sign * Decimal("0.00004")), 5)
    ended = [order for order in orders if order.order_id in placed and order.status == "FILLED"]
    assert {order.type for order in ended} == {"STOP_MARKET", "LIMIT"}
    for exit_order in ended:
        others = placed.keys() - {exit_order.order_id}
        other = [order for order in orders if order.order_id in others and order.ts == exit_order.ts][-1]
        assert other.status == "CANCELED"
        later = [fill for fill in fills if fill.ts > exit_order.ts]
        assert not later or later[0].order_id in entries
    assert held_at(events, fills[-1].ts) == sum(
        fill.quantity if fill.side == "BUY" else -fill.quantity for fill in fills
    )


def test_a_stop_inside_the_spread_closes_at_once() -> None:
    wide = quotes()
    wide = wide.with_arrays({"ask": wide.ask + 40})
    events = finished(modelled(wide, parameters={"stop_bps": 1.0}))
    rejected = [order for order in of(events, OrderChanged) if order.status == "REJECTED"]
    assert rejected
    assert of(events, PositionChanged)[-1].quantity == 0
    assert any("stop already lay in the market" in event.text for event in of(events, Logged))
    moments = {event.ts for event in of(events, Filled)}
    assert all(held_at(events, ts) == 0 for ts in moments)  # in and out at the same time


# What a watcher sees


def shown(run: ReplaySession) -> Rows:
    parts = []
    while len(rows := run.take_picture().predictions[0].rows):
        parts.append(rows)
    return np.concatenate(parts)


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_a_watcher_sees_every_prediction_up_to_now_and_again_when_it_comes_back(inference: Inference) -> None:
    run = modelled(inference=inference)
    now = int(quotes().ts_init[3_000])
    done(run, Seek(now))
    first = shown(run)
    assert len(first) == 3_001 - 50
    assert first["ts"][-1] == now
    run.rewatch()
    np.testing.assert_array_equal(shown(run), first)
    done(run, Seek(now + SECOND))
    assert shown(run)["ts"][0] > now
    run.close()


def test_predictions_are_conflated_like_the_market_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.session.tape.ROWS_PER_PICTURE", 500)
    monkeypatch.setattr("engine.session.conflation.conflate.__defaults__", (500,))
    run = modelled()
    done(run, Seek(int(quotes().ts_init[-2])))
    picture = run.take_picture()
    [news] = picture.predictions
    assert len(news.rows) + news.conflated == 5_949
    assert len(news.rows) <= 500
    assert picture.health.conflated >= news.conflated > 0
    told = [each.score for each in run._course.model._asked.told]  # type: ignore[union-attr]
    assert max(news.rows["score"]) == np.float32(max(told))
    run.close()


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_an_explanation_says_what_was_decided_as_of_the_row(inference: Inference) -> None:
    run = modelled(inference=inference)
    events = done(run, Seek(int(quotes().ts_init[4_000])))
    signal = of(events, Signalled)[5]
    done(run, Explain(signal.ts + 1))
    answer = run.take_picture().explanation
    assert answer is not None
    assert (answer.asked_ts, answer.ts) == (signal.ts + 1, signal.ts)
    assert (answer.direction, answer.signal) == (signal.direction, signal.number)
    assert (answer.enter, answer.exit) == (0.5, 0.35)
    assert run.take_picture().explanation is None  # once
    done(run, Explain(int(quotes().ts_init[5_000])))
    answer = run.take_picture().explanation
    assert answer is not None
    assert answer.ts == quotes().ts_init[4_000]  # nothing of the future
    done(run, Explain(START_NS))
    answer = run.take_picture().explanation
    assert answer is not None
    assert answer.problem
    run.close()


def test_health_says_how_the_model_is_used() -> None:
    trained = int(quotes().ts_init[0]) - SECOND, int(quotes().ts_init[5])
    run = modelled(told=facts(trained=trained, latency_ns=20_000))
    events = done(run, Seek(int(quotes().ts_init[3_000])))
    [health] = run.take_picture().models
    assert health.signals == of(events, Signalled)[-1].number
    assert (health.arming, health.mode, health.latency_us, health.in_sample) == (
        "armed",
        "per-tick",
        20.0,
        True,
    )
    [stage] = [stage for stage in health.stages if stage.name == "signal-to-order"]
    assert stage.count == len(of(events, SignalActed))
    assert 0 < stage.p50_us <= stage.p99_us
    run.close()


@pytest.mark.parametrize("inference", [INFERENCE, BATCH])
def test_the_log_and_the_results_say_what_the_model_did(inference: Inference) -> None:
    trained = START_NS, START_NS + 5 * SECOND
    run = modelled(inference=inference, told=facts(trained=trained))
    events = finished(run)
    lines = [event.text for event in of(events, Logged)]
    assert any("acted on 50 µs after the row" in line and "trained on 2023-11-14" in line for line in lines)
    warnings = [event.text for event in of(events, Logged) if event.level == "warning"]
    assert warnings == ["In-sample: fake was trained on part of this range, so its profit proves nothing."]
    figures = of(events, Results)[0].inference
    assert figures is not None
    assert (figures.predictions, figures.decisions) == (5_950, len(of(events, Signalled)))
    assert (figures.signal_latency_us, figures.in_sample) == (50.0, True)
    assert figures.predictions_per_s is not None
    assert figures.predictions_per_s > 0


def test_what_an_earlier_run_predicted_has_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    over = FakeModel.over

    def kept(*given: Any) -> FakeRange:
        asked = over(*given)
        asked.is_kept = True
        return asked

    monkeypatch.setattr(FakeModel, "over", kept)
    events = finished(modelled(inference=BATCH))
    figures = of(events, Results)[0].inference
    assert figures is not None
    assert (figures.predictions, figures.predictions_per_s) == (5_950, None)
    assert any("Kept 5,950 rows from an earlier run" in event.text for event in of(events, Logged))


def test_results_of_a_background_thread_count_what_health_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    told = msgspec.structs.replace(health(16_284), dropped=1_017)
    monkeypatch.setattr(FakeStream, "health", lambda *_: [told])
    events = finished(modelled(inference=msgspec.structs.replace(INFERENCE, mode="thread")))
    figures = of(events, Results)[0].inference
    assert figures is not None
    assert (figures.mode, figures.predictions, figures.dropped) == ("thread", 16_284, 1_017)
    assert figures.predictions_per_s is None
    lines = [event.text for event in of(events, Logged)]
    assert any("when the answer arrives, at the earliest 50 µs after the row" in line for line in lines)


def test_played_at_any_speed_it_signals_the_same() -> None:
    run = modelled(window_events=lambda: 200)
    run.handle(SetSpeed(1000.0))
    run.handle(Play())
    events: list[AnyEvent] = []
    while run.advance(0.02):
        run.take_picture()
        events += run.take_events()
    events += run.take_events()
    run.close()
    assert acts(events) == acts(finished(modelled()))


# What is refused


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"inference": None}, "ai_signal acts on a model; give --model FILE"),
        ({"inference": Inference(models=())}, "give --model FILE"),
        ({"strategy": "ema_cross"}, "ema_cross does not act on a model; choose ai_signal"),
        ({"told": facts(streams=frozenset({"book"}))}, "reads book updates; EURUSD.SIM has only quotes"),
        (
            {"told": facts(streams=frozenset({"bars"}), bars="1-MINUTE-LAST")},
            "bars .1-MINUTE-LAST. made of trades",
        ),
        ({"told": facts(is_regression=True), "parameters": {"sizing": "kelly"}}, "Kelly sizing needs prob"),
        ({"parameters": {"enter": 1.5}}, "enter=1.5 is no probability"),
        ({"parameters": EXITS, "venue_rules": VenueRules(oms="HEDGING")}, "NETTING"),
        ({"inference": msgspec.structs.replace(INFERENCE, latency_us=-1.0)}, "Signal latency -1 µs"),
        ({"inference": msgspec.structs.replace(INFERENCE, deadline_ms=0.0)}, "Deadline 0 ms"),
    ],
)
def test_an_impossible_run_is_refused_in_one_sentence(given: dict[str, Any], words: str) -> None:
    given = {"strategy": "ai_signal", "inference": INFERENCE, **given}
    told = given.pop("told", FACTS)
    with pytest.raises(UserError, match=words):
        session(model=FakeModel(told), **given)
