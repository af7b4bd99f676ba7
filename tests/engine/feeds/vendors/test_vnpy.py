import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.columns import Quotes, Snapshots, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile, detect
from engine.feeds.vendors import vnpy_csv, vnpy_database
from engine.messages.instrument import Instrument
from tests.engine.feeds.mutations import mutations, survives

START_NS = int(datetime(2024, 1, 2, 9, tzinfo=UTC).timestamp()) * 1_000_000_000
MINUTE_NS = 60_000_000_000

BARS = """symbol,exchange,datetime,open,high,low,close,volume,turnover,open_interest
rb2410,SHFE,2024-01-02 09:00:00,3901.0,3905.0,3900.0,3904.5,12.0,468000.0,1000.0
rb2410,SHFE,2024-01-02 09:01:00,3904.0,3904.0,3902.0,3903.0,7.5,292000.0,1003.0
rb2410,SHFE,2024-01-02 09:02:00,3903.0,3903.0,3903.0,3903.0,0.0,0.0,1003.0
"""
TICKS = """symbol,exchange,datetime,name,volume,last_price,bid_price_1,bid_price_2,ask_price_1,ask_price_2,bid_volume_1,bid_volume_2,ask_volume_1,ask_volume_2,localtime
rb2410,SHFE,2024-01-02 09:00:00.500000,x,10,3901,3900,3899,3901,3902,5,6,7,8,2024-01-02 09:00:00.512000
rb2410,SHFE,2024-01-02 09:00:01,x,11,3901,3900.5,0,3901,0,5,0,7,0,
rb2410,SHFE,2024-01-02 09:00:01.500000,x,12,3901,0,0,3901,0,0,0,7,0,
"""  # noqa: E501
SCHEMA = """
CREATE TABLE dbbardata (id INTEGER PRIMARY KEY, symbol TEXT, exchange TEXT, datetime DATETIME, interval TEXT,
    volume REAL, turnover REAL, open_interest REAL, open_price REAL, high_price REAL, low_price REAL,
    close_price REAL);
CREATE TABLE dbtickdata (id INTEGER PRIMARY KEY, symbol TEXT, exchange TEXT, datetime DATETIME,
    bid_price_1 REAL, bid_price_2 REAL, ask_price_1 REAL, ask_price_2 REAL, bid_volume_1 REAL,
    bid_volume_2 REAL, ask_volume_1 REAL, ask_volume_2 REAL, localtime DATETIME);
"""
BAR_ROWS = [
    ("rb2410", "SHFE", "2024-01-02 09:00:00", "1m", 12.0, 0, 0, 3901.0, 3905.0, 3900.0, 3904.5),
    ("rb2410", "SHFE", "2024-01-02 09:01:00", "1m", 7.5, 0, 0, 3904.0, 3904.0, 3902.0, 3903.0),
    ("rb2410", "SHFE", "2024-01-02 09:00:00", "1h", 19.5, 0, 0, 3901.0, 3905.0, 3900.0, 3903.0),
    ("rb2410", "SHFE", "2024-01-01 00:00:00", "w", 19.5, 0, 0, 3901.0, 3905.0, 3900.0, 3903.0),
    ("cu2402", "SHFE", "2024-01-02 09:00:00", "1m", 1.0, 0, 0, 1.0, 1.0, 1.0, 1.0),
]
TICK_ROWS = [
    ("rb2410", "SHFE", "2024-01-02 09:00:00.500000", 3900, 3899, 3901, 3902.1, 5, 6, 7, 8, None),
    ("rb2410", "SHFE", "2024-01-02 09:00:01", 3900, None, 3901, None, 5, None, 7, None, None),
]


def source(
    data: str | bytes, name: str = "rb2410.csv", instrument: str = "rb2410.SHFE", **said: object
) -> SourceFile:
    facts = Instrument(
        id=instrument,
        kind="future",
        base=instrument.partition(".")[0],
        quote="CNY",
        price_precision=0,
        size_precision=0,
        tick_size=Decimal(1),
        lot_size=Decimal(1),
    )
    raw = data.encode() if isinstance(data, str) else data
    return SourceFile(path=Path(name), data=raw, instrument=facts, **said)  # type: ignore[arg-type]


