"""`nexttick download` against vendors on this machine: what arrives in the store, and what is told."""

import gzip
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import pytest
import zstandard

import app.secrets
from app.__main__ import main
from app.secrets import PROFILES, Secrets
from tests.app.keyrings import FakeKeyring
from tests.engine.downloads.server import YAHOO_MANNERS, Serve, Vendor, vendor
from tests.engine.feeds.files import bi5, zipped
from tests.engine.feeds.vendors.dbn_files import dbn_file, trade
from tests.recordings import recording

KEY = "TD.planted-Key_0123456789abcd"
TICKS = [(n * 1_000, 114_545 + n % 3, 114_543, 1.5, 2.25) for n in range(100)]
HOUR = "/EURUSD/2019/01/04/07h_ticks.bi5"
DUKASCOPY = ["dukascopy", "EURUSD.DUKASCOPY", "--from", "2019-02-04", "--to", "2019-02-04"]
TARDIS = ["tardis", "BTCUSDT-PERP.BINANCE", "--from", "2020-09-01", "--to", "2020-09-02"]
TRADES = "/v1/binance-futures/trades/2020/09/{}/BTCUSDT.csv.gz"


@pytest.fixture
def here(own_home: Path) -> Iterator[Vendor]:
    with vendor() as server:
        sources = ("dukascopy", "binance", "yahoo", "tardis", "databento")
        lines = [f'[sources.{name}]\nurl = "{server.url}"\nrequests_per_second = 10000' for name in sources]
        (own_home / "downloads.toml").write_text("\n".join(["backoff_s = 0.001", *lines]))
        yield server


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setattr(app.secrets, "system_keyring", lambda: fake)
    return fake


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["download", *arguments, "--json", "-"]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    answer: dict[str, Any] = json.loads(out.out)
    return answer


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["download", *arguments]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    lines = [line for line in out.err.splitlines() if line.startswith("nexttick: ")]
    assert len(lines) == 1
    return lines[0]


def tardis_trades(day: str) -> Serve:
    rows = "".join(
        f"binance-futures,BTCUSDT,{stamp},{stamp + 5},{stamp % 977},buy,11650.{stamp % 10},0.5\n"
        for stamp in range(_micros(day), _micros(day) + 1_000_000, 10_000)
    )
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    return Serve(body=gzip.compress(f"{header}{rows}".encode()))


def _micros(day: str) -> int:
    return (1_598_918_400 + (int(day) - 1) * 86_400) * 1_000_000


