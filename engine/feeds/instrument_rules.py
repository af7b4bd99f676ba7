"""What a name alone tells of an instrument: currency pairs, crypto markets and shares, each by its own rule.

A rule never guesses: where a venue's contracts differ in size from coin to coin, only those that the
configuration names are known.
"""

import re
from decimal import Decimal
from typing import Final

import msgspec

from engine.messages.instrument import Instrument

_METALS: Final = ("XAU", "XAG")
_PERPETUAL: Final = re.compile(r"[-_]?(PERPETUAL|PERP|SWAP)$")
_PERPETUAL_VENUE: Final = re.compile(r"[-_]?(PERP|SWAP|USDM|COINM|FUTURES|DELIVERY)$")
_SEPARATED: Final = re.compile(r"[-_]")
_COIN: Final = re.compile(r"[A-Z0-9]+")
_SHARE: Final = re.compile(r"[A-Z0-9]+(-[A-Z])?")
"""A ticker, with the letter of its class where it has one: BRK-B."""

_FUTURE: Final = re.compile(r"([A-Z0-9]{1,4})[FGHJKMNQUVXZ]\d{1,2}")
_INVERSE_QUOTE: Final = "USD"
_ANY_COIN: Final = "any"


class Known(msgspec.Struct, frozen=True):
    """An instrument, and what of it is no fact yet.

    Attributes
    ----------
    steps_from_data : bool
        Its tick and lot are still to be seen in the data.
    needs_definition : bool
        Only its name is known: a file must define it before anything of it is stored.
    """

    instrument: Instrument
    steps_from_data: bool = False
    needs_definition: bool = False


class FxRule(msgspec.Struct, forbid_unknown_fields=True):
    """A symbol of two known currencies is their pair, at any venue."""

    currencies: list[str] = []
    tick_size: Decimal = Decimal("0.00001")
    lot_size: Decimal = Decimal(1000)
    tick_size_by_currency: dict[str, Decimal] = {}
    tick_size_by_pair: dict[str, Decimal] = {}

    def find(self, instrument_id: str) -> Known | None:
        """The pair that `instrument_id` names; None where it names none."""
        symbol, _ = parts(instrument_id)
        base, quote = symbol[:3], symbol[3:]
        if base not in self.currencies or quote not in self.currencies:
            return None
        metal = base in _METALS
        coarse = self.tick_size_by_currency
        coarser = coarse.get(quote) or (coarse.get(base) if metal else None)
        tick = self.tick_size_by_pair.get(symbol) or coarser or self.tick_size
        return Known(
            instrument_of(
                instrument_id,
                "fx",
                (base, quote),
                (tick, Decimal(1) if metal else self.lot_size),
            )
        )


class CryptoVenue(msgspec.Struct, forbid_unknown_fields=True):
    """One venue: fees, quote currencies, and how much a perpetual's size of 1 is.

    `linear` is in coins and `inverse` in dollars, by coin; `any` stands for the coins that are not named.
    Without `inverse`, a perpetual in dollars is linear.
    """

    quotes: list[str] = []
    spot_fee: Decimal = Decimal(0)
    perpetual_maker_fee: Decimal = Decimal(0)
    perpetual_taker_fee: Decimal = Decimal(0)
    linear: dict[str, Decimal] = {}
    inverse: dict[str, Decimal] = {}


