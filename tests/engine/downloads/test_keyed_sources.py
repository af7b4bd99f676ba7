"""Tardis and Databento: what is asked with a key, and that the key goes nowhere else."""

import base64
import gzip
import logging
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import zstandard

from engine.downloads.access import Access
from engine.downloads.plan import Order, RemoteFile
from engine.downloads.sources import source_named
from engine.errors import UserError
from tests.engine.downloads.fakes import NOW, downloads
from tests.engine.downloads.server import Serve, vendor

KEY = "db-PlantedKey0123456789abcdefWXYZ"
BASIC = base64.b64encode(f"{KEY}:".encode()).decode()
DAY = date(2024, 9, 2)
CSV = gzip.compress(b"exchange,symbol\n")
DBN = zstandard.compress(b"DBN\x02 and so on")
GET_RANGE = "/v0/timeseries.get_range"


def planned(source: str, instrument: str, **said: object) -> list[RemoteFile]:
    vendor_ = source_named(source)
    order = Order(**{"instrument": instrument, "first": DAY, "last": DAY, **said})  # type: ignore[arg-type]
    return vendor_.plan(vendor_.completed(order, NOW), "https://vendor", NOW)


def access(source: str) -> Access:
    authorization = source_named(source).authorization
    assert authorization is not None
    return Access.with_key(KEY, authorization(KEY))


@pytest.mark.parametrize(
    ("instrument", "said", "path"),
    [
        ("BTCUSDT.BINANCE", {}, "binance/trades/2024/09/02/BTCUSDT"),
        ("BTCUSDT-PERP.BINANCE", {"kind": "quotes"}, "binance-futures/quotes/2024/09/02/BTCUSDT"),
        ("BTC-PERPETUAL.DERIBIT", {}, "deribit/trades/2024/09/02/BTC-PERPETUAL"),
        ("XBTUSD-PERP.BITMEX", {}, "bitmex/trades/2024/09/02/XBTUSD"),
        ("BTCUSDT.BYBIT", {}, "bybit-spot/trades/2024/09/02/BTCUSDT"),
        ("BTCUSDT-PERP.BYBIT", {}, "bybit/trades/2024/09/02/BTCUSDT"),
        ("BTC-USDT-SWAP.OKX", {"dataset": "okex-swap"}, "okex-swap/trades/2024/09/02/BTC-USDT-SWAP"),
        ("ANY.VENUE", {"dataset": "kraken", "symbol": "xbt/usd"}, "kraken/trades/2024/09/02/XBT-USD"),
    ],
)
def test_tardis_paths(instrument: str, said: dict[str, str], path: str) -> None:
    (file,) = planned("tardis", instrument, **said)
    assert file.url == f"https://vendor/v1/{path}.csv.gz"


def test_an_exchange_that_the_venue_does_not_tell_is_asked_for() -> None:
    with pytest.raises(UserError, match="does not tell Tardis' exchange; add it with --dataset"):
        planned("tardis", "ACME.NYSE")
    with pytest.raises(UserError, match="does not tell Databento's dataset; add it with --dataset"):
        planned("databento", "BTCUSDT.BINANCE")


def test_the_first_of_a_month_is_free_at_tardis() -> None:
    free = source_named("tardis").free
    assert free(Order(instrument="A.B", first=date(2024, 9, 1), last=date(2024, 9, 1)))
    assert not free(Order(instrument="A.B", first=date(2024, 9, 1), last=date(2024, 9, 2)))


