"""A venue as a process: it serves a generated market or a recording, and ends by itself."""

import contextlib
import subprocess
import sys
from decimal import Decimal

import msgspec
import psutil
import pytest
from websockets.sync.client import connect

from tests.recordings import recording
from tests.venue import ProcessVenue, Setup, ThreadVenue
from tests.venue.caller import call, signed
from tests.venue.faults import KINDS, schedule


def test_a_process_trades_on_a_generated_market() -> None:
    market = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    with ProcessVenue(Setup(market="crypto", seed=3)) as venue:
        with connect(f"{venue.at.ws}/stream?streams=btcusdt@bookTicker/btcusdt@trade") as stream:
            names = {msgspec.json.decode(stream.recv(timeout=10))["stream"] for _ in range(200)}
        signed(venue.at.http, "POST", "/fapi/v1/order", market)
        truth = venue.truth()
        assert names == {"btcusdt@bookTicker", "btcusdt@trade"}
        assert truth.positions["BTCUSDT"][0] == Decimal("0.1")
        assert truth.imbalance == 0


def test_equal_seeds_show_equal_markets() -> None:
    def trades(seed: int) -> object:
        with ThreadVenue(Setup(market="crypto", seed=seed, speed=0)) as venue:
            venue.advance(5.0)
            tape = call(venue.at.http, "GET", "/fapi/v1/trades", symbol="BTCUSDT").body
            return [(each["price"], each["qty"], each["isBuyerMaker"]) for each in tape]

    assert trades(1) == trades(1) != trades(2)


def test_a_recording_is_shown_as_it_was() -> None:
    file = recording("crypto/binance_raw/usdm/ethusdt_20240808.gz")
    with ThreadVenue(Setup(market=str(file), speed=0)) as venue:
        venue.advance(20.0)
        book = call(venue.at.http, "GET", "/fapi/v1/depth", symbol="ETHUSDT", limit="5").body
        tape = call(venue.at.http, "GET", "/fapi/v1/trades", symbol="ETHUSDT").body
        bid, ask = Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])
        assert Decimal(2600) < bid < ask < Decimal(2800)
        assert abs(Decimal(tape[-1]["price"]) - bid) < 5


def test_a_process_ends_when_its_parent_does() -> None:
    script = (
        "import os, sys; from tests.venue import ProcessVenue\n"
        "venue = ProcessVenue(); venue.__enter__(); print(venue.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(10)


def test_a_process_ends_after_its_lifetime() -> None:
    with ProcessVenue(Setup(lifetime_s=0.2)) as venue:
        psutil.Process(venue.pid).wait(10)


def test_random_faults_come_by_seed_and_each_kind_in_every_round() -> None:
    def drawn(seed: int) -> list[tuple[float, str]]:
        faults = schedule(seed, 1.0)
        return [next(faults) for _ in range(2 * len(KINDS))]

    assert drawn(1) == drawn(1) != drawn(2)
    assert sorted(kind for _, kind in drawn(1)[: len(KINDS)]) == sorted(KINDS)


def test_a_venue_that_cannot_start_says_why() -> None:
    with pytest.raises(Exception, match="nothing"), ThreadVenue(Setup(market="/nothing.gz")):
        pass
