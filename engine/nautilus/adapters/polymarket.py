"""Polymarket: shares in the outcomes of events, signed with a wallet's key."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    Adapter,
    Capabilities,
    ConnectionParameters,
    Keys,
    Made,
    SecretField,
    Url,
    made,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wallet at Polymarket, which has no trial environment."""

    environment: Annotated[
        Literal["live"], Meta(title="Environment", description="Polymarket has no trial environment.")
    ] = "live"
    funder: Annotated[
        str, Meta(title="Funding wallet", description="Address that holds the money; empty is the key's own.")
    ] = ""
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws: Annotated[Url, Meta(title="Stream address")] = ""


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import polymarket  # noqa: PLC0415 - loads the engine

    both = parameters.urls("base_url_http", "base_url_ws")
    orders = {"account_id": account_id, "funder": parameters.funder or None, **keys}
    return made(polymarket, "Polymarket", account_id, both, orders=orders)


POLYMARKET: Final = Adapter(
    name="polymarket",
    title="Polymarket",
    client="POLYMARKET",
    venue="POLYMARKET",
    example="CONDITION-TOKEN.POLYMARKET",
    parameters=Parameters,
    secrets=(
        SecretField("private_key", "Private key of the wallet"),
        *KEY_AND_SECRET,
        SecretField("passphrase", "Passphrase", "text"),
    ),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT"),
        time_in_force=("GTC", "GTD", "FOK", "IOC"),
        quote_quantity=True,
        notes="A wallet's key can move all that the wallet holds, so keep little there. There is neither "
        "post-only nor reduce-only.",
    ),
    build=_clients,
)
