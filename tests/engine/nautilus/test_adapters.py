"""Adapters of the engine: their parameters, their forms, and clients that a live node takes."""

import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engine.errors import UserError
from engine.messages.connection import Connection, Value
from engine.nautilus.adapters import ADAPTERS, LIVE, adapter_named, clients_of, parameters_of
from engine.nautilus.adapters.derive import Parameters as DeriveParameters

KEY = "PlantedKey0123456789abcdefWXYZ"
_ORDERS = {
    "MARKET",
    "LIMIT",
    "STOP_MARKET",
    "STOP_LIMIT",
    "MARKET_IF_TOUCHED",
    "LIMIT_IF_TOUCHED",
    "TRAILING_STOP_MARKET",
    "TRAILING_STOP_LIMIT",
}
_NEEDED: dict[str, dict[str, Value]] = {
    "interactive_brokers": {"account_number": "DU123456"},
    "derive": {"wallet_address": "0x" + "33" * 20, "max_fee_per_contract": "12.5"},
    "lighter": {"account_index": 7},
}
_NODE = """
import sys, msgspec
from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.live import LiveNode
from nautilus_trader.model import TraderId
from engine.messages.connection import Connection
from engine.nautilus.adapters import clients_of
connection, secrets = msgspec.json.decode(sys.stdin.read(), type=tuple[Connection, dict[str, str]])
clients = clients_of(connection, secrets, trading=True)
builder = LiveNode.builder("NODE", TraderId("NT-001"), Environment.LIVE)
builder = builder.with_logging(LoggerConfig(bypass_logging=True))
builder = builder.add_data_client(None, *clients.data).add_exec_client(None, *clients.execution)
builder.build().dispose()
print(clients, "built")
"""
"""In a process of its own, as an adapter that is built leaves threads behind."""


def connection(adapter: str, *, allowed: bool = False, **parameters: Value) -> Connection:
    return Connection(
        name="my-account",
        adapter=adapter,
        parameters={**_NEEDED.get(adapter, {}), **parameters},
        real_money_allowed=allowed,
    )


def secrets_of(adapter: str) -> dict[str, str]:
    """Keys that have the adapter's form."""
    kept = {field.name: KEY for field in ADAPTERS[adapter].secrets}
    if "private_key" in kept:
        kept["private_key"] = "11" * 40 if adapter == "lighter" else "0x" + "11" * 32
    if "session_key" in kept:
        kept["session_key"] = "0x" + "22" * 32
    if adapter in {"polymarket", "kraken_spot", "kraken_futures"}:
        kept |= {"api_secret": "UGxhbnRlZA=="}
    if adapter == "coinbase":
        key = ec.generate_private_key(ec.SECP256R1())
        kept["api_secret"] = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
    return kept


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_live_node_takes_the_clients(name: str) -> None:
    sent = msgspec.json.encode((connection(name, allowed=True), secrets_of(name)))
    done = subprocess.run([sys.executable, "-c", _NODE], input=sent, capture_output=True, check=False)
    assert done.stdout.decode().endswith("built\n"), done.stderr.decode()[-1000:]
    for secret in secrets_of(name).values():
        assert secret not in done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_safest_environment_is_the_default_and_only_live_is_real_money(name: str) -> None:
    adapter = ADAPTERS[name]
    parameters = parameters_of(adapter, _NEEDED.get(name, {}))
    assert parameters.environment == adapter.environments[0]
    assert adapter.environments[-1] == LIVE
    assert parameters.is_real_money == (len(adapter.environments) == 1)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_form_has_words_for_every_field(name: str) -> None:
    schema = msgspec.json.schema(ADAPTERS[name].parameters)
    properties = schema["$defs"][schema["$ref"].rpartition("/")[2]]["properties"]
    assert list(properties)[:3] == ["environment", "account", "instruments"]
    for field in properties.values():
        assert field["title"][0].isupper()
        assert field["description"].endswith(".")


@pytest.mark.parametrize("name", ADAPTERS)
def test_what_a_venue_can_do_is_said_in_the_engines_names(name: str) -> None:
    can = ADAPTERS[name].capabilities
    assert {"MARKET", "LIMIT"} <= set(can.orders) <= _ORDERS
    assert {"GTC", "IOC"} <= set(can.time_in_force) <= {"GTC", "IOC", "FOK", "GTD", "DAY"}


def test_market_data_need_no_keys_and_no_leave() -> None:
    clients = clients_of(connection("binance_futures", environment="live"), {}, trading=False)
    assert (clients.name, clients.venue, clients.execution) == ("BINANCE", "BINANCE", None)


