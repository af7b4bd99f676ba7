"""Hyperliquid: perpetuals and spot, signed with a wallet's key."""

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
    check_wallet,
    environment,
    made,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of Hyperliquid."""

    environment: Annotated[
        Literal["testnet", "live"], Meta(title="Environment", description="Live is real money.")
    ] = "testnet"
    account_address: Annotated[
        str,
        Meta(
            title="Account address",
            description="The master account's, where the key is that of an API wallet; else empty.",
        ),
    ] = ""
    vault_address: Annotated[
        str, Meta(title="Vault address", description="The vault that is traded for; empty is none.")
    ] = ""
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""
    base_url_exchange: Annotated[Url, Meta(title="Order address")] = ""

    def __post_init__(self) -> None:
        """Raise `ValueError` for what no connection can have."""
        super().__post_init__()
        check_wallet("account_address", self.account_address)
        check_wallet("vault_address", self.vault_address)


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import hyperliquid  # noqa: PLC0415 - loads the engine

    both = {
        "environment": environment(hyperliquid.HyperliquidEnvironment, parameters.environment),
        **parameters.urls("base_url_http", "base_url_ws"),
    }
    orders = {
        "vault_address": parameters.vault_address or None,
        "account_address": parameters.account_address or None,
        **keys,
        **parameters.urls("base_url_exchange"),
    }
    return made(hyperliquid, "Hyperliquid", account_id, both, orders=orders)


HYPERLIQUID: Final = Adapter(
    name="hyperliquid",
    title="Hyperliquid",
    client="HYPERLIQUID",
    venue="HYPERLIQUID",
    example="BTC-USD-PERP.HYPERLIQUID",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the API wallet"),),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Prices have at most five significant digits; market orders need a quote. Use the key of an "
        "API wallet: it can trade and not withdraw.",
    ),
    build=_clients,
)
