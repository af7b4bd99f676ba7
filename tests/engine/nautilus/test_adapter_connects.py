"""Clients of a connection profile at the local exchange: the node runs, and knows account and instrument."""

import subprocess
import sys

import msgspec
import pytest
from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.live import LiveNode
from nautilus_trader.model import TraderId

from engine.errors import UserError
from engine.messages.connection import Connection
from engine.nautilus.adapters import clients_of
from engine.nautilus.node import built
from tests.venue import Setup, ThreadVenue, levels

_NODE = """
import asyncio, sys, msgspec
from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.live import LiveNode
from nautilus_trader.model import TraderId, Venue
from engine.messages.connection import Connection
from engine.nautilus.adapters import clients_of
connection, secrets = msgspec.json.decode(sys.stdin.read(), type=tuple[Connection, dict[str, str]])
clients = clients_of(connection, secrets, trading=True)
builder = LiveNode.builder("NODE", TraderId("NT-001"), Environment.LIVE)
builder = builder.with_logging(LoggerConfig(bypass_logging=True))
builder = builder.add_data_client(None, *clients.data).add_exec_client(None, *clients.execution)
node = builder.build()
cache, handle = node.cache, node.handle()

async def run():
    await node.run_async()

async def watch():
    running = asyncio.create_task(run())
    for _ in range(400):
        await asyncio.sleep(0.05)
        if handle.is_running and cache.account_for_venue(Venue("BINANCE")):
            break
    print([str(each.id) for each in cache.instruments()], cache.account_for_venue(Venue("BINANCE")).id)
    handle.stop()
    await running

asyncio.run(watch())
node.dispose()
"""
"""In a process of its own, as a live engine is."""


def test_a_trial_connects_where_its_addresses_lead() -> None:
    with ThreadVenue(Setup()) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        connection = Connection(
            name="local",
            adapter="binance_futures",
            parameters={
                "account": "mine",
                "instruments": "ETHUSDT-PERP.BINANCE",
                "base_url_http": venue.at.http,
                "base_url_ws": venue.at.ws,
                "base_url_ws_trading": venue.at.trading,
            },
        )
        keys = {"api_key": venue.setup.key, "api_secret": venue.setup.secret}
        done = subprocess.run(
            [sys.executable, "-c", _NODE],
            input=msgspec.json.encode((connection, keys)),
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert done.stdout == b"['ETHUSDT-PERP.BINANCE'] BINANCE-mine\n", done.stderr.decode()[-1000:]


def test_a_key_that_no_client_takes_is_told_in_a_sentence_without_it() -> None:
    planted = "PlantedGarbage0123456789"
    keys = dict.fromkeys(("private_key", "wallet_address"), planted)
    clients = clients_of(Connection(name="mine", adapter="dydx"), keys, trading=True)
    assert clients.execution is not None
    builder = LiveNode.builder("NODE", TraderId("NT-001"), Environment.LIVE)
    builder = builder.with_logging(LoggerConfig(bypass_logging=True)).add_data_client(None, *clients.data)
    with pytest.raises(UserError, match="look at its keys") as caught:
        built(builder.add_exec_client(None, *clients.execution))
    assert planted not in str(caught.value)