class CryptoRule(msgspec.Struct, forbid_unknown_fields=True):
    """A symbol that ends in a quote currency is a market of a known venue; -PERP makes it a perpetual."""

    quotes: list[str] = []
    venues: dict[str, CryptoVenue] = {}

    def find(self, instrument_id: str) -> Known | None:
        """The market that `instrument_id` names, its steps left to the data; None where it names none."""
        spot_symbol, venue, perpetual = plain(instrument_id)
        rules = self.venues.get(venue)
        if rules is None:
            return None
        quotes = rules.quotes or self.quotes
        if perpetual and rules.inverse:
            quotes = [*quotes, _INVERSE_QUOTE]
        base, quote = _split(spot_symbol, quotes)
        if not quote:
            return None
        inverse = perpetual and quote == _INVERSE_QUOTE and bool(rules.inverse)
        multiplier = _contract(rules.inverse if inverse else rules.linear, base) if perpetual else Decimal(1)
        if multiplier is None:
            return None
        market = instrument_of(
            instrument_id, "perpetual" if perpetual else "spot", (base, quote), (Decimal(1), Decimal(1))
        )
        fees = (
            (rules.perpetual_maker_fee, rules.perpetual_taker_fee)
            if perpetual
            else (rules.spot_fee, rules.spot_fee)
        )
        return Known(
            msgspec.structs.replace(
                market, maker_fee=fees[0], taker_fee=fees[1], multiplier=multiplier, inverse=inverse
            ),
            steps_from_data=True,
        )


class EquityRule(msgspec.Struct, forbid_unknown_fields=True):
    """A ticker at a known stock exchange is a share, priced in that exchange's currency."""

    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    venues: dict[str, str] = {}

    def find(self, instrument_id: str) -> Known | None:
        """The share that `instrument_id` names; None where it names none."""
        symbol, venue = parts(instrument_id)
        currency = self.venues.get(venue)
        if currency is None or not _SHARE.fullmatch(symbol):
            return None
        steps = (self.tick_size, self.lot_size)
        return Known(instrument_of(instrument_id, "equity", (symbol, currency), steps))


class FutureRule(msgspec.Struct, forbid_unknown_fields=True):
    """A root with the letter of a month and a year is a future, of which only a definition tells more."""

    venues: list[str] = []

    def find(self, instrument_id: str) -> Known | None:
        """The future that `instrument_id` names; None where it names none."""
        symbol, venue = parts(instrument_id)
        contract = _FUTURE.fullmatch(symbol)
        if contract is None or venue not in self.venues:
            return None
        unknown = instrument_of(instrument_id, "future", (contract[1], ""), (Decimal(1), Decimal(1)))
        return Known(unknown, needs_definition=True)


def parts(instrument_id: str) -> tuple[str, str]:
    """Symbol and venue."""
    symbol, _, venue = instrument_id.rpartition(".")
    return symbol, venue


def plain(instrument_id: str) -> tuple[str, str, bool]:
    """Symbol and venue without what says perpetual, and whether one did: -PERP, a venue like BINANCE-USDM."""
    symbol, venue = parts(instrument_id)
    perpetual = bool(_PERPETUAL.search(symbol) or _PERPETUAL_VENUE.search(venue))
    return _PERPETUAL.sub("", symbol), _PERPETUAL_VENUE.sub("", venue), perpetual


def instrument_of(
    instrument_id: str, kind: str, currencies: tuple[str, str], steps: tuple[Decimal, Decimal]
) -> Instrument:
    """Linear instrument without fees; `currencies` are base and quote, `steps` tick and lot."""
    tick, lot = steps
    return Instrument(
        id=instrument_id,
        kind=kind,  # type: ignore[arg-type]
        base=currencies[0],
        quote=currencies[1],
        price_precision=decimals(tick),
        size_precision=decimals(lot),
        tick_size=tick,
        lot_size=lot,
    )


def decimals(step: Decimal) -> int:
    """Decimal digits that multiples of `step` need."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _split(symbol: str, quotes: list[str]) -> tuple[str, str]:
    """Base and quote of `symbol`, with or without a mark between them; empty where it ends in no quote."""
    quote = next((code for code in quotes if symbol.endswith(code) and symbol != code), "")
    marked = _SEPARATED.split(symbol)
    base, quote = (symbol.removesuffix(quote), quote) if len(marked) == 1 else (marked[0], marked[-1])
    known = len(marked) <= 2 and quote in quotes and bool(_COIN.fullmatch(base))
    return (base, quote) if known else ("", "")


def _contract(sizes: dict[str, Decimal], base: str) -> Decimal | None:
    return sizes.get(base, sizes.get(_ANY_COIN))
