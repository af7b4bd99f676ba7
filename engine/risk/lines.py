"""What is held and working of one instrument, and how far it could go were the working orders filled.

The worst case takes every order of one side as filled and none of the other. A reduce-only order never takes
a position past zero, but it can take away what other orders of its side were to reduce: of 5 held, 5 for sale
reduce-only and 5 for sale without can leave 5 short.
"""

from decimal import Decimal
from typing import Final

from engine.risk.valuing import ZERO, Valuing

_NOTHING: Final = ZERO, ZERO


def longest(net: Decimal, buys: Decimal, reducing: Decimal) -> Decimal:
    """Largest position that orders of these sizes can lead to; `reducing` are the reduce-only ones."""
    if net < ZERO and reducing:
        net = min(ZERO, net + reducing)
    return net + buys


def shortest(net: Decimal, sells: Decimal, reducing: Decimal) -> Decimal:
    """Smallest (most negative) position that orders of these sizes can lead to."""
    if net > ZERO and reducing:
        net = max(ZERO, net - reducing)
    return net - sells


class Line:
    """One instrument in one strategy.

    Attributes
    ----------
    net : Decimal
        Signed size held.
    cost : Decimal
        Sum of size x level (see `Valuing.level`) of what is held.
    realised, fees : Decimal
        Profit of what was closed, fees not taken off; fees paid in the currency of settlement.
    long, short : Decimal
        Where the position ends at worst: the largest and the smallest net size.
    orders : int
        Orders sent or at work.
    bought, sold : Decimal
        Sizes filled so far.
    """

    __slots__ = (
        "_apart", "_told", "_untold", "bought", "buys", "buys_reducing", "cost", "fees", "long", "net",
        "orders", "realised", "sells", "sells_reducing", "short", "sold", "strategy", "total", "valuing",
    )  # fmt: skip

    def __init__(self, strategy: str, total: "Total") -> None:
        self.strategy, self.total, self.valuing = strategy, total, total.valuing
        self.net = self.cost = self.realised = self.fees = ZERO
        self.buys = self.sells = self.buys_reducing = self.sells_reducing = ZERO
        self.long = self.short = ZERO
        self.bought = self.sold = ZERO
        self.orders = 0
        self._told: dict[str, tuple[Decimal, Decimal]] = {}
        self._untold = ZERO
        self._apart = False
        """Whether positions stand by themselves, as in a hedging account: several did at the same time."""

    def work(self, change: Decimal, *, is_buy: bool, reduce_only: bool) -> None:
        """Count so much more at work on one side (less where negative)."""
        if is_buy:
            if reduce_only:
                self.buys_reducing += change
            else:
                self.buys += change
                self.total.buys += change
        elif reduce_only:
            self.sells_reducing += change
        else:
            self.sells += change
            self.total.sells += change
        self._reach()

    def count(self, change: int) -> None:
        """One order more (1) or less (-1) at work."""
        self.orders += change
        self.total.orders += change

    def fill(self, quantity: Decimal, price: Decimal, fee: Decimal, *, is_buy: bool) -> Decimal:
        """Take an execution, or one back where its quantity is negative; what it realised, less its fee."""
        if is_buy:
            self.bought += quantity
            self.total.bought += quantity
        else:
            self.sold += quantity
            self.total.sold += quantity
        size = quantity if is_buy else -quantity
        self.fees += fee
        self._untold += size
        return self._move(size, self.valuing.level(price)) - fee

    def bears(self, position: str, size: Decimal) -> bool:
        """Whether a signed size takes a position that stands beside others no farther than to nothing."""
        held, _ = self._told.get(position, _NOTHING) if len(self._told) > 1 else _NOTHING
        return ZERO < -size <= held or held <= -size < ZERO

    def tell(self, position: str, quantity: Decimal, average_open: Decimal, close: Decimal | None) -> Decimal:
        """Take a position as the venue has it; what no fill told of is adopted. Returns what that realised.

        A fill is told before the position that it leaves; a position of an earlier session, or one that a
        venue liquidated, comes without one.
        """
        change = quantity - self._told.get(position, _NOTHING)[0]
        if quantity:
            self._told[position] = quantity, average_open
        else:
            self._told.pop(position, None)
        self._apart = self._apart or len(self._told) > 1
        return self._adopt(change, average_open, close) + (self._set_apart() if self._apart else ZERO)

    def _adopt(self, change: Decimal, average_open: Decimal, close: Decimal | None) -> Decimal:
        """Take so much more that a position has, of which fills told some or all; what that realised."""
        known = self._untold
        if change > ZERO < known or change < ZERO > known:
            known = min(change, known, key=abs)
            self._untold -= known
            change -= known
        if not change:
            return ZERO
        is_closing = self.net > ZERO > change or self.net < ZERO < change
        price = close if is_closing and close else average_open
        level = self.valuing.level(price) if price else self.cost / self.net if self.net else ZERO
        return self._move(change, level)

    def _set_apart(self) -> Decimal:
        """Take each position at what it was come by, as none closes another; what that did not realise."""
        held = self._told.values()
        if sum((size for size, _ in held), ZERO) != self.net or not all(price for _, price in held):
            return ZERO  # a fill is known of whose position is not told yet, or not what it cost
        cost = sum((size * self.valuing.level(price) for size, price in held), ZERO)
        more = cost - self.cost
        self.cost, self.realised = cost, self.realised + more
        self.total.cost += more
        return more

    @property
    def average(self) -> Decimal | None:
        """Average price of what is held."""
        return self.valuing.price_at(self.cost / self.net) if self.net else None

    @property
    def holds(self) -> bool:
        """Whether anything is open, were it positions that cancel out in a hedging account."""
        return bool(self.net or self._told)

    def unrealised(self, price: Decimal) -> Decimal:
        """Profit of what is held at a price."""
        return self.net * self.valuing.level(price) - self.cost

    def _move(self, size: Decimal, level: Decimal) -> Decimal:
        """Hold `size` more (signed), come by at this level; what closing some of it realised."""
        before, total = self.net, self.total
        after = before + size
        cost, profit = self.cost, ZERO
        if before > ZERO > size or before < ZERO < size:
            average = cost / before
            closed = size if abs(size) <= abs(before) else -before
            profit = -closed * (level - average)
            self.cost = after * (level if abs(size) > abs(before) else average)
            self.realised += profit
        else:
            self.cost = cost + size * level
        self.net = after
        total.net += size
        total.cost += self.cost - cost
        self._reach()
        return profit

    def _reach(self) -> None:
        long = longest(self.net, self.buys, self.buys_reducing)
        short = shortest(self.net, self.sells, self.sells_reducing)
        self.total.long += long - self.long
        self.total.short += short - self.short
        self.long, self.short = long, short


class Total:
    """One instrument in all strategies: the sums of their lines, the worst case of each included."""

    __slots__ = (
        "bought", "buys", "cost", "long", "net", "orders", "sells", "short", "sold", "valuing",
    )  # fmt: skip

    def __init__(self, valuing: Valuing) -> None:
        self.valuing = valuing
        self.net = self.cost = self.long = self.short = ZERO
        self.buys = self.sells = ZERO
        self.bought = self.sold = ZERO
        self.orders = 0

    def unrealised(self, price: Decimal) -> Decimal:
        """Profit of what is held at a price."""
        return self.net * self.valuing.level(price) - self.cost
