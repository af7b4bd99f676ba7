"""The replay session as a person drives it: play, pause, step, seek, loop, finish; and what it refuses."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.columns import Flag
from engine.errors import UserError
from engine.messages.commands import (
    AnyCommand,
    CancelSeek,
    Finish,
    Pause,
    Play,
    Seek,
    SetLoop,
    SetSpeed,
    Step,
    StepTo,
)
from engine.messages.events import (
    AnyEvent,
    EpochBegan,
    Filled,
    Logged,
    OrderChanged,
    Phase,
    PhaseChanged,
    PositionChanged,
    Refused,
    Results,
)
from engine.messages.run import Run
from engine.session.replay import ReplaySession
from engine.session.source import Chunk, ColumnsSource
from tests.engine.session.markets import FX, START_NS, crypto, crypto_columns, obey, phase_of, quotes, session
from tests.engine.session.strategies import Bracket, Clumsy, Limit, Market


def now_of(run: ReplaySession) -> int:
    return run.take_picture().transport.now


def phase(run: ReplaySession) -> Phase:
    return run.take_picture().transport.phase


def trading_since_epoch(events: list[AnyEvent]) -> list[AnyEvent]:
    started = max((at for at, event in enumerate(events) if isinstance(event, EpochBegan)), default=-1)
    return [e for e in events[started + 1 :] if isinstance(e, OrderChanged | Filled | PositionChanged)]


def middle() -> int:
    ts = quotes().ts_init
    return int(ts[len(ts) // 2])


# Seeking


def test_seek_back_and_forward_again_equals_a_straight_run() -> None:
    straight = session(strategy=Bracket, latency_ms=15.0)
    expected = trading_since_epoch(obey(straight, Seek(middle())))
    risk = straight.take_picture().risks[0]
    straight.close()

    wandering = session(strategy=Bracket, latency_ms=15.0)
    obey(wandering, Seek(int(quotes().ts_init[-1])))
    events = obey(wandering, Seek(int(quotes().ts_init[400])))
    events += obey(wandering, StepTo(Step.FILL), Seek(middle()))
    picture = wandering.take_picture()
    wandering.close()
    assert trading_since_epoch(events) == expected
    assert len(expected) > 20
    assert picture.risks[0] == risk
    assert picture.epoch == 2
    assert picture.transport.now == middle()
    assert picture.transport.phase == Phase.PAUSED


def test_a_sought_session_finishes_like_one_that_was_played() -> None:
    results = []
    for commands in ([Finish()], [Seek(middle()), Seek(START_NS + 10**9), Finish()]):
        run = session(strategy=Market)
        events = [event for command in commands for event in obey(run, command)]  # type: ignore[arg-type]
        results.append(next(event for event in events if isinstance(event, Results)))
        run.close()
    assert results[0].fills_sha256 == results[1].fills_sha256
    assert results[0].stats == results[1].stats
    np.testing.assert_array_equal(results[0].equity, results[1].equity)


def test_a_seek_back_can_be_cancelled_where_it_is() -> None:
    run = session(strategy=Market, window_events=lambda: 10)
    obey(run, Seek(int(quotes().ts_init[-2])))
    run.handle(Seek(int(quotes().ts_init[-3])))
    run.advance(0.002)
    picture = run.take_picture()
    assert picture.transport.phase == Phase.SEEKING
    assert 0 < picture.transport.progress < 1
    events = obey(run, CancelSeek())
    assert isinstance(events[-1], PhaseChanged)
    assert events[-1].phase == Phase.PAUSED
    assert "cancelled" in events[-1].text
    assert now_of(run) == picture.transport.now < int(quotes().ts_init[-3])
    run.close()


def test_a_seek_back_while_playing_plays_on() -> None:
    run = session()
    run.handle(SetSpeed(1.0))
    run.handle(Seek(middle()))
    while phase(run) == Phase.SEEKING:
        run.advance(0.05)
    run.handle(Play())
    run.advance(0.005)
    run.handle(Seek(int(quotes().ts_init[10])))
    while phase(run) == Phase.SEEKING:
        run.advance(0.05)
    assert phase(run) == Phase.PLAYING
    assert now_of(run) < middle()
    run.close()


# Steps


def test_a_tick_step_takes_the_next_tick_and_no_other() -> None:
    run = session()
    ts = quotes().ts_init
    for at in range(5):
        events = obey(run, StepTo(Step.TICK))
        picture = run.take_picture()
        assert picture.transport.now == ts[at]
        assert picture.markets[0].quotes["ts"].tolist() == [ts[at]]
        assert phase_of(events) in (Phase.PAUSED, None)
    run.close()


def test_steps_cross_the_ends_of_chunks() -> None:
    run = session(rows=3)
    seen = [now_of(run) for _ in range(10) if obey(run, StepTo(Step.TICK)) is not None]
    assert seen == quotes().ts_init[:10].tolist()
    run.close()


def test_a_book_step_takes_one_whole_book_update() -> None:
    run = session(*crypto_columns())
    deltas = crypto().deltas
    ends = np.unique(deltas.ts_init[(deltas.flags & Flag.LAST) != 0])
    for end in ends[:5]:
        obey(run, StepTo(Step.BOOK))
        assert now_of(run) == end
    run.close()


@pytest.mark.parametrize("bar", ["1-SECOND-MID", "100-TICK-BID", "2-SECOND-LAST"])
def test_a_bar_step_stops_at_the_tick_that_closes_the_bar(bar: str) -> None:
    run = session(bar=bar, rows=500)
    ts = quotes().ts_init
    if "TICK" in bar:
        closing = ts[99::100]
    else:
        second = ts // (int(bar[0]) * 10**9)
        closing = ts[1:][second[1:] != second[:-1]]
    obey(run, StepTo(Step.TICK))
    obey(run, StepTo(Step.TICK))  # in the middle of a bar, and no picture was taken
    for expected in closing[1:8:2]:
        obey(run, StepTo(Step.BAR))
        obey(run, StepTo(Step.BAR))
        assert now_of(run) == expected
    run.close()


def test_volume_bars_step_where_the_volume_is_reached() -> None:
    run = session(*crypto_columns(), bar="2-VOLUME-LAST")
    trades = crypto().trades
    traded = trades.size.cumsum() // (2 * 10**trades.size_precision)
    reached = trades.ts_init[1:][traded[1:] != traded[:-1]]
    for expected in np.unique(reached)[:4]:
        obey(run, StepTo(Step.BAR))
        assert now_of(run) == expected
    run.close()


@pytest.mark.parametrize(("unit", "kind"), [(Step.FILL, Filled), (Step.ORDER, OrderChanged)])
def test_steps_to_orders_and_fills_stop_at_the_first_of_them(unit: Step, kind: type[Any]) -> None:
    straight = session(strategy=Limit)
    expected = sorted({e.ts for e in obey(straight, Finish()) if isinstance(e, kind)})
    straight.close()
    run = session(strategy=Limit)
    for ts in expected[:6]:
        events = obey(run, StepTo(unit))
        found = [event for event in events if isinstance(event, kind)]
        assert {event.ts for event in found} == {ts}
        assert now_of(run) == ts
        assert phase(run) == Phase.PAUSED
    run.close()


def test_a_long_step_can_be_paused() -> None:
    run = session()
    run.handle(StepTo(Step.FILL))
    run.advance(0.001)
    assert phase(run) == Phase.SEEKING
    obey(run, Pause())
    assert phase(run) == Phase.PAUSED
    assert START_NS < now_of(run) < int(quotes().ts_init[-1])
    run.close()


def test_a_step_beyond_the_last_tick_finishes() -> None:
    run = session()
    obey(run, Seek(int(quotes().ts_init[-1])))
    assert phase(run) == Phase.PAUSED
    assert phase_of(obey(run, StepTo(Step.TICK))) == Phase.FINISHED
    run.close()


# Playing


def test_market_time_passes_at_the_set_speed() -> None:
    run = session()
    clock = Clock()
    run._driver._pace._clock = clock
    run.handle(SetSpeed(4.0))
    run.handle(Play())
    clock.now += 0.5
    run.advance(0.0005)
    for _ in range(50):
        run.advance(0.0005)
    picture = run.take_picture()
    assert picture.transport.now == START_NS + int(quotes().ts_init[0] - START_NS) + 2 * 10**9
    expected = quotes().ts_init[quotes().ts_init <= picture.transport.now]
    assert picture.markets[0].quotes["ts"].tolist() == expected.tolist()
    assert picture.health.lag_ms == 0
    run.close()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_session_that_waits_for_its_clock_does_not_burn_the_processor() -> None:
    import time

    run = session()
    run.handle(SetSpeed(0.1))
    run.handle(Play())
    before = time.process_time()
    for _ in range(10):
        assert run.advance(0.02)
    assert time.process_time() - before < 0.1
    run.close()


def test_a_loop_returns_to_its_start_and_plays_on() -> None:
    run = session(strategy=Market)
    start, end = int(quotes().ts_init[200]), int(quotes().ts_init[900])
    run.handle(SetSpeed(0))
    run.handle(SetLoop(start, end))
    run.handle(Play())
    events: list[AnyEvent] = []
    while run.take_picture().epoch < 4:
        run.advance(0.01)
        events += run.take_events()
        assert now_of(run) <= end
    obey(run, SetLoop(None, None))
    assert phase(run) == Phase.FINISHED
    laps = [index for index, event in enumerate(events) if isinstance(event, EpochBegan)]
    lap = [e for e in events[laps[0] : laps[1]] if isinstance(e, Filled)]
    assert lap == [e for e in events[laps[1] : laps[2]] if isinstance(e, Filled)]
    assert lap
    run.close()


# Ends


def test_playing_to_the_end_gives_the_results_once() -> None:
    run = session(strategy=Market)
    events = obey(run, SetSpeed(0), Play())
    assert phase_of(events) == Phase.FINISHED
    assert sum(isinstance(event, Results) for event in events) == 1
    assert now_of(run) == int(quotes().ts_init[-1])
    assert phase_of(obey(run, Seek(middle()))) == Phase.PAUSED
    assert phase_of(obey(run, Finish())) == Phase.FINISHED
    run.close()


def test_a_strategy_that_raises_ends_in_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    run = session(strategy=Clumsy)
    events = obey(run, Finish())
    assert phase_of(events) == Phase.FAILED
    failed = events[-1]
    assert isinstance(failed, PhaseChanged)
    assert "ZeroDivisionError" in failed.text
    assert "on_quote" in failed.text
    logged = [event for event in events if isinstance(event, Logged) and event.level == "error"]
    assert any("ZeroDivisionError" in event.text for event in logged)
    assert sum(isinstance(event, Filled) for event in events) == 2
    assert "1 // 0" in capfd.readouterr().err
    refused = obey(run, Play())
    assert isinstance(refused[-1], Refused)
    assert phase_of(obey(run, Seek(START_NS + 10**9))) == Phase.PAUSED
    run.close()


@pytest.mark.parametrize(
    ("before", "command", "words"),
    [
        ([], SetSpeed(5000.0), "0.1 to 1000"),
        ([], SetSpeed(math.nan), "not possible"),
        ([], CancelSeek(), "no seek"),
        ([], Seek(1), "runs from 2023-11-14"),
        ([], SetLoop(5, 3), "start before its end"),
        ([Finish()], Play(), "has finished"),
        ([Finish()], StepTo(Step.TICK), "has finished"),
        ([Finish()], Finish(), "has finished"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    before: list[AnyCommand], command: AnyCommand, words: str
) -> None:
    run = session()
    obey(run, *before)
    events = obey(run, command)
    refused = events[-1]
    assert isinstance(refused, Refused)
    assert words in refused.text
    assert refused.text.endswith(".")
    run.close()


def test_bars_of_prices_that_are_not_there_are_refused() -> None:
    run = session(bar="10-TICK-LAST")
    events = obey(run, StepTo(Step.BAR))
    assert isinstance(events[-1], Refused)
    assert "trades" in events[-1].text
    run.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("The file is damaged; import it again."), "import it again"),
        (KeyError("lost"), "The engine stopped: KeyError"),
    ],
)
def test_a_source_that_breaks_ends_the_run_not_the_link(
    error: Exception, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    class Breaking(ColumnsSource):
        def chunks(self) -> Iterator[Chunk]:
            whole = super().chunks()
            yield next(whole)
            raise error

    run = ReplaySession(Run(instrument=FX.id), Breaking(FX, quotes(), rows=500))
    events = obey(run, Finish())
    assert phase(run) == Phase.FAILED
    failed = events[-1]
    assert isinstance(failed, PhaseChanged)
    assert words in failed.text
    assert ("Traceback" in capfd.readouterr().err) is not isinstance(error, UserError)
    run.close()


# The log


def logged(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in events if isinstance(event, Logged)]


def test_the_log_tells_what_was_opened_how_orders_fill_and_what_came_of_it() -> None:
    run = session(strategy="ema_cross", parameters={"fast": 20, "slow": 60}, latency_ms=15.0)
    lines = logged([*obey(run, Seek(middle())), *obey(run, Seek(int(quotes().ts_init[9])), Finish())])
    run.close()
    assert [level for level, _ in lines] == ["info"] * 4
    opened, rules, again, finished = (text for _, text in lines)
    assert opened.startswith(f"Opened {FX.id}: quotes, 2023-11-14T22:13:20")
    assert "ema_cross (fast=20, slow=60" in opened
    assert "against the best quote" in rules
    assert "15 ms after" in rules
    assert "1,000,000 USD" in rules
    assert again.startswith("Running again from the start to 2023-11-14T22:13:")
    assert f"Finished after {len(quotes()):,} ticks" in finished


def test_orders_that_the_venue_refuses_are_warned_of_but_not_without_end() -> None:
    run = session(strategy="ema_cross", parameters={"fast": 5, "slow": 9, "trade_size": "1000000000"})
    events = obey(run, Finish())
    run.close()
    refused = [e for e in events if isinstance(e, OrderChanged) and e.status in ("DENIED", "REJECTED")]
    warned = [text for level, text in logged(events) if level == "warning"]
    assert len(refused) > 20
    assert len(warned) == 5
    assert refused[0].reason.rstrip(".") in warned[0]
    assert "Later refusals" in warned[-1]
