"""Hyperliquid: perpetuals and spot, signed with a wallet's key."""

import re
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

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


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
        for name, value in (("account_address", self.account_address), ("vault_address", self.vault_address)):
            if value and not _ADDRESS.fullmatch(value):
                raise ValueError(f"{name}={value} is no address; write 0x and 40 hexadecimal digits.")


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import hyperliquid  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    environment = member(hyperliquid.HyperliquidEnvironment, name)
    data = hyperliquid.HyperliquidDataClientConfig(
        environment=environment,
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
    )
    factory = hyperliquid.HyperliquidDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = hyperliquid.HyperliquidExecutionClientConfig(
        account_id=AccountId(account_id),
        private_key=secrets["private_key"],
        vault_address=or_none(parameters.vault_address),
        account_address=or_none(parameters.account_address),
        environment=environment,
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws=or_none(parameters.base_url_ws),
        base_url_exchange=or_none(parameters.base_url_exchange),
    )
    return Client(factory, data), Client(hyperliquid.HyperliquidExecutionClientFactory(), orders)


HYPERLIQUID: Final = Adapter(
    name="hyperliquid",
    title="Hyperliquid",
    client="HYPERLIQUID",
    venue="HYPERLIQUID",
    example="BTC-USD-PERP.HYPERLIQUID",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the API wallet"),),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Prices have at most five significant digits; market orders need a quote. Use the key of an "
        "API wallet: it can trade and not withdraw.",
    ),
    build=_clients,
)
