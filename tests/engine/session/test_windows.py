"""However time is cut, the run is the same: a session's windows against one uninterrupted run."""

import numpy as np
import pytest

from engine.messages.commands import Finish
from engine.messages.events import AccountChanged, AnyEvent, Filled, OrderChanged, PositionChanged, Results
from engine.messages.run import Run, VenueRules
from engine.nautilus.engine import SimulatedVenue
from engine.nautilus.strategy import StationStrategy
from engine.session.backtest import backtest
from engine.session.fills import fills_csv
from engine.session.source import ColumnsSource
from engine.strategies import Parameters
from tests.engine.session.markets import CRYPTO, FX, crypto_columns, obey, quotes, session
from tests.engine.session.strategies import Bracket, Limit, Market, Timed

KINDS = [Market, Limit, Bracket, Timed]


def trading(events: list[AnyEvent]) -> list[AnyEvent]:
    return [e for e in events if isinstance(e, OrderChanged | Filled | PositionChanged)]


def one_shot(
    strategy: type[StationStrategy], latency_ms: float, *, crypto: bool
) -> tuple[list[AnyEvent], str]:
    events: list[AnyEvent] = []
    columns = {type(part).__name__.lower(): part for part in (crypto_columns() if crypto else [quotes()])}
    venue = SimulatedVenue(
        CRYPTO if crypto else FX,
        VenueRules(latency_ms=latency_ms),
        kinds=frozenset(columns),
        strategy=strategy,
        parameters=Parameters(),
        emit=events.append,
    )
    try:
        venue.load(columns)
        venue.run_to(max(int(part.ts_init[-1]) for part in columns.values()))
        venue.finish()
        return trading(events), f"{venue.balance} {venue.currency}"
    finally:
        venue.dispose()


@pytest.mark.parametrize("crypto", [False, True], ids=["quotes", "book"])
@pytest.mark.parametrize("latency_ms", [0.0, 250.0])
@pytest.mark.parametrize("strategy", KINDS)
def test_windows_and_chunks_of_any_size_give_the_orders_of_one_uninterrupted_run(
    strategy: type[StationStrategy], latency_ms: float, crypto: bool
) -> None:
    expected, balance = one_shot(strategy, latency_ms, crypto=crypto)
    assert sum(isinstance(event, Filled) for event in expected) > 10
    random = np.random.default_rng(7)
    for rows, window in ((700, lambda: int(random.integers(1, 60))), (100_000, lambda: 1_000)):
        run = session(
            *(crypto_columns() if crypto else ()),
            strategy=strategy,
            latency_ms=latency_ms,
            rows=rows,
            window_events=window,
        )
        events = obey(run, Finish())
        run.close()
        assert trading(events) == expected
        results = events[-2]
        assert isinstance(results, Results)
        assert results.final_balance == balance
        assert results.fills == sum(isinstance(event, Filled) for event in expected)


def test_one_event_windows_give_the_same_fills() -> None:
    texts = []
    for window in (1, 1_000):
        run = session(strategy=Bracket, latency_ms=20.0, window_events=lambda size=window: size)  # type: ignore[misc]
        obey(run, Finish())
        texts.append(fills_csv(run.course.fills))
        run.close()
    assert texts[0] == texts[1]
    assert texts[0].count("\n") > 10


def test_equity_does_not_depend_on_windows_chunks_or_pictures() -> None:
    curves = []
    for rows, watched in ((300, True), (100_000, False)):
        run = session(strategy=Market, rows=rows, watched=watched)
        run.handle(Finish())
        while run.advance(0.002):
            if watched:
                run.take_picture()
        results = next(event for event in run.take_events() if isinstance(event, Results))
        curves.append(results.equity)
        run.close()
    assert len(curves[0]) > 1_000
    np.testing.assert_array_equal(curves[0], curves[1])


def test_the_curve_starts_at_the_start_with_the_starting_balance_and_ends_at_the_net_profit() -> None:
    run = session(strategy="buy_and_hold")  # whose first trade is at the first mark
    results = next(event for event in obey(run, Finish()) if isinstance(event, Results))
    run.close()
    assert results.equity[0].tolist() == (int(quotes().ts_init[0]), 1_000_000.0, 0.0)
    assert results.equity["drawdown"][1] < 0
    made = results.equity["equity"][-1] - results.equity["equity"][0]
    assert float(results.net_pnl.split()[0]) == pytest.approx(made, abs=0.005)


def test_money_of_nothing_is_told_in_digits() -> None:
    source = ColumnsSource(CRYPTO, *crypto_columns())
    found = backtest(Run(instrument=CRYPTO.id), source).results
    assert (found.net_pnl, found.unrealised_pnl) == ("0.00000000 USDT", "0.00000000 USDT")


def test_the_account_is_told_whenever_it_changed() -> None:
    run = session(strategy=Market)
    events = obey(run, Finish())
    run.close()
    accounts = [event for event in events if isinstance(event, AccountChanged)]
    results = next(event for event in events if isinstance(event, Results))
    assert f"{accounts[-1].balances[0].total} USD" == results.final_balance
    assert all(b.total == b.free + b.locked for event in accounts for b in event.balances)
