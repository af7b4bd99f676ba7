from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import ACTIONS, KINDS, Columns, CorporateAction, CorporateActions, Snapshots
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, simulate
from engine.messages.instrument import Instrument
from engine.store import Store, row_groups
from engine.store.schema import ROW_GROUP_ROWS
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, deltas, quotes, same, trades

DAYS = st.lists(
    # Times cluster, so that ties, and days' ends, are common; rows of one time differ.
    st.tuples(st.sampled_from([0, 1, 2, 5, DAY_NS // 2 - 1, DAY_NS // 2, 3 * DAY_NS]), st.integers(1, 40)),
    min_size=1,
    max_size=40,
    unique=True,
)


@settings(max_examples=40, deadline=None)
@given(DAYS, st.data())
def test_any_split_of_a_file_into_imports_gives_the_same_store(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    whole = quotes([time for time, _ in rows], [price for _, price in rows])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    again = data.draw(st.booleans())
    with TemporaryDirectory() as one, TemporaryDirectory() as many:
        at_once, in_parts = Store(Path(one)), Store(Path(many))
        at_once.add(EURUSD, {"quotes": whole})
        for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            in_parts.add(EURUSD, {"quotes": whole.take(slice(start, end))})
        if again:
            added = in_parts.add(EURUSD, {"quotes": whole})
            assert added.rows == {"quotes": 0}
            assert added.duplicates == {"quotes": len(rows)}
        assert same(in_parts.read("EURUSD.SIM", "quotes"), whole)
        assert same(in_parts.read("EURUSD.SIM", "quotes"), at_once.read("EURUSD.SIM", "quotes"))
        assert in_parts.days("EURUSD.SIM", "quotes") == at_once.days("EURUSD.SIM", "quotes")


def test_files_hold_one_utc_day_each_sorted_by_event_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    half = DAY_NS // 2
    store.add(EURUSD, {"quotes": quotes([half + 5, 3, half - 1, half, 1], [5, 2, 3, 4, 1])})

    files = store.files("EURUSD.SIM", "quotes")

    assert [file.name for file in files] == ["2019-02-04.parquet", "2019-02-05.parquet"]
    assert pl.read_parquet(files[0])["bid"].to_list() == [Decimal(n).scaleb(-5) for n in (1, 2, 3)]
    assert pl.read_parquet(files[1])["ts_event"].to_list() == [NOON_NS + half, NOON_NS + half + 5]


def test_every_kind_comes_back_exactly_as_it_went_in(tmp_path: Path) -> None:
    market = simulate(PROFILES["crypto"], seed=3, start_ns=NOON_NS, seconds=20)
    ts = np.arange(3, dtype=np.int64) + NOON_NS
    levels = np.arange(6, dtype=np.int64).reshape(3, 2) + 1
    depth = Snapshots(
        ts_event=ts,
        ts_init=ts,
        bid=levels,
        ask=levels + 10,
        bid_size=levels,
        ask_size=levels,
        price_precision=market.instrument.price_precision,
        size_precision=market.instrument.size_precision,
    )
    parts: dict[str, Columns] = {
        "quotes": market.quotes,
        "trades": market.trades,
        "deltas": market.deltas,
        "depth": depth,
    }
    store = Store(tmp_path)
    assert len(market.trades) > 0

    store.add(market.instrument, parts)

    for kind, columns in parts.items():
        assert same(store.read(market.instrument.id, kind), columns), kind
    assert store.instrument(market.instrument.id) == market.instrument
    assert store.add(market.instrument, parts).rows == dict.fromkeys(KINDS, 0)


def test_polars_and_duckdb_read_the_files_as_documented(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(
        EURUSD, {"quotes": quotes([1, 2, 3], [114_543, 114_544, 114_545]), "trades": trades([1], [9], [5])}
    )
    files = f"{tmp_path}/EURUSD.SIM/quotes/*.parquet"

    frame = pl.read_parquet(files)
    rows = duckdb.read_parquet(files)
    found = rows.select("make_timestamp_ns(ts_event)::varchar, bid, sum(bid_size) over ()").fetchall()

    assert frame.schema["bid"] == pl.Decimal(18, 5)
    assert frame.schema["ts_event"] == pl.Int64
    assert frame.select(pl.from_epoch("ts_event", "ns")).dtypes == [pl.Datetime("ns")]
    assert found[0] == ("2019-02-04 12:00:00.000000001", Decimal("1.14543"), Decimal(3_000_000))
    assert frame["bid"].sum() == Decimal("3.43632")


def test_the_lazy_view_gives_floats_and_the_same_rows(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1, 2 * DAY_NS], [114_543, 114_544])})

    view = store.scan("EURUSD.SIM", "quotes")
    none = store.scan("EURUSD.SIM", "trades")

    assert view.filter(pl.col("ts_event") > NOON_NS + 1).select("bid").collect().to_series().to_list() == [
        1.14544
    ]
    assert view.collect_schema()["ask_size"] == pl.Float64
    assert none.collect().is_empty()
    assert none.collect_schema()["price"] == pl.Float64


def test_info_counts_rows_times_and_exact_volume(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"trades": trades([0, 5, DAY_NS], [1, 2, 3], [1, 2, 3])})

    info = store.info("EURUSD.SIM")

    assert (info["trades"].rows, info["trades"].days, info["trades"].volume) == (3, 2, Decimal(21))
    assert (info["trades"].first_ts_ns, info["trades"].last_ts_ns) == (NOON_NS, NOON_NS + DAY_NS)
    assert (info["quotes"].rows, info["quotes"].first_ts_ns) == (0, None)


def test_unknown_instruments_are_answered_with_the_nearest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(UserError, match="no instrument yet"):
        store.info("EURUSD.SIM")
    store.add(EURUSD, {"quotes": quotes([1])})
    with pytest.raises(UserError, match=r"choose EURUSD\.SIM"):
        store.instrument("EURUSDX.SIM")
    with pytest.raises(UserError, match="Unknown"):
        store.instrument("../EURUSD.SIM")


def test_finer_prices_restate_what_is_stored_without_changing_a_value(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(
        EURUSD, {"quotes": quotes([1, 2 * DAY_NS], [114_543, 114_544]), "trades": trades([1], [9], [5])}
    )
    finer = quotes([5], [1_145_431])
    finer = type(finer)(**finer.arrays(), price_precision=6, size_precision=2)  # type: ignore[arg-type]

    store.add(EURUSD, {"quotes": finer})

    facts = store.instrument("EURUSD.SIM")
    assert (facts.price_precision, facts.size_precision) == (6, 2)
    assert facts.tick_size == Decimal("0.000001")
    assert str(facts.lot_size) == "1000.00"
    assert store.read("EURUSD.SIM", "quotes").bid.tolist() == [1_145_430, 1_145_431, 1_145_440]
    assert store.info("EURUSD.SIM")["trades"].volume == 7
    scales = {pl.read_parquet_schema(file)["bid"] for file in store.files("EURUSD.SIM", "quotes")}
    assert scales == {pl.Decimal(18, 6)}
    assert store.add(EURUSD, {"quotes": quotes([1], [114_543])}).rows == {"quotes": 0}


def test_a_value_of_more_than_18_digits_is_refused_and_nothing_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1], [10**17])})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    finer = quotes([5], [1])
    finer = type(finer)(**finer.arrays(), price_precision=7, size_precision=0)  # type: ignore[arg-type]

    with pytest.raises(
        UserError, match=r"^A price \(bid\) would have .* 18 digits at the 7 decimals .*; import"
    ):
        store.add(EURUSD, {"quotes": finer})

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_time_range_reads_only_its_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    count = 2 * ROW_GROUP_ROWS + 10
    store.add(EURUSD, {"quotes": quotes(list(range(count)), [1] * count)})
    read: list[int] = []

    def counting(kind: str, group: row_groups.RowGroup) -> Columns:
        read.append(group.number)
        return row_groups.read_rows(kind, group)

    monkeypatch.setattr("engine.store.store.read_rows", counting)

    rows = store.read("EURUSD.SIM", "quotes", NOON_NS + ROW_GROUP_ROWS, NOON_NS + ROW_GROUP_ROWS + 5)

    assert read == [1]
    assert (rows.ts_init - NOON_NS).tolist() == [ROW_GROUP_ROWS + n for n in range(5)]


