"""One order at work, as far as it can still fill."""

from decimal import Decimal

from engine.risk.lines import Line
from engine.risk.valuing import ZERO


class Working:
    """An order from the moment it passed the gate until it can fill no more.

    Attributes
    ----------
    leaves : Decimal
        What can still fill of it, in base units, at worst: while a change is under way the larger of both.
    quantity, filled : Decimal
        As the venue has them.
    asked : list of Decimal
        Sizes of changes that passed and were not answered yet, oldest first.
    sent_ns : int
        When it last passed the gate; 0 where it never did.
    """

    __slots__ = (
        "asked", "filled", "is_buy", "leaves", "line", "quantity", "quoted", "reduce_only", "sent_ns",
        "status",
    )  # fmt: skip

    def __init__(self, line: Line, *, is_buy: bool, reduce_only: bool, quantity: Decimal) -> None:
        self.line, self.is_buy, self.reduce_only = line, is_buy, reduce_only
        self.quantity, self.filled, self.leaves = quantity, ZERO, quantity
        self.asked: list[Decimal] = []
        self.quoted: Decimal | None = None
        self.status = ""
        self.sent_ns = 0
        line.count(1)
        line.work(quantity, is_buy=is_buy, reduce_only=reduce_only)

    def resize(self, leaves: Decimal) -> None:
        """Count so much as still at work."""
        if leaves != self.leaves:
            self.line.work(leaves - self.leaves, is_buy=self.is_buy, reduce_only=self.reduce_only)
            self.leaves = leaves

    def answer(self, quantity: Decimal, *, refused: bool) -> None:
        """Take what the venue says of its size: a change was made, or the oldest was refused."""
        if refused:
            del self.asked[:1]
        elif quantity in self.asked:
            del self.asked[: self.asked.index(quantity) + 1]

    def settle(self) -> None:
        """Count what may fill of it as of its size, its fills and the changes under way."""
        self.resize(max(ZERO, max(self.quantity, *self.asked, ZERO) - self.filled))

    def end(self) -> None:
        """Count nothing of it any more."""
        self.resize(ZERO)
        self.line.count(-1)
