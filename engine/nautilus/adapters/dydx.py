"""dYdX v4: perpetuals, signed with a wallet's key."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    SecretField,
    member,
    or_none,
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


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import dydx  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    name = {"live": "mainnet"}.get(parameters.environment, parameters.environment)
    network = member(dydx.DydxNetwork, name)
    data = Client(dydx.DydxDataClientFactory(), dydx.DydxDataClientConfig(network=network))
    if account_id is None:
        return data, None
    orders = dydx.DydxExecutionClientConfig(
        account_id=AccountId(account_id),
        network=network,
        private_key=secrets["private_key"],
        wallet_address=or_none(parameters.wallet_address),
        subaccount_number=parameters.subaccount,
    )
    return data, Client(dydx.DydxExecutionClientFactory(), orders)


DYDX: Final = Adapter(
    name="dydx",
    title="dYdX",
    client="DYDX",
    venue="DYDX",
    example="BTC-USD-PERP.DYDX",
    parameters=Parameters,
    secrets=(SecretField("private_key", "Private key of the wallet"),),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        reduce_only=True,
        notes="A wallet's key can move all that the wallet holds, so keep little there. The sub-account "
        "exists after its first deposit; market orders pay up to 5 % from the oracle's price.",
    ),
    build=_clients,
)
