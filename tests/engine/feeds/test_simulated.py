"""The simulated market agrees with itself and shows the stylised facts that a demo should."""

from dataclasses import replace
from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest

from engine.book import Book, depth_columns
from engine.columns import Action, Aggressor, Columns, Flag, Side
from engine.feeds.simulated import PROFILES, Simulation, market, random_quotes, simulate

START_NS = 1_704_067_200_000_000_000
SECOND = 1_000_000_000
SECONDS = {"fx": 600, "crypto": 300}


@pytest.fixture(scope="module", params=sorted(PROFILES))
def profile_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def simulation(profile_name: str) -> Simulation:
    return simulate(PROFILES[profile_name], 7, START_NS, SECONDS[profile_name])


def equal(a: Columns, b: Columns) -> bool:
    return all(np.array_equal(column, b.arrays()[name]) for name, column in a.arrays().items())


def same(a: Simulation, b: Simulation) -> bool:
    return equal(a.quotes, b.quotes) and equal(a.trades, b.trades) and equal(a.deltas, b.deltas)


def autocorrelation(values: npt.NDArray[np.float64], lags: range) -> float:
    """Mean over `lags`."""
    return float(np.mean([np.corrcoef(values[:-lag], values[lag:])[0, 1] for lag in lags]))


def test_a_seed_decides_the_market(profile_name: str) -> None:
    profile = PROFILES[profile_name]
    first = simulate(profile, 1, START_NS, 5)
    assert same(first, simulate(profile, 1, START_NS, 5))
    assert not same(first, simulate(profile, 2, START_NS, 5))


@pytest.mark.parametrize("block_seconds", [0.01, 0.5, 3.0])
def test_the_stream_does_not_depend_on_the_length_of_blocks(profile_name: str, block_seconds: float) -> None:
    profile, seconds = PROFILES[profile_name], 6
    blocks = list(islice(market(profile, 3, START_NS, block_seconds), round(seconds / block_seconds)))
    whole = simulate(profile, 3, START_NS, seconds)
    for kind in ("quotes", "trades", "deltas"):
        parts = [getattr(block, kind) for block in blocks]
        assert equal(type(parts[0]).concat(parts), getattr(whole, kind)), kind


def test_the_stream_opens_with_a_snapshot_of_a_deep_book(simulation: Simulation) -> None:
    deltas = simulation.deltas
    rows = int((deltas.sequence == 0).sum())
    snapshot = deltas.take(slice(rows))
    assert snapshot.action.tolist() == [Action.CLEAR] + [Action.ADD] * (rows - 1)
    assert (snapshot.flags & Flag.SNAPSHOT > 0).all()
    assert np.flatnonzero(snapshot.flags & Flag.LAST).tolist() == [rows - 1]
    assert (snapshot.ts_event == START_NS).all()
    assert simulation.quotes.ts_event[0] == START_NS
    assert min((snapshot.side == Side.BUY).sum(), (snapshot.side == Side.SELL).sum()) > 20


def test_time_runs_forward_and_no_two_updates_share_it(simulation: Simulation) -> None:
    deltas = simulation.deltas
    ends = np.flatnonzero(deltas.flags & Flag.LAST)
    assert (np.diff(deltas.ts_event[ends]) > 0).all()
    assert np.array_equal(deltas.sequence[ends], np.arange(len(ends)))
    assert (np.diff(deltas.ts_event) >= 0).all()
    assert (np.diff(simulation.quotes.ts_event) > 0).all()
    assert (np.diff(simulation.trades.trade_id) == 1).all()


def test_quotes_are_the_books_best_after_every_update_and_never_crossed(simulation: Simulation) -> None:
    quotes, deltas = simulation.quotes, simulation.deltas
    updates = 30_000
    ends = (np.flatnonzero(deltas.flags & Flag.LAST) + 1)[:updates].tolist()
    book, shown = Book(), []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        book.apply(deltas.take(slice(start, end)))
        bid, ask = book.best_bid(), book.best_ask()
        assert bid is not None
        assert ask is not None
        assert not book.crossed
        shown.append((bid[0], ask[0], bid[1], ask[1]))
    rows = quotes.ts_event.searchsorted(deltas.ts_event[np.array(ends) - 1], side="right") - 1
    said = np.stack([quotes.bid, quotes.ask, quotes.bid_size, quotes.ask_size], axis=1)
    assert np.array_equal(said[rows], np.array(shown))
    changed = (said[1:] != said[:-1]).any(axis=1)
    assert changed.all(), "a quote is written only when it says something new"


def test_the_spread_is_positive_and_mostly_small(simulation: Simulation) -> None:
    spread = simulation.quotes.ask - simulation.quotes.bid
    assert spread.min() >= 1
    assert np.median(spread) <= 5
    assert min(simulation.quotes.bid_size.min(), simulation.quotes.ask_size.min()) > 0


