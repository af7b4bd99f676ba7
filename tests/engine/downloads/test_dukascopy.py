from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.downloads.plan import Order, RemoteFile
from engine.downloads.sources import source_named
from engine.errors import UserError
from tests.engine.downloads.fakes import FakeClock, downloads
from tests.engine.downloads.server import Serve, vendor
from tests.recordings import recording

NOW = datetime(2024, 9, 20, 12, 30, tzinfo=UTC)
DAY = date(2019, 2, 4)


def planned(order: Order, now: datetime = NOW) -> list[RemoteFile]:
    source = source_named("dukascopy")
    return source.plan(source.completed(order, now), "https://feed", now)


def order(
    first: date = DAY,
    last: date = DAY,
    *,
    instrument: str = "EURUSD.DUKASCOPY",
    kind: str = "",
    symbol: str = "",
) -> Order:
    return Order(instrument=instrument, kind=kind, first=first, last=last, symbol=symbol)


def test_a_day_is_24_hours_in_a_folder_whose_month_counts_from_00() -> None:
    files = planned(order(date(2024, 1, 31), date(2024, 2, 1)))
    assert len(files) == 48
    assert files[0].url == "https://feed/EURUSD/2024/00/31/00h_ticks.bi5"
    assert files[-1].name == "EURUSD/2024/01/01/23h_ticks.bi5"
    assert {file.absence for file in files} == {"empty"}


def test_candles_are_a_file_for_each_side() -> None:
    files = planned(order(kind="candles"))
    assert [file.name for file in files] == [
        "EURUSD/2019/01/04/BID_candles_min_1.bi5",
        "EURUSD/2019/01/04/ASK_candles_min_1.bi5",
    ]


def test_of_today_only_the_hours_that_are_over_are_asked_for() -> None:
    files = planned(order(NOW.date(), NOW.date()))
    assert [file.name[-13:-10] for file in files] == [f"{hour:02}h" for hour in range(12)]
    with pytest.raises(UserError, match="No ticks of 2024-09-20 are complete yet"):
        planned(order(NOW.date(), NOW.date()), NOW.replace(hour=0))
    with pytest.raises(UserError, match="2024-09-21 is still to come; end at 2024-09-20"):
        planned(order(NOW.date(), date(2024, 9, 21)))


def test_a_symbol_is_only_taken_from_dukascopys_own_instruments() -> None:
    with pytest.raises(UserError, match="add --symbol EURUSD"):
        planned(order(instrument="EURUSD.OANDA"))
    assert planned(order(instrument="EURUSD.OANDA", symbol="GBPUSD"))[0].name.startswith("GBPUSD/2019/")


def test_a_real_day_comes_whole_and_again_from_the_cache(tmp_path: Path) -> None:
    root = recording("fx/dukascopy")
    with vendor() as dukascopy:
        dukascopy.answers = {
            f"/{path.relative_to(root).as_posix()}": Serve(body=path.read_bytes())
            for path in root.rglob("*h_ticks.bi5")
        }
        got = downloads("dukascopy", dukascopy.url, tmp_path).fetch(order())
        again = downloads("dukascopy", dukascopy.url, tmp_path).fetch(order())
        assert len(dukascopy.requests) == 24
    assert [path.read_bytes() for path in got.paths] == [
        (root / f"EURUSD/2019/01/04/{hour:02}h_ticks.bi5").read_bytes() for hour in range(24)
    ]
    assert (got.report.fetched, got.report.from_cache) == (24, 0)
    assert (again.report.fetched, again.report.from_cache, again.report.size_bytes) == (0, 24, 0)
    assert again.paths == got.paths


def test_an_hour_that_is_absent_is_an_empty_hour_and_is_not_asked_for_twice(tmp_path: Path) -> None:
    path = recording("fx/dukascopy/EURUSD/2019/01/04/07h_ticks.bi5")
    with vendor() as dukascopy:
        dukascopy.answers["/EURUSD/2019/01/04/07h_ticks.bi5"] = Serve(body=path.read_bytes())
        got = downloads("dukascopy", dukascopy.url, tmp_path).fetch(order())
        downloads("dukascopy", dukascopy.url, tmp_path).fetch(order())
        assert len(dukascopy.requests) == 24
    assert got.report.absent == 23
    assert [path.stat().st_size > 0 for path in got.paths].index(True) == 7


def test_a_symbol_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with vendor() as dukascopy, pytest.raises(UserError, match="has no ticks of EURUSX"):
        downloads("dukascopy", dukascopy.url, tmp_path).fetch(order(instrument="EURUSX.DUKASCOPY"))


def test_an_hour_that_may_still_change_is_asked_for_again(tmp_path: Path) -> None:
    path = recording("fx/dukascopy/EURUSD/2019/01/04/07h_ticks.bi5")
    today = order(date(2024, 9, 20), date(2024, 9, 20))
    early = FakeClock(datetime(2024, 9, 20, 1, 30, tzinfo=UTC))
    with vendor() as dukascopy:
        dukascopy.answers["/EURUSD/2024/08/20/00h_ticks.bi5"] = Serve(body=path.read_bytes())
        got = downloads("dukascopy", dukascopy.url, tmp_path, clock=early).fetch(today)
        assert got.report.notes == [
            "2024-09-20 (UTC) is not over: what is still to come of it is missing.",
            "1 file may still change, so the next download fetches it again.",
        ]
        downloads("dukascopy", dukascopy.url, tmp_path, clock=early).fetch(today)
        offline = downloads("dukascopy", dukascopy.url, tmp_path, clock=early).fetch(today, offline=True)
        assert len(dukascopy.requests) == 2
        assert offline.paths == got.paths
        late = FakeClock(datetime(2024, 9, 25, tzinfo=UTC))
        final = downloads("dukascopy", dukascopy.url, tmp_path, clock=late).fetch(today)
        asked = dukascopy.asked("/EURUSD/2024/08/20/00h_ticks.bi5")
        downloads("dukascopy", dukascopy.url, tmp_path, clock=late).fetch(today)
        assert len(dukascopy.asked("/EURUSD/2024/08/20/00h_ticks.bi5")) == len(asked) == 3
    assert final.report.notes == []
    assert not [path for path in (tmp_path / "dukascopy/.unfinished").rglob("*") if path.is_file()]
