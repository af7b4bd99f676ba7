"""What an instrument is before anything of it is stored: by list, else by rule, else a clear refusal."""

import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

import msgspec

from engine.errors import UserError, in_words
from engine.feeds.instrument_rules import (
    CryptoRule,
    EquityRule,
    FutureRule,
    FxRule,
    Known,
    instrument_of,
    plain,
)
from engine.messages.instrument import Instrument
from engine.store import checked_id

__all__ = ["Known", "KnownInstruments"]


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    kind: Literal["fx", "spot", "perpetual", "equity", "future"]
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    inverse: bool = False

    def instrument(self) -> Instrument:
        return msgspec.structs.replace(
            instrument_of(self.id, self.kind, (self.base, self.quote), (self.tick_size, self.lot_size)),
            maker_fee=self.maker_fee,
            taker_fee=self.taker_fee,
            multiplier=self.multiplier,
            inverse=self.inverse,
        )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    instrument: list[_Listed] = []
    fx: FxRule | None = None
    crypto: CryptoRule | None = None
    equity: EquityRule | None = None
    future: FutureRule | None = None


class KnownInstruments:
    """Instruments by the lists and rules of one or more TOML files; a later file wins."""

    def __init__(self, files: Iterable[_File], where: Path) -> None:
        self._where = where
        self._listed: dict[str, Instrument] = {}
        self._fx, self._crypto, self._equity, self._future = (
            FxRule(),
            CryptoRule(),
            EquityRule(),
            FutureRule(),
        )
        for file in files:
            self._listed |= {listed.id: listed.instrument() for listed in file.instrument}
            self._fx = file.fx or self._fx
            self._crypto = file.crypto or self._crypto
            self._equity = file.equity or self._equity
            self._future = file.future or self._future

    @classmethod
    def load(cls, *paths: Path) -> Self:
        """Read the files that exist of `paths`; the last path is where a user is told to add an instrument.

        Raises
        ------
        UserError
            A file is not TOML, or a value in it is wrong; the sentence names file and value.
        """
        return cls([_read(path) for path in paths if path.is_file()], paths[-1])

    def listed(self) -> list[str]:
        """Identifiers that stand in the files by name, sorted."""
        return sorted(self._listed)

    def is_symbol(self, word: str) -> bool:
        """Whether `word` is the symbol of a listed instrument, or a pair of known currencies."""
        if self._fx.find(f"{word}.ANY") is not None:
            return True
        return any(word == instrument.symbol for instrument in self._listed.values())

    def find(self, instrument_id: str) -> Known:
        """Look `instrument_id` up in the lists, then try the rules.

        Raises
        ------
        UserError
            It is no SYMBOL.VENUE, or nothing is known of it; the sentence says how to define it.
        """
        checked_id(instrument_id)
        if instrument_id in self._listed:
            return Known(self._listed[instrument_id])
        found = self._listed_market(instrument_id)
        for rule in (self._fx, self._crypto, self._equity, self._future):
            found = found or rule.find(instrument_id)
        if found is None:
            raise UserError(
                f"Nothing is known of instrument {instrument_id!r}; add it as [[instrument]] with id, kind, "
                f"base, quote, tick_size and lot_size to {self._where}."
            )
        return found

    def _listed_market(self, instrument_id: str) -> Known | None:
        """The listed market that has another name here, as BTCUSDT.BINANCE-PERP has."""
        symbol, venue, perpetual = plain(instrument_id)
        listed = self._listed.get(f"{symbol}{'-PERP' if perpetual else ''}.{venue}")
        return Known(msgspec.structs.replace(listed, id=instrument_id)) if listed is not None else None


def _read(path: Path) -> _File:
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File, strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{path} cannot be used: {in_words(error)}; correct it or remove it.") from error
    for listed in file.instrument:
        checked_id(listed.id)
        if min(listed.tick_size, listed.lot_size, listed.multiplier) <= 0:
            raise UserError(
                f"{path} gives {listed.id} a tick_size, lot_size or multiplier that is not above 0; "
                "correct it."
            )
    return file
