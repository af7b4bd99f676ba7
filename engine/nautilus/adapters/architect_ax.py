"""AX Exchange: perpetual contracts on currencies, shares, metals and energy."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    LIVE,
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    Url,
    or_none,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of AX Exchange."""

    environment: Annotated[
        Literal["sandbox", "live"],
        Meta(title="Environment", description="Live is real money; the sandbox has accounts of its own."),
    ] = "sandbox"
    base_url_http: Annotated[Url, Meta(title="HTTP address")] = ""
    base_url_orders: Annotated[Url, Meta(title="Order address")] = ""
    base_url_ws_public: Annotated[Url, Meta(title="Public stream address")] = ""
    base_url_ws_private: Annotated[Url, Meta(title="Private stream address")] = ""


def _clients(
    parameters: Parameters, secrets: Mapping[str, str], account_id: str | None
) -> tuple[Client, Client | None]:
    from nautilus_trader.adapters import architect_ax as ax  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import AccountId  # noqa: PLC0415

    is_live = parameters.environment == LIVE
    environment = ax.AxEnvironment.PRODUCTION if is_live else ax.AxEnvironment.SANDBOX
    data = ax.AxDataClientConfig(
        api_key=secrets.get("api_key"),
        api_secret=secrets.get("api_secret"),
        environment=environment,
        base_url_http=or_none(parameters.base_url_http),
        base_url_ws_public=or_none(parameters.base_url_ws_public),
        base_url_ws_private=or_none(parameters.base_url_ws_private),
    )
    factory = ax.AxDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    orders = ax.AxExecutionClientConfig(
        account_id=AccountId(account_id),
        api_key=secrets["api_key"],
        api_secret=secrets["api_secret"],
        environment=environment,
        base_url_http=or_none(parameters.base_url_http),
        base_url_orders=or_none(parameters.base_url_orders),
        base_url_ws_private=or_none(parameters.base_url_ws_private),
    )
    return Client(factory, data), Client(ax.AxExecutionClientFactory(), orders)


ARCHITECT_AX: Final = Adapter(
    name="architect_ax",
    title="AX Exchange",
    client="AX",
    venue="AX",
    example="EURUSD-PERP.AX",
    parameters=Parameters,
    secrets=KEY_AND_SECRET,
    capabilities=Capabilities(
        orders=("MARKET", "LIMIT"),
        time_in_force=("GTC", "IOC", "DAY"),
        post_only=True,
        notes="Market data need a key too. Market orders are limit orders at an aggressive price; stops and "
        "reduce-only are missing.",
    ),
    build=_clients,
    market_needs_keys=True,
)
