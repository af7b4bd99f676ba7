"""OKX: spot, swaps and futures."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    SecretField,
    Url,
    member,
    or_none,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of instrument of OKX."""

    environment: Annotated[
        Literal["demo", "live"],
        Meta(title="Environment", description="Live is real money; demo needs a key of demo trading."),
    ] = "demo"
    product: Annotated[
        Literal["spot", "swap", "futures"],
        Meta(title="Product", description="What is traded; swaps are perpetual."),
    ] = "swap"
    region: Annotated[
        Literal["global", "eea", "us"], Meta(title="Region", description="Where the account was opened.")
    ] = "global"
    margin: Annotated[
        Literal["isolated", "cross"],
        Meta(title="Margin", description="Of derivatives: by position, or shared by all."),
    ] = "isolated"
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_ws_public: Annotated[Url, Meta(title="Public stream address")] = ""
    base_url_ws_private: Annotated[Url, Meta(title="Private stream address")] = ""
    base_url_ws_business: Annotated[Url, Meta(title="Business stream address")] = ""


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import okx  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    kinds = [member(okx.OKXInstrumentType, parameters.product)]
    environment = member(okx.OKXEnvironment, parameters.environment)
    region = member(okx.OKXRegion, parameters.region)
    data = okx.OKXDataClientConfig(
        instrument_types=kinds,
        environment=environment,
        region=region,
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        api_passphrase=secrets.get("api_passphrase"),
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws_public=or_none(parameters.base_url_ws_public),
        base_url_ws_business=or_none(parameters.base_url_ws_business),
    )
    factory = okx.OKXDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = okx.OKXExecutionClientConfig(
        account_id=AccountId(account_id),
        instrument_types=kinds,
        environment=environment,
        region=region,
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        api_passphrase=secrets["api_passphrase"],
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws_private=or_none(parameters.base_url_ws_private),
        base_url_ws_business=or_none(parameters.base_url_ws_business),
        margin_mode=member(okx.OKXMarginMode, parameters.margin),
    )
    return Client(factory, data), Client(okx.OKXExecutionClientFactory(), orders)


OKX: Final = Adapter(
    name="okx",
    title="OKX",
    client="OKX",
    venue="OKX",
    example="BTC-USDT-SWAP.OKX",
    parameters=Parameters,
    secrets=(*KEY_AND_SECRET, SecretField("api_passphrase", "Passphrase", "text")),
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"),
        time_in_force=("GTC", "IOC", "FOK"),
        post_only=True,
        reduce_only=True,
        modify=True,
        hedge=True,
        quote_quantity=True,
        notes="Position and account modes are chosen at OKX itself; its order ids have no hyphens.",
    ),
    build=_clients,
)
