"""From what stands in the ticket to orders, exact, or to one sentence for each field that stands in the way.

No Qt and no clock: the same fields, market and time give the same orders.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, Contingency, OrderIntent, Side, Sizing, Twap
from widgets.ticket.form import Distance, FieldName, Form, Touch
from widgets.ticket.times import expiry_of
from widgets.ticket.typed import FieldError, check_grid, decimal_of, plain

_HUNDRED: Final = Decimal(100)
_MOST_SLICES: Final = 1_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the ticket asks for; where `faults` has any, there are no intents.

    Attributes
    ----------
    sizing : Sizing or None
        How the engine is to find the quantity; that of the intents then only holds its place.
    faults : dict
        One sentence by the field that it belongs to.
    """

    intents: tuple[OrderIntent, ...] = ()
    contingency: Contingency = "none"
    sizing: Sizing | None = None
    faults: dict[FieldName, str] = {}

    def sized(self, quantity: Decimal) -> "Wanted":
        """The same for so much of the base, whatever the ticket's size was given in."""
        replace = msgspec.structs.replace
        intents = tuple(replace(each, quantity=quantity) for each in self.intents)
        return replace(self, intents=intents, sizing=None)


def orders_of(form: Form, side: Side, instrument: Instrument, touch: Touch | None, now_ns: int) -> Wanted:
    """Orders that the fields stand for, or what is wrong with them.

    Parameters
    ----------
    touch : Touch or None
        The market now; None where there is none yet, which only what needs it cannot do without.
    now_ns : int
        Market time, from which `+15m` counts and before which nothing may expire.
    """
    return _Reading(form, side, instrument, touch, now_ns).wanted()


class _Noting:
    """Keeps what is wrong with one field, and lets the reading go on."""

    def __init__(self, faults: dict[FieldName, str], field: FieldName) -> None:
        self._faults, self._field = faults, field

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, FieldError):
            self._faults[self._field] = str(error)
            return True
        return False


