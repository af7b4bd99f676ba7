"""Derive: options, perpetuals and spot on its own chain, signed with a session key."""

from decimal import Decimal
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
        check_wallet("wallet_address", self.wallet_address)
        if not self.max_fee_per_contract.is_finite() or self.max_fee_per_contract <= 0:
            raise ValueError(f"max_fee_per_contract={self.max_fee_per_contract} must be above 0.")


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import derive  # noqa: PLC0415 - loads the engine

    both = {
        "environment": environment(derive.DeriveEnvironment, parameters.environment),
        **parameters.urls("base_url_rest", "base_url_ws"),
    }
    orders = {
        "wallet_address": parameters.wallet_address or None,
        "subaccount_id": parameters.subaccount,
        "max_fee_per_contract": parameters.max_fee_per_contract,
        **keys,
    }
    data = {"currencies": parameters.currencies.replace(",", " ").split()}
    return made(derive, "Derive", account_id, both, data=data, orders=orders)


DERIVE: Final = Adapter(
    name="derive",
    title="Derive",
    client="DERIVE",
    venue="DERIVE",
    example="ETH-PERP.DERIVE",
    parameters=Parameters,
    secrets=(SecretField("session_key", "Private session key"),),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC", "FOK"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="Stops are set off by the mark price and cannot be modified; spot has no reduce-only.",
    ),
    build=_clients,
)
