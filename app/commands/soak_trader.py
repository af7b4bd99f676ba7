"""Orders by hand as a busy, careless trader gives them: drawn at random from a seed."""

import random
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from app.session import StationSession
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, OrderIntent, Side

_MOST_WORKING: Final = 20
_WEIGHTS: Final = {"near": 40, "market": 25, "change": 15, "cancel": 15, "sweep": 3, "flatten": 2}
_AWAY: Final = 25
_LOTS: Final = 40


class SoakTrader:
    """Acts on one session.

    Parameters
    ----------
    session : StationSession
    seed : int
        Equal seeds draw alike; what comes of it depends on the market's and the venue's timing.

    Attributes
    ----------
    asked : int
        Orders asked for so far.
    """

    def __init__(self, session: StationSession, seed: int) -> None:
        self._session = session
        self._draw = random.Random(seed)
        self.asked = 0

    def act(self) -> None:
        """Do one thing; nothing where there is no market to do it in."""
        market = next(iter(self._session.state.markets.values()), None)
        if market is None or not len(market.book.bids) or not len(market.book.asks):
            return
        bid, ask = (float(side["price"][0]) for side in (market.book.bids, market.book.asks))
        deed = self._draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        working = self._session.state.orders.working(market.instrument.id)
        if len(working) >= _MOST_WORKING:
            deed = "sweep"
        side: Side = self._draw.choice(("BUY", "SELL"))
        match deed:
            case "near":
                self._limit(market.instrument, side, bid if side == "BUY" else ask)
            case "market":
                self._send(market.instrument, side, "MARKET", None)
            case "change" if working:
                order = self._draw.choice(working)
                if order.price is not None:
                    tick = market.instrument.tick_size
                    self._session.modify(order.order_id, price=order.price - tick * self._draw.randint(1, 5))
            case "cancel" if working:
                self._session.cancel(self._draw.choice(working).order_id)
            case "sweep":
                self._session.cancel_all(market.instrument.id)
            case "flatten":
                self._session.flatten(market.instrument.id)
            case _:
                pass

    def _limit(self, instrument: Instrument, side: Side, touch: float) -> None:
        """Order from a little through the touch to some way behind it."""
        away = instrument.tick_size * self._draw.randint(-3, _AWAY)
        tick = instrument.tick_size
        at = (Decimal(repr(touch)) / tick).to_integral_value(ROUND_FLOOR) * tick
        self._send(instrument, side, "LIMIT", at - away if side == "BUY" else at + away)

    def _send(self, instrument: Instrument, side: Side, kind: str, price: Decimal | None) -> None:
        size = instrument.lot_size * self._draw.randint(2, _LOTS)
        self._session.submit(
            [
                OrderIntent(
                    instrument=instrument.id, strategy=HAND, side=side, type=kind, quantity=size, price=price
                )
            ]
        )
        self.asked += 1
