"""What a venue takes of a request by hand through the engine's adapter, and what of it the station holds."""

from collections.abc import Sequence
from typing import Final

from engine.errors import UserError
from engine.messages.orders import Contingency, OrderIntent
from engine.messages.run import Run
from engine.nautilus.adapters import MATCHING, Capabilities, adapter_named
from engine.nautilus.held import held_of


def abilities_of(run: Run) -> Capabilities:
    """Those of the venue at which a run trades; the engine's own matching can all."""
    if run.mode != "live" or run.connection is None:
        return MATCHING
    return adapter_named(run.connection.adapter).capabilities


def note_of(run: Run, intents: Sequence[OrderIntent], contingency: Contingency) -> str:
    """What of a request the station holds itself, in a sentence; empty where the venue takes all of it."""
    return _NOTES[held_of(abilities_of(run), intents, contingency)]


def check_able(run: Run, intents: Sequence[OrderIntent], contingency: Contingency) -> None:
    """Refuse what neither the venue nor the station can hold.

    Raises
    ------
    UserError
        Its exits could open a position, or it is not the only one of its account.
    """
    held = held_of(abilities_of(run), intents, contingency)
    if not held:
        return
    if run.venue.oms == "HEDGING":
        raise UserError("Each position of a hedging account stands by itself; give each order its own stop.")
    if held == "bracket" and not abilities_of(run).reduce_only:
        raise UserError(
            "This venue knows no orders that only reduce, so no exits can be held for it; place the stop "
            "once the entry has filled."
        )
    if held == "bracket" and intents[0].type == "TRAILING_STOP_MARKET":
        raise UserError("The entry of a bracket does not trail here; give it a price or a trigger.")


_NOTES: Final = {
    "": "",
    "bracket": "The station holds the exits and sends them as the entry fills: not while it does not run.",
    "oco": "The station ties the two: while it does not run, neither ends the other.",
    "trailing": "The station moves the stop: while it does not run, it stays where it is.",
}
