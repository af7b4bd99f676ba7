"""What an adapter of the engine is to the station: parameters with a form, keys, abilities, clients."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

LIVE: Final = "live"
"""The environment in which orders cost money; all others play with the venue's own toy money."""

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_]{0,32}")
_INSTRUMENT: Final = re.compile(r"\S+\.[A-Z0-9_]+")
_WALLET: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_TRIAL: Final = re.compile(r"test|demo|sandbox|paper", re.IGNORECASE)

type Url = Annotated[str, Meta(description="Empty is the venue's own address.")]


class ConnectionParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every adapter's parameters have; each declares its own environments, the safest first."""

    environment: str
    account: Annotated[
        str,
        Meta(
            title="Account name",
            description="Typed to arm Live: letters, digits, underscores. Empty is the profile's name.",
        ),
    ] = ""
    instruments: Annotated[
        str,
        Meta(title="Instruments", description="What to load, parted by blanks; empty is all of the venue."),
    ] = ""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a name, an instrument or an address that is none."""
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError(
                f"account={self.account!r} has other signs than letters, digits and underscores, or too many."
            )
        for instrument in self.instrument_ids():
            if not _INSTRUMENT.fullmatch(instrument):
                raise ValueError(f"{instrument!r} is no instrument; write it as SYMBOL.VENUE.")
        for name, url in self.addresses():
            _check_address(name, url)

    def instrument_ids(self) -> list[str]:
        """Instruments to load; empty is all."""
        return self.instruments.replace(",", " ").split()

    def urls(self, *names: str) -> dict[str, str | None]:
        """Values of these addresses; None where it is the venue's own."""
        return {name: getattr(self, name) or None for name in names}

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Names and values of the addresses that are not the venue's own."""
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if "url" in field.name and value:
                yield field.name, value

    @property
    def is_real_money(self) -> bool:
        """Whether orders may cost money: in `live`, and at an address that does not say it is a trial's."""
        return self.environment == LIVE or any(
            not (is_this_machine(url) or _TRIAL.search(urlsplit(url).hostname or ""))
            for _, url in self.addresses()
        )


class SecretField(msgspec.Struct, frozen=True):
    """One key of a connection; `text` ones may hold blanks and line ends, as passwords and PEM files do."""

    name: str
    title: str
    kind: Literal["key", "text"] = "key"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked of a venue through its adapter; shown before connecting.

    Attributes
    ----------
    orders, time_in_force : tuple of str
        NautilusTrader's names.
    hedge : bool
        Long and short positions of one instrument at once.
    moves_stops : bool
        Whether a stop at work can be given another trigger or size.
    trails_by_price : bool
        Whether its trailing stops keep a distance in price.
    notes : str
        What a person should know before they connect; empty where that is nothing.
    """

    orders: tuple[str, ...]
    time_in_force: tuple[str, ...]
    post_only: bool = False
    reduce_only: bool = False
    modify: bool = False
    hedge: bool = False
    oco: bool = False
    bracket: bool = False
    moves_stops: bool = True
    trails_by_price: bool = True
    quote_quantity: bool = False
    notes: str = ""


MATCHING: Final = Capabilities(
    orders=(), time_in_force=(), reduce_only=True, modify=True, oco=True, bracket=True
)
"""Of the engine's own matching, which can all."""


class Client(NamedTuple):
    """One client of a live node: NautilusTrader's factory and the configuration that it takes."""

    factory: Any
    config: Any


class Clients(NamedTuple):
    """Clients of one connection, for `LiveNodeBuilder.add_data_client` and `add_exec_client`.

    `name` is the client's, `venue` the one of its instruments (of Interactive Brokers each instrument has its
    own, so it is empty). `execution` is None where only market data were asked for, and `account_id` is then
    empty.
    """

    name: str
    venue: str
    data: Client
    execution: Client | None
    account_id: str = ""


type Keys = Mapping[str, str | None]
"""An adapter's secrets by the names that NautilusTrader has for them; None for those that are not kept."""

type Made = tuple[Client, Client | None]
"""Clients of market data and of orders."""

