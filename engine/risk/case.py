"""One order at the gate: what rules want to know of it, found out once."""

from collections.abc import Iterable
from decimal import Decimal

from engine.messages.orders import OrderIntent
from engine.risk.book import AccountBook, Touch
from engine.risk.lines import Line, Total, longest, shortest
from engine.risk.losses import LossTrack
from engine.risk.scope import Scope
from engine.risk.valuing import ZERO, Valuing
from engine.risk.working import Working


class Case:
    """An order (or a change of one) as it would be worked.

    Attributes
    ----------
    touch : Touch or None
        Of its instrument.
    unit, order_unit : Decimal or None
        Value of a size of 1 at the mid, and at the price that the order is expected to fill at, in the
        account's currency; None where they are not known.
    price : Decimal or None
        That the order is expected to fill at, the worst of what is likely.
    size : Decimal
        Of the whole order, base units.
    leaves, more : Decimal
        What of it can still fill; and by how much that is more than counts already, of a changed order.
    exposures, tracks : dict
        What rules found out for others of the same scope: values, and what was lost so far.
    line, total : Line, Total
        What its strategy and the account have of its instrument, without it.
    line_long, line_short, total_long, total_short : Decimal
        Where these end at worst, with it.
    line_reduces, total_reduces : bool
        It takes away from what is held, and can turn it round together with no other order at work.
    """

    __slots__ = (
        "_equity", "book", "exposures", "intent", "is_buy", "leaves", "line", "line_long", "line_reduces",
        "line_short", "more", "now_ns", "order_unit", "price", "replaces", "size", "total", "total_long",
        "total_reduces", "total_short", "touch", "tracks", "unit", "valuing",
    )  # fmt: skip

    def __init__(
        self, book: AccountBook, intent: OrderIntent, replaces: Working | None, valuing: Valuing, now_ns: int
    ) -> None:
        self.book, self.intent, self.now_ns, self.valuing = book, intent, now_ns, valuing
        self.replaces = replaces
        self.tracks: dict[Scope, LossTrack] = {}
        self.exposures: dict[str, Exposure] = {}
        self._equity: Decimal | None = None
        self.is_buy = is_buy = intent.side == "BUY"
        self.touch = touch = book.touch(intent.instrument)
        self.price = price = expected_price(intent, touch)
        is_money = valuing.is_money
        self.unit = valuing.unit(touch.mid) if is_money and touch is not None else None
        self.order_unit = valuing.unit(price) if is_money and price is not None else None
        self.size = size = in_base(intent, touch, valuing)
        self.leaves = leaves = size if replaces is None else max(ZERO, size - replaces.filled)
        line = self.line = (
            book.line(intent.instrument, intent.strategy) if replaces is None else replaces.line
        )
        self.total = total = line.total
        # While a change is under way both sizes may still be at work, so that the larger one counts.
        more = self.more = leaves if replaces is None else max(ZERO, leaves - replaces.leaves)
        plain, reducing = (ZERO, more) if intent.reduce_only else (more, ZERO)
        if is_buy:
            long = longest(line.net, line.buys + plain, line.buys_reducing + reducing)
            self.line_long, self.line_short = long, line.short
            self.total_long, self.total_short = total.long + (long - line.long), total.short
            self.line_reduces = line.net < ZERO and long <= ZERO
            self.total_reduces = total.net < ZERO and self.total_long <= ZERO
        else:
            short = shortest(line.net, line.sells + plain, line.sells_reducing + reducing)
            self.line_long, self.line_short = line.long, short
            self.total_long, self.total_short = total.long, total.short + (short - line.short)
            self.line_reduces = line.net > ZERO and short >= ZERO
            self.total_reduces = total.net > ZERO and self.total_short >= ZERO

    @property
    def equity(self) -> Decimal | None:
        """Of the account now; None where a price is not known of what it holds."""
        if self._equity is None:
            self._equity = self.book.equity()
        return self._equity

    @property
    def reduces(self) -> tuple[bool, bool]:
        """Whether it truly reduces in the account, and in its strategy.

        What closes one position of several in a flattening may take the account farther for the moment that
        the others take to close; so it does both where it does either.
        """
        intent = self.intent
        in_account, in_strategy = self.total_reduces, self.line_reduces
        if (intent.reduce_only or intent.closes) and not in_strategy:
            # Who flattens closes at once, before the orders that are cancelled with it have ended.
            in_account, in_strategy = self._reduces_once_cancelled()
        if intent.closes:
            size = self.leaves if self.is_buy else -self.leaves
            in_account = in_strategy = in_account or in_strategy or self.line.bears(intent.closes, size)
        return in_account, in_strategy

    def _reduces_once_cancelled(self) -> tuple[bool, bool]:
        """As `reduces`, without what orders may still fill whose cancellation is under way."""
        leaving = [
            each
            for each in self.book.orders.values()
            if each.line.total is self.total
            and each.is_buy == self.is_buy
            and not each.reduce_only
            and each.status == "PENDING_CANCEL"
        ]
        mine = sum((each.leaves for each in leaving if each.line is self.line), ZERO)
        of_all = sum((each.leaves for each in leaving), ZERO)
        if self.is_buy:
            in_account = self.total.net < ZERO and self.total_long <= of_all
            return in_account, self.line.net < ZERO and self.line_long <= mine
        in_account = self.total.net > ZERO and -self.total_short <= of_all
        return in_account, self.line.net > ZERO and -self.line_short <= mine

    @property
    def far(self) -> Decimal | None:
        """Best price on the other side of the market."""
        touch = self.touch
        if touch is None:
            return None
        return touch.ask if self.is_buy else touch.bid

    @property
    def reach_before(self) -> tuple[Decimal, Decimal]:
        """How far the line and the total go on the order's side without it, both as sizes."""
        if self.is_buy:
            return self.line.long, self.total.long
        return -self.line.short, -self.total.short


