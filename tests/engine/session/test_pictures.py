"""What a watcher sees: every tick while there is room, the extremes when there is none, true risk."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import InstrumentId, Price

from engine.book import Book
from engine.messages.columns import DEPTH_LEVELS, QUOTE, TRADE, Rows
from engine.messages.commands import Finish, Play, Seek, SetSpeed
from engine.messages.events import AccountChanged, Results
from engine.messages.frames import Market
from engine.session.conflation import ROWS_PER_PICTURE, conflate
from engine.session.tape import Tape, quote_rows
from tests.engine.session.markets import FX, START_NS, crypto, crypto_columns, obey, quotes, session
from tests.engine.session.strategies import Bracket, Limit, Timed
from tests.engine.session.strategies import Market as MarketOrders


def joined(markets: list[Market], kind: str) -> Rows:
    return np.concatenate([getattr(market, kind) for market in markets])


# The market


def test_unhurried_pictures_hold_every_row_exactly_once() -> None:
    run = session(*crypto_columns())
    run.handle(Finish())
    markets = []
    while run.advance(0.004):
        markets.append(run.take_picture().markets[0])
    markets.append(run.take_picture().markets[0])
    run.close()
    assert len(markets) > 5
    made = crypto()
    assert joined(markets, "quotes")["ts"].tolist() == made.quotes.ts_init.tolist()
    np.testing.assert_allclose(joined(markets, "quotes")["bid"], made.quotes.bid / 10)
    assert joined(markets, "trades")["ts"].tolist() == made.trades.ts_init.tolist()
    np.testing.assert_allclose(joined(markets, "trades")["size"], made.trades.size / 1000)
    assert sum(market.quotes_conflated + market.trades_conflated for market in markets) == 0


def test_the_book_is_the_latest_and_depth_columns_are_those_of_their_time() -> None:
    run = session(*crypto_columns(), depth_interval_ns=500_000_000)
    target = START_NS + 7_300_000_000
    obey(run, Seek(target))
    market = run.take_picture().markets[0]
    run.close()
    deltas = crypto().deltas
    book = Book()
    book.apply(deltas.take(deltas.ts_init <= target))
    np.testing.assert_allclose(market.bids["price"], book.bids(DEPTH_LEVELS)[:, 0] / 10)
    np.testing.assert_allclose(market.asks["size"], book.asks(DEPTH_LEVELS)[:, 1] / 1000)
    assert market.depth["ts"].tolist() == [START_NS + k * 500_000_000 for k in range(1, 15)]
    at = market.depth[5]
    book = Book()
    book.apply(deltas.take(deltas.ts_init <= at["ts"]))
    bids = book.bids(DEPTH_LEVELS)
    np.testing.assert_allclose(at["price"][0][: len(bids)], bids[:, 0] / 10)


def test_quotes_alone_make_a_book_of_one_level() -> None:
    run = session()
    obey(run, Seek(int(quotes().ts_init[100])))
    market = run.take_picture().markets[0]
    run.close()
    assert market.bids["price"].tolist() == [quotes().bid[100] / 1e5]
    assert len(market.asks) == 1
    assert len(market.depth) == 0


def test_too_much_for_a_picture_is_conflated_and_counted() -> None:
    many = quotes(60_000, 9)
    tape = Tape(FX.id, 10**9, START_NS)
    for start in range(0, len(many), 700):
        tape.absorb([{"quotes": many.take(slice(start, start + 700))}], int(many.ts_init[-1]))
    market = tape.take()
    assert len(market.quotes) <= ROWS_PER_PICTURE
    assert len(market.quotes) + market.quotes_conflated == len(many)
    whole = quote_rows(many)
    for side in ("bid", "ask"):
        assert market.quotes[side].min() == whole[side].min()
        assert market.quotes[side].max() == whole[side].max()
    assert market.quotes[0] == whole[0]
    assert market.quotes[-1] == whole[-1]
    assert (np.diff(market.quotes["ts"]) > 0).all()


@given(st.integers(1, 1_500), st.integers(8, 60), st.integers(0, 10**6))
def test_conflation_keeps_first_last_lowest_and_highest(n: int, limit: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = np.zeros(n, TRADE)
    rows["ts"], rows["price"] = np.arange(n), random.normal(size=n)
    kept = conflate(rows, ("price",), limit)
    assert len(kept) <= limit
    assert (np.diff(kept["ts"]) > 0).all()
    assert {kept["price"].min(), kept["price"].max()} == {rows["price"].min(), rows["price"].max()}
    assert (kept["ts"][0], kept["ts"][-1]) == (0, n - 1)
    if n <= limit:
        assert len(kept) == n


def test_who_joins_late_sees_the_epoch_from_its_start() -> None:
    run = session(*crypto_columns())
    middle, target = START_NS + 6_000_000_000, START_NS + 11_000_000_000
    obey(run, Seek(middle))
    first = run.take_picture()
    assert [instrument.id for instrument in first.instruments] == ["BTCUSDT.SIM"]
    assert run.take_picture().instruments == []
    obey(run, Seek(middle + 1_000_000_000))
    run.rewatch()
    obey(run, Seek(target))
    pictures = [run.take_picture() for _ in range(4)]
    run.close()
    assert [bool(picture.instruments) for picture in pictures] == [True, False, False, False]
    markets = [picture.markets[0] for picture in pictures]
    made = crypto()
    for kind, columns in (("quotes", made.quotes), ("trades", made.trades)):
        expected = columns.ts_init[columns.ts_init <= target]
        assert joined(markets, kind)["ts"].tolist() == expected.tolist()
    assert joined(markets, "depth")["ts"].tolist() == [START_NS + k * 10**9 for k in range(1, 11)]
    assert markets[-1].bids.tolist() == markets[-2].bids.tolist()


def test_a_seek_back_shows_the_new_epoch_from_its_start() -> None:
    run = session(strategy=MarketOrders)
    obey(run, Seek(int(quotes().ts_init[5_000])))
    assert run.take_picture().epoch == 1
    obey(run, Seek(int(quotes().ts_init[1_000])))
    picture = run.take_picture()
    run.close()
    assert picture.epoch == 2
    assert picture.instruments
    assert picture.markets[0].quotes["ts"].tolist() == quotes().ts_init[:1_001].tolist()


# Risk


@pytest.mark.parametrize("oms", ["NETTING", "HEDGING"])
@pytest.mark.parametrize("strategy", [MarketOrders, Limit, Bracket, Timed])
def test_risk_is_the_portfolios_own(strategy: type, oms: str) -> None:
    from engine.messages.run import VenueRules

    run = session(
        strategy=strategy,
        venue_rules=VenueRules(oms=oms, taker_fee=Decimal("0.00004")),  # type: ignore[arg-type]
    )
    compared = 0
    for at in range(150, 6_000, 390):
        events = obey(run, Seek(int(quotes().ts_init[at])))
        risk = run.take_picture().risks[0]
        venue = run.course._venue
        engine = venue._engine
        assert engine is not None
        instrument = InstrumentId.from_str(FX.id)
        mid = (int(quotes().bid[at]) + int(quotes().ask[at])) / 2e5
        assert Decimal(str(risk.position)) == engine.portfolio.net_position(instrument)
        assert risk.realised_pnl == pytest.approx(float(venue.balance) - 1e6, abs=1e-6)
        assert risk.equity == pytest.approx(float(venue.balance) + risk.unrealised_pnl, abs=1e-6)
        assert risk.exposure == pytest.approx(abs(risk.position) * mid)
        assert risk.fees == pytest.approx(sum(float(fill.fee) for fill in run.course.fills))
        # Nautilus rounds its price to the tick and its money to cents; a mid may lie half a tick off.
        price = Price.from_str(f"{quotes().bid[at] / 1e5:.5f}")
        open_profit = engine.portfolio.unrealized_pnl(instrument, price=price)
        if open_profit is not None and oms == "NETTING":
            off = risk.position * (mid - float(price))
            assert risk.unrealised_pnl == pytest.approx(float(open_profit) + off, abs=0.011)
            compared += bool(risk.position)
        told = [event for event in events if isinstance(event, AccountChanged)]
        if told:
            assert told[-1].balances[0].total == venue.balance
    run.close()
    assert compared > 3 or oms == "HEDGING"


def test_drawdown_is_measured_at_every_mark_not_at_every_picture() -> None:
    worst = []
    for pictures in (True, False):
        run = session(strategy=MarketOrders)
        run.handle(SetSpeed(0))
        run.handle(Play())
        while run.advance(0.001):
            if pictures:
                run.take_picture()
        results = next(event for event in run.take_events() if isinstance(event, Results))
        risk = run.take_picture().risks[0]
        run.close()
        worst.append(risk.max_drawdown)
        assert risk.max_drawdown == results.equity["drawdown"].min() < 0
        equity = results.equity["equity"]
        assert (results.equity["drawdown"] <= 0).all()
        assert equity[-1] == risk.equity
    assert worst[0] == worst[1]


def test_health_counts_ticks_and_conflation() -> None:
    run = session()
    obey(run, Seek(int(quotes().ts_init[2_999])))
    health = run.take_picture().health
    assert health.ticks == 3_000
    assert health.oldest_tick_ns > 0
    assert health.conflated == 0
    assert run.take_picture().health.oldest_tick_ns == 0
    run.close()


def test_painted_quotes_are_the_exact_ones() -> None:
    rows = quote_rows(quotes())
    assert rows.dtype == QUOTE
    assert [f"{bid:.5f}" for bid in rows["bid"][:50]] == [f"{b / 1e5:.5f}" for b in quotes().bid[:50]]
