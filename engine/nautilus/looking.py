"""What a venue says of an instrument, asked before anything is traded there.

A node of its own is connected for a moment, with market data alone: so any adapter can be asked, and it needs
no key for that where its venue asks for none.
"""

import asyncio
import gc
import time
from typing import Any, Final, Literal

from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.live import LiveNode
from nautilus_trader.model import InstrumentId, TraderId

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.nautilus.adapters import Clients
from engine.nautilus.node import built

_LOOK_S: Final = 15.0
_TURN_S: Final = 0.01
_KINDS: Final[dict[str, Literal["spot", "perpetual", "equity", "future"]]] = {
    "CurrencyPair": "spot",
    "CryptoPerpetual": "perpetual",
    "PerpetualContract": "perpetual",
    "CryptoFuture": "future",
    "FuturesContract": "future",
    "Equity": "equity",
}


def look_up(clients: Clients, instrument: str) -> Instrument:
    """Facts of an instrument as its venue tells them; takes about as long as connecting does.

    Raises
    ------
    UserError
        The venue does not answer in time, has no such instrument, or it is of a kind that is not traded here.
    """
    node = built(
        LiveNode.builder("LOOK", TraderId("STATION-000"), Environment.LIVE)
        .with_logging(LoggerConfig(bypass_logging=True))
        .with_timeout_connection(round(_LOOK_S))
        .with_delay_post_stop_secs(0)
        .add_data_client(None, *clients.data)
    )
    cache, handle = node.cache, node.handle()
    loop = asyncio.new_event_loop()
    running = loop.create_task(_run(node))
    found: Any = None
    try:
        deadline = time.monotonic() + _LOOK_S
        while found is None and not running.done() and time.monotonic() < deadline:
            loop.run_until_complete(asyncio.sleep(_TURN_S))
            found = cache.instrument(InstrumentId.from_str(instrument))
            if found is None and handle.is_running:
                break
        if found is None:
            raise UserError(_missing(clients.name, instrument, connected=handle.is_running))
        return from_nautilus_instrument(found)
    finally:
        del found, cache
        handle.stop()
        loop.run_until_complete(asyncio.wait([running]))
        running.exception()
        loop.close()
        node.dispose()
        del node, running
        gc.collect()


async def _run(node: LiveNode) -> None:
    await node.run_async()


def _missing(name: str, instrument: str, *, connected: bool) -> str:
    if connected:
        return f"{name} has no {instrument}; look up how it is written there, such as BTCUSDT-PERP.BINANCE."
    return f"{name} does not answer; look at the connection and its addresses, and try again."


def from_nautilus_instrument(found: Any) -> Instrument:
    """Our instrument of one of NautilusTrader's, which knows no fees.

    Raises
    ------
    UserError
        It is an option, a bet or another kind that the station does not trade.
    """
    name = type(found).__name__
    if name not in _KINDS:
        raise UserError(
            f"{found.id} is a {name}, which is not traded here; choose a pair, a future or a share."
        )
    kind = _KINDS[name]
    base = getattr(found, "base_currency", None)
    return Instrument(
        id=str(found.id),
        kind=kind,
        base=found.id.symbol.value if base is None else base.code,
        quote=found.quote_currency.code,
        price_precision=found.price_precision,
        size_precision=found.size_precision,
        tick_size=found.price_increment.as_decimal(),
        lot_size=found.size_increment.as_decimal(),
        multiplier=found.multiplier.as_decimal(),
        inverse=bool(getattr(found, "is_inverse", False)),
    )
