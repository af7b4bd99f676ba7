"""Kraken: spot, and futures."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    Url,
    member,
    or_none,
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


def _clients(
    parameters: SpotParameters | FuturesParameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import kraken  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    is_spot = isinstance(parameters, SpotParameters)
    product = kraken.KrakenProductType.SPOT if is_spot else kraken.KrakenProductType.FUTURES
    environment = member(kraken.KrakenEnvironment, parameters.environment)
    data = kraken.KrakenDataClientConfig(
        product_type=product,
        environment=environment,
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        base_url=or_none(parameters.base_url),
        ws_public_url=or_none(parameters.ws_public_url),
        ws_private_url=or_none(parameters.ws_private_url),
    )
    factory = kraken.KrakenDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = kraken.KrakenExecutionClientConfig(
        account_id=AccountId(account_id),
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        product_type=product,
        environment=environment,
        base_url=or_none(parameters.base_url),
        ws_url=or_none(parameters.ws_private_url),
    )
    return Client(factory, data), Client(kraken.KrakenExecutionClientFactory(), orders)


_ORDERS: Final = ("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED")

SPOT: Final = Adapter(
    name="kraken_spot",
    title="Kraken spot",
    client="KRAKEN",
    venue="KRAKEN",
    example="BTC/USD.KRAKEN",
    parameters=SpotParameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=(*_ORDERS, "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"),
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
        orders=_ORDERS,
        time_in_force=("GTC", "IOC"),
        post_only=True,
        reduce_only=True,
        modify=True,
        notes="On some markets orders that are not post-only are held back for a moment by the venue.",
    ),
    build=_clients,
)