def database(
    bars: Sequence[tuple[object, ...]] = BAR_ROWS, ticks: Sequence[tuple[object, ...]] = TICK_ROWS
) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO dbbardata VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bars)
    connection.executemany("INSERT INTO dbtickdata VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ticks)
    connection.commit()
    data = connection.serialize()
    connection.close()
    return data


def bars_of(found: Decoded, kind: str = "bars-1-MINUTE-LAST") -> VendorBars:
    part = found.columns[kind]
    assert isinstance(part, VendorBars)
    return part


def quotes_of(found: Decoded) -> Quotes:
    part = found.columns["quotes"]
    assert isinstance(part, Quotes)
    return part


def depth_of(found: Decoded) -> Snapshots:
    part = found.columns["depth"]
    assert isinstance(part, Snapshots)
    return part


@pytest.mark.parametrize("head", ["open,high,low,close", "open_price,high_price,low_price,close_price"])
def test_bars_of_the_data_manager(head: str) -> None:
    found = vnpy_csv.decode(source(BARS.replace("open,high,low,close", head)))
    rows = bars_of(found)
    assert (rows.ts_event - START_NS).tolist() == [0, MINUTE_NS, 2 * MINUTE_NS]
    assert (rows.ts_init - rows.ts_event).tolist() == [MINUTE_NS] * 3
    assert (rows.open.tolist(), rows.close.tolist()) == ([39_010, 39_040, 39_030], [39_045, 39_030, 39_030])
    assert (rows.volume.tolist(), rows.price_precision, rows.size_precision) == ([120, 75, 0], 1, 1)
    assert any("no file tells which" in note for note in found.notes)
    assert any("open interest" in note for note in found.notes)


def test_a_database_gives_the_same_bars() -> None:
    found = vnpy_database.decode(source(database(), "database.db"))
    rows, csv = bars_of(found), bars_of(vnpy_csv.decode(source(BARS))).take(slice(2))
    for name, array in csv.arrays().items():
        assert array.tolist() == getattr(rows, name).tolist(), name
    assert len(bars_of(found, "bars-1-HOUR-LAST")) == 1
    assert any("cu2402.SHFE 1m, rb2410.SHFE w" in note for note in found.notes)


def test_ticks_are_quotes_and_where_they_have_levels_depth() -> None:
    found = vnpy_csv.decode(source(TICKS))
    quotes, depth = quotes_of(found), depth_of(found)
    assert (quotes.ts_event - START_NS).tolist() == [500_000_000, 1_000_000_000]
    assert (quotes.ts_init - quotes.ts_event).tolist() == [12_000_000, 0]
    assert (quotes.bid.tolist(), quotes.ask.tolist()) == ([39_000, 39_005], [39_010, 39_010])
    assert (quotes.bid_size.tolist(), quotes.ask_size.tolist()) == ([5, 5], [7, 7])
    assert depth.bid.tolist() == [[39_000, 38_990, 0, 0, 0]]
    assert depth.ask_size.tolist() == [[7, 8, 0, 0, 0]]
    assert [(each.reason, each.first_line) for each in found.rejected] == [("there is no bid", 4)]


def test_ticks_of_a_database() -> None:
    found = vnpy_database.decode(source(database(), "database.db"))
    assert quotes_of(found).bid.tolist() == [39_000, 39_000]
    assert depth_of(found).ask.tolist() == [[39_010, 39_021, 0, 0, 0]]


def test_a_database_in_write_ahead_mode_is_read_unless_it_is_open() -> None:
    data = bytearray(database())
    data[18:20] = b"\x02\x02"
    assert len(bars_of(vnpy_database.decode(source(bytes(data), "database.db")))) == 2
    with pytest.raises(Undecodable, match=r"close vn\.py first"):
        vnpy_database.decode(
            source(
                bytes(data), "database.db", sibling=lambda name: b"x" if name == "database.db-wal" else None
            )
        )


def test_times_with_their_zone_are_not_said_to_be_taken_for_utc() -> None:
    zoned = BARS.replace(":00,39", ":00+08:00,39")
    found = vnpy_csv.decode(source(zoned))
    part = found.columns["bars-1-MINUTE-LAST"]
    assert part.ts_event[0] == START_NS - 8 * 60 * MINUTE_NS
    assert not any("UTC" in note for note in found.notes)
    rows = [(*row[:2], f"{row[2]}+08:00", *row[3:]) for row in BAR_ROWS]
    kept = vnpy_database.decode(source(database(bars=rows, ticks=()), "database.db"))
    assert not any("UTC" in note for note in kept.notes)


def test_the_zone_that_the_user_says_turns_times_to_utc() -> None:
    eight_hours = 8 * 60 * MINUTE_NS
    for decode, data, name in (
        (vnpy_csv.decode, BARS.encode(), "x.csv"),
        (vnpy_csv.decode, TICKS.encode(), "x.csv"),
        (vnpy_database.decode, database(), "database.db"),
    ):
        plain, told = decode(source(data, name)), decode(source(data, name, zone="Asia/Shanghai"))
        assert any("--zone" in note for note in plain.notes)
        assert not any("--zone" in note for note in told.notes)
        for kind, part in plain.columns.items():
            assert (part.ts_event - told.columns[kind].ts_event == eight_hours).all()
            assert (part.ts_init - told.columns[kind].ts_init == eight_hours).all()


def test_only_the_instruments_rows_are_taken() -> None:
    both = BARS + "cu2402,SHFE,2024-01-02 09:03:00,1,1,1,1,1,1,1\n"
    found = vnpy_csv.decode(source(both))
    assert len(bars_of(found)) == 3
    assert any("cu2402" in note for note in found.notes)
    with pytest.raises(Undecodable, match="rows are of cu2402, rb2410, not au2406"):
        vnpy_csv.decode(source(both, instrument="au2406.SHFE"))
    with pytest.raises(Undecodable, match=r"it holds cu2402\.SHFE 1m, .* not au2406"):
        vnpy_database.decode(source(database(), "database.db", "au2406.SHFE"))


def test_a_symbol_of_several_exchanges_is_taken_of_its_venue() -> None:
    rows = [(row[0], exchange, *row[2:]) for row in BAR_ROWS[:2] for exchange in ("SHFE", "INE")]
    data = database(rows, [])
    assert len(bars_of(vnpy_database.decode(source(data, "database.db", "rb2410.INE")))) == 2
    with pytest.raises(Undecodable, match="INE and SHFE"):
        vnpy_database.decode(source(data, "database.db", "rb2410.XYZ"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SQLite format 3\x00" + bytes(4_000), "damaged or cut off"),
        (database()[:8_000], "damaged or cut off"),
        (database(BAR_ROWS[3:4], []), "of weeks only"),
        (database([], []), "holds nothing"),
    ],
)
def test_other_databases_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        vnpy_database.decode(source(data, "database.db"))


def test_a_foreign_database_is_told() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE dbbardata_old (x)")
    data = connection.serialize()
    connection.close()
    with pytest.raises(Undecodable, match="no table dbbardata"):
        vnpy_database.decode(source(data, "database.db"))


def test_each_form_is_recognised() -> None:
    assert detect(Path("x.csv"), BARS.encode()).name == "vnpy"
    assert detect(Path("x.csv"), TICKS.encode()).name == "vnpy"
    assert detect(Path("database.db"), database()).name == "vnpy-database"


def test_damaged_files_are_refused_or_told() -> None:
    for damaged in mutations(BARS.encode(), 150):
        survives(vnpy_csv.decode, source(damaged))
    for damaged in mutations(TICKS.encode(), 150):
        survives(vnpy_csv.decode, source(damaged))
    for damaged in mutations(database(), 300):
        survives(vnpy_database.decode, source(damaged, "database.db"))