class _Reading:
    """Reads one form; collects the faults instead of stopping at the first."""

    def __init__(
        self, form: Form, side: Side, instrument: Instrument, touch: Touch | None, now_ns: int
    ) -> None:
        self._form, self._side = form, side
        self._instrument, self._touch, self._now = instrument, touch, now_ns
        self._sign = 1 if side == "BUY" else -1
        self._faults: dict[FieldName, str] = {}

    def wanted(self) -> Wanted:
        form, facts = self._form, self._form.facts
        quantity, sizing = self._size()
        price = self._price(form.price, "Price", "price") if facts.price else None
        trigger = self._price(form.trigger, "Trigger", "trigger") if facts.trigger else None
        trailing = self._distance(form.trailing, form.trailing_by, "trailing") if facts.trailing else None
        expire = self._expiry() if form.time_in_force == "GTD" and "GTD" in facts.times else None
        twap = self._twap() if form.twap and facts.twap and not form.bracket else None
        self._check_market(price, trigger)
        entry = OrderIntent(
            instrument=self._instrument.id,
            strategy=HAND,
            side=self._side,
            type="LIMIT" if form.kind == "OCO" else form.kind,
            quantity=quantity,
            price=price,
            trigger=None if form.kind == "OCO" else trigger,
            trailing_offset=trailing,
            time_in_force=form.time_in_force if form.time_in_force in facts.times else facts.times[0],
            expire_ns=expire,
            post_only=form.post_only and facts.post_only and form.time_in_force not in ("IOC", "FOK"),
            reduce_only=form.reduce_only and not form.bracket,
            quote_quantity=self._is_in_quote,
            twap=twap,
        )
        intents: tuple[OrderIntent, ...] = (entry,)
        contingency: Contingency = "none"
        if form.kind == "OCO":
            intents, contingency = (entry, self._other_of(entry, trigger)), "oco"
        elif form.bracket and facts.bracket:
            intents, contingency = self._bracket(entry)
        if self._faults:
            return Wanted(faults=self._faults)
        return Wanted(intents=intents, contingency=contingency, sizing=sizing)

    def _noting(self, field: FieldName) -> "_Noting":
        return _Noting(self._faults, field)

    # Size

    @property
    def _is_in_quote(self) -> bool:
        form = self._form
        return form.quote_quantity and form.facts.quote_quantity and form.size_by == "quantity"

    def _size(self) -> tuple[Decimal, Sizing | None]:
        form, lot = self._form, self._instrument.lot_size
        with self._noting("size"):
            value = decimal_of(form.size, "Size", scaled=True)
            match form.size_by:
                case "quantity" if self._is_in_quote:
                    if form.bracket:
                        raise FieldError("A bracket needs a size in the base; give it in units or lots.")
                    return value, None
                case "quantity":
                    return check_grid(value, lot, "Size", self._instrument.base), None
                case "lots":
                    return check_grid(value, Decimal(1), "Lots") * lot, None
                case "equity" | "risk" if value > _HUNDRED:
                    raise FieldError("More than 100 % of the equity is not sent from here; give units.")
                case "risk" if not (form.bracket and form.facts.bracket and form.stop.strip()):
                    raise FieldError("A size by risk needs a stop loss; tick it and say where.")
                case _:
                    return lot, Sizing(form.size_by, value)
        return lot, None

    # Prices

    def _price(self, text: str, name: str, field: FieldName) -> Decimal | None:
        with self._noting(field):
            return check_grid(decimal_of(text, name), self._instrument.tick_size, name)
        return None

    def _distance(self, text: str, by: Distance, field: FieldName) -> Decimal | None:
        """Distance in price, on the grid and at least a tick; a percentage is of the market."""
        with self._noting(field):
            value = decimal_of(text, "Distance")
            return self._in_price(value, by, "Distance", None)
        return None

    def _in_price(self, value: Decimal, by: Distance, name: str, of: Decimal | None) -> Decimal:
        """A distance typed in any unit, in price; a percentage is of `of`, or of the market."""
        tick = self._instrument.tick_size
        match by:
            case "price":
                return check_grid(value, tick, name)
            case "ticks":
                return check_grid(value, Decimal(1), f"{name} in ticks") * tick
            case "percent":
                return self._share(value, self._reference(None) if of is None else of)

    def _share(self, percent: Decimal, of: Decimal) -> Decimal:
        tick = self._instrument.tick_size
        ticks = (of * percent / _HUNDRED / tick).to_integral_value(ROUND_HALF_UP)
        if ticks < 1:
            raise FieldError(f"{plain(percent)} % is less than a tick; make it larger.")
        return ticks * tick

    def _reference(self, entry: OrderIntent | None) -> Decimal:
        """Price at which an entry is expected to fill."""
        if entry is not None and (own := entry.price or entry.trigger) is not None:
            return own
        if self._touch is None:
            raise FieldError("There is no market yet to measure from; give a price.")
        return self._touch.ask if self._side == "BUY" else self._touch.bid

    def _check_market(self, price: Decimal | None, trigger: Decimal | None) -> None:
        """Refuse what would go off at once though it is meant to wait."""
        touch, kind, buys = self._touch, self._form.kind, self._side == "BUY"
        if touch is None:
            return
        near = touch.ask if buys else touch.bid
        what, way = ("buy", "above") if buys else ("sell", "below")
        other = "below" if buys else "above"
        if trigger is not None:
            waits_through = kind in ("STOP_MARKET", "STOP_LIMIT", "OCO")
            beyond = (trigger - near) * self._sign
            if waits_through and beyond <= 0:
                self._faults["trigger"] = f"A {what} stop waits {way} the market, {plain(near)} now."
            elif kind == "MARKET_IF_TOUCHED" and beyond >= 0:
                self._faults["trigger"] = f"A {what} if touched waits {other} the market, {plain(near)} now."
        rests = self._form.post_only and kind == "LIMIT" and self._form.time_in_force not in ("IOC", "FOK")
        if price is not None and (rests or kind == "OCO") and (price - near) * self._sign >= 0:
            reason = "Post-only" if kind == "LIMIT" else "The limit"
            self._faults["price"] = f"{reason} must rest {other} the market, {plain(near)} now."

    # What hangs together

    def _other_of(self, entry: OrderIntent, trigger: Decimal | None) -> OrderIntent:
        return msgspec.structs.replace(
            entry, type="STOP_MARKET", price=None, trigger=trigger, post_only=False
        )

    def _bracket(self, entry: OrderIntent) -> tuple[tuple[OrderIntent, ...], Contingency]:
        form = self._form
        if not form.stop.strip() and not form.target.strip():
            self._faults["stop"] = "Give a stop loss, a target or both, or untick Stop loss."
            return (entry,), "none"
        stop = self._exit(entry, form.stop, form.stop_by, "stop", -1)
        target = self._exit(entry, form.target, form.target_by, "target", 1)
        leaving: Side = "SELL" if self._side == "BUY" else "BUY"
        base = OrderIntent(
            instrument=entry.instrument,
            strategy=HAND,
            side=leaving,
            type="STOP_MARKET",
            quantity=entry.quantity,
            reduce_only=True,
        )
        exits = []
        if stop is not None:
            exits.append(msgspec.structs.replace(base, trigger=stop))
        if target is not None:
            exits.append(msgspec.structs.replace(base, type="LIMIT", price=target))
        return (msgspec.structs.replace(entry, stop=stop), *exits), "bracket"

    def _exit(
        self, entry: OrderIntent, text: str, by: Distance, field: FieldName, way: int
    ) -> Decimal | None:
        """Price of an exit; `way` is 1 for the side of profit, -1 for that of loss."""
        if not text.strip():
            return None
        name = "Stop loss" if way < 0 else "Target"
        with self._noting(field):
            value = decimal_of(text, name)
            reference = self._reference(entry)
            price = self._in_price(value, by, name, reference)
            if by != "price":
                price = reference + way * self._sign * price
            if price <= 0:
                raise FieldError(f"{name} would lie below zero; make it smaller.")
            if (price - reference) * way * self._sign <= 0:
                where = "below" if way * self._sign < 0 else "above"
                raise FieldError(
                    f"{name} of a {self._side.lower()} lies {where} its entry, {plain(reference)}."
                )
            return price
        return None

    # Time

    def _expiry(self) -> int | None:
        with self._noting("expiry"):
            return expiry_of(self._form.expiry, self._now)
        return None

    def _twap(self) -> Twap | None:
        with self._noting("horizon"):
            horizon = decimal_of(self._form.horizon, "Over") * 60
            with self._noting("interval"):
                interval = decimal_of(self._form.interval, "Every")
                if interval >= horizon:
                    raise FieldError("A slice must come more than once: make the interval shorter.")
                if horizon / interval > _MOST_SLICES:
                    raise FieldError(f"More than {_MOST_SLICES:,} slices; make the interval longer.")
                return Twap(float(horizon), float(interval))
        return None