def test_addresses_reach_the_configurations() -> None:
    clients = clients_of(
        connection(
            "binance_futures",
            base_url_http="http://127.0.0.1:1/",
            base_url_ws="ws://127.0.0.1:2/",
            base_url_ws_trading="ws://127.0.0.1:3/",
            account="desk_1",
            instruments="BTCUSDT-PERP.BINANCE, ETHUSDT-PERP.BINANCE",
        ),
        secrets_of("binance_futures"),
        trading=True,
    )
    assert clients.execution is not None
    orders = clients.execution.config
    assert (orders.base_url_http, orders.base_url_ws) == ("http://127.0.0.1:1/", "ws://127.0.0.1:2/")
    assert orders.base_url_ws_trading == "ws://127.0.0.1:3/"
    assert str(orders.account_id) == "BINANCE-desk_1"
    assert str(orders.environment).upper().endswith("TESTNET")
    assert clients.data.config.instrument_provider.load_ids == [
        "BTCUSDT-PERP.BINANCE",
        "ETHUSDT-PERP.BINANCE",
    ]


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_address_of_a_form_reaches_a_client(name: str) -> None:
    fields = [each.name for each in msgspec.structs.fields(ADAPTERS[name].parameters) if "url" in each.name]
    given = {field: f"https://127.0.0.1:{port}" for port, field in enumerate(fields, 1)}
    clients = clients_of(connection(name, allowed=True, **given), secrets_of(name), trading=True)
    assert clients.execution is not None
    kept = [
        getattr(config, each)
        for config in (clients.data.config, clients.execution.config)
        for each in dir(config)
        if "url" in each
    ]
    assert set(given.values()) <= set(kept)


def test_a_decimal_crosses_as_text() -> None:
    parameters = parameters_of(ADAPTERS["derive"], _NEEDED["derive"])
    assert isinstance(parameters, DeriveParameters)
    assert parameters.max_fee_per_contract == Decimal("12.5")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            connection("binance_futures", environment="live"),
            "my-account is an account with real money, and the station trades none until live_trading = true",
        ),
        (
            connection("binance_futures", base_url_http="https://fapi.binance.com"),
            "an address that does not say it is a trial's",
        ),
        (connection("polymarket"), "live_trading = true"),
        (connection("kraken_spot"), "live_trading = true"),
    ],
)
def test_orders_for_real_money_need_leave(given: Connection, said: str) -> None:
    with pytest.raises(UserError, match=said):
        clients_of(given, secrets_of(given.adapter), trading=True)


@pytest.mark.parametrize(
    "url", ["http://localhost:9/", "https://testnet.binancefuture.com", "ws://[::1]:4/x"]
)
def test_an_address_of_this_machine_or_of_a_trial_costs_nothing(url: str) -> None:
    assert not parameters_of(ADAPTERS["binance_futures"], {"base_url_http": url}).is_real_money


def test_trading_without_keys_is_refused_with_what_is_missing() -> None:
    with pytest.raises(
        UserError, match=r"lacks its keys \(API secret, Passphrase\); set them with: nexttick"
    ):
        clients_of(connection("okx"), {"api_key": KEY}, trading=True)


@pytest.mark.parametrize(
    ("adapter", "parameters", "said"),
    [
        ("binanse_futures", {}, "Unknown adapter 'binanse_futures'; choose binance_futures"),
        ("bybit", {"producd": "spot"}, "Unknown parameter of Bybit 'producd'; choose product"),
        ("bybit", {"environment": "lve"}, "environment = 'lve' is none of the values it can have"),
        ("interactive_brokers", {"port": "x"}, "port is a text, not a whole number"),
        ("interactive_brokers", {"account_number": "U1"}, "account_number=U1 is no paper account"),
        ("interactive_brokers", {"account_number": ""}, "give account_number in the connection's profile"),
        ("bybit", {"base_url_http": "bybit.com"}, "base_url_http=bybit.com is no address"),
        ("bybit", {"base_url_http": "http://test.bybit.com"}, "is not encrypted, so no key is sent there"),
        ("bybit", {"base_url_http": "https://a:b@test.bybit.com"}, "must not hold a name or a password"),
        ("bybit", {"account": "my account"}, "has other signs than letters"),
        ("bybit", {"instruments": "BTCUSDT"}, "'BTCUSDT' is no instrument; write it as SYMBOL.VENUE"),
        ("hyperliquid", {"vault_address": "0x1"}, "vault_address=0x1 is no address"),
        ("derive", {"max_fee_per_contract": "NaN"}, "must be above 0"),
    ],
)
def test_a_mistake_is_one_sentence(adapter: str, parameters: dict[str, Value], said: str) -> None:
    secrets = secrets_of(adapter) if adapter in ADAPTERS else {}
    with pytest.raises(UserError) as error:
        clients_of(msgspec.structs.replace(connection(adapter), parameters=parameters), secrets, trading=True)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_window_can_show_forms_without_the_engine() -> None:
    loads = "import sys, engine.nautilus.adapters; print([m for m in sys.modules if 'nautilus_trader' in m])"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_an_adapter_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="choose deribit"):
        adapter_named("deribid")
