"""Lighter: perpetuals and spot on its own chain, signed with an API key."""

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
    """One account of Lighter."""

    environment: Annotated[
        Literal["testnet", "live"], Meta(title="Environment", description="Live is real money.")
    ] = "testnet"
    account_index: Annotated[int, Meta(ge=0, title="Account index", description="Number of the account.")] = 0
    api_key_index: Annotated[
        int, Meta(ge=0, le=254, title="Key index", description="Number of the API key; 0 to 3 are its own.")
    ] = 4
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import lighter  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    environment = member(lighter.LighterEnvironment, name)
    data = lighter.LighterDataClientConfig(
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
    )
    factory = lighter.LighterDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = lighter.LighterExecutionClientConfig(
        account_id=AccountId(account_id),
        account_index=parameters.account_index,
        api_key_index=parameters.api_key_index,
        private_key=secrets["private_key"],
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
    )
    return Client(factory, data), Client(lighter.LighterExecutionClientFactory(), orders)


LIGHTER: Final = Adapter(
    name="lighter",
    title="Lighter",
    client="LIGHTER",
    venue="LIGHTER",
    example="BTC-USD-PERP.LIGHTER",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the API key"),),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC", "GTD", "DAY"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Stops and reduce-only are for perpetuals; GTD from 5 minutes to 30 days; market orders need a "
        "quote.",
    ),
    build=_clients,
)
