"""Deribit: options, futures, perpetuals and spot."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    SecretField,
    Url,
    member,
    or_none,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of instrument of Deribit."""

    environment: Annotated[
        Literal["testnet", "live"],
        Meta(title="Environment", description="Live is real money; the test net has keys of its own."),
    ] = "testnet"
    product: Annotated[
        Literal["future", "option", "spot", "future_combo", "option_combo"],
        Meta(title="Product", description="What is traded; perpetuals are futures."),
    ] = "future"
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import deribit  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    products = [member(deribit.DeribitProductType, parameters.product)]
    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    environment = member(deribit.DeribitEnvironment, name)
    data = deribit.DeribitDataClientConfig(
        product_types=products,
        environment=environment,
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
    )
    factory = deribit.DeribitDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = deribit.DeribitExecutionClientConfig(
        account_id=AccountId(account_id),
        product_types=products,
        environment=environment,
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
    )
    return Client(factory, data), Client(deribit.DeribitExecutionClientFactory(), orders)


DERIBIT: Final = Adapter(
    name="deribit",
    title="Deribit",
    client="DERIBIT",
    venue="DERIBIT",
    example="BTC-PERPETUAL.DERIBIT",
    parameters=Parameters,
    secrets=(SecretField("api_key", "Client ID"), SecretField("api_secret", "Client secret")),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="GTD ends with the venue's day, at 08:00 UTC; perpetuals and inverse futures are sized in USD.",
    ),
    build=_clients,
)
