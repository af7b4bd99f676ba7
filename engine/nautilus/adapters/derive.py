"""Derive: options, perpetuals and spot on its own chain, signed with a session key."""

import re
from collections.abc import Mapping
from decimal import Decimal
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
    """One sub-account of Derive."""

    environment: Annotated[
        Literal["testnet", "live"], Meta(title="Environment", description="Live is real money.")
    ] = "testnet"
    wallet_address: Annotated[
        str,
        Meta(title="Derive wallet", description="Address under Developers; not that of your own wallet."),
    ] = ""
    subaccount: Annotated[int, Meta(ge=0, title="Sub-account", description="Its number.")] = 0
    max_fee_per_contract: Annotated[
        Decimal,
        Meta(title="Largest fee", description="USDC a contract that an order may cost; it is signed."),
    ] = Decimal(1000)
    currencies: Annotated[
        str, Meta(title="Currencies", description="Underlyings to load, parted by blanks.")
    ] = "BTC ETH"
    base_url_rest: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""

    def __post_init__(self) -> None:
        """Raise `ValueError` for what no connection can have."""
        super().__post_init__()
        if self.wallet_address and not _ADDRESS.fullmatch(self.wallet_address):
            raise ValueError("wallet_address is no address; write 0x and 40 hexadecimal digits.")
        if not self.max_fee_per_contract.is_finite() or self.max_fee_per_contract <= 0:
            raise ValueError(f"max_fee_per_contract={self.max_fee_per_contract} must be above 0.")


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import derive  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    environment = member(derive.DeriveEnvironment, name)
    data = derive.DeriveDataClientConfig(
        base_url_rest=or_none(parameters.base_url_rest),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
        currencies=parameters.currencies.replace(",", " ").split(),
    )
    factory = derive.DeriveDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = derive.DeriveExecutionClientConfig(
        account_id=AccountId(account_id),
        wallet_address=or_none(parameters.wallet_address),
        session_key=secrets["session_key"],
        subaccount_id=parameters.subaccount,
        base_url_rest=or_none(parameters.base_url_rest),
        base_url_ws=or_none(parameters.base_url_ws),
        environment=environment,
        max_fee_per_contract=parameters.max_fee_per_contract,
    )
    return Client(factory, data), Client(derive.DeriveExecutionClientFactory(), orders)


DERIVE: Final = Adapter(
    name="derive",
    title="Derive",
    client="DERIVE",
    venue="DERIVE",
    example="ETH-PERP.DERIVE",
    parameters=Parameters,
    secrets=(SecretField("session_key", "Private session key"),),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC", "FOK"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Stops are set off by the mark price and cannot be modified; spot has no reduce-only.",
    ),
    build=_clients,
)
