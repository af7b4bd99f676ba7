import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.reader import Source
from engine.feeds.report import CrossedPolicy, ImportReport
from engine.feeds.simulated import PROFILES, simulate
from engine.progress import Cancelled
from engine.store import Store
from engine.store.book_check import check_book
from tests.engine.feeds.files import bi5, hour, known, recording, zipped
from tests.recordings import recording as real

TICKS = [(n * 1_000, 114_545 + n % 3, 114_543, 1.5, 2.25) for n in range(100)]
START_NS = int(datetime(2019, 2, 4, tzinfo=UTC).timestamp()) * 1_000_000_000


def imported(
    store: Path, *paths: Path, instrument: str = "EURUSD.DUKASCOPY", **source: object
) -> ImportReport:
    return import_files(paths, instrument, Store(store), known(), Source(**source))  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_recorded_day_is_imported_whole_and_once(tmp_path: Path) -> None:
    folder = real("fx/dukascopy/EURUSD/2019/01/04")
    first = imported(tmp_path, folder)
    before = contents(tmp_path)
    second = imported(tmp_path, folder)
    assert (first.rows, first.added, first.duplicates) == (136_741, 136_741, 0)
    assert (first.first_ts_ns, first.last_ts_ns) == (1549238400994 * 10**6, 1549324797992 * 10**6)
    assert (first.out_of_order, first.crossed, first.gaps, first.rejected) == (0, 0, 0, [])
    assert (first.price_precision, first.files) == (5, 24)
    assert (second.rows, second.added, second.duplicates) == (136_741, 0, 136_741)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("policy", "rows"), [("keep", 51_053), ("drop", 47_062)])
def test_crossed_quotes_are_handled_as_told(tmp_path: Path, policy: CrossedPolicy, rows: int) -> None:
    report = imported(
        tmp_path, real("fx/fxcm_lean/20140501_quote.zip"), instrument="EURUSD.FXCM", crossed=policy
    )
    assert (report.rows, report.crossed) == (rows, 3_991)
    quotes = Store(tmp_path).read("EURUSD.FXCM", "quotes")
    assert len(quotes) == rows
    assert (quotes.bid > quotes.ask).sum() == (3_991 if policy == "keep" else 0)


