"""From a connection to the clients of a live node: found, checked, refused where real money is barred."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.errors import UserError, in_words, unknown_name
from engine.messages.connection import Connection, Value
from engine.nautilus.adapters import (
    architect_ax,
    binance,
    bybit,
    coinbase,
    deribit,
    derive,
    dydx,
    hyperliquid,
    interactive_brokers,
    kraken,
    lighter,
    okx,
    polymarket,
)
from engine.nautilus.adapters.adapter import LIVE, Adapter, Clients, ConnectionParameters

ADAPTERS: Final = {
    each.name: each
    for each in (
        binance.FUTURES,
        binance.SPOT,
        bybit.BYBIT,
        okx.OKX,
        kraken.FUTURES,
        kraken.SPOT,
        coinbase.COINBASE,
        deribit.DERIBIT,
        hyperliquid.HYPERLIQUID,
        dydx.DYDX,
        interactive_brokers.INTERACTIVE_BROKERS,
        derive.DERIVE,
        lighter.LIGHTER,
        architect_ax.ARCHITECT_AX,
        polymarket.POLYMARKET,
    )
}


def adapter_named(name: str) -> Adapter:
    """Adapter of this name; raises UserError with the nearest ones."""
    if name not in ADAPTERS:
        raise unknown_name("adapter", name, ADAPTERS)
    return ADAPTERS[name]


def parameters_of(adapter: Adapter, given: Mapping[str, Value]) -> ConnectionParameters:
    """Check what a file or a form holds for this adapter.

    Raises
    ------
    UserError
        An unknown parameter (with the nearest ones), a value that it cannot have, or values at odds.
    """
    known = [field.name for field in msgspec.structs.fields(adapter.parameters)]
    for name in given:
        if name not in known:
            raise unknown_name(f"parameter of {adapter.title}", name, known)
    try:
        return msgspec.convert(dict(given), adapter.parameters)
    except msgspec.ValidationError as error:
        said = str(error.__cause__) if isinstance(error.__cause__, ValueError) else in_words(error)
        raise UserError(f"The connection to {adapter.title} cannot be used: {said.rstrip('.')}.") from None


def parameters_in(connection: Connection) -> ConnectionParameters:
    """Parameters of a connection; raises UserError as `parameters_of` does, or for an unknown adapter."""
    return parameters_of(adapter_named(connection.adapter), connection.parameters)


def clients_of(connection: Connection, secrets: Mapping[str, str], *, trading: bool) -> Clients:
    """Clients of a live node.

    Parameters
    ----------
    secrets : mapping
        The adapter's keys; may be empty where only market data are asked for.
    trading : bool
        Whether orders go to the venue; paper trading asks for market data alone.

    Raises
    ------
    UserError
        Unknown adapter, parameters that it cannot have, a key that is missing, or orders for real money where
        the settings do not allow it.
    """
    adapter = adapter_named(connection.adapter)
    parameters = parameters_in(connection)
    keys = {field.name: secrets.get(field.name) for field in adapter.secrets}
    if not trading:
        return Clients(adapter.client, adapter.venue, adapter.build(parameters, keys, None)[0], None)
    if parameters.is_real_money and not connection.real_money_allowed:
        raise real_money_refused(connection.name, parameters)
    check_keys(connection, secrets)
    account = parameters.account or re.sub(r"[^A-Za-z0-9_]", "_", connection.name)
    account_id = f"{adapter.client}-{account}"
    data, execution = adapter.build(parameters, keys, account_id)
    return Clients(adapter.client, adapter.venue, data, execution, account_id)


def check_keys(connection: Connection, secrets: Mapping[str, str]) -> None:
    """Raise UserError where keys of a connection are missing."""
    missing = [
        field.title for field in adapter_named(connection.adapter).secrets if not secrets.get(field.name)
    ]
    if missing:
        raise UserError(
            f"{connection.name} lacks its keys ({', '.join(missing)}); set them with: "
            f"nexttick keys set {connection.name}"
        )


def real_money_refused(name: str, parameters: ConnectionParameters) -> UserError:
    """Why a connection is not traded on, and what would change that."""
    where = "is an account with real money"
    if parameters.environment != LIVE:
        where = "leads to an address that does not say it is a trial's, so its orders may cost real money"
    return UserError(
        f"{name} {where}, and the station trades none until live_trading = true stands in its settings.toml; "
        "set it there once you have tried the same on a test environment."
    )
