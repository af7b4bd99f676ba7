"""Addresses of wallets, by their keys: NautilusTrader knows the curves and hashes of the chains."""

from engine.errors import UserError


def hyperliquid_address(private_key: str) -> str:
    """Address of a key, `0x…`; raises UserError where it is none."""
    from nautilus_trader.adapters import hyperliquid  # noqa: PLC0415 - loads the engine

    try:
        address = hyperliquid.hyperliquid_resolve_execution_account_address(private_key=private_key)
    except (ValueError, RuntimeError):
        address = None
    if address is None:
        raise _no_key()
    return address


def dydx_address(private_key: str) -> str:
    """Address of a key, `dydx1…`; raises UserError where it is none."""
    from nautilus_trader.adapters import dydx  # noqa: PLC0415 - loads the engine

    try:
        return dydx.DydxWallet.from_private_key(private_key).address()
    except (ValueError, RuntimeError):
        raise _no_key() from None


def _no_key() -> UserError:
    return UserError("The private key is none of a wallet; copy its 64 hexadecimal digits again.")