def test_numbers_of_book_updates_can_be_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.has_sequence("EURUSD.SIM", "deltas", 11)
    store.add(EURUSD, {"deltas": deltas([1, 2], [5, 6], [1, 0], [11, 12])})
    assert store.has_sequence("EURUSD.SIM", "deltas", 12)
    assert not store.has_sequence("EURUSD.SIM", "deltas", 13)


def test_a_dividend_makes_no_tick_finer(tmp_path: Path) -> None:
    ts = np.array([NOON_NS], np.int64)
    dividend = CorporateActions(
        ts_event=ts,
        ts_init=ts,
        action=np.array([CorporateAction.DIVIDEND], np.uint8),
        amount=np.array([205_000], np.int64),
        numerator=np.ones(1, np.int64),
        denominator=np.ones(1, np.int64),
        price_precision=6,
        size_precision=0,
    )
    share = Instrument(
        id="AAPL.TEST",
        kind="equity",
        base="AAPL",
        quote="USD",
        price_precision=2,
        size_precision=0,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )
    store = Store(tmp_path)
    store.add(share, {ACTIONS: dividend})
    stored = store.instrument("AAPL.TEST")
    assert (stored.price_precision, stored.tick_size) == (6, Decimal("0.01"))
    assert store.read("AAPL.TEST", ACTIONS).arrays()["amount"].tolist() == [205_000]


def test_a_file_with_fewer_decimals_makes_no_stored_tick_coarser(tmp_path: Path) -> None:
    fine = msgspec.structs.replace(EURUSD, tick_size=Decimal("0.01"), price_precision=2)
    coarse = msgspec.structs.replace(EURUSD, tick_size=Decimal("0.1"), price_precision=1)
    store = Store(tmp_path)
    for facts, time in ((fine, 1), (coarse, 2)):
        rows = quotes([time], [10])
        unit = type(rows)(
            **{**rows.arrays(), "bid": rows.bid * 0 + 11, "ask": rows.ask * 0 + 12},  # type: ignore[arg-type]
            price_precision=facts.price_precision,
            size_precision=rows.size_precision,
        )
        store.add(facts, {"quotes": unit})
    stored = store.instrument(EURUSD.id)
    assert (stored.price_precision, stored.tick_size) == (2, Decimal("0.01"))
