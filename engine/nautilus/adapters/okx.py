"""OKX: spot, swaps and futures."""

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
    SecretField,
    Url,
    environment,
    made,
    member,
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


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import okx  # noqa: PLC0415 - loads the engine

    both = {
        "instrument_types": [member(okx.OKXInstrumentType, parameters.product)],
        "environment": environment(okx.OKXEnvironment, parameters.environment),
        "region": member(okx.OKXRegion, parameters.region),
        **keys,
        **parameters.urls("base_url_http", "base_url_ws_business"),
    }
    margin = {"margin_mode": member(okx.OKXMarginMode, parameters.margin)}
    orders = {**margin, **parameters.urls("base_url_ws_private")}
    return made(okx, "OKX", account_id, both, data=parameters.urls("base_url_ws_public"), orders=orders)


OKX: Final = Adapter(
    name="okx",
    title="OKX",
    client="OKX",
    venue="OKX",
    example="BTC-USDT-SWAP.OKX",
    parameters=Parameters,
    secrets=(*KEY_AND_SECRET, SecretField("api_passphrase", "Passphrase", "text")),
    capabilities=Capabilities(
        orders=STOPS_AND_LIMITS,
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
