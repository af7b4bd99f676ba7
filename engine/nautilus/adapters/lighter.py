"""Lighter: perpetuals and spot on its own chain, signed with an API key."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    STOPS_AND_LIMITS,
    Adapter,
    Capabilities,
    ConnectionParameters,
    Keys,
    Made,
    SecretField,
    Url,
    environment,
    made,
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


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import lighter  # noqa: PLC0415 - loads the engine

    both = {
        "environment": environment(lighter.LighterEnvironment, parameters.environment),
        **parameters.urls("base_url_http", "base_url_ws"),
    }
    orders = {
        "account_index": parameters.account_index,
        "api_key_index": parameters.api_key_index,
        **keys,
    }
    return made(lighter, "Lighter", account_id, both, orders=orders)


LIGHTER: Final = Adapter(
    name="lighter",
    title="Lighter",
    client="LIGHTER",
    venue="LIGHTER",
    example="BTC-USD-PERP.LIGHTER",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the API key"),),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC", "GTD", "DAY"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Stops and reduce-only are for perpetuals; GTD from 5 minutes to 30 days; market orders need a "
        "quote.",
    ),
    build=_clients,
)
