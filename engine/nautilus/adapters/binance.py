"""Binance: spot, and futures margined in USD or in coins."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    STOPS_AND_LIMITS,
    Adapter,
    Capabilities,
    ConnectionParameters,
    Keys,
    Made,
    Url,
    environment,
    made,
)

type _Environment = Annotated[
    Literal["testnet", "demo", "live"],
    Meta(title="Environment", description="Live is real money; the others are Binance's own trials."),
]
type _WsTrading = Annotated[
    bool, Meta(title="Orders over WebSocket", description="Otherwise by HTTP requests, which are slower.")
]
type _Http = Annotated[Url, Meta(title="HTTP address")]
type _Stream = Annotated[Url, Meta(title="Stream address")]
type _OrderStream = Annotated[Url, Meta(title="Order stream address")]


class SpotParameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Binance's spot market, or that of Binance US."""

    environment: _Environment = "testnet"
    us: Annotated[bool, Meta(title="Binance US", description="The exchange for the United States.")] = False
    market_data: Annotated[
        Literal["json", "binary"],
        Meta(title="Market data", description="Binary is faster and asks for an Ed25519 key."),
    ] = "json"
    ws_trading: _WsTrading = True
    base_url_http: _Http = ""
    base_url_ws: _Stream = ""
    base_url_ws_trading: _OrderStream = ""


class FuturesParameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Binance's futures."""

    environment: _Environment = "testnet"
    margined_in: Annotated[
        Literal["usd", "coin"], Meta(title="Margined in", description="USD-M or COIN-M contracts.")
    ] = "usd"
    ws_trading: _WsTrading = True
    base_url_http: _Http = ""
    base_url_ws: _Stream = ""
    base_url_ws_trading: _OrderStream = ""


def _clients(parameters: SpotParameters | FuturesParameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import binance  # noqa: PLC0415 - loads the engine

    mode, us = None, False
    if isinstance(parameters, SpotParameters):
        product, us = binance.BinanceProductType.SPOT, parameters.us
        is_binary = parameters.market_data == "binary"
        mode = binance.BinanceSpotMarketDataMode.Sbe if is_binary else binance.BinanceSpotMarketDataMode.Json
    else:
        is_usd = parameters.margined_in == "usd"
        product = binance.BinanceProductType.USD_M if is_usd else binance.BinanceProductType.COIN_M
    ids = parameters.instrument_ids()
    provider = binance.BinanceInstrumentProviderConfig(load_all=not ids, load_ids=ids or None)
    both = {
        "product_type": product,
        "environment": environment(binance.BinanceEnvironment, parameters.environment),
        "instrument_provider": provider,
        "us": us,
        **keys,
        **parameters.urls("base_url_http", "base_url_ws"),
    }
    orders = {"use_ws_trading": parameters.ws_trading, **parameters.urls("base_url_ws_trading")}
    return made(binance, "Binance", account_id, both, data={"spot_market_data_mode": mode}, orders=orders)


SPOT: Final = Adapter(
    name="binance_spot",
    title="Binance spot",
    client="BINANCE",
    venue="BINANCE",
    example="BTCUSDT.BINANCE",
    parameters=SpotParameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC", "FOK"),
        post_only=True,
        modify=True,
        oco=True,
        quote_quantity=True,
        notes="Each pair has order types of its own; Binance rejects those that it has not.",
    ),
    build=_clients,
)
FUTURES: Final = Adapter(
    name="binance_futures",
    title="Binance futures",
    client="BINANCE",
    venue="BINANCE",
    example="BTCUSDT-PERP.BINANCE",
    parameters=FuturesParameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=(*STOPS_AND_LIMITS, "TRAILING_STOP_MARKET"),
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        reduce_only=True,
        modify=True,
        hedge=True,
        moves_stops=False,
        trails_by_price=False,
        notes="GTD only of USD-M limit orders, to the second and at least ten minutes ahead; limit orders "
        "alone can be modified.",
    ),
    build=_clients,
)
