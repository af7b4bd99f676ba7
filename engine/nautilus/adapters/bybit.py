"""Bybit: spot, linear and inverse contracts of a unified account."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    Url,
    member,
    or_none,
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


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import bybit  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    products = [member(bybit.BybitProductType, parameters.product)]
    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    environment = member(bybit.BybitEnvironment, name)
    data = bybit.BybitDataClientConfig(
        product_types=products,
        environment=environment,
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws_public=or_none(parameters.base_url_ws_public),
        base_url_ws_private=or_none(parameters.base_url_ws_private),
    )
    factory = bybit.BybitDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = bybit.BybitExecutionClientConfig(
        product_types=products,
        environment=environment,
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws_private=or_none(parameters.base_url_ws_private),
        base_url_ws_trade=or_none(parameters.base_url_ws_trade),
        account_id=AccountId(account_id),
    )
    return Client(factory, data), Client(bybit.BybitExecutionClientFactory(), orders)


BYBIT: Final = Adapter(
    name="bybit",
    title="Bybit",
    client="BYBIT",
    venue="BYBIT",
    example="BTCUSDT-LINEAR.BYBIT",
    parameters=Parameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=(
            "MARKET",
            "LIMIT",
            "STOP_MARKET",
            "STOP_LIMIT",
            "MARKET_IF_TOUCHED",
            "LIMIT_IF_TOUCHED",
            "TRAILING_STOP_MARKET",
        ),
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
