"""What runs behind each name in `engine.strategies.STRATEGIES`, one file each."""

from collections.abc import Mapping

from engine.nautilus.strategies.ai_signal import AiSignal
from engine.nautilus.strategies.ai_signal_by_tick import AiSignalByTick
from engine.nautilus.strategies.book_imbalance import BookImbalance
from engine.nautilus.strategies.buy_and_hold import BuyAndHold
from engine.nautilus.strategies.ema_cross import EmaCross
from engine.nautilus.strategy import StationStrategy
from engine.signals.lead import Lead

IMPLEMENTATIONS: Mapping[str, type[StationStrategy]] = {
    "buy_and_hold": BuyAndHold,
    "ema_cross": EmaCross,
    "book_imbalance": BookImbalance,
    "ai_signal": AiSignal,
}


def implementation(name: str, lead: Lead | None) -> type[StationStrategy]:
    """Class behind a name; one that follows a model differs by how the model is asked."""
    if name == "ai_signal" and lead is not None and lead.stream is not None:
        return AiSignalByTick
    return IMPLEMENTATIONS[name]
