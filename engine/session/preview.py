"""What an order would come to if it were sent now."""

from decimal import Decimal

import msgspec

from engine.errors import UserError
from engine.messages.commands import Preview
from engine.messages.instrument import Instrument
from engine.messages.orders import OrderIntent, OrderPreview
from engine.messages.run import Run
from engine.nautilus.requests import checked, in_lots
from engine.risk.book import Touch
from engine.risk.case import expected_price
from engine.risk.gate import RiskGate
from engine.risk.sizing import size_of
from engine.risk.valuing import Valuing
from engine.session.abilities import check_able, note_of

_STOPS = ("STOP_MARKET", "STOP_LIMIT")


def preview(
    question: Preview,
    run: Run,
    instrument: Instrument,
    gate: RiskGate,
    *,
    touch: Touch | None,
    equity: Decimal | None,
    held: Decimal,
    now_ns: int,
) -> OrderPreview:
    """Answer a question, or say in its `problem` why there is no answer.

    Parameters
    ----------
    instrument : Instrument
        With the fees that are charged.
    gate : RiskGate
        Whose verdict is told; nothing is counted.
    equity : Decimal or None
        Of the account, in the instrument's quote currency.
    held : Decimal
        Signed position of the account in this instrument.
    """
    try:
        check_able(run, question.intents, question.contingency)
        intents = _sized(question, instrument, touch, equity, now_ns)
    except UserError as error:
        return OrderPreview(
            request=question.request, currency=instrument.quote, position_before=held, problem=str(error)
        )
    entry, valuing = intents[0], Valuing(instrument, instrument.quote)
    price = expected_price(entry, touch)
    size = entry.quantity
    if entry.reduce_only:
        size = min(size, max(Decimal(0), held if entry.side == "SELL" else -held))
    notional = None if price is None else size * valuing.unit(price)
    rests = entry.type == "LIMIT" and not _crosses(entry, touch)
    fee = instrument.maker_fee if rests else instrument.taker_fee
    return OrderPreview(
        request=question.request,
        currency=instrument.quote,
        quantity=entry.quantity,
        price=price,
        notional=notional,
        # A venue's instruments carry no fees: what is not known is not told as nothing.
        fee=None if notional is None or (gate.mode == "live" and not fee) else notional * fee,
        margin=None if notional is None else notional / run.venue.leverage,
        loss_at_stop=_loss(entry, size, price, fee, valuing),
        position_before=held,
        position_after=held + (size if entry.side == "BUY" else -size),
        denial=gate.would(*intents),
        note=note_of(run, question.intents, question.contingency),
    )


def _sized(
    question: Preview, instrument: Instrument, touch: Touch | None, equity: Decimal | None, now_ns: int
) -> tuple[OrderIntent, ...]:
    given = question.intents
    if question.sizing is not None and given:
        stop = next((each.trigger for each in given[1:] if each.type in _STOPS), given[0].stop)
        price = expected_price(given[0], touch)
        size = size_of(question.sizing, instrument, price=price, equity=equity, stop=stop)
        if not size.quantity:
            raise UserError(size.text)
        given = tuple(
            msgspec.structs.replace(each, quantity=size.quantity, quote_quantity=False) for each in given
        )
    intents = checked(question.request, given, question.contingency, instrument, now_ns)
    return tuple(in_lots(each, instrument, touch) for each in intents)


def _crosses(intent: OrderIntent, touch: Touch | None) -> bool:
    if touch is None or intent.price is None:
        return False
    return intent.price >= touch.ask if intent.side == "BUY" else intent.price <= touch.bid


def _loss(
    entry: OrderIntent, size: Decimal, price: Decimal | None, fee: Decimal, valuing: Valuing
) -> Decimal | None:
    if entry.stop is None or price is None:
        return None
    at_entry, at_stop = valuing.unit(price), valuing.unit(entry.stop)
    way = at_entry - at_stop if entry.side == "BUY" else at_stop - at_entry
    return size * (way + at_entry * fee + at_stop * valuing.instrument.taker_fee)
