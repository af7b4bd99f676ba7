"""What stands before an own order: where it starts, what moves it up, and when nothing can be said."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state.market import MarketState
from app.state.queue import QueueState, size_at
from app.state.session import SessionState
from engine.link.builders import EURUSD, START_NS, frame, market, order, rows
from engine.link.trading_builders import control
from engine.messages.columns import LEVEL
from engine.messages.events import AnyEvent, EpochBegan
from engine.messages.run import Mode

MS = 1_000_000
type Levels = Sequence[tuple[float, float]]
type Trade = tuple[int, float, float, int]


class Venue:
    """A market and the queues in it, frame by frame, 20 ms apart."""

    def __init__(self, *, own_in_book: bool = False) -> None:
        self.now = START_NS
        self.queues = QueueState()
        self._own_in_book = own_in_book
        self._state = MarketState(EURUSD)

    def frame(
        self,
        bids: Levels = (),
        asks: Levels = (),
        *,
        quotes: Sequence[tuple[int, float, float, float, float]] = (),
        trades: Sequence[tuple[float, float, int]] = (),
        events: Sequence[AnyEvent] = (),
        ms: int = 20,
    ) -> None:
        self.now += ms * MS
        stamped: list[Trade] = [(self.now, *trade) for trade in trades]
        news = market(bids=bids, asks=asks, trades=stamped, quotes=quotes)
        self._state.apply(news)
        self.queues.apply([news], {EURUSD.id: self._state}, events, self.now, own_in_book=self._own_in_book)

    def rest(self, price: str = "1.00000", size: int = 10, **more: object) -> AnyEvent:
        return order(
            price=Decimal(price),
            quantity=Decimal(size),
            ts=self.now + 10 * MS,
            **more,  # type: ignore[arg-type]
        )

    @property
    def ahead(self) -> float | None:
        return self.queues.of("O-1")


BOOK = ([(1.00001, 30.0), (1.0, 50.0), (0.99998, 40.0)], [(1.00003, 20.0), (1.00004, 60.0)])


@pytest.fixture
def venue() -> Venue:
    made = Venue()
    made.frame(*BOOK)
    return made


def at(size: float) -> tuple[Levels, Levels]:
    """The book with another size at the order's level."""
    return [(1.00001, 30.0), (1.0, size), (0.99998, 40.0)], BOOK[1]


def test_all_that_rests_at_the_price_stands_before_a_new_order(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    assert venue.queues.queues("O-1")
    assert venue.ahead == 50


@pytest.mark.parametrize(("price", "ahead"), [("1.00002", 0), ("0.99999", 0), ("0.99998", 40)])
def test_between_the_levels_nothing_stands_before_it(venue: Venue, price: str, ahead: float) -> None:
    venue.frame(*BOOK, events=[venue.rest(price)])
    assert venue.ahead == ahead


def test_beyond_what_is_seen_of_the_book_nothing_is_said(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest("0.99997")])
    assert venue.queues.queues("O-1")
    assert venue.ahead is None
    venue.frame([*BOOK[0], (0.99997, 8.0)], BOOK[1])
    assert venue.ahead is None  # some of the 8 may have come behind it


def test_once_nobody_else_is_there_it_is_known_to_be_first(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest("0.99997")])
    venue.frame([*BOOK[0], (0.99990, 8.0)], BOOK[1])
    assert venue.ahead == 0


def test_a_source_without_sizes_says_nothing() -> None:
    venue = Venue()
    venue.frame(quotes=[(1, 1.0, 1.00002, 0.0, 0.0)])
    venue.frame(events=[venue.rest()])
    assert venue.ahead is None


def test_quotes_alone_know_their_own_price(venue: Venue) -> None:
    quoted = Venue()
    quoted.frame(quotes=[(1, 1.0, 1.00002, 7.0, 9.0)])
    quoted.frame(events=[quoted.rest()])
    assert quoted.ahead == 7
    deeper = Venue()
    deeper.frame(quotes=[(1, 1.0, 1.00002, 7.0, 9.0)])
    deeper.frame(events=[deeper.rest("0.99999")])
    assert deeper.ahead is None


def test_trades_at_the_price_move_it_up_one_for_one(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*at(38.0), trades=[(1.0, 12.0, 2)])
    assert venue.ahead == 38
    venue.frame(*at(38.0), trades=[(1.0, 5.0, 1), (1.00001, 9.0, 2)])  # a buyer's, and at another price
    assert venue.ahead == 38


def test_a_trade_told_before_its_book_counts_once(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(trades=[(1.0, 12.0, 2)])
    assert venue.ahead == 38
    venue.frame(*at(38.0))
    assert venue.ahead == 38


def test_trades_before_it_came_to_rest_are_of_its_level_but_not_of_its_queue(venue: Venue) -> None:
    early = order(price=Decimal("1.00000"), quantity=Decimal(10), ts=venue.now + 30 * MS)
    venue.frame(*BOOK, trades=[(1.0, 12.0, 2)], events=[early])
    assert venue.ahead == 50


def test_cancels_are_shared_out_by_what_stands_before_and_behind(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*at(100.0))  # 50 came behind
    assert venue.ahead == 50
    venue.frame(*at(80.0))  # 20 of 100 left, half of them from before it
    assert venue.ahead == pytest.approx(40)


def test_a_trade_through_its_price_leaves_nothing_before_it(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*at(50.0), trades=[(0.99999, 1.0, 2)])
    assert venue.ahead == 0


def test_sells_queue_on_the_other_side(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest("1.00004", side="SELL")])
    assert venue.ahead == 60
    venue.frame(*BOOK, trades=[(1.00004, 15.0, 1), (1.00004, 5.0, 2)])
    assert venue.ahead == 45


