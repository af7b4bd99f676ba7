"""A story in words: one step each for the signal, what was made of it, its order and every fill."""

from collections.abc import Callable, Mapping
from typing import Final

from engine.messages.events import Direction, Filled, OrderChanged, SignalActed, Signalled
from engine.messages.instrument import Instrument
from widgets.numbers import (
    DASH,
    figure_text,
    micros_text,
    price_text,
    size_text,
    time_text,
)
from widgets.page import Line, Sentence
from widgets.why.lines import Step
from widgets.why.story import Story

type Translate = Callable[[str], str]

SIDE_TONES: Final[Mapping[int, str]] = {1: "bid", 0: "quiet", -1: "ask"}

_TO_TRADE: Final = {"BUY": "bid", "SELL": "ask"}
_BAD: Final = frozenset({"DENIED", "REJECTED"})


def exact_time(ns: int) -> str:
    """Time of day with all digits that it has: 3, 6 or 9."""
    digits = next((digits for digits, unit in ((3, 10**6), (6, 10**3)) if ns % unit == 0), 9)
    return time_text(ns, digits)


def direction_word(direction: Direction, tr: Translate) -> str:
    """Side in a word."""
    return {1: tr("long"), 0: tr("flat"), -1: tr("short")}[direction]


def chain_lines(story: Story, instrument: Instrument | None, tr: Translate) -> list[Line]:
    """Steps of a story in their order, each with how long it came after the one before."""
    lines: list[Line] = []
    if story.exit is not None:
        lines.append(Sentence(_exit_text(story, tr), "text"))
        steps = _order_steps(story, 0, instrument, tr)
    elif story.record is None:
        return []
    else:
        signalled, acted = story.record.signalled, story.record.acted
        steps = [_signal_step(signalled, instrument, tr)]
        if acted is None:
            steps.append((Step(tr("Not acted on yet"), "", "", (), "quiet"), signalled.ts))
        else:
            steps.append((_acted_step(acted, signalled, story.order, tr), acted.ts))
            steps += _order_steps(story, acted.ts, instrument, tr)
    lines += _on_rail([step for step, _ in steps])
    return lines


def _on_rail(steps: list[Step]) -> list[Line]:
    last = steps[-1]
    ended = Step(last.title, last.time, last.after, last.details, last.tone, is_last=True)
    return [*steps[:-1], ended]


def _after(ts: int, before: int) -> str:
    return f"+{micros_text((ts - before) / 1e3)}" if before else ""


def _signal_step(signalled: Signalled, instrument: Instrument | None, tr: Translate) -> tuple[Step, int]:
    title = tr("Signal {number}: {before} → {after}").format(
        number=signalled.number,
        before=direction_word(signalled.previous, tr),
        after=direction_word(signalled.direction, tr),
    )
    # A mid may lie on half a digit.
    price = price_text(signalled.price, instrument.price_precision + 1 if instrument else 6)
    details = (_cause_text(signalled, tr), tr("Price at the row: {price}").format(price=price))
    tone = SIDE_TONES[signalled.direction]
    step = Step(title, exact_time(signalled.ts), "", details, tone)
    return step, signalled.ts


def _cause_text(signalled: Signalled, tr: Translate) -> str:
    """What made the decision, with the numbers that were compared."""
    side = signalled.direction or signalled.previous
    strength = signalled.up if side > 0 else signalled.down
    value = strength if strength is not None else signalled.score * side
    numbers = {
        "side": direction_word(side, tr),
        "value": figure_text(value, 4),
        "threshold": figure_text(signalled.threshold, 4),
    }
    texts = {
        "enter": tr("Entry: {side} at {value} reached the threshold of {threshold}."),
        "reverse": tr("Turn: {side} at {value} reached the threshold of {threshold}."),
        "exit": tr("Exit: {side} at {value}, threshold {threshold}."),
        "horizon": tr("The longest hold is over, and {side} at {value} is below {threshold}."),
        "disarmed": tr("The model was disarmed."),
    }
    return texts[signalled.cause].format(**numbers)