def test_hours_arrive_in_the_store_and_both_reports_are_told(
    here: Vendor, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.answers[HOUR] = Serve(body=bi5(TICKS))
    assert main(["download", *DUKASCOPY]) == 0
    out = capsys.readouterr()
    assert out.out.splitlines()[:3] == [
        "Dukascopy: ticks of EURUSD.DUKASCOPY, 2019-02-04 to 2019-02-04",
        "  files        24 fetched (0.0 MB), 0 from the cache, 23 of them empty at the source",
        f"  cache        {own_home / 'downloads/dukascopy'}",
    ]
    assert "EURUSD.DUKASCOPY: 100 quotes from 24 files (dukascopy)" in out.out
    assert (own_home / "store/EURUSD.DUKASCOPY/quotes/2019-02-04.parquet").is_file()
    told = [line.split(" %  ") for line in out.err.splitlines()]
    assert [text for _, text in told].count("Done") == 2
    assert any(text.endswith("of 24 files, 0.0 MB (Dukascopy)") for _, text in told)


def test_a_real_day_is_the_recorded_ticks(here: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    root = recording("fx/dukascopy")
    for path in root.rglob("*h_ticks.bi5"):
        here.answers[f"/{path.relative_to(root).as_posix()}"] = Serve(body=path.read_bytes())
    answer = answered(capsys, *DUKASCOPY)
    assert answer["download"]["fetched"] == 24
    assert answer["import"]["kinds"] == {"quotes": 136_741}
    assert answer["import"]["crossed"] == 0


def test_offline_uses_only_the_cache_and_names_what_is_missing(
    here: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, *DUKASCOPY, "--offline")
    assert "24 of 24 files of Dukascopy are not in the cache (EURUSD/2019/01/04/00h_ticks.bi5" in said
    assert here.requests == []
    here.answers[HOUR] = Serve(body=bi5(TICKS))
    answered(capsys, *DUKASCOPY, "--no-import")
    asked = len(here.requests)
    answer = answered(capsys, *DUKASCOPY, "--offline")
    assert len(here.requests) == asked
    assert answer["download"]["from_cache"] == 24
    assert answer["import"]["rows"] == 100


def test_a_file_that_was_served_damaged_is_fetched_again(
    here: Vendor, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = bi5(TICKS)
    here.answers[HOUR] = Serve(body=whole[:-20])
    assert "is cut off before its end; it was taken out of the cache" in refused(capsys, *DUKASCOPY)
    assert (own_home / f"downloads/dukascopy/.damaged{HOUR}").read_bytes() == whole[:-20]
    here.answers[HOUR] = Serve(body=whole)
    answer = answered(capsys, *DUKASCOPY)
    assert answer["download"]["fetched"] == 1
    assert answer["import"]["rows"] == 100


@pytest.mark.parametrize("cut", [lambda whole: whole[:-200], lambda whole: whole[:-1] + b"?"])
def test_an_archive_that_was_served_damaged_leaves_the_cache(
    cut: Callable[[bytes], bytes], here: Vendor, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = TRADES.format("01")
    here.answers[path] = Serve(body=cut(tardis_trades("01").body))
    free = [*TARDIS[:-1], "2020-09-01"]
    assert "it was taken out of the cache, so run this again" in refused(capsys, *free)
    here.answers[path] = tardis_trades("01")
    assert answered(capsys, *free)["import"]["rows"] == 100


def test_a_file_that_another_import_refuses_stays_in_the_cache(
    here: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    here.answers[HOUR] = Serve(body=bi5([(0, 114_543, 114_545, 1.5, 2.25)]))
    refused(capsys, *DUKASCOPY)
    assert answered(capsys, *DUKASCOPY, "--crossed", "keep")["download"]["from_cache"] == 24


def test_what_is_in_the_cache_can_be_fetched_again(here: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    here.answers[HOUR] = Serve(body=bi5(TICKS))
    answered(capsys, *DUKASCOPY)
    here.answers[HOUR] = Serve(body=bi5(TICKS[:50]))
    answer = answered(capsys, *DUKASCOPY, "--refetch")
    assert (answer["download"]["fetched"], answer["import"]["rows"]) == (24, 50)
    assert "leave one of them out" in refused(capsys, *DUKASCOPY, "--refetch", "--offline")


def test_missing_files_are_listed_beside_the_sentence(
    here: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", *DUKASCOPY, "--offline"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [f"missing  EURUSD/2019/01/04/{hour:02}h_ticks.bi5" for hour in range(2)]
    assert lines[20] == "missing  4 more"


def test_files_can_be_left_in_the_cache(
    here: Vendor, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.answers[HOUR] = Serve(body=bi5(TICKS))
    answer = answered(capsys, *DUKASCOPY, "--no-import")
    assert answer["import"] is None
    assert not (own_home / "store").exists()
    assert (own_home / f"downloads/dukascopy{HOUR}").is_file()


def test_an_archive_of_binance(here: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{n},60000.1{n},0.5,30000.05,{1722470400000 + n},True,True\n" for n in range(5))
    path = "/data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2024-08-01.zip"
    here.answers[path] = Serve(body=zipped({"BTCUSDT-trades-2024-08-01.csv": rows}))
    day = ["--from", "2024-08-01", "--to", "2024-08-01"]
    answer = answered(capsys, "binance", "BTCUSDT.BINANCE", *day)
    assert answer["import"]["kinds"] == {"trades": 5}
    assert answer["download"]["verified"] == 0


def test_days_that_binance_lacks_are_told_and_the_others_imported(
    here: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = "spot/daily/trades/BTCUSDT"
    rows = "1,60000.1,0.5,30000.05,1722470400000,True,True\n"
    range_ = ["binance", "BTCUSDT.BINANCE", "--from", "2024-07-31", "--to", "2024-08-02"]
    assert "Binance has no trades of BTCUSDT.BINANCE from 2024-07-31" in refused(capsys, *range_)
    here.answers[f"/data/{folder}/BTCUSDT-trades-2024-08-01.zip"] = Serve(body=zipped({"a.csv": rows}))
    lacking = [f"{folder}/BTCUSDT-trades-{day}.zip" for day in ("2024-07-31", "2024-08-02")]
    assert "Binance lacks 2 of the 3 files" in refused(capsys, *range_, "--strict")
    answer = answered(capsys, *range_)
    assert answer["import"]["kinds"] == {"trades": 1}
    assert answer["download"]["missing"] == lacking
    assert [answer["download"][part] for part in ("files", "fetched", "from_cache")] == [3, 0, 1]
    assert main(["download", *range_]) == 0
    out = capsys.readouterr()
    assert [line for line in out.err.splitlines() if line.startswith("missing")] == [
        f"missing  {name}" for name in lacking
    ]
    assert "  2 of the 3 files are missing at Binance, so that time is left out: spot/daily" in out.out


def test_recorded_bars_of_yahoo(here: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    name = "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
    recorded = json.loads(recording(f"equities/yahoo_http/{name}").read_bytes())
    here.answers["/v8/finance/chart/MSFT"] = Serve(body=json.dumps(recorded["response"]["bodyJson"]).encode())
    here.answers.update(YAHOO_MANNERS)
    days = ["--from", "2021-02-01", "--to", "2022-01-30"]
    answer = answered(capsys, "yahoo", "MSFT.NASDAQ", *days)
    assert answer["import"]["kinds"]["actions"] == 4
    assert any(kind.startswith("bars-1-DAY") for kind in answer["import"]["kinds"])


def test_a_range_of_databento(here: Vendor, keyring: FakeKeyring, capsys: pytest.CaptureFixture[str]) -> None:
    Secrets(keyring).set(PROFILES["databento"], {"key": KEY})
    body = zstandard.compress(dbn_file(dbn.Schema.TRADES, trade(0, 187.5, 10), trade(1, 187.51, 20)))
    here.answers["/v0/timeseries.get_range"] = Serve(body=body, chunked=True)
    days = ["--from", "2023-11-14", "--to", "2023-11-14"]
    assert answered(capsys, "databento", "AAPL.XNAS", *days)["import"]["kinds"] == {"trades": 2}
    assert len(here.requests) == 1


def test_with_a_key_and_nothing_that_is_written_or_told_has_it(
    here: Vendor,
    own_home: Path,
    keyring: FakeKeyring,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    Secrets(keyring).set(PROFILES["tardis"], {"key": KEY})
    here.answers[TRADES.format("01")] = tardis_trades("01")
    here.answers[TRADES.format("02")] = Serve(
        status=403, body=json.dumps({"error": f"{KEY} is out"}).encode()
    )
    result = tmp_path / "result.json"
    assert main(["download", *TARDIS, "--json", str(result)]) == 2
    here.answers[TRADES.format("02")] = tardis_trades("02")
    assert main(["download", *TARDIS, "--json", str(result)]) == 0
    out = capsys.readouterr()
    assert "(••• is out)" in out.err
    assert json.loads(result.read_text())["import"]["kinds"] == {"trades": 200}
    assert {request.headers["Authorization"] for request in here.requests} == {f"Bearer {KEY}"}
    written = [path for root in (own_home, tmp_path) for path in root.rglob("*") if path.is_file()]
    assert len(written) >= 5
    assert not [path for path in written if KEY.encode() in path.read_bytes() or KEY in str(path)]
    assert KEY not in out.out + out.err + caplog.text


def test_a_key_that_is_missing_is_asked_for_only_where_one_is_needed(
    here: Vendor, keyring: FakeKeyring, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, *TARDIS)
    assert (
        "needs your key for this (only the first day of a month is free); set it with: nexttick keys" in said
    )
    here.answers[TRADES.format("01")] = tardis_trades("01")
    free = [*TARDIS[:-1], "2020-09-01"]
    assert answered(capsys, *free)["import"]["kinds"] == {"trades": 100}
    assert "Authorization" not in here.requests[0].headers
    keyring.locked = True
    assert answered(capsys, *free)["download"]["from_cache"] == 1


def test_a_key_is_not_sent_in_the_open(
    own_home: Path, keyring: FakeKeyring, capsys: pytest.CaptureFixture[str]
) -> None:
    Secrets(keyring).set(PROFILES["tardis"], {"key": KEY})
    (own_home / "downloads.toml").write_text('[sources.tardis]\nurl = "http://tardis.invalid"\n')
    assert "is not https, so no key is sent there" in refused(capsys, *TARDIS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dukascopi", *DUKASCOPY[1:]], "Unknown source 'dukascopi'; choose dukascopy."),
        ([*DUKASCOPY, "--kind", "tick"], "Unknown kind of Dukascopy 'tick'; choose ticks."),
        (["dukascopy", "EURUSD.OANDA", *DUKASCOPY[2:]], "add --symbol EURUSD"),
        (["dukascopy", "EURUSD", *DUKASCOPY[2:]], "SYMBOL.VENUE in capitals"),
        (["dukascopy", "ACME.NOWHERE", *DUKASCOPY[2:]], "instruments.toml"),
        ([*DUKASCOPY[:-1], "2019-02-03"], "The days are reversed"),
        ([*DUKASCOPY[:-1], "2019-02-30"], "--to '2019-02-30' is no day of the calendar"),
        ([*DUKASCOPY[:-1], "2999-01-01"], "is still to come"),
        ([*DUKASCOPY, "--crossed", "kep"], "choose keep"),
        (DUKASCOPY[:-2], "--to"),
        (["yahoo", "VOD.LSE", *DUKASCOPY[2:]], "--symbol VOD.L"),
        (["databento", "EURUSD.DUKASCOPY", *DUKASCOPY[2:]], "--dataset GLBX.MDP3"),
    ],
)
def test_mistakes_are_one_sentence_and_nothing_is_asked(
    arguments: list[str], said: str, here: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *arguments)
    assert here.requests == []


def test_a_vendor_that_cannot_be_reached_is_one_sentence(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_home / "downloads.toml").write_text('retries = 0\n[sources.dukascopy]\nurl = "http://127.0.0.1:1"\n')
    said = refused(capsys, *DUKASCOPY)
    assert (
        "Dukascopy cannot be reached, because connection refused; 0 of the 24 files are in the cache" in said
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process there")
def test_ctrl_c_ends_a_download_that_waits(here: Vendor) -> None:
    here.answers[HOUR] = Serve(body=bi5(TICKS), stall_at=10)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "download", *DUKASCOPY],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert here.stalled.wait(20)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, b"")
