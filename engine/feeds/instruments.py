"""What an instrument is before anything of it is stored: by list, else by rule, else a clear refusal."""

import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

import msgspec

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.store import checked_id

_PERPETUAL_SUFFIX = re.compile(r"[-_]?(PERP|SWAP)$")
_PERPETUAL_VENUE = re.compile(r"BINANCE[-_]?(PERP|USDM|FUTURES)")
_METALS = ("XAU", "XAG")


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    kind: Literal["fx", "spot", "perpetual"]
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)


class _Fx(msgspec.Struct, forbid_unknown_fields=True):
    currencies: list[str] = []
    tick_size: Decimal = Decimal("0.00001")
    lot_size: Decimal = Decimal(1000)
    tick_size_by_currency: dict[str, Decimal] = {}
    tick_size_by_pair: dict[str, Decimal] = {}


class _Binance(msgspec.Struct, forbid_unknown_fields=True):
    quotes: list[str] = []
    spot_fee: Decimal = Decimal(0)
    perpetual_maker_fee: Decimal = Decimal(0)
    perpetual_taker_fee: Decimal = Decimal(0)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    instrument: list[_Listed] = []
    fx: _Fx | None = None
    binance: _Binance | None = None


class Known(msgspec.Struct, frozen=True):
    """An instrument and whether its steps are facts (listed, by rule) or still to be seen in the data."""

    instrument: Instrument
    steps_from_data: bool = False


class KnownInstruments:
    """Instruments by the lists and rules of one or more TOML files; a later file wins."""

    def __init__(self, files: Iterable[_File], where: Path) -> None:
        self._where = where
        self._listed: dict[str, Instrument] = {}
        self._fx, self._binance = _Fx(), _Binance()
        for file in files:
            self._listed |= {listed.id: _instrument(listed) for listed in file.instrument}
            self._fx = file.fx or self._fx
            self._binance = file.binance or self._binance

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
        if len(word) == 6 and self._pair(f"{word}.ANY", word) is not None:
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
        symbol, _, venue = instrument_id.rpartition(".")
        found = self._pair(instrument_id, symbol) or self._binance_market(instrument_id, symbol, venue)
        if found is None:
            raise UserError(
                f"Nothing is known of instrument {instrument_id!r}; add it as [[instrument]] with id, kind, "
                f"base, quote, tick_size and lot_size to {self._where}."
            )
        return found

    def _pair(self, instrument_id: str, symbol: str) -> Known | None:
        base, quote = symbol[:3], symbol[3:]
        if base not in self._fx.currencies or quote not in self._fx.currencies:
            return None
        by_currency = self._fx.tick_size_by_currency
        coarse = by_currency.get(quote) or (by_currency.get(base) if base in _METALS else None)
        tick = self._fx.tick_size_by_pair.get(symbol) or coarse or self._fx.tick_size
        lot = Decimal(1) if base in _METALS else self._fx.lot_size
        return Known(
            _instrument(_Listed(instrument_id, "fx", base, quote, tick_size=tick, lot_size=lot)),
        )

    def _binance_market(self, instrument_id: str, symbol: str, venue: str) -> Known | None:
        """Rule for markets of Binance, whose smallest steps only the data tell."""
        rules = self._binance
        perpetual = bool(_PERPETUAL_SUFFIX.search(symbol) or _PERPETUAL_VENUE.fullmatch(venue))
        symbol = _PERPETUAL_SUFFIX.sub("", symbol)
        listed = self._listed.get(f"{symbol}{'-PERP' if perpetual else ''}.BINANCE")
        if not venue.startswith("BINANCE"):
            return None
        if listed is not None:
            return Known(msgspec.structs.replace(listed, id=instrument_id))
        quote = next((code for code in rules.quotes if symbol.endswith(code) and symbol != code), None)
        if quote is None:
            return None
        return Known(
            Instrument(
                id=instrument_id,
                kind="perpetual" if perpetual else "spot",
                base=symbol.removesuffix(quote),
                quote=quote,
                price_precision=0,
                size_precision=0,
                tick_size=Decimal(1),
                lot_size=Decimal(1),
                maker_fee=rules.perpetual_maker_fee if perpetual else rules.spot_fee,
                taker_fee=rules.perpetual_taker_fee if perpetual else rules.spot_fee,
            ),
            steps_from_data=True,
        )


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _instrument(listed: _Listed) -> Instrument:
    return Instrument(
        id=listed.id,
        kind=listed.kind,
        base=listed.base,
        quote=listed.quote,
        price_precision=_decimals(listed.tick_size),
        size_precision=_decimals(listed.lot_size),
        tick_size=listed.tick_size,
        lot_size=listed.lot_size,
        maker_fee=listed.maker_fee,
        taker_fee=listed.taker_fee,
    )


def _read(path: Path) -> _File:
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File, strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{path} cannot be used: {error}; correct it or remove it.") from error
    for listed in file.instrument:
        checked_id(listed.id)
        if listed.tick_size <= 0 or listed.lot_size <= 0:
            raise UserError(
                f"{path} gives {listed.id} a tick_size or lot_size that is not above 0; correct it."
            )
    return file
