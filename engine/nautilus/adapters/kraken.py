"""Kraken: spot, and futures."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    STOPS_AND_LIMITS,
    Adapter,
    Capabilities,
    ConnectionParameters,
    Keys,
    Made,
    Url,
    environment,
    made,
)


class SpotParameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kraken's spot market, which has no trial environment."""

    environment: Annotated[
        Literal["live"], Meta(title="Environment", description="Kraken has no trial of its spot market.")
    ] = "live"
    base_url: Annotated[Url, Meta(title="HTTP address")] = ""
    ws_public_url: Annotated[Url, Meta(title="Public stream address")] = ""
    ws_private_url: Annotated[Url, Meta(title="Private stream address")] = ""


class FuturesParameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kraken's futures."""

    environment: Annotated[
        Literal["demo", "live"],
        Meta(title="Environment", description="Live is real money; demo is a market of its own."),
    ] = "demo"
    base_url: Annotated[Url, Meta(title="HTTP address")] = ""
    ws_public_url: Annotated[Url, Meta(title="Public stream address")] = ""
    ws_private_url: Annotated[Url, Meta(title="Private stream address")] = ""


def _clients(parameters: SpotParameters | FuturesParameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import kraken  # noqa: PLC0415 - loads the engine

    is_spot = isinstance(parameters, SpotParameters)
    both = {
        "product_type": kraken.KrakenProductType.SPOT if is_spot else kraken.KrakenProductType.FUTURES,
        "environment": environment(kraken.KrakenEnvironment, parameters.environment),
        **keys,
        **parameters.urls("base_url"),
    }
    data = parameters.urls("ws_public_url", "ws_private_url")
    return made(
        kraken, "Kraken", account_id, both, data=data, orders={"ws_url": parameters.ws_private_url or None}
    )


SPOT: Final = Adapter(
    name="kraken_spot",
    title="Kraken spot",
    client="KRAKEN",
    venue="KRAKEN",
    example="BTC/USD.KRAKEN",
    parameters=SpotParameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=(*STOPS_AND_LIMITS, "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"),
        time_in_force=("GTC", "IOC", "FOK", "GTD"),
        post_only=True,
        modify=True,
        quote_quantity=True,
        notes="Stops need the trigger LAST_PRICE or INDEX_PRICE.",
    ),
    build=_clients,
)
FUTURES: Final = Adapter(
    name="kraken_futures",
    title="Kraken futures",
    client="KRAKEN",
    venue="KRAKEN",
    example="PF_XBTUSD.KRAKEN",
    parameters=FuturesParameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
        time_in_force=("GTC", "IOC"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="On some markets orders that are not post-only are held back for a moment by the venue.",
    ),
    build=_clients,
)
