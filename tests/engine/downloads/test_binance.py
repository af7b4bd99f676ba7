import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.downloads.plan import Order, RemoteFile
from engine.downloads.sources import source_named
from engine.errors import UserError
from tests.engine.downloads.fakes import NOW, downloads
from tests.engine.downloads.server import Serve, vendor
from tests.engine.feeds.files import zipped

DAY = date(2024, 8, 1)
BODY = zipped({"BTCUSDT-trades-2024-08-01.csv": "1,60000.10,0.5,30000.05,1722470400000,True,True\n"})
PATH = "/data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2024-08-01.zip"


def planned(
    instrument: str = "BTCUSDT.BINANCE",
    kind: str = "",
    first: date = DAY,
    last: date = DAY,
    symbol: str = "",
    now: datetime = NOW,
) -> list[RemoteFile]:
    source = source_named("binance")
    order = Order(instrument=instrument, kind=kind, first=first, last=last, symbol=symbol)
    return source.plan(source.completed(order, now), "https://archive", now)


def published(body: bytes) -> Serve:
    """The line that Binance publishes of a file."""
    return Serve(body=f"{hashlib.sha256(body).hexdigest()}  BTCUSDT-trades-2024-08-01.zip\n".encode())


@pytest.mark.parametrize(
    ("instrument", "kind", "path"),
    [
        ("BTCUSDT.BINANCE", "", "spot/daily/trades/BTCUSDT/BTCUSDT-trades-2024-08-01.zip"),
        ("BTCUSDT.BINANCE", "aggTrades", "spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-08-01.zip"),
        ("BTCUSDT.BINANCE", "klines-1m", "spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-08-01.zip"),
        (
            "BTCUSDT-PERP.BINANCE",
            "bookTicker",
            "futures/um/daily/bookTicker/BTCUSDT/BTCUSDT-bookTicker-2024-08-01.zip",
        ),
        (
            "BTCUSDT.BINANCE-USDM",
            "bookDepth",
            "futures/um/daily/bookDepth/BTCUSDT/BTCUSDT-bookDepth-2024-08-01.zip",
        ),
        (
            "BTCUSD-PERP.BINANCE",
            "trades",
            "futures/cm/daily/trades/BTCUSD_PERP/BTCUSD_PERP-trades-2024-08-01.zip",
        ),
        (
            "BTCUSD_PERP.BINANCE",
            "trades",
            "futures/cm/daily/trades/BTCUSD_PERP/BTCUSD_PERP-trades-2024-08-01.zip",
        ),
        (
            "BTCUSD_240927.BINANCE",
            "trades",
            "futures/cm/daily/trades/BTCUSD_240927/BTCUSD_240927-trades-2024-08-01.zip",
        ),
        (
            "BTCUSDT_240927.BINANCE",
            "trades",
            "futures/um/daily/trades/BTCUSDT_240927/BTCUSDT_240927-trades-2024-08-01.zip",
        ),
    ],
)
def test_the_instrument_tells_market_and_symbol(instrument: str, kind: str, path: str) -> None:
    (file,) = planned(instrument, kind)
    assert file.url == f"https://archive/data/{path}"
    assert file.checksum_url == f"https://archive/data/{path}.CHECKSUM"
    assert file.name == path


def test_bars_of_a_whole_month_come_in_one_file_once_that_is_published() -> None:
    names = [
        file.name.rpartition("/")[2]
        for file in planned(kind="klines-1h", first=date(2024, 6, 30), last=date(2024, 8, 2))
    ]
    assert names == [
        "BTCUSDT-1h-2024-06-30.zip",
        "BTCUSDT-1h-2024-07.zip",
        "BTCUSDT-1h-2024-08-01.zip",
        "BTCUSDT-1h-2024-08-02.zip",
    ]
    early = datetime(2024, 8, 4, tzinfo=UTC)
    assert len(planned(kind="klines-1h", first=date(2024, 7, 1), last=date(2024, 7, 31), now=early)) == 31
    assert len(planned(kind="trades", first=date(2024, 7, 1), last=date(2024, 7, 31))) == 31


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"kind": "bookTicker"}, "Unknown kind of Binance's spot market"),
        ({"kind": "aggtrades"}, "choose aggTrades"),
        ({"instrument": "BTCUSDT-PERP.BINANCE", "kind": "klines-1s"}, "Unknown kind of Binance's futures/um"),
        ({"instrument": "BTCUSDT.KRAKEN"}, r"write BTCUSDT\.BINANCE, or add --symbol"),
        ({"last": NOW.date()}, "2024-09-20 is not over; end at 2024-09-19 or earlier"),
        ({"first": date(2024, 8, 2)}, "The days are reversed: 2024-08-02 is after 2024-08-01"),
    ],
)
def test_an_order_that_cannot_be_filled_is_one_sentence(order: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        planned(**order)  # type: ignore[arg-type]


def fetch(url: str, folder: Path, retries: int = 5) -> tuple[int, int]:
    """How many were fetched, and how many of them have the published sum."""
    order = Order(instrument="BTCUSDT.BINANCE", first=DAY, last=DAY)
    got = downloads("binance", url, folder, retries=retries).fetch(order)
    assert got.paths[0].read_bytes() == BODY
    return got.report.fetched, got.report.verified


def test_a_file_has_the_published_sum(tmp_path: Path) -> None:
    with vendor() as binance:
        binance.answers = {PATH: Serve(body=BODY), f"{PATH}.CHECKSUM": published(BODY)}
        assert fetch(binance.url, tmp_path) == (1, 1)
        assert len(binance.requests) == 2


def test_a_file_with_another_sum_is_fetched_again_with_its_sum(tmp_path: Path) -> None:
    damaged = bytes([*BODY[:-1], BODY[-1] ^ 1])
    with vendor() as binance:
        binance.answers = {
            PATH: [Serve(body=damaged), Serve(body=BODY)],
            f"{PATH}.CHECKSUM": published(BODY),
        }
        assert fetch(binance.url, tmp_path) == (1, 1)


def test_a_sum_that_never_fits_is_told_and_nothing_is_kept(tmp_path: Path) -> None:
    with vendor() as binance:
        binance.answers = {PATH: Serve(body=BODY), f"{PATH}.CHECKSUM": published(b"other")}
        with pytest.raises(UserError, match="do not have the checksum that is published"):
            fetch(binance.url, tmp_path, retries=1)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {".lock"}


def test_a_sum_that_is_not_published_is_not_invented(tmp_path: Path) -> None:
    with vendor() as binance:
        binance.answers = {PATH: Serve(body=BODY)}
        assert fetch(binance.url, tmp_path) == (1, 0)


def test_a_sum_that_cannot_be_had_keeps_the_file_waiting(tmp_path: Path) -> None:
    with vendor() as binance:
        binance.answers = {PATH: Serve(body=BODY), f"{PATH}.CHECKSUM": [Serve(status=500), published(BODY)]}
        assert fetch(binance.url, tmp_path) == (1, 1)
        assert len(binance.asked(PATH)) == 1
