"""Recorded data served live: every row once, in order, when it is due; and taken back as it was."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model import OrderBookDeltas, QuoteTick, TradeTick

from engine.columns import Columns, Deltas
from engine.nautilus.data import UNTOLD_SIZE, to_nautilus
from engine.nautilus.feed import Feed
from engine.nautilus.tap import deltas_of, quotes_of, trades_of
from engine.session.source import ColumnsSource
from tests.engine.session.markets import CRYPTO, START_NS, crypto, crypto_columns

SECOND = 1_000_000_000
WALL_NS = 1_800_000_000_000_000_000
LENGTH_NS = 20 * SECOND


class Wall:
    """A wall clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ns = WALL_NS

    def __call__(self) -> int:
        return self.now_ns


def fed(wall: Wall, speed: float = 1.0, *columns: Columns) -> Feed:
    source = ColumnsSource(CRYPTO, *(columns or crypto_columns()), rows=1_500)
    feed = Feed(CRYPTO, (chunk.columns for chunk in source.chunks()), source.start_ns, speed, wall)
    feed.start()
    return feed


def served(feed: Feed, wall: Wall, *, until_ns: int, step_ns: int = 10_000_000) -> list[Any]:
    """Everything that is served while the wall clock goes on in steps."""
    events = []
    while wall.now_ns < until_ns and not feed.ended:
        events += feed.due(10**6)
        wall.now_ns += step_ns
    return [*events, *feed.due(10**6)]


def columns_of(events: Sequence[Any]) -> Mapping[str, Columns]:
    deltas = [row for event in events if isinstance(event, OrderBookDeltas) for row in event.deltas]
    return {
        "quotes": quotes_of([event for event in events if isinstance(event, QuoteTick)], 1, 3),
        "trades": trades_of([event for event in events if isinstance(event, TradeTick)], 1, 3),
        "deltas": deltas_of(deltas, 1, 3),
    }


def assert_same(taken: Columns, made: Columns, *, but: tuple[str, ...] = ("ts_event", "ts_init")) -> None:
    for name in made.array_names():
        if name not in but:
            np.testing.assert_array_equal(getattr(taken, name), getattr(made, name), name)


@pytest.mark.parametrize("kind", ["quotes", "trades", "deltas"])
def test_columns_survive_the_way_through_the_engine_to_the_last_digit(kind: str) -> None:
    made = getattr(crypto(), kind)
    events = to_nautilus(CRYPTO.id, made)
    rows = [row for event in events for row in event.deltas] if kind == "deltas" else list(events)
    taken = {"quotes": quotes_of, "trades": trades_of, "deltas": deltas_of}[kind](rows, 1, 3)  # type: ignore[operator]
    assert_same(taken, made, but=())


def test_a_size_that_was_never_told_comes_back_as_none() -> None:
    made = crypto().quotes.take(slice(0, 3))
    untold = made.with_arrays({"bid_size": np.zeros(3, np.int64)})
    ticks = list(to_nautilus(CRYPTO.id, untold))
    assert ticks[0].bid_size.as_decimal() == UNTOLD_SIZE
    assert quotes_of(ticks, 1, 3).bid_size.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("speed", "step_ns"), [(1.0, 10_000_000), (4.0, 3_000_000), (0.5, 40_000_000)])
def test_every_row_comes_once_at_its_time_by_the_speed(speed: float, step_ns: int) -> None:
    wall, made = Wall(), crypto()
    events = served(fed(wall, speed), wall, until_ns=WALL_NS + 60 * SECOND, step_ns=step_ns)
    for kind, rows in columns_of(events).items():
        expected = getattr(made, kind)
        assert_same(rows, expected)
        due = WALL_NS + np.rint((expected.ts_init - START_NS) / speed).astype(np.int64)
        assert abs(rows.ts_init - due).max() <= (0 if speed == 1 else 1)
    stamps = [event.ts_init for event in events]
    assert stamps == sorted(stamps)


def test_no_row_comes_before_its_time() -> None:
    wall = Wall()
    feed = fed(wall)
    for _ in range(300):
        assert all(event.ts_init <= wall.now_ns for event in feed.due(10**6))
        wall.now_ns += 7_000_000
    assert 0 < feed.position - START_NS <= wall.now_ns - WALL_NS


def test_a_book_update_comes_before_the_quote_of_its_time_as_in_a_replay() -> None:
    made = crypto()
    together = made.quotes.with_arrays({"ts_init": np.full(len(made.quotes), START_NS + SECOND)})
    wall = Wall()
    deltas = made.deltas.with_arrays({"ts_init": np.full(len(made.deltas), START_NS + SECOND)})
    events = served(fed(wall, 1.0, together, deltas), wall, until_ns=WALL_NS + 2 * SECOND)
    kinds = [isinstance(event, OrderBookDeltas) for event in events]
    assert kinds == sorted(kinds, reverse=True)


def test_another_speed_goes_on_where_the_feed_is() -> None:
    wall, made = Wall(), crypto()
    feed = fed(wall)
    events = served(feed, wall, until_ns=WALL_NS + 5 * SECOND)
    feed.set_speed(10.0)
    events += served(feed, wall, until_ns=wall.now_ns + 5 * SECOND, step_ns=1_000_000)
    assert_same(columns_of(events)["quotes"], made.quotes)
    assert feed.ended
    assert wall.now_ns - WALL_NS == pytest.approx(5 * SECOND + 15 * SECOND / 10, rel=0.02)


def test_as_fast_as_possible_it_waits_for_those_who_process() -> None:
    wall, made = Wall(), crypto()
    feed = fed(wall, 0.0)
    assert len(feed.due(300)) == 300
    assert feed.due(0) == []
    events = served(feed, wall, until_ns=WALL_NS + SECOND)
    assert feed.ended
    assert feed.served == 300 + len(events) == len(made.quotes) + len(made.trades) + _updates(made.deltas)
    assert {WALL_NS <= event.ts_init <= wall.now_ns for event in events} == {True}


def test_a_machine_that_slept_finds_the_market_where_it_left_it() -> None:
    wall = Wall()
    feed = fed(wall)
    before = served(feed, wall, until_ns=WALL_NS + 2 * SECOND)
    left = feed.position
    wall.now_ns += 3600 * SECOND
    after = feed.due(10**6)
    assert feed.position - left < SECOND
    assert all(event.ts_init > before[-1].ts_init + 3000 * SECOND for event in after)


def test_a_feed_that_ended_says_so_and_serves_no_more() -> None:
    wall = Wall()
    feed = fed(wall, 1.0, crypto().trades)
    events = served(feed, wall, until_ns=WALL_NS + 30 * SECOND)
    assert feed.ended
    assert len(events) == len(crypto().trades)
    assert feed.due(10**6) == []


def _updates(deltas: Deltas) -> int:
    return int((deltas.flags & 128 != 0).sum())
