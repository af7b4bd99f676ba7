"""What runs behind each name in `engine.strategies.STRATEGIES`, one file each."""

from collections.abc import Mapping

from engine.nautilus.strategies.book_imbalance import BookImbalance
from engine.nautilus.strategies.buy_and_hold import BuyAndHold
from engine.nautilus.strategies.ema_cross import EmaCross
from engine.nautilus.strategy import StationStrategy

IMPLEMENTATIONS: Mapping[str, type[StationStrategy]] = {
    "buy_and_hold": BuyAndHold,
    "ema_cross": EmaCross,
    "book_imbalance": BookImbalance,
}
