import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.downloads.plan import Order, RemoteFile
from engine.downloads.sources import source_named
from engine.errors import UserError
from tests.engine.downloads.fakes import NOW, FakeClock, downloads
from tests.engine.downloads.server import YAHOO_MANNERS, Serve, Vendor, vendor
from tests.recordings import recording

RECORDED = "equities/yahoo_http/historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
BODY = b'{"chart": {"result": [{"meta": {"symbol": "AAPL"}}], "error": null}}'
ORDER = Order(instrument="AAPL.NASDAQ", first=date(2020, 8, 31), last=date(2020, 11, 6))
CHART = "/v8/finance/chart/AAPL"


def planned(order: Order, now: datetime = NOW) -> list[RemoteFile]:
    source = source_named("yahoo")
    return source.plan(source.completed(order, now), "https://yahoo", now)


def asked(file: RemoteFile) -> dict[str, list[str]]:
    return parse_qs(urlsplit(file.url).query)


@contextmanager
def yahoo(*charts: Serve, path: str = CHART) -> Iterator[Vendor]:
    """Yahoo with these charts, all its hosts at one local address."""
    with vendor() as here:
        here.answers = {**YAHOO_MANNERS, path: list(charts)}
        yield here


def test_daily_bars_are_one_answer_with_actions() -> None:
    (file,) = planned(ORDER)
    assert urlsplit(file.url).path == CHART
    assert file.name == "AAPL/day/AAPL_2020-08-31_2020-11-06.json"
    assert asked(file) == {
        "period1": ["1598832000"],
        "period2": ["1604707200"],
        "interval": ["1d"],
        "includePrePost": ["false"],
        "events": ["div,splits,capitalGains"],
    }


def test_minutes_are_asked_for_by_the_week_and_only_where_yahoo_has_them() -> None:
    files = planned(
        Order(instrument="AAPL.NASDAQ", kind="minute", first=date(2024, 9, 1), last=date(2024, 9, 10))
    )
    assert [file.name for file in files] == [
        "AAPL/minute/AAPL_2024-09-01_2024-09-07.json",
        "AAPL/minute/AAPL_2024-09-08_2024-09-10.json",
    ]
    assert asked(files[0])["interval"] == ["1m"]
    with pytest.raises(UserError, match="last 30 days only; begin at 2024-08-22"):
        planned(Order(instrument="AAPL.NASDAQ", kind="minute", first=date(2024, 8, 21), last=NOW.date()))


def test_a_symbol_that_the_instrument_does_not_tell_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"add it with --symbol, for example --symbol VOD\.L"):
        planned(Order(instrument="VOD.LSE", first=ORDER.first, last=ORDER.last))
    (file,) = planned(Order(instrument="VOD.LSE", symbol="VOD.L", first=ORDER.first, last=ORDER.last))
    assert file.name == "VOD.L/day/VOD.L_2020-08-31_2020-11-06.json"
    (file,) = planned(Order(instrument="SPX.YAHOO", symbol="^GSPC", first=ORDER.first, last=ORDER.last))
    assert urlsplit(file.url).path == "/v8/finance/chart/%5EGSPC"


def test_a_recorded_answer_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    recorded = json.loads(recording(RECORDED).read_bytes())["response"]
    body = json.dumps(recorded["bodyJson"]).encode()
    order = Order(instrument="MSFT.NASDAQ", first=date(2021, 2, 1), last=date(2022, 1, 31))
    with yahoo(Serve(body=body), path="/v8/finance/chart/MSFT") as here:
        got = downloads("yahoo", here.url, tmp_path).fetch(order)
    assert [path.read_bytes() for path in got.paths] == [body]
    assert got.report.fetched == 1


def test_what_fails_once_is_asked_for_again(tmp_path: Path) -> None:
    bad = [Serve(body=BODY, cut_at=20), Serve(body=b'{"chart": '), Serve(status=502), Serve(status=502)]
    clock = FakeClock()
    with yahoo(*bad, Serve(body=BODY)) as here:
        got = downloads("yahoo", here.url, tmp_path, clock=clock).fetch(ORDER)
    assert got.paths[0].read_bytes() == BODY
    assert got.report.repeated == 3  # yfinance itself asks a second time after an error


def test_a_symbol_that_yahoo_does_not_know_is_told_in_its_words(tmp_path: Path) -> None:
    body = b'{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found"}}}'
    with (
        yahoo(Serve(status=404, body=body)) as here,
        pytest.raises(UserError, match=r"AAPL_2020-08-31_2020-11-06.json \(No data found\); check symbol"),
    ):
        downloads("yahoo", here.url, tmp_path).fetch(ORDER)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Serve(status=429), r"it asks for fewer requests \(429\)"),
        (Serve(body=BODY, stall_at=10), "the answer stalled"),
    ],
)
def test_what_fails_for_ever_is_told(answer: Serve, said: str, tmp_path: Path) -> None:
    with yahoo(answer) as here, pytest.raises(UserError, match=said):
        downloads("yahoo", here.url, tmp_path, retries=1).fetch(ORDER)


def test_no_cookie_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with yahoo(Serve(body=BODY)) as here:
        downloads("yahoo", here.url, tmp_path / "downloads").fetch(ORDER)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {
        "AAPL_2020-08-31_2020-11-06.json",
        ".lock",
    }


def test_planning_does_not_import_yfinance() -> None:
    code = (
        "import sys; from engine.downloads.sources import SOURCES; "
        "assert 'yahoo' in SOURCES; sys.exit('yfinance' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_day_that_is_not_over_is_fetched_again(tmp_path: Path) -> None:
    now = datetime(2020, 11, 6, 18, tzinfo=UTC)
    with yahoo(Serve(body=BODY)) as here:
        got = downloads("yahoo", here.url, tmp_path, clock=FakeClock(now)).fetch(ORDER)
        again = downloads("yahoo", here.url, tmp_path, clock=FakeClock(now)).fetch(ORDER)
    assert len(got.report.notes) == 2
    assert (again.report.fetched, again.report.from_cache) == (1, 0)


def test_a_network_that_is_not_there_is_told_in_our_words_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UserError, match="Yahoo cannot be reached, because no connection could be made; 0 of"):
        downloads("yahoo", "http://127.0.0.1:1", tmp_path, retries=0).fetch(ORDER)
    assert caplog.text == ""