class Exposure:
    """Values at the mids of some lines, working orders counted at worst, before an order and with it.

    Attributes
    ----------
    gross : Decimal
        Sum of each instrument's largest value, long or short.
    net : Decimal
        The larger of what all long and what all short values add up to.
    mine : Decimal
        Largest value of the order's instrument; of any of them where there is no order.
    missing : str
        Instrument whose value is not known, which leaves the sums without meaning; empty where all are.
    """

    __slots__ = ("gross", "gross_before", "mine", "mine_before", "missing", "net", "net_before")

    def __init__(self, book: AccountBook, lines: Iterable[Line | Total], case: Case | None = None) -> None:
        gross = up = down = mine = ZERO
        gross_more = up_more = down_more = mine_before = ZERO
        self.missing = ""
        for each in lines:
            long, short = each.long, each.short
            is_mine = case is not None and (each is case.line or each is case.total)
            if not (is_mine or long or short):
                continue
            unit = case.unit if is_mine and case is not None else book.unit(each.valuing)
            if unit is None:
                self.missing = each.valuing.instrument.id
                break
            high, low = long * unit, -short * unit
            value = high if high > low else low
            gross += value
            up += high
            down += low
            if is_mine and case is not None:
                is_line, mine_before = each is case.line, value
                if case.is_buy:  # only one of both ends moves
                    then = (case.line_long if is_line else case.total_long) * unit
                    mine, up_more = (then if then > low else low), then - high
                else:
                    then = -(case.line_short if is_line else case.total_short) * unit
                    mine, down_more = (then if then > high else high), then - low
                gross_more = mine - value
            elif case is None and value > mine:
                mine = value
        self.gross_before, self.gross = gross, gross + gross_more
        self.net_before, self.net = max(up, down), max(up + up_more, down + down_more)
        self.mine_before, self.mine = mine_before, mine


def expected_price(intent: OrderIntent, touch: Touch | None) -> Decimal | None:
    """Price that an order's value is told at: its own where it has one, else the far touch; None without."""
    price = intent.price
    if price is None:
        price = intent.trigger
        if price is None and touch is not None:
            return touch.ask if intent.side == "BUY" else touch.bid
        return price
    if intent.side == "SELL":
        # It fills no lower than its price, but higher where the market is, so that its value may be larger.
        if intent.trigger is not None:
            return max(price, intent.trigger)
        return price if touch is None else max(price, touch.bid)
    return price


def in_base(intent: OrderIntent, touch: Touch | None, valuing: Valuing) -> Decimal:
    """Base units of an order, of one in quote currency as many as are likely at most; 0 without a price."""
    if not intent.quote_quantity:
        return intent.quantity
    if valuing.instrument.inverse:
        return intent.quantity / valuing.instrument.multiplier
    far = None if touch is None else touch.ask if intent.side == "BUY" else touch.bid
    prices = [price for price in (intent.price or intent.trigger, far) if price is not None]
    return intent.quantity / valuing.unit(min(prices)) if prices else ZERO