def _acted_step(acted: SignalActed, signalled: Signalled, order: OrderChanged | None, tr: Translate) -> Step:
    titles = {
        "ordered": (tr("Risk gate: passed"), "signal"),
        "refused": (tr("Risk gate: refused"), "danger"),
        "shadow": (tr("Only shown: the model is in shadow"), "quiet"),
        "held": (tr("Nothing to do: already so"), "quiet"),
    }
    # The account is checked after the gate, and its refusal may come after the verdict was told.
    is_denied = order is not None and order.status == "DENIED"
    title, tone = titles["refused" if is_denied else acted.verdict]
    details = (acted.text,) if acted.text else ()
    return Step(title, exact_time(acted.ts), _after(acted.ts, signalled.ts), details, tone)


def _order_steps(
    story: Story, before: int, instrument: Instrument | None, tr: Translate
) -> list[tuple[Step, int]]:
    order = story.order
    if order is None:
        return []
    steps = [(_order_step(order, before, instrument, tr), order.ts)]
    for fill in story.fills:
        after = _after(fill.ts, before)
        steps.append((_fill_step(fill, order, after, instrument, tr), fill.ts))
        before = fill.ts
    return steps


def _order_step(order: OrderChanged, before: int, instrument: Instrument | None, tr: Translate) -> Step:
    digits = instrument.size_precision if instrument else 0
    title = tr("Order: {side} {quantity} {type}").format(
        side=order.side, quantity=size_text(order.quantity, digits), type=_words(order.type).lower()
    )
    prices = [
        text.format(price=price_text(price, instrument.price_precision if instrument else 5))
        for text, price in ((tr("Limit {price}"), order.price), (tr("Trigger {price}"), order.trigger))
        if price is not None
    ]
    filled = tr("{filled} of {quantity} filled").format(
        filled=size_text(order.filled, digits),
        quantity=size_text(order.quantity, digits),
    )
    details = [*prices, filled, order.order_id, *([order.reason] if order.reason else [])]
    tone = "danger" if order.status in _BAD else _TO_TRADE[order.side]
    when = f"{_words(order.status)} {exact_time(order.ts)}"
    # What a fill took is said at the fill.
    return Step(title, when, "" if order.filled else _after(order.ts, before), tuple(details), tone)


def _fill_step(
    fill: Filled, order: OrderChanged, after: str, instrument: Instrument | None, tr: Translate
) -> Step:
    title = tr("Fill: {quantity} at {price}").format(
        quantity=size_text(fill.quantity, instrument.size_precision if instrument else 0),
        price=price_text(fill.price, instrument.price_precision if instrument else 5),
    )
    liquidity = {"maker": tr("maker"), "taker": tr("taker"), "": DASH}[fill.liquidity]
    fee = tr("{liquidity}, fee {fee} {currency}").format(
        liquidity=liquidity, fee=f"{fill.fee:f}", currency=fill.fee_currency
    )
    return Step(title, exact_time(fill.ts), after, (_fill_reason(fill, order, tr), fee), _TO_TRADE[fill.side])


def _fill_reason(fill: Filled, order: OrderChanged, tr: Translate) -> str:
    """Why it filled where it did."""
    if "STOP" in order.type:
        return tr("The market reached the trigger.")
    if "LIMIT" in order.type:
        if fill.liquidity == "maker":
            return tr("The market came to its limit.")
        return tr("Its limit was no worse than the market, so it filled at once.")
    return tr("A market order takes the best price that there is.")


def _exit_text(story: Story, tr: Translate) -> str:
    """What an order is that no signal caused; what it did only where it did it."""
    if story.record is None:
        return tr("No signal caused this order: it is the strategy's own.")
    if story.exit == "other":
        return tr("No signal caused this order; the log says why it was sent.")
    if story.fills:
        texts = {
            "stop": tr("No signal caused this exit: it stopped what signal {number} opened."),
            "take-profit": tr(
                "No signal caused this exit: it took the profit of what signal {number} opened."
            ),
        }
    else:
        texts = {
            "stop": tr("No signal caused this order: it is the stop of what signal {number} opened."),
            "take-profit": tr(
                "No signal caused this order: it is the target of what signal {number} opened."
            ),
        }
    return texts[story.exit or "stop"].format(number=story.record.signalled.number)


def _words(constant: str) -> str:
    return constant.replace("_", " ").capitalize()
