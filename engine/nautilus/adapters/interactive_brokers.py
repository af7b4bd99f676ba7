"""Interactive Brokers through Trader Workstation or IB Gateway, where the person is logged in."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from engine.errors import UserError
from engine.nautilus.adapters.adapter import (
    STOPS_AND_LIMITS,
    Adapter,
    Capabilities,
    Client,
    ConnectionParameters,
    Keys,
    Made,
    member,
)


class Parameters(ConnectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One login of Trader Workstation or IB Gateway; no key is kept, as it holds the login."""

    environment: Annotated[
        Literal["paper", "live"],
        Meta(title="Environment", description="What is logged in; ids of paper accounts begin with D."),
    ] = "paper"
    account_number: Annotated[
        str, Meta(title="Account number", description="For example DU123456; needed to trade.")
    ] = ""
    host: Annotated[str, Meta(title="Computer", description="Where it runs.")] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            title="Port",
            description="Gateway 4002 for paper and 4001 for live, Workstation 7497 and 7496.",
        ),
    ] = 4002
    client_id: Annotated[
        int,
        Meta(ge=1, le=998, title="Client number", description="This and the next are taken; no other may."),
    ] = 101
    market_data: Annotated[
        Literal["realtime", "frozen", "delayed", "delayed_frozen"],
        Meta(title="Market data", description="Delayed data need no subscription."),
    ] = "realtime"

    def __post_init__(self) -> None:
        """Raise `ValueError` for a paper environment with an account that is not one."""
        super().__post_init__()
        if self.environment == "paper" and self.account_number and not self.account_number.startswith("D"):
            raise ValueError(
                f"account_number={self.account_number} is no paper account, as those begin with D; choose "
                "the environment live, or the paper account."
            )


def _clients(parameters: Parameters, _keys: Keys, account_id: str | None) -> Made:
    from nautilus_trader.adapters import interactive_brokers as ib  # noqa: PLC0415 - loads the engine
    from nautilus_trader.model import InstrumentId  # noqa: PLC0415

    provider = ib.InteractiveBrokersInstrumentProviderConfig(
        load_ids={InstrumentId.from_str(each) for each in parameters.instrument_ids()}
    )
    data = ib.InteractiveBrokersDataClientConfig(
        host=parameters.host,
        port=parameters.port,
        client_id=parameters.client_id,
        market_data_type=member(ib.MarketDataType, parameters.market_data),
        instrument_provider=provider,
    )
    factory = ib.InteractiveBrokersDataClientFactory()
    if account_id is None:
        return Client(factory, data), None
    if not parameters.account_number:
        raise UserError(
            "Interactive Brokers needs the number of the account to trade on; give account_number in the "
            "connection's profile."
        )
    orders = ib.InteractiveBrokersExecutionClientConfig(
        host=parameters.host,
        port=parameters.port,
        client_id=parameters.client_id + 1,
        account_id=parameters.account_number,
        instrument_provider=provider,
    )
    return Client(factory, data), Client(ib.InteractiveBrokersExecutionClientFactory(), orders)


INTERACTIVE_BROKERS: Final = Adapter(
    name="interactive_brokers",
    title="Interactive Brokers",
    client="IB",
    venue="",
    example="AAPL.XNAS",
    parameters=Parameters,
    secrets=(),
    capabilities=Capabilities(
        orders=(*STOPS_AND_LIMITS, "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"),
        time_in_force=("GTC", "IOC", "FOK", "GTD", "DAY"),
        modify=True,
        bracket=True,
        oco=True,
        notes="Needs TWS or Gateway with its API on and protocol 213 or newer; this adapter is young.",
    ),
    build=_clients,
)
