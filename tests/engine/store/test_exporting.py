from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.feather as feather
import pytest
from nautilus_trader.model import BookAction
from nautilus_trader.persistence import ParquetDataCatalog

from engine.columns import Columns, Snapshots, VendorBars, bars_kind
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.feeds.simulated import PROFILES, simulate
from engine.nautilus.catalog import write_catalog
from engine.nautilus.data import to_nautilus, to_nautilus_bars
from engine.store import Store
from engine.store.exporting import to_arrow, to_csv
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, deltas, quotes, same, trades

ID = "EURUSD.SIM"
MINUTES = bars_kind("1-MINUTE-LAST")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    ts = np.arange(3, dtype=np.int64) + NOON_NS
    side = np.array([[5, 4], [9, 8], [5, 4]], np.int64)
    prices = np.array([7, 8, 9], np.int64)
    store.add(
        EURUSD,
        {
            "quotes": quotes([1, 2, DAY_NS], [1, 2, 3], sequence=[7, 8, 9]),
            "trades": trades([1, 2, DAY_NS], [5, 6, 7], [1, 2, 3]),
            "deltas": deltas([1, 2], [5, 6], [1, 0], [11, 12]),
            "depth": Snapshots(
                ts_event=ts,
                ts_init=ts,
                bid=side,
                ask=side + 1,
                bid_size=side,
                ask_size=side,
                price_precision=5,
                size_precision=0,
            ),
            MINUTES: VendorBars(
                ts_event=ts,
                ts_init=ts + 60,
                **dict.fromkeys(("open", "high", "low", "close", "volume"), prices),
                price_precision=5,
                size_precision=0,
            ),
        },
    )
    return store


# -- CSV and Arrow ----------------------------------------------------------------------------------------


def test_csv_tells_exact_decimals_and_words(store: Store, tmp_path: Path) -> None:
    done = to_csv(store, ID, "trades", tmp_path / "trades.csv")
    lines = (tmp_path / "trades.csv").read_text().splitlines()
    assert lines[0] == "ts_event,ts_init,price,size,aggressor,trade_id"
    assert lines[1] == f"{NOON_NS + 1},{NOON_NS + 1},0.00005,7,buyer,1"
    assert (done.rows, done.size_bytes) == (3, (tmp_path / "trades.csv").stat().st_size)
    to_csv(store, ID, "deltas", tmp_path / "deltas.csv")
    assert (tmp_path / "deltas.csv").read_text().splitlines()[2].split(",")[2:4] == ["delete", "bid"]
    to_csv(store, ID, "depth", tmp_path / "depth.csv")
    assert pl.read_csv(tmp_path / "depth.csv").columns[2:6] == ["bid_0", "bid_1", "ask_0", "ask_1"]


@pytest.fixture
def listed(tmp_path: Path) -> KnownInstruments:
    path = tmp_path / "instruments.toml"
    path.write_text(
        f'[[instrument]]\nid = "{ID}"\nkind = "fx"\nbase = "EUR"\nquote = "USD"\n'
        'tick_size = "0.00001"\nlot_size = "1000"\n'
    )
    return KnownInstruments.load(path)