def test_a_trade_takes_its_size_from_the_level_that_it_hit(simulation: Simulation) -> None:
    """Replayed by (side, price): the level before, less the trade, is the level that the delta states."""
    trades, deltas = simulation.trades, simulation.deltas
    hits: dict[tuple[int, int], list[int]] = {}
    for ts, price, size, aggressor in zip(
        trades.ts_event.tolist(),
        trades.price.tolist(),
        trades.size.tolist(),
        trades.aggressor.tolist(),
        strict=True,
    ):
        assert (ts, price) not in hits
        hits[ts, price] = [size, Side.SELL if aggressor == Aggressor.BUYER else Side.BUY]
    levels: dict[tuple[int, int], int] = {}
    matched = 0
    rows = zip(
        deltas.ts_event.tolist(),
        deltas.side.tolist(),
        deltas.price.tolist(),
        deltas.size.tolist(),
        deltas.action.tolist(),
        strict=True,
    )
    for ts, side, price, size, action in rows:
        before = levels.get((side, price), 0)
        assert (action == Action.DELETE) == (size == 0 and action != Action.CLEAR)
        assert (action == Action.ADD) == (before == 0 and size > 0)
        if (ts, price) in hits:
            traded, hit_side = hits[ts, price]
            assert hit_side == side
            assert traded == before - size > 0
            matched += 1
        levels[side, price] = size
    assert matched == len(trades) > 500


def test_trades_happen_at_the_best_price_before_them(simulation: Simulation) -> None:
    quotes, trades = simulation.quotes, simulation.trades
    first = np.concatenate([(True,), np.diff(trades.ts_event) > 0])
    rows = quotes.ts_event.searchsorted(trades.ts_event[first], side="left") - 1
    buys = trades.aggressor[first] == Aggressor.BUYER
    assert np.array_equal(trades.price[first], np.where(buys, quotes.ask[rows], quotes.bid[rows]))
    assert 0.2 < buys.mean() < 0.8


def depth(simulation: Simulation, levels: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    last = int(simulation.deltas.ts_event[-1])
    return depth_columns(Book(), simulation.deltas, np.arange(START_NS, last, SECOND // 10), levels)


def test_twenty_levels_stand_on_each_side(simulation: Simulation) -> None:
    price, _ = depth(simulation, 20)
    assert (~np.isnan(price)).all(axis=(1, 2)).mean() > 0.999


def test_mean_depth_falls_with_distance_from_the_best_price(simulation: Simulation) -> None:
    """As measured by Bouchaud, Mézard and Potters (2002): flat or humped near the best, then falling."""
    price, size = depth(simulation, 200)
    ticks = np.rint(np.abs(price - price[:, :, :1]) * 10**simulation.instrument.price_precision)
    there = ~np.isnan(ticks)
    mean = np.bincount(ticks[there].astype(int), weights=size[there])[:60] / len(price)
    near, middle, far = mean[:5].mean(), mean[15:25].mean(), mean[40:50].mean()
    assert near > 1.3 * middle > 1.3 * 1.3 * far
    assert mean[1:6].max() > 0.9 * mean[0], "the best level is eaten into, so it is no peak"


def test_volatility_clusters_and_returns_do_not(simulation: Simulation) -> None:
    quotes = simulation.quotes
    middle = (quotes.bid + quotes.ask) / 2
    grid = np.arange(START_NS, int(quotes.ts_event[-1]), SECOND)
    returns = np.diff(middle[quotes.ts_event.searchsorted(grid, side="right") - 1])
    of_size, of_return = (autocorrelation(r, range(1, 6)) for r in (np.abs(returns), returns))
    assert of_size > 0.1
    assert of_size > abs(of_return) + 0.1


def dispersion(simulation: Simulation) -> float:
    """Variance over mean of the market orders in each second; 1 for a Poisson process."""
    counts = np.bincount((np.unique(simulation.trades.ts_event) - START_NS) // SECOND)
    return float(counts.var() / counts.mean())


def test_trades_come_in_bursts_because_they_excite_each_other(
    simulation: Simulation, profile_name: str
) -> None:
    assert dispersion(simulation) > 1.5
    profile = replace(PROFILES[profile_name], pick_off_rate=0.0, volatility_sd=0.0)
    calm = replace(profile, excite_same=0.0, excite_other=0.0)
    assert dispersion(simulate(profile, 7, START_NS, 100)) > 1.5
    assert dispersion(simulate(calm, 7, START_NS, 100)) == pytest.approx(1, abs=0.4)


def test_columns_are_whole_ticks_and_lots_of_the_instrument(simulation: Simulation) -> None:
    instrument = simulation.instrument
    lot = int(instrument.lot_size.scaleb(instrument.size_precision))
    for columns in (simulation.quotes, simulation.trades, simulation.deltas):
        assert columns.price_precision == instrument.price_precision
        assert columns.size_precision == instrument.size_precision
        assert {array.dtype.name for array in columns.arrays().values()} <= {"int64", "uint8"}
    assert (simulation.trades.size % lot == 0).all()
    assert (simulation.deltas.size % lot == 0).all()


def test_random_quotes_are_seeded_positive_and_in_order() -> None:
    instrument = PROFILES["fx"].instrument
    quotes = random_quotes(50_000, 5, instrument, START_NS, start_ticks=40)
    assert equal(quotes, random_quotes(50_000, 5, instrument, START_NS, start_ticks=40))
    assert not equal(quotes, random_quotes(50_000, 6, instrument, START_NS, start_ticks=40))
    assert quotes.bid.min() >= 1
    assert (quotes.ask - quotes.bid).min() >= 1
    assert (np.diff(quotes.ts_event) > 0).all()
    assert quotes.ts_event[0] > START_NS
