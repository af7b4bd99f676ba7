"""From what a check found to what can be done about it: the corrections that are offered for findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.errors import UserError
from engine.messages.data import Check, Finding, RepairAction
from engine.store.corrections import Correction, Rows, Where

type Label = Literal["drop-rows", "drop-like", "fill-rows", "fill-like"]

_LIKE: Final[dict[Check, Where]] = {"crossed": "crossed", "locked": "locked"}
"""Checks whose rows can be told by what they are, all over the file."""

_NOTHING_TO_CHANGE: Final[dict[Check, str]] = {
    "gap": "A gap has no rows to repair; import or download what is missing.",
    "sequence-gap": "Missing rows cannot be repaired; import or download them again.",
    "bars-against-ticks": "Which of the two is wrong is not known; import one of them from another source.",
    "book-against-quotes": "Which of the two is wrong is not known; import one of them from another source.",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be done about findings."""

    label: Label
    correction: Correction


def offers(found: Sequence[Finding]) -> list[Offer]:
    """What can be done about findings of one instrument and kind, the safest first.

    Raises
    ------
    UserError
        They are of several instruments, kinds or checks, or nothing can be done about them.
    """
    first = found[0]
    if len({(each.instrument, each.kind, each.check) for each in found}) > 1:
        raise UserError("Repair findings of one instrument, kind and check at a time; select fewer.")
    if first.check in _NOTHING_TO_CHANGE:
        raise UserError(_NOTHING_TO_CHANGE[first.check])
    start, end = min(each.start_ns for each in found), max(each.end_ns for each in found)
    where = _LIKE.get(first.check)
    rows = tuple(
        Rows(day=each.day, first_row=each.first_row, rows=each.rows, start_ns=each.start_ns) for each in found
    )

    def like(action: RepairAction) -> Correction:
        return Correction(kind=first.kind, action=action, start_ns=start, end_ns=end, where=where)

    def exactly(action: RepairAction) -> Correction:
        return Correction(kind=first.kind, action=action, rows=rows)

    found_offers: list[Offer] = []
    if where is not None:
        found_offers.append(Offer("drop-like", like("drop")))
        if first.kind == "quotes":
            found_offers.append(Offer("fill-like", like("fill-forward")))
    if first.kind != "deltas":  # single rows of a book hang together with others
        found_offers.append(Offer("drop-rows", exactly("drop")))
    if first.kind == "quotes":
        found_offers.append(Offer("fill-rows", exactly("fill-forward")))
    if not found_offers:
        raise UserError("Book updates hang together, so single rows of them are not repaired; drop a range.")
    return found_offers
