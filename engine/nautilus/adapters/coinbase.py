"""Coinbase Advanced Trade: spot, and the derivatives of its futures commission merchant."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
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


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import coinbase  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountType  # noqa: PLC0415

    both = {
        "environment": environment(coinbase.CoinbaseEnvironment, parameters.environment),
        **keys,
        **parameters.urls("base_url_rest", "base_url_ws"),
    }
    orders = {
        "account_type": AccountType.CASH if parameters.product == "spot" else AccountType.MARGIN,
        "retail_portfolio_id": parameters.portfolio or None,
    }
    return made(coinbase, "Coinbase", account_id, both, orders=orders)


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
