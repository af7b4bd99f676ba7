"""What trading tells, in one line each: intents, verdicts, arming, halting, connections and risk."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from engine.link.builders import EURUSD, START_NS, order
from engine.messages.events import (
    ArmStateChanged,
    ConnectionChanged,
    Denied,
    HaltChanged,
    HaltStep,
    PolicyChanged,
    TwapChanged,
)
from engine.messages.frames import Control
from engine.messages.limits import AccountRisk, LimitUse, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent, OrderPreview, Side
from engine.messages.run import ArmState, Mode


def control(
    mode: Mode = "replay",
    arm: ArmState = "paper",
    *,
    halt: HaltStep = HaltStep.NONE,
    account: str = "SIM-001",
    expires_ns: int | None = None,
    feed_age_s: float | None = None,
) -> Control:
    """A replay in which orders pass."""
    return Control(
        mode=mode, arm=arm, expires_ns=expires_ns, account=account, halt=halt, feed_age_s=feed_age_s
    )


def intent(
    side: Side = "BUY",
    type: str = "LIMIT",  # noqa: A002 -- the field's name in the message
    *,
    quantity: Decimal = Decimal(10_000),
    price: Decimal | None = Decimal("1.09350"),
    trigger: Decimal | None = None,
    strategy: str = HAND,
    instrument: str = EURUSD.id,
    changes: str | None = None,
) -> OrderIntent:
    """A limit order by hand."""
    return OrderIntent(
        instrument=instrument,
        strategy=strategy,
        side=side,
        type=type,
        quantity=quantity,
        price=price,
        trigger=trigger,
        changes=changes,
    )


def twap(
    request: str = "r1",
    status: str = "PARTIALLY_FILLED",
    *,
    filled: Decimal = Decimal(2_000),
    sent: int = 2,
    left: int = 8,
    reason: str = "2 of 10 slices sent, the next at 08:00:04.000 UTC.",
    ts: int = START_NS,
) -> TwapChanged:
    """A TWAP to buy 10,000 by hand."""
    told = order(
        request,
        status,
        type="TWAP",
        filled=filled,
        price=None,
        reason=reason,
        strategy=HAND,
        request=request,
        ts=ts,
    )
    return TwapChanged(ts=ts, order=told, sent=sent, left=left, next_ns=ts + 4_000_000_000 if left else None)


def denied(
    rule: str = "order_quantity",
    text: str = "The order is larger than 5,000; make it smaller.",
    *,
    value: Decimal | None = Decimal(10_000),
    limit: Decimal | None = Decimal(5_000),
    unit: str = "EUR",
    order_id: str = "O-1",
    wanted: OrderIntent | None = None,
    ts: int = START_NS,
) -> Denied:
    """An order that was too large."""
    denial = Denial(rule=rule, text=text, value=value, limit=limit, unit=unit)
    return Denied(ts=ts, order_id=order_id, intent=wanted or intent(), denial=denial)


def preview(
    request: str,
    *,
    quantity: Decimal = Decimal(10_000),
    price: Decimal | None = Decimal("1.09352"),
    notional: Decimal | None = Decimal("10935.20"),
    fee: Decimal | None = Decimal("0.22"),
    margin: Decimal | None = Decimal("546.76"),
    loss_at_stop: Decimal | None = None,
    position_before: Decimal = Decimal(0),
    position_after: Decimal = Decimal(10_000),
    denial: Denial | None = None,
    note: str = "",
    problem: str = "",
) -> OrderPreview:
    """What a buy of 10,000 at the ask comes to, in USD."""
    return OrderPreview(
        request=request,
        currency="USD",
        quantity=quantity,
        price=price,
        notional=notional,
        fee=fee,
        margin=margin,
        loss_at_stop=loss_at_stop,
        position_before=position_before,
        position_after=position_after,
        denial=denial,
        note=note,
        problem=problem,
    )


def arm_state(
    state: ArmState = "paper",
    by: Literal["run", "person", "rule"] = "person",
    *,
    reason: str = "",
    expires_ns: int | None = None,
    ts: int = START_NS,
) -> ArmStateChanged:
    """A person armed the session."""
    return ArmStateChanged(ts=ts, state=state, by=by, reason=reason, expires_ns=expires_ns)


def halted(
    step: HaltStep = HaltStep.HALTED,
    by: Literal["person", "rule", "channel"] = "person",
    *,
    reason: str = "",
    text: str = "",
    ts: int = START_NS,
) -> HaltChanged:
    """The kill switch got to a step."""
    return HaltChanged(ts=ts, step=step, by=by, reason=reason, text=text)


def policy_changed(policy: RiskPolicy | None = None, ts: int = START_NS) -> PolicyChanged:
    """A person put limits in force; none is every limit off."""
    return PolicyChanged(ts=ts, policy=policy or RiskPolicy(), by="person")


def connection(
    name: str = "venue",
    state: Literal["connecting", "connected", "reconnecting", "reconciled", "ended"] = "connected",
    *,
    attempt: int = 0,
    text: str = "",
    ts: int = START_NS,
) -> ConnectionChanged:
    """A connection that came."""
    return ConnectionChanged(ts=ts, name=name, state=state, attempt=attempt, text=text)


def account_risk(
    uses: Sequence[LimitUse] = (),
    *,
    equity: float = 1_000_000.0,
    gross: float = 0.0,
    net: float = 0.0,
    margin_used: float = 0.0,
    drawdown: float = 0.0,
) -> AccountRisk:
    """An account in USD that holds nothing."""
    return AccountRisk(
        currency="USD",
        equity=equity,
        gross=gross,
        net=net,
        leverage=gross / equity,
        margin_used=margin_used,
        margin_free=equity - margin_used,
        drawdown=drawdown,
        uses=list(uses),
    )