@pytest.mark.parametrize("kind", ["quotes", "trades", "deltas", "depth", MINUTES])
def test_a_csv_that_was_exported_comes_back_equal_by_import(
    store: Store, listed: KnownInstruments, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "rows.csv"
    to_csv(store, ID, kind, path)
    again = Store(tmp_path / "again")
    report = import_files([path], ID, again, listed, Source(crossed="keep"))
    assert list(report.kinds) == [kind]
    assert same(again.read(ID, kind), store.read(ID, kind))
    assert not report.rejected
    twice = import_files([path], ID, store, listed, Source(crossed="keep"))
    assert twice.added == 0


@pytest.mark.parametrize("kind", ["quotes", "trades", "deltas", "depth", MINUTES])
def test_an_arrow_file_holds_the_same_values(store: Store, tmp_path: Path, kind: str) -> None:
    done = to_arrow(store, ID, kind, tmp_path / "rows.arrow")
    table = feather.read_table(tmp_path / "rows.arrow", memory_map=False)
    parquet = pl.concat([pl.read_parquet(path) for path in store.files(ID, kind)])
    assert done.rows == table.num_rows
    assert pl.DataFrame(table).equals(parquet)


def test_a_range_of_venue_times_is_exported_and_nothing_else(store: Store, tmp_path: Path) -> None:
    done = to_csv(store, ID, "quotes", tmp_path / "q.csv", NOON_NS + 2, NOON_NS + DAY_NS)
    assert done.rows == 1
    assert pl.read_csv(tmp_path / "q.csv")["ts_event"].to_list() == [NOON_NS + 2]


def test_an_export_that_fails_leaves_no_file_and_says_why(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose another place"):
        to_csv(store, ID, "quotes", tmp_path / "nowhere" / "q.csv")
    with pytest.raises(UserError, match="quotes"):
        to_csv(store, ID, "actions", tmp_path / "a.csv")

    def stop(_fraction: float, _what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        to_arrow(store, ID, "quotes", tmp_path / "q.arrow", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


# -- NautilusTrader's catalog -----------------------------------------------------------------------------


def test_nautilus_reads_the_catalog_back_equal(store: Store, tmp_path: Path) -> None:
    done = write_catalog(store, ID, tmp_path / "catalog")

    catalog = ParquetDataCatalog(str(tmp_path / "catalog"))
    assert done.rows == {"quotes": 3, "trades": 3, "deltas": 2, MINUTES: 3}
    assert done.left_out == ["depth"]
    assert catalog.query_quote_ticks([ID]) == list(to_nautilus(ID, store.read(ID, "quotes")))
    assert catalog.query_trade_ticks([ID]) == list(to_nautilus(ID, store.read(ID, "trades")))
    books = catalog.query_order_book_deltas([ID])
    assert [delta.action for delta in books] == [BookAction.UPDATE, BookAction.DELETE]
    bars = store.read(ID, MINUTES)
    assert isinstance(bars, VendorBars)
    assert catalog.query_bars([f"{ID}-1-MINUTE-LAST-EXTERNAL"]) == to_nautilus_bars(ID, MINUTES, bars)
    assert str(catalog.instruments()[0].id) == ID


def test_a_generated_market_goes_through_the_catalog_row_by_row(tmp_path: Path) -> None:
    market = simulate(PROFILES["crypto"], seed=3, start_ns=NOON_NS, seconds=10)
    store, name = Store(tmp_path / "store"), market.instrument.id
    parts: dict[str, Columns] = {"quotes": market.quotes, "trades": market.trades, "deltas": market.deltas}
    store.add(market.instrument, parts)
    write_catalog(store, name, tmp_path / "catalog")
    catalog = ParquetDataCatalog(str(tmp_path / "catalog"))
    there = catalog.query_order_book_deltas([name])
    updates = to_nautilus(name, store.read(name, "deltas"))
    assert there == [delta for update in updates for delta in update.deltas]
    prices = [Decimal(str(quote.bid_price)) for quote in catalog.query_quote_ticks([name])]
    scale = market.instrument.price_precision
    assert prices == [Decimal(bid).scaleb(-scale) for bid in store.read(name, "quotes").bid.tolist()]


def test_a_size_that_no_source_told_stays_nought_in_the_catalog(tmp_path: Path) -> None:
    rows = quotes([1, 2])
    nought = np.zeros(2, np.int64)
    store = Store(tmp_path / "store")
    store.add(EURUSD, {"quotes": rows.with_arrays({"bid_size": nought, "ask_size": nought})})
    write_catalog(store, ID, tmp_path / "catalog")
    there = ParquetDataCatalog(str(tmp_path / "catalog")).query_quote_ticks([ID])
    assert [str(quote.bid_size) for quote in there] == ["0", "0"]


def test_a_catalog_is_never_written_over_and_a_stopped_one_is_not_there(store: Store, tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    with pytest.raises(UserError, match="there already"):
        write_catalog(store, ID, tmp_path / "catalog")
    with pytest.raises(UserError, match="there is depth for a catalog"):
        write_catalog(store, ID, tmp_path / "other", ["depth"])

    def stop(_fraction: float, _what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_catalog(store, ID, tmp_path / "other", progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog", "store"]
