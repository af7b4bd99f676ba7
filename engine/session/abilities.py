"""What a venue takes of a request by hand, through the engine's adapter; the rest is refused unsent."""

from collections.abc import Sequence
from typing import Final

from engine.errors import UserError
from engine.messages.commands import SetStop
from engine.messages.orders import Contingency, OrderIntent
from engine.messages.run import Run
from engine.nautilus.adapters import Capabilities, adapter_named

_ALL: Final = Capabilities(orders=(), time_in_force=(), oco=True, bracket=True)


def abilities_of(run: Run) -> Capabilities:
    """Those of the venue at which a run trades; the engine's own matching can all."""
    if run.mode != "live" or run.connection is None:
        return _ALL
    return adapter_named(run.connection.adapter).capabilities


def check_moving(abilities: Capabilities, rule: SetStop) -> None:
    """Refuse a stop that is to move where the venue would leave it standing; raises `UserError`."""
    if rule.kind != "none" and not abilities.moves_stops:
        raise UserError(
            "This venue changes no stop at work through the engine, so none can move by itself there; place "
            "one, and cancel it to place another."
        )


def check_able(abilities: Capabilities, intents: Sequence[OrderIntent], contingency: Contingency) -> None:
    """Refuse a request of which the venue would get a part at most.

    Raises
    ------
    UserError
        It takes no orders that hang together, or none that trail so.
    """
    if contingency == "bracket" and not abilities.bracket:
        raise UserError(
            "This venue takes no brackets through the engine yet; place the stop once the entry has filled."
        )
    if contingency == "oco" and not abilities.oco:
        raise UserError(
            "This venue takes no orders through the engine yet of which one cancels the other; place one."
        )
    if not abilities.trails_by_price and any(each.type == "TRAILING_STOP_MARKET" for each in intents):
        raise UserError(
            "This venue's trailing stops take no distance in price; let the position's stop move instead."
        )