type Build = Callable[[Any, Keys, str | None], Made]
"""Makes the clients of parameters, keys and account id; for market data alone where that is None."""


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a venue.

    Attributes
    ----------
    name, title : str
        In profiles, and for people.
    client : str
        NautilusTrader's name of its clients; account ids begin with it.
    venue : str
        Venue of its instruments; empty where they have several.
    example : str
        An instrument, for the form.
    secrets : tuple of SecretField
        Keys that it needs; none where something else is logged in.
    market_needs_keys : bool
        Whether even market data are shown only with a key.
    """

    name: str
    title: str
    client: str
    venue: str
    example: str
    parameters: type[ConnectionParameters]
    secrets: tuple[SecretField, ...]
    capabilities: Capabilities
    build: Build
    market_needs_keys: bool = False

    @property
    def environments(self) -> tuple[str, ...]:
        """Where it can trade, the safest first."""
        info = msgspec.inspect.type_info(self.parameters)
        assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - what every parameters struct is
        kind = next(field.type for field in info.fields if field.name == "environment")
        while isinstance(kind, msgspec.inspect.Metadata):
            kind = kind.type
        assert isinstance(kind, msgspec.inspect.LiteralType)  # noqa: S101 - each adapter names its own
        known: dict[str, int] = {"testnet": 0, "demo": 1, "sandbox": 2, "paper": 3, LIVE: 4}
        return tuple(sorted(map(str, kind.values), key=lambda value: known[value]))


_NOTHING: Final[Mapping[str, Any]] = {}
STOPS_AND_LIMITS: Final = (
    "MARKET",
    "LIMIT",
    "STOP_MARKET",
    "STOP_LIMIT",
    "MARKET_IF_TOUCHED",
    "LIMIT_IF_TOUCHED",
)
"""Orders that most venues take."""

KEY_AND_SECRET: Final = (SecretField("api_key", "API key"), SecretField("api_secret", "API secret"))


def is_this_machine(url: str) -> bool:
    """Whether an address leads nowhere else."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def member(kind: Any, name: str) -> Any:
    """Member of one of NautilusTrader's enumerations, which cannot be subscripted."""
    return getattr(kind, name.upper())


def environment(kind: Any, name: str) -> Any:
    """Member for an environment; that of real money has another name at each venue."""
    if name == LIVE:
        return next(getattr(kind, each) for each in ("LIVE", "MAINNET", "PRODUCTION") if hasattr(kind, each))
    return member(kind, name)


def made(
    module: Any,
    prefix: str,
    account_id: str | None,
    both: Mapping[str, Any],
    *,
    data: Mapping[str, Any] = _NOTHING,
    orders: Mapping[str, Any] = _NOTHING,
) -> Made:
    """Clients of an adapter whose classes NautilusTrader named as it mostly does.

    Parameters
    ----------
    module : module
        NautilusTrader's.
    prefix : str
        Of its classes' names.
    account_id : str or None
        None for market data alone.
    both, data, orders : mapping
        Settings of both clients, and of either alone.
    """

    def client(kind: str, settings: Mapping[str, Any]) -> Client:
        config = getattr(module, f"{prefix}{kind}ClientConfig")
        return Client(getattr(module, f"{prefix}{kind}ClientFactory")(), config(**both, **settings))

    market = client("Data", data)
    if account_id is None:
        return market, None
    from nautilus_trader.model import AccountId  # noqa: PLC0415 - loads the engine

    return market, client("Execution", {"account_id": AccountId(account_id), **orders})


def check_wallet(name: str, address: str) -> None:
    """Raise `ValueError` for what is no address of a wallet; empty is none, and fine."""
    if address and not _WALLET.fullmatch(address):
        raise ValueError(f"{name}={address} is no address; write 0x and 40 hexadecimal digits.")


def _check_address(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError(f"{name}={url} is no address; write https://HOST or wss://HOST, or leave it empty.")
    if parts.username or parts.password:
        raise ValueError(f"{name} must not hold a name or a password; keep keys with: nexttick keys set.")
    if parts.scheme in {"http", "ws"} and not is_this_machine(url):
        raise ValueError(f"{name}={url} is not encrypted, so no key is sent there; write https or wss.")