def test_crossed_quotes_stop_an_import_by_default(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,bid,ask\n1549238400,1.1,1.2\n1549238401,1.3,1.2\n1549238402,1.2,1.2\n")
    with pytest.raises(UserError, match=r"1 of 3 quotes .* 2019-02-04 00:00:01 UTC.*--crossed keep"):
        imported(tmp_path / "store", path)
    assert not (tmp_path / "store").exists()
    assert imported(tmp_path / "store", path, crossed="drop").rows == 2


def test_an_hour_at_a_time_gives_the_same_store_as_the_folder(tmp_path: Path) -> None:
    for number in (0, 1, 3):
        hour(tmp_path, bi5(TICKS), number=number)
    hour(tmp_path, b"", number=2)
    folder = tmp_path / "EURUSD/2019/01/04"
    (folder / "BID_candles_min_1.bi5").write_bytes(b"not ticks")
    whole = imported(tmp_path / "whole", folder)
    for path in sorted(folder.glob("*h_ticks.bi5"), reverse=True):
        imported(tmp_path / "single", path)
    assert whole.rows == 300
    assert whole.gaps == 1, "hour 2 is empty"
    single = {path.name: path.read_bytes() for path in (tmp_path / "single").rglob("*.parquet")}
    assert single == {path.name: path.read_bytes() for path in (tmp_path / "whole").rglob("*.parquet")}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("cut.bi5", bi5(TICKS)[:-9], "cut off"),
        ("candles.bi5", b"x", "candles, not ticks"),
        ("cut.gz", recording([(START_NS, {"s": "EURUSD"})])[:-6], "cut off"),
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n", "is empty"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00", "no known format"),
        ("page.json", b'{"a": 1}', "is JSON"),
        ("cut.zip", zipped({"20190204_eurusd_tick_quote.csv": "1,2,3\n"})[:-20], "zip archive"),
        ("bad.csv", b"time,bid,ask\nnever,1,2\n", "written in no form"),
        ("none.csv", b"time,bid,ask\n1549238400,x,2\n", "no row can be taken"),
        ("cut.parquet", b"PAR1 and so on", "Parquet file is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_one_sentence_and_stores_nothing(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    store, good, bad = tmp_path / "store", hour(tmp_path, bi5(TICKS)), tmp_path / name
    imported(store, good)
    before = contents(store)
    bad.write_bytes(data)
    other = hour(tmp_path, bi5(TICKS), number=5)
    with pytest.raises(UserError, match=said) as raised:
        imported(store, other, bad)
    assert str(bad) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert contents(store) == before


def test_paths_that_are_no_data_are_answered(tmp_path: Path) -> None:
    (tmp_path / "ticks.csv").write_text("x")
    (tmp_path / "empty").mkdir()
    for path, said in (
        ("tickz.csv", "did you mean ticks.csv"),
        ("empty", "holds no data file"),
        ("no/x", "does not exist"),
    ):
        with pytest.raises(UserError, match=said):
            imported(tmp_path / "store", tmp_path / path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,bid,ask\n")
    path.chmod(0)
    with pytest.raises(UserError, match="permission denied"):
        imported(tmp_path / "store", path)


def test_progress_rises_to_one_and_cancel_stores_nothing(tmp_path: Path) -> None:
    paths = [hour(tmp_path, bi5(TICKS), number=number) for number in range(4)]
    seen: list[float] = []
    store = Store(tmp_path / "store")
    import_files(paths, "EURUSD.DUKASCOPY", store, known(), progress=lambda part, _what: seen.append(part))
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0

    for stop_after in range(1, len(seen) - 1):
        other = Store(tmp_path / f"cancelled{stop_after}")
        calls: list[float] = []
        with pytest.raises(Cancelled):
            import_files(
                paths,
                "EURUSD.DUKASCOPY",
                other,
                known(),
                progress=lambda part, _what, calls=calls: calls.append(part),  # type: ignore[misc]
                cancelled=lambda calls=calls, stop=stop_after: len(calls) >= stop,  # type: ignore[misc]
            )
        assert other.instruments() == []
        assert not list(other.root.rglob("*.parquet"))


def test_steps_of_an_unlisted_market_are_those_of_its_data(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,price,size,side\n1549238400,10.25,0.5,buy\n1549238401,10.3,3,sell\n")
    imported(tmp_path / "store", path, instrument="SOLUSDT.BINANCE")
    facts = Store(tmp_path / "store").instrument("SOLUSDT.BINANCE")
    assert (facts.tick_size, facts.lot_size) == (Decimal("0.01"), Decimal("0.1"))
    path.write_text("time,price,size,side\n1549238402,10.125,0.25,buy\n")
    report = imported(tmp_path / "store", path, instrument="SOLUSDT.BINANCE")
    assert (report.price_precision, report.size_precision) == (3, 2)
    assert Store(tmp_path / "store").read("SOLUSDT.BINANCE", "trades").price.tolist() == [
        10_250,
        10_300,
        10_125,
    ]


def test_a_simulated_market_passes_the_book_check(tmp_path: Path) -> None:
    market = simulate(PROFILES["crypto"], seed=5, start_ns=START_NS, seconds=30)
    store = Store(tmp_path)
    store.add(market.instrument, {"quotes": market.quotes, "trades": market.trades, "deltas": market.deltas})
    check = check_book(store, market.instrument.id)
    assert check.paired_by == "time"
    assert check.updates == check.bbo_compared == check.bbo_equal > 100
    assert check.crossed == check.gaps == 0


def test_the_book_check_sees_a_wrong_quote_a_crossed_book_and_a_gap(tmp_path: Path) -> None:
    market = simulate(PROFILES["crypto"], seed=5, start_ns=START_NS, seconds=5)
    bid = market.quotes.bid.copy()
    bid[len(bid) // 2] -= 1
    store = Store(tmp_path / "wrong")
    store.add(market.instrument, {"quotes": market.quotes.with_arrays({"bid": bid}), "deltas": market.deltas})
    check = check_book(store, market.instrument.id)
    assert check.bbo_equal < check.bbo_compared

    def diff(n: int, first: int, bids: list[list[str]]) -> tuple[int, dict[str, object]]:
        message = {"e": "depthUpdate", "E": START_NS // 10**6 + n, "s": "ETHUSDT", "U": first, "u": first}
        return START_NS + n, {**message, "b": bids, "a": []}

    path = tmp_path / "x.gz"
    snapshot = {"lastUpdateId": 5, "bids": [["10", "1"]], "asks": [["11", "1"]]}
    path.write_bytes(recording([(START_NS, snapshot), diff(1, 6, [["12", "1"]]), diff(2, 9, [["9", "1"]])]))
    imported(tmp_path / "gap", path, instrument="ETHUSDT.BINANCE")
    check = check_book(Store(tmp_path / "gap"), "ETHUSDT.BINANCE")
    assert (check.updates, check.crossed, check.gaps, check.bbo_compared) == (2, 1, 1, 0)
    assert (check.final_bid, check.final_ask) == (None, None)


def test_a_said_day_that_the_rows_contradict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text("time,bid,ask\n2019-02-04T00:00:00Z,1.1,1.2\n2019-02-05T23:00:00Z,1.1,1.2\n")
    for day in (date(2020, 1, 1), date(2019, 2, 2)):
        with pytest.raises(UserError, match=f"of 2019-02-04 to 2019-02-05 but --date says {day}; leave"):
            imported(tmp_path / "s", path, day=day)
    assert imported(tmp_path / "s", path, day=date(2019, 2, 6)).added == 2