def test_tardis_is_sent_the_key_as_a_bearer_token(tmp_path: Path) -> None:
    with vendor() as tardis:
        tardis.answers["/v1/binance/trades/2024/09/02/BTCUSDT.csv.gz"] = Serve(body=CSV)
        order = Order(instrument="BTCUSDT.BINANCE", first=DAY, last=DAY)
        downloads("tardis", tardis.url, tmp_path, access=access("tardis")).fetch(order)
        assert tardis.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_databento_is_posted_a_range_of_each_month(tmp_path: Path) -> None:
    with vendor() as databento:
        databento.answers[GET_RANGE] = Serve(body=DBN, chunked=True)
        order = Order(instrument="ESZ4.GLBX", kind="mbp-1", first=date(2024, 8, 30), last=date(2024, 9, 2))
        got = downloads("databento", databento.url, tmp_path, access=access("databento")).fetch(order)
        posted = [parse_qs(request.body.decode()) for request in databento.requests]
    posted.sort(key=lambda form: form["start"])
    assert [(form["start"], form["end"]) for form in posted] == [
        (["2024-08-30"], ["2024-09-01"]),
        (["2024-09-01"], ["2024-09-03"]),
    ]
    assert posted[0] == {
        "dataset": ["GLBX.MDP3"],
        "symbols": ["ESZ4"],
        "schema": ["mbp-1"],
        "start": ["2024-08-30"],
        "end": ["2024-09-01"],
        "stype_in": ["raw_symbol"],
        "stype_out": ["instrument_id"],
        "encoding": ["dbn"],
        "compression": ["zstd"],
    }
    assert all(request.headers["Authorization"] == f"Basic {BASIC}" for request in databento.requests)
    assert all(request.method == "POST" for request in databento.requests)
    assert [path.name for path in got.paths] == [
        "2024-08-30_2024-08-31.dbn.zst",
        "2024-09-01_2024-09-02.dbn.zst",
    ]


def test_an_answer_that_is_charged_is_not_asked_for_twice(tmp_path: Path) -> None:
    order = Order(instrument="ESZ4.GLBX", first=DAY, last=DAY)
    with vendor() as databento:
        databento.answers[GET_RANGE] = [Serve(status=503), Serve(body=DBN, chunked=True, cut_at=4)]
        with pytest.raises(UserError, match="not asked for again because each answer is charged"):
            downloads("databento", databento.url, tmp_path, access=access("databento")).fetch(order)
        assert len(databento.requests) == 2  # a refusal before the answer costs nothing


@pytest.mark.parametrize("source", ["tardis", "databento"])
def test_a_key_shows_in_no_error_even_where_the_vendor_repeats_it(source: str, tmp_path: Path) -> None:
    instrument = {"tardis": "BTCUSDT.BINANCE", "databento": "ESZ4.GLBX"}[source]
    order = Order(instrument=instrument, first=DAY, last=DAY)
    body = f'{{"detail": {{"message": "{KEY} and {BASIC} are unknown"}}}}'.encode()
    with vendor() as here:
        path = GET_RANGE if source == "databento" else "/v1/binance/trades/2024/09/02/BTCUSDT.csv.gz"
        for status in (401, 403, 404, 422):
            here.answers[path] = Serve(status=status, body=body)
            with pytest.raises(UserError, match="••• and ••• are unknown") as error:
                downloads(source, here.url, tmp_path, access=access(source)).fetch(order)
            assert KEY not in str(error.value)
            assert BASIC not in str(error.value)


def test_a_key_is_not_taken_along_to_another_host(tmp_path: Path) -> None:
    order = Order(instrument="BTCUSDT.BINANCE", first=DAY, last=DAY)
    with vendor() as tardis, vendor() as elsewhere:
        tardis.answers["/v1/binance/trades/2024/09/02/BTCUSDT.csv.gz"] = Serve(
            status=302, headers={"Location": f"{elsewhere.url}/moved.csv.gz"}
        )
        elsewhere.answers["/moved.csv.gz"] = Serve(body=CSV)
        downloads("tardis", tardis.url, tmp_path, access=access("tardis")).fetch(order)
        assert "Authorization" in tardis.requests[0].headers
        assert "Authorization" not in elsewhere.requests[0].headers


def test_nothing_that_a_download_writes_or_logs_has_the_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    order = Order(instrument="ESZ4.GLBX", first=DAY, last=DAY)
    told: list[str] = []
    with vendor() as databento:
        databento.answers[GET_RANGE] = [Serve(status=500), Serve(body=DBN)]
        keyed = access("databento")
        got = downloads("databento", databento.url, tmp_path, access=keyed).fetch(
            order, progress=lambda _fraction, what: told.append(what)
        )
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    names = [str(path) for path in tmp_path.rglob("*")]
    texts = [caplog.text, repr(keyed), str(keyed), repr(got), *told, *names]
    for secret in (KEY, BASIC):
        assert not any(secret in text for text in texts)
        assert not any(secret.encode() in data for data in written)
    assert "POST" in caplog.text
