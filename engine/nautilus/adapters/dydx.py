"""dYdX v4: perpetuals, signed with a wallet's key."""

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
    environment,
    made,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sub-account of dYdX; its adapter takes no addresses but the venue's own."""

    environment: Annotated[
        Literal["testnet", "live"], Meta(title="Environment", description="Live is real money.")
    ] = "testnet"
    wallet_address: Annotated[
        str, Meta(title="Wallet address", description="Begins with dydx1; empty is the key's own.")
    ] = ""
    subaccount: Annotated[
        int, Meta(ge=0, le=127, title="Sub-account", description="0 is the one that every wallet has.")
    ] = 0


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import dydx  # noqa: PLC0415 - loads the engine

    both = {"network": environment(dydx.DydxNetwork, parameters.environment)}
    orders = {
        "wallet_address": parameters.wallet_address or None,
        "subaccount_number": parameters.subaccount,
        **keys,
    }
    return made(dydx, "Dydx", account_id, both, orders=orders)


DYDX: Final = Adapter(
    name="dydx",
    title="dYdX",
    client="DYDX",
    venue="DYDX",
    example="BTC-USD-PERP.DYDX",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the wallet"),),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        reduce_only=True,
        notes="A wallet's key can move all that the wallet holds, so keep little there. The sub-account "
        "exists after its first deposit; market orders pay up to 5 % from the oracle's price.",
    ),
    build=_clients,
)
