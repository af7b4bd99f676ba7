"""A whole session as a list of frames: a small seeded market with a strategy trading in it, no engine needed.

Every number in it agrees with every other — quotes with the book, fills with positions, balances and
results — because widgets under test are compared with sums of it.
"""

import hashlib
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from engine.link.builders import (
    EURUSD,
    HOUR_NS,
    START_NS,
    account,
    fill,
    log,
    numbered,
    order,
    position,
    results,
    risk,
)
from engine.link.script_model import ScriptedModel
from engine.link.script_walk import FRAME_NS, Walk
from engine.link.signal_builders import arming
from engine.messages.columns import EQUITY, Rows
from engine.messages.events import AnyEvent, Phase, PhaseChanged
from engine.messages.frames import Frame, Health, Risk, Transport

_DEPTH_EVERY: Final = 4
_TRADE_EVERY: Final = 12
_REST_EVERY: Final = 30
_QUANTITY: Final = Decimal(10_000)
_BALANCE: Final = Decimal(1_000_000)
_STRATEGY: Final = "ema_cross"


def _price(points: int) -> Decimal:
    return Decimal(points).scaleb(-EURUSD.price_precision)


class _Trader:
    """The strategy: opens and closes 10,000 by turns, long then short, and rests a limit order meanwhile."""

    def __init__(self) -> None:
        self.quantity = Decimal(0)
        self.open_price = Decimal(0)
        self.realised = Decimal(0)
        self.fees = Decimal(0)
        self.orders = self.wins = self.closed = 0
        self.fill_lines: list[str] = []
        self._opened_ns = 0
        self._trips = 0
        self._resting: tuple[str, Decimal] | None = None

    def market_order(self, ts: int, walk: Walk) -> list[AnyEvent]:
        """Send and fill one market order; all events of it."""
        buys = self.quantity < 0 or (self.quantity == 0 and self._trips % 2 == 0)
        side: Literal["BUY", "SELL"] = "BUY" if buys else "SELL"
        price = _price(walk.ask if buys else walk.bid)
        fee = (_QUANTITY * price * EURUSD.taker_fee).quantize(Decimal("0.01"))
        self.orders += 1
        self.fees += fee
        order_id, trade_id = f"O-{self.orders}", f"T-{len(self.fill_lines) + 1}"
        self.fill_lines.append(f"{ts},{side},{_QUANTITY},{price}")

        def step(status: str, filled: Decimal = Decimal(0), average: Decimal | None = None) -> AnyEvent:
            return order(
                order_id,
                status,
                side=side,
                type="MARKET",
                filled=filled,
                price=None,
                average_price=average,
                ts=ts,
            )

        return [
            step("SUBMITTED"),
            step("ACCEPTED"),
            step("FILLED", _QUANTITY, price),
            fill(trade_id, order_id, side=side, quantity=_QUANTITY, price=price, fee=fee, ts=ts),
            self._move(ts, _QUANTITY if buys else -_QUANTITY, price),
            account(self.balance, abs(self.quantity) * price / 20, ts),
            log(f"{side} {_QUANTITY} at {price}", ts=ts),
        ]

    def _move(self, ts: int, change: Decimal, price: Decimal) -> AnyEvent:
        closes = self.quantity != 0
        if not closes:
            self._trips += 1
            self.open_price, self._opened_ns = price, ts
        profit = self.quantity * (price - self.open_price)
        self.wins += profit > 0
        self.closed += closes
        self.realised += profit
        self.quantity += change
        return position(
            self.quantity,
            position_id=f"P-{self._trips}",
            average_open=self.open_price,
            average_close=price if closes else None,
            realised_pnl=profit,
            opened_ns=self._opened_ns,
            closed_ns=ts if closes else None,
            ts=ts,
        )

    def rest_or_cancel(self, ts: int, walk: Walk) -> list[AnyEvent]:
        """Place a limit order ten ticks below the bid, or cancel the one that rests."""
        if self._resting is not None:
            (order_id, price), self._resting = self._resting, None
            return [order(order_id, "CANCELED", price=price, ts=ts)]
        self.orders += 1
        order_id, price = f"O-{self.orders}", _price(walk.bid - 10)
        self._resting = order_id, price
        return [order(order_id, status, price=price, ts=ts) for status in ("SUBMITTED", "ACCEPTED")]

    @property
    def balance(self) -> Decimal:
        """Cash in USD: realised profit in, fees out."""
        return _BALANCE + self.realised - self.fees


