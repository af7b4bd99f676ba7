"""Coinbase Advanced Trade: spot, and the derivatives of its futures commission merchant."""

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
    """One account of Coinbase."""

    environment: Annotated[
        Literal["sandbox", "live"],
        Meta(
            title="Environment", description="Live is real money; the sandbox gives the same answers always."
        ),
    ] = "sandbox"
    product: Annotated[
        Literal["spot", "derivatives"], Meta(title="Product", description="What is traded.")
    ] = "spot"
    portfolio: Annotated[
        str, Meta(title="Portfolio", description="Its UUID; empty is the one that the key belongs to.")
    ] = ""
    base_url_rest: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import coinbase  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId, AccountType  # noqa: PLC0415

    environment = member(coinbase.CoinbaseEnvironment, parameters.environment)
    data = coinbase.CoinbaseDataClientConfig(
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        base_url_rest=or_none(parameters.base_url_rest),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
    )
    factory = coinbase.CoinbaseDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = coinbase.CoinbaseExecutionClientConfig(
        account_id=AccountId(account_id),
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        base_url_rest=or_none(parameters.base_url_rest),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
        account_type=AccountType.CASH if parameters.product == "spot" else AccountType.MARGIN,
        retail_portfolio_id=or_none(parameters.portfolio),
    )
    return Client(factory, data), Client(coinbase.CoinbaseExecutionClientFactory(), orders)


COINBASE: Final = Adapter(
    name="coinbase",
    title="Coinbase",
    client="COINBASE",
    venue="COINBASE",
    example="BTC-USD.COINBASE",
    parameters=Parameters,
    secrets=(SecretField("api_key", "Key name"), SecretField("api_secret", "Private key (PEM)", "text")),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_LIMIT"),
        time_in_force=("GTC", "GTD", "FOK", "IOC"),
        post_only=True,
        reduce_only=True,
        modify=True,
        quote_quantity=True,
        notes="Stop-limit and reduce-only are for derivatives; IOC is for market orders. The key must be an "
        "ECDSA key.",
    ),
    build=_clients,
)
