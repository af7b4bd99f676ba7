"""AX Exchange: perpetual contracts on currencies, shares, metals and energy."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.nautilus.adapters.adapter import (
    KEY_AND_SECRET,
    Adapter,
    Capabilities,
    ConnectionParameters,
    Keys,
    Made,
    Url,
    environment,
    made,
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


def _clients(parameters: Parameters, keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import architect_ax  # noqa: PLC0415 - loads the engine

    both = {
        "environment": environment(architect_ax.AxEnvironment, parameters.environment),
        **keys,
        **parameters.urls("base_url_http", "base_url_ws_private"),
    }
    data, orders = parameters.urls("base_url_ws_public"), parameters.urls("base_url_orders")
    return made(architect_ax, "Ax", account_id, both, data=data, orders=orders)


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