def test_another_price_or_a_larger_size_goes_to_the_back(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*at(38.0), trades=[(1.0, 12.0, 2)])
    venue.frame(*at(60.0))
    venue.frame(*at(60.0), events=[venue.rest(size=4)])
    assert venue.ahead == 38  # a smaller one keeps its place
    venue.frame(*at(60.0), events=[venue.rest(size=5)])
    assert venue.ahead == 60
    venue.frame(*at(60.0), events=[venue.rest("0.99998", size=5)])
    assert venue.ahead == 40


def test_one_that_is_being_filled_is_first(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*BOOK, events=[venue.rest(status="PARTIALLY_FILLED", filled=Decimal(2))])
    assert venue.ahead == 0


@pytest.mark.parametrize("status", ["CANCELED", "FILLED", "EXPIRED", "REJECTED"])
def test_one_that_is_gone_stands_in_no_queue(venue: Venue, status: str) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*BOOK, events=[venue.rest(status=status)])
    assert not venue.queues.queues("O-1")


def test_only_what_rests_queues(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest(status="SUBMITTED")])
    assert not venue.queues.queues("O-1")
    stop = venue.rest(type="STOP_LIMIT", status="ACCEPTED", trigger=Decimal("1.00004"))
    venue.frame(*BOOK, events=[stop])
    assert not venue.queues.queues("O-1")
    venue.frame(*BOOK, events=[venue.rest(type="STOP_LIMIT", status="TRIGGERED")])
    assert venue.ahead == 50


def test_a_book_that_is_too_old_says_nothing(venue: Venue) -> None:
    late = order(price=Decimal("1.00000"), ts=venue.now + 2_000 * MS)
    venue.frame(*at(50.0), events=[late], ms=3_000)
    assert venue.ahead is None


def test_a_book_that_did_not_change_never_gets_too_old(venue: Venue) -> None:
    late = order(price=Decimal("1.00000"), ts=venue.now + 2_000 * MS)
    venue.frame(events=[late], ms=3_000)
    assert venue.ahead == 50


def test_at_a_real_venue_the_book_holds_our_own_orders_too() -> None:
    venue = Venue(own_in_book=True)
    venue.frame(*BOOK)
    venue.frame(*at(60.0), events=[venue.rest()])
    assert venue.ahead == 50
    venue.frame(*at(35.0))  # 25 of the others' 50 left
    assert venue.ahead == 25


@pytest.mark.parametrize(("mode", "ahead"), [("live", 50), ("paper", 60)])
def test_own_size_in_a_real_venues_book_is_no_others(mode: Mode, ahead: float) -> None:
    session, under = SessionState(), control(mode, "paper")
    now = START_NS + 20 * MS
    session.apply(frame(1, bids=at(60.0)[0], asks=BOOK[1], control=under))
    resting = order(price=Decimal("1.00000"), quantity=Decimal(10), ts=START_NS + 10 * MS)
    session.apply(frame(2, bids=at(60.0)[0], asks=BOOK[1], control=under, events=[resting], now=now))
    assert session.queues.of("O-1") == ahead


def test_a_new_epoch_knows_no_orders(venue: Venue) -> None:
    venue.frame(*BOOK, events=[venue.rest()])
    venue.frame(*BOOK, events=[EpochBegan(ts=venue.now, epoch=2)])
    assert not venue.queues.queues("O-1")


def test_the_version_tells_every_change(venue: Venue) -> None:
    seen = venue.queues.version
    venue.frame(*BOOK, events=[venue.rest()])
    assert venue.queues.version > seen
    seen = venue.queues.version
    venue.frame(*BOOK)
    assert venue.queues.version == seen
    venue.frame(*at(25.0))
    assert venue.queues.version > seen


STEPS = st.lists(
    st.tuples(st.integers(0, 200), st.lists(st.tuples(st.integers(-1, 1), st.integers(1, 80)), max_size=3)),
    max_size=15,
)


@given(STEPS, st.booleans())
def test_it_only_moves_up_and_never_past_what_is_there(
    steps: list[tuple[int, list[tuple[int, int]]]], own_in_book: bool
) -> None:
    venue = Venue(own_in_book=own_in_book)
    venue.frame(*BOOK)
    venue.frame(*at(60.0 if own_in_book else 50.0), events=[venue.rest()])
    before = venue.ahead
    assert before == 50
    for size, ticks in steps:
        trades = [(1.0 + tick / 1e5, float(quantity), 2) for tick, quantity in ticks]
        venue.frame(*at(float(size)), trades=trades)
        after = venue.ahead
        assert after is not None
        assert 0 <= after <= before
        if size:
            assert after <= size
        before = after


@given(st.lists(st.integers(1, 30), max_size=8))
def test_trades_alone_give_the_exact_queue(sizes: list[int]) -> None:
    venue = Venue()
    venue.frame(*BOOK)
    venue.frame(*BOOK, events=[venue.rest()])
    level = 50
    for size in sizes:
        level = max(0, level - size)
        venue.frame(*at(float(level)), trades=[(1.0, float(size), 2)])
        assert venue.ahead == level


def test_sizes_are_found_on_the_prices_grid() -> None:
    bids = rows(LEVEL, [(1.00001, 30.0), (0.99998, 40.0)])
    assert size_at(bids, 5, 100_001, buys=True) == 30
    assert size_at(bids, 5, 100_005, buys=True) == 0
    assert size_at(bids, 5, 99_990, buys=True) is None
    assert size_at(bids[:0], 5, 100_001, buys=True) is None
