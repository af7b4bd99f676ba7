"""Bybit: spot, linear and inverse contracts of a unified account."""

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
    member,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product of Bybit."""

    environment: Annotated[
        Literal["testnet", "demo", "live"],
        Meta(title="Environment", description="Live is real money; demo has live prices and toy money."),
    ] = "testnet"
    product: Annotated[
        Literal["spot", "linear", "inverse", "option"],
        Meta(title="Product", description="What is traded; symbols end in its name, as in BTCUSDT-LINEAR."),
    ] = "linear"
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws_public: Annotated[Url, Meta(title="Public stream address")] = ""
    base_url_ws_private: Annotated[Url, Meta(title="Private stream address")] = ""
    base_url_ws_trade: Annotated[Url, Meta(title="Order stream address")] = ""


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import bybit  # noqa: PLC0415 - loads the engine

    both = {
        "product_types": [member(bybit.BybitProductType, parameters.product)],
        "environment": environment(bybit.BybitEnvironment, parameters.environment),
        **keys,
        **parameters.urls("base_url_http", "base_url_ws_private"),
    }
    data, orders = parameters.urls("base_url_ws_public"), parameters.urls("base_url_ws_trade")
    return made(bybit, "Bybit", account_id, both, data=data, orders=orders)


BYBIT: Final = Adapter(
    name="bybit",
    title="Bybit",
    client="BYBIT",
    venue="BYBIT",
    example="BTCUSDT-LINEAR.BYBIT",
    parameters=Parameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=(*STOPS_AND_LIMITS, "TRAILING_STOP_MARKET"),
        time_in_force=("GTC", "IOC", "FOK"),
        post_only=True,
        reduce_only=True,
        modify=True,
        hedge=True,
        quote_quantity=True,
        notes="Spot has neither reduce-only nor trailing stops; a trailing stop belongs to the position and "
        "ends with it.",
    ),
    build=_clients,
)
