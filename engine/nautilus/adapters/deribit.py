"""Deribit: options, futures, perpetuals and spot."""

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
    member,
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


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import deribit  # noqa: PLC0415 - loads the engine

    both = {
        "product_types": [member(deribit.DeribitProductType, parameters.product)],
        "environment": environment(deribit.DeribitEnvironment, parameters.environment),
        **keys,
        **parameters.urls("base_url_http", "base_url_ws"),
    }
    return made(deribit, "Deribit", account_id, both)


DERIBIT: Final = Adapter(
    name="deribit",
    title="Deribit",
    client="DERIBIT",
    venue="DERIBIT",
    example="BTC-PERPETUAL.DERIBIT",
    parameters=Parameters,
    secrets=(SecretField("api_key", "Client ID"), SecretField("api_secret", "Client secret")),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="GTD ends with the venue's day, at 08:00 UTC; perpetuals and inverse futures are sized in USD.",
    ),
    build=_clients,
)
