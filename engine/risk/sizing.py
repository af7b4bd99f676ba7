"""How large an order is: as a person says it, or as a signal is worth (fixed, by volatility, Kelly or risk).

Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal 35 (1956): the share of
wealth that makes it grow fastest is f* = p - (1 - p) / b for a bet that wins b times its stake with
probability p. Thorp, "The Kelly Criterion in Blackjack, Sports Betting, and the Stock Market" (2006), argues
for a fraction of it, because p is only estimated. Here the stake is the position's notional, so a full stake
is a position as large as the equity, never more.
"""

from decimal import ROUND_FLOOR, Decimal
from math import isfinite
from typing import Final

import msgspec

from engine.messages.instrument import Instrument
from engine.messages.orders import Sizing
from engine.risk.valuing import Valuing
from engine.risk.wording import whole_lots
from engine.strategies import AiSignalParameters

LARGEST: Final = Decimal(10) ** 12
"""The engine's sizes and prices end at a few million million, and its money at less."""


class Size(msgspec.Struct, frozen=True):
    """Size in base currency, in whole lots, 0 for no position; `text` says in a sentence what made it so."""

    quantity: Decimal
    text: str = ""


class Sizer:
    """Sizes the positions of one run.

    Parameters
    ----------
    parameters : AiSignalParameters
    instrument : Instrument
        Its lot is what sizes are whole multiples of.
    """

    def __init__(self, parameters: AiSignalParameters, instrument: Instrument) -> None:
        self._parameters, self._instrument, self._lot = parameters, instrument, instrument.lot_size

    def size(
        self,
        base: Decimal,
        price: float,
        equity: Decimal,
        *,
        volatility: float,
        win: float,
        loss: float,
        is_long: bool = True,
    ) -> Size:
        """Size of a position.

        Parameters
        ----------
        base : Decimal
            Trade size, in base currency.
        price : float
            Quote currency per unit of base currency.
        equity : Decimal
            In quote currency.
        volatility : float
            Realised volatility of log returns over the parameters' window; NaN where it is not known.
        win, loss : float
            Probabilities of the position's side and of the other side.
        is_long : bool
            Which side that is.
        """
        if self._parameters.sizing == "fixed":
            return Size(base)
        if not price > 0 or equity <= 0:
            return Size(Decimal(0), "There is no equity or price to size a position by.")
        if self._parameters.sizing == "volatility":
            return self._by_volatility(base, price, equity, volatility)
        if self._parameters.sizing == "risk":
            return self._by_risk(_exact(price), equity, 1 if is_long else -1)
        return self._by_kelly(price, equity, win, loss)

    def _by_volatility(self, base: Decimal, price: float, equity: Decimal, volatility: float) -> Size:
        if not isfinite(volatility):
            return Size(Decimal(0), "The volatility is not known yet.")
        target = self._parameters.target_volatility_bps / 1e4
        share = min(1.0, target / volatility) if volatility > 0 else 1.0
        told = f"Volatility {volatility * 1e4:.3g} bps: {share:.0%} of the trade size"
        return self._capped(base * _exact(share), price, equity, told)

    def _by_kelly(self, price: float, equity: Decimal, win: float, loss: float) -> Size:
        share = kelly_share(win, loss, self._payoff) * self._parameters.kelly_fraction
        if not share > 0:
            return Size(Decimal(0), "Kelly stakes nothing at these odds.")
        told = f"Kelly stakes {share:.2%} of equity"
        return self._capped(equity * _exact(share) / _exact(price), price, equity, told)

    def _by_risk(self, price: Decimal, equity: Decimal, sign: int) -> Size:
        percent, stop = _exact(self._parameters.risk_pct), _exact(self._parameters.stop_bps) / 10_000
        sizing = Sizing(by="risk", value=percent)
        size = size_of(sizing, self._instrument, price=price, equity=equity, stop=price * (1 - sign * stop))
        told = f"{percent:f} % of equity at risk to the stop, fees included"
        return self._capped(size.quantity, float(price), equity, told)

    @property
    def _payoff(self) -> float:
        """What a win brings for each unit that a loss costs; 1 where no exits say."""
        stop, profit = self._parameters.stop_bps, self._parameters.take_profit_bps
        return profit / stop if stop and profit else 1.0

    def _capped(self, wanted: Decimal, price: float, equity: Decimal, told: str) -> Size:
        most = equity * _exact(self._parameters.cap_pct) / 100 / _exact(price)
        if wanted > most:
            wanted, told = most, f"{told}, capped at {self._parameters.cap_pct:g} % of equity"
        lots = (wanted / self._lot).to_integral_value(ROUND_FLOOR)
        return Size(lots * self._lot, f"{told}." if lots else f"{told}, which is less than one lot.")


def size_of(
    sizing: Sizing,
    instrument: Instrument,
    *,
    price: Decimal | None,
    equity: Decimal | None,
    stop: Decimal | None = None,
) -> Size:
    """Size of an order as a person gave it, in whole lots, never above what was meant.

    Parameters
    ----------
    sizing : Sizing
    price : Decimal or None
        That the order is expected to fill at.
    equity : Decimal or None
        Of the account, in the currency that the instrument is settled in.
    stop : Decimal or None
        Trigger of the order's stop; `risk` needs it. The loss at it counts both fees of a taker.
    """
    valuing, nothing = Valuing(instrument, instrument.quote), Decimal(0)
    lot, value = instrument.lot_size, sizing.value
    if not value.is_finite() or not 0 < value < LARGEST:
        return Size(nothing, f"A size of {value} is not possible; give one above 0, below {LARGEST:,f}.")
    if sizing.by in ("quantity", "lots"):
        return _whole(value * lot if sizing.by == "lots" else value, instrument)
    if price is None or price <= 0:
        return Size(nothing, f"There is no price of {instrument.id} yet to size an order by; wait for one.")
    if sizing.by == "notional":
        unit = instrument.multiplier if instrument.inverse else valuing.unit(price)
        return _whole(value / unit, instrument)
    if equity is None or equity <= 0:
        return Size(nothing, "There is no equity to size an order by; give a size.")
    return _of_money(sizing, equity * value / 100, valuing, price, stop)


def _of_money(sizing: Sizing, money: Decimal, valuing: Valuing, price: Decimal, stop: Decimal | None) -> Size:
    """Size of so much value, or of so much loss at the stop."""
    instrument = valuing.instrument
    if sizing.by == "equity":
        return _whole(money / valuing.unit(price), instrument)
    if stop is None or stop == price:
        return Size(Decimal(0), "A size by risk needs a stop away from the price; give one.")
    return _whole(money / valuing.loss(price, stop), instrument)


def _whole(wanted: Decimal, instrument: Instrument) -> Size:
    quantity = whole_lots(wanted, instrument)
    if quantity:
        return Size(quantity)
    return Size(quantity, f"That is less than one lot of {instrument.lot_size}; give a larger size.")


def kelly_share(win: float, loss: float, payoff: float) -> float:
    """Kelly's share of wealth for a bet between two sides; 0 where it would be negative or is not defined.

    Parameters
    ----------
    win, loss : float
        Probabilities of the two sides; what is left, the flat class, neither wins nor loses.
    payoff : float
        What a win brings for each unit that a loss costs.
    """
    if not win + loss > 0:
        return 0.0
    p = win / (win + loss)
    return max(0.0, p - (1.0 - p) / payoff)


def _exact(value: float) -> Decimal:
    """Twelve digits of a float: the noise of its last bits must not cost a lot."""
    return Decimal(f"{value:.12g}")