class _Marker:
    """Marks the trader at the mid price and keeps the equity curve."""

    def __init__(self) -> None:
        self._curve: list[tuple[int, float, float]] = []
        self._peak = float(_BALANCE)
        self._deepest = 0.0

    def mark(self, ts: int, trader: _Trader, walk: Walk) -> Risk:
        """Risk now."""
        mid = (walk.bid + walk.ask) / 2e5
        held, opened = float(trader.quantity), float(trader.open_price)
        equity = float(trader.balance) + held * (mid - opened)
        self._peak = max(self._peak, equity)
        drawdown = equity - self._peak
        self._deepest = min(self._deepest, drawdown)
        self._curve.append((ts, equity, drawdown))
        return risk(
            held,
            average_open=opened if held else None,
            mid=mid,
            realised_pnl=float(trader.realised),
            equity=equity,
            drawdown=drawdown,
            max_drawdown=self._deepest,
            fees=float(trader.fees),
        )

    @property
    def curve(self) -> Rows:
        """Rows of dtype `EQUITY`, one a frame."""
        return np.array(self._curve, EQUITY)


def scripted_session(seed: int = 1, frames: int = 240, *, model: bool = False) -> list[Frame]:
    """Frames of a session that plays `EURUSD.SIM` from `START_NS` and finishes in its last frame.

    Each frame is 250 ms of market time with 20 quotes, 4 trades and a book of 30 levels; every fourth closes
    a depth column. Orders, fills, positions, balances and log lines come as a strategy would make them; the
    last frame brings the results. With `model` a model says beforehand what the strategy does. The same
    arguments give the same list.
    """
    walk, trader, marker = Walk(seed), _Trader(), _Marker()
    speaker = ScriptedModel(seed, _TRADE_EVERY) if model else None
    end = START_NS + max(frames * FRAME_NS, HOUR_NS)
    made: list[Frame] = []
    next_event = 1
    for number in range(1, frames + 1):
        now = START_NS + number * FRAME_NS
        last = number == frames
        news = walk.advance(now - FRAME_NS, close_column=number % _DEPTH_EVERY == 0)
        said = [] if speaker is None else [speaker.advance(number, news.quotes)]
        events = _events(number, now, trader, walk, speaker)
        events[:0] = [event for _, told in said for event in told]
        risk_now = marker.mark(now, trader, walk)
        if last:
            events += _ending(now, trader, walk, marker)
        made.append(
            Frame(
                number=number,
                epoch=1,
                transport=Transport(
                    phase=Phase.FINISHED if last else Phase.PLAYING,
                    now=now,
                    start=START_NS,
                    end=now if last else end,
                    speed=1.0,
                ),
                markets=[news],
                risks=[risk_now],
                events=numbered(events, next_event),
                health=Health(ticks=walk.ticks, ticks_per_s=96.0, loop_ms=2.0, memory_mb=180.0),
                instruments=[EURUSD] if number == 1 else [],
                predictions=[news for news, _ in said],
                models=[] if speaker is None else [speaker.health()],
            )
        )
        next_event += len(events)
    return made


def _events(
    number: int, now: int, trader: _Trader, walk: Walk, speaker: ScriptedModel | None
) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    if number == 1:
        events += [
            PhaseChanged(ts=now, phase=Phase.PLAYING),
            account(ts=now),
            log(f"{_STRATEGY} started on {EURUSD.id}", ts=now),
        ]
        if speaker is not None:
            events.append(arming("armed", "run", ts=now))
    if number % _TRADE_EVERY == 0:
        events += trader.market_order(now, walk)
        if speaker is not None:
            events.append(speaker.act(f"O-{trader.orders}", now))
    if number % _REST_EVERY == 5:
        events += trader.rest_or_cancel(now, walk)
    return events


def _ending(now: int, trader: _Trader, walk: Walk, marker: _Marker) -> list[AnyEvent]:
    curve = marker.curve
    return [
        results(
            curve,
            ticks=walk.ticks,
            seconds=walk.ticks / 400_000,
            orders=trader.orders,
            fills=len(trader.fill_lines),
            final_balance=f"{trader.balance.quantize(Decimal('0.01'))} USD",
            stats={
                "PnL (total)": float(trader.balance - _BALANCE),
                "Max Drawdown": float(curve["drawdown"].min()),
                "Win Rate": trader.wins / trader.closed if trader.closed else None,
                "Sharpe Ratio (252 days)": None,
            },
            fills_sha256=hashlib.sha256("\n".join(trader.fill_lines).encode()).hexdigest(),
            ts=now,
        ),
        PhaseChanged(ts=now, phase=Phase.FINISHED),
    ]
