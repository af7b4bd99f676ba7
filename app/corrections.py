"""From what a check found to what can be done about it: the corrections that are offered for findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from app.commands.run_arguments import time_ns
from engine.errors import UserError
from engine.messages.data import Check, Finding, RepairAction
from engine.store.corrections import Correction, Rows, Where

type Label = Literal["drop-rows", "drop-like", "fill-rows", "fill-like"]
"""What can be done about findings: to exactly their rows, or to all rows like them in their time."""

type Action = Literal["drop-range", "clip", "split-adjust"]
"""What can be done by hand to any stretch of rows."""

LIKE: Final[dict[Check, Where]] = {"crossed": "crossed", "locked": "locked"}
"""Checks whose rows can be told by what they are, all over the file."""

NOTHING_TO_CHANGE: Final[dict[Check, str]] = {
    "gap": "A gap has no rows to repair; import or download what is missing.",
    "sequence-gap": "Missing rows cannot be repaired; import or download them again.",
    "bars-against-ticks": "Which of the two is wrong is not known; import one of them from another source.",
    "book-against-quotes": "Which of the two is wrong is not known; import one of them from another source.",
}
"""Checks whose findings no change of stored rows mends, and what does."""

LOOK_FIRST: Final[dict[Check, str]] = {
    "stale": "The market may have stood still; look at the rows around it before any are taken out.",
    "duplicate-time": "Rows of one time may all be real; look at them before any are taken out.",
    "time-reversed": "A clock was set or is off, and the rows may be right; look before any are taken out.",
    "trade-outside-book": "The quotes may be old and the trades right; look at both before any go.",
    "spike": "The price may have jumped; look at the rows around it before any are taken out.",
}
"""Checks whose rows may be right; of spikes, those that are only jumps."""

BOOK_LOOK_FIRST: Final = "Book updates hang together; look at those around it, and import them again."
"""Of book updates that no other sentence is about."""


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
    if first.check in NOTHING_TO_CHANGE:
        raise UserError(NOTHING_TO_CHANGE[first.check])
    start, end = min(each.start_ns for each in found), max(each.end_ns for each in found)
    where = LIKE.get(first.check)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What a person wrote of a correction; empty texts were left out.

    `start` and `end` bound it by `ts_event`, both included; of a split, `end` is the first time that stays
    as it is.
    """

    action: Action
    kind: str
    start: str = ""
    end: str = ""
    low: str = ""
    high: str = ""
    ratio: str = ""

    def correction(self) -> Correction:
        """The correction that this asks for.

        Raises
        ------
        UserError
            A time or a number that is none.
        """
        start = time_ns(self.start) if self.start else None
        if self.action == "split-adjust":
            if not self.end:
                raise UserError("Say when the split took place; all rows before it are adjusted.")
            return Correction(
                kind=self.kind, action="split-adjust", end_ns=time_ns(self.end) - 1, ratio=self.ratio
            )
        end = time_ns(self.end, end=True) if self.end else None
        if self.action == "clip":
            low, high = exact_price(self.low), exact_price(self.high)
            return Correction(kind=self.kind, action="clip", start_ns=start, end_ns=end, low=low, high=high)
        return Correction(kind=self.kind, action="drop", start_ns=start, end_ns=end)


def exact_price(text: str) -> Decimal:
    """Price that a person wrote; raises UserError where it is none."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        raise UserError(f"{text!r} is no price; write a number like 1.05.")
    return price
