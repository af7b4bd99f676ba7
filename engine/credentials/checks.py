"""Which check asks which venue or vendor."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.credentials import (
    binance,
    bybit,
    coinbase,
    deribit,
    interactive_brokers,
    kraken,
    okx,
    vendors,
    wallets,
)
from engine.credentials.asking import Ask, asked_over_http
from engine.credentials.standing import Standing, without_withdrawals
from engine.errors import UserError
from engine.messages.connection import Connection
from engine.nautilus.adapters import adapter_named
from engine.nautilus.adapters.clients import check_keys, parameters_in

_VENUES: Final[dict[str, Callable[[Any, Mapping[str, str], Ask], Standing]]] = {
    "binance_futures": binance.check_futures,
    "binance_spot": binance.check_spot,
    "bybit": bybit.check,
    "okx": okx.check,
    "kraken_futures": kraken.check_futures,
    "kraken_spot": kraken.check_spot,
    "coinbase": coinbase.check,
    "deribit": deribit.check,
    "hyperliquid": wallets.check_hyperliquid,
    "dydx": wallets.check_dydx,
    "interactive_brokers": lambda parameters, secrets, _: interactive_brokers.check(parameters, secrets),
}
_VENDORS: Final[dict[str, Callable[[Mapping[str, str], Ask], Standing]]] = {
    "tardis": vendors.check_tardis,
    "databento": vendors.check_databento,
}


def can_check(name: str) -> bool:
    """Whether the station knows how to ask this adapter's venue, or this vendor, about a key."""
    return name in _VENUES or name in _VENDORS


def check_connection(
    connection: Connection, secrets: Mapping[str, str], ask: Ask = asked_over_http
) -> Standing:
    """Ask the venue of a connection about its key; reads only.

    Raises
    ------
    UserError
        The station cannot ask this venue, keys are missing, the venue does not answer or refuses the key, or
        the key may withdraw.
    """
    adapter = adapter_named(connection.adapter)
    parameters = parameters_in(connection)
    if adapter.name not in _VENUES:
        raise UserError(
            f"The station cannot ask {adapter.title} about a key, nor whether it may withdraw; a session "
            "shows whether it is right, so begin with paper, or with little."
        )
    check_keys(connection, secrets)
    return without_withdrawals(connection.name, _VENUES[adapter.name](parameters, secrets, ask))


def check_vendor(name: str, title: str, secrets: Mapping[str, str], ask: Ask = asked_over_http) -> Standing:
    """Ask a vendor of data about a key; raises UserError as `check_connection` does."""
    if name not in _VENDORS:
        raise UserError(
            f"The station cannot ask {title} about a key; its first use shows whether it is right."
        )
    return _VENDORS[name](secrets, ask)
