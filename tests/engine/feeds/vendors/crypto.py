"""Instruments of crypto venues, made by hand, and files of theirs: what the tests of their decoders share."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from engine.feeds import reader
from engine.feeds.formats import SourceFile
from engine.feeds.importing import import_files
from engine.feeds.instruments import Known, KnownInstruments
from engine.messages.instrument import Instrument
from engine.store import Store


def contract(
    instrument: str,
    kind: Literal["spot", "perpetual", "future"] = "spot",
    *,
    base: str = "BTC",
    quote: str = "USDT",
    inverse: bool = False,
) -> Instrument:
    """Instrument whose steps only the data tell."""
    return Instrument(
        id=instrument,
        kind=kind,
        base=base,
        quote=quote,
        price_precision=0,
        size_precision=0,
        tick_size=Decimal(1),
        lot_size=Decimal(1),
        inverse=inverse,
    )


SPOT = contract("BTCUSDT.BINANCE")
PERPETUAL = contract("BTCUSDT-PERP.BINANCE", "perpetual")
INVERSE = contract("BTCUSD-PERP.BINANCE", "perpetual", quote="USD", inverse=True)


def crypto_file(data: bytes | str, name: str, instrument: Instrument, **said: Any) -> SourceFile:
    """File of `instrument` at a path that need not exist."""
    raw = data.encode() if isinstance(data, str) else data
    return SourceFile(path=Path(name), data=raw, instrument=instrument, **said)


def stored_in_pieces_and_whole(path: Path, instrument: Instrument, folder: Path) -> tuple[Store, Store]:
    """Two stores into which the file was imported in pieces of 2,000 bytes, and as a whole."""
    stores = Store(folder / "pieces"), Store(folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "PIECE_BYTES", 2_000)
        patch.setattr(reader, "_SMALL_BYTES", 0)
        in_pieces = import_files([path], instrument.id, stores[0], Only(instrument))
    whole = import_files([path], instrument.id, stores[1], Only(instrument))
    assert in_pieces.added == whole.added
    return stores


class Only(KnownInstruments):
    """Knows one instrument, and its steps from the data."""

    def __init__(self, instrument: Instrument) -> None:
        super().__init__((), Path("instruments.toml"))
        self._only = instrument

    def find(self, instrument_id: str) -> Known:
        """The one instrument, under any name."""
        return Known(self._only, steps_from_data=True)
