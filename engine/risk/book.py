"""What the account holds, has working and has earned, exact and as of the newest event."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    EpochBegan,
    Filled,
    OrderChanged,
    PositionChanged,
)
from engine.messages.instrument import Instrument
from engine.messages.orders import ENDED, HELD, IN_DOUBT, OrderIntent
from engine.risk.lines import Line, Total
from engine.risk.valuing import HALF, ZERO, Valuing
from engine.risk.working import Working


class Touch(msgspec.Struct, frozen=True):
    """Best prices of an instrument and when they were last heard of (of the clock that rules read)."""

    bid: Decimal
    ask: Decimal
    ts_ns: int

    @property
    def mid(self) -> Decimal:
        """Price between both."""
        return (self.bid + self.ask) * HALF


class AccountBook:
    """Positions per instrument and strategy, working orders, money and profit.

    Parameters
    ----------
    instruments : mapping
        By name.
    currency : str
        Of the account. What an instrument is settled in must be this currency; others are not converted yet.
    balance : Decimal
        Money at the start.
    touch : callable
        Best prices of an instrument now; None where they are not known.
    leverage : Decimal
        What a position's value is divided by for its margin.

    Attributes
    ----------
    balance : Decimal
        Money without open profit, the newest fills included.
    orders : dict
        By id, those sent or at work.
    totals : dict
        By instrument, those ever touched.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        currency: str,
        balance: Decimal,
        touch: Callable[[str], Touch | None],
        leverage: Decimal = Decimal(1),
    ) -> None:
        self.currency, self.leverage = currency, leverage
        self.start_balance = balance
        self._valuing = {name: Valuing(each, currency) for name, each in instruments.items()}
        self.touch = touch
        self.clear()

    def clear(self) -> None:
        """Forget all that was told, as at the start."""
        self.balance = self.start_balance
        self.orders: dict[str, Working] = {}
        self.totals: dict[str, Total] = {}
        self.epoch = 0
        self._lines: dict[tuple[str, str], Line] = {}
        self._of_strategy: dict[str, list[Line]] = {}
        self._sent: set[str] = set()
        self._trades: set[tuple[str, str]] = set()

    # What is asked of it -----------------------------------------------------------------------------------

    def line(self, instrument: str, strategy: str) -> Line:
        """What a strategy has of an instrument; the instrument must be one of the account's."""
        line = self._lines.get((instrument, strategy))
        if line is None:
            line = self._lines[instrument, strategy] = Line(strategy, self.total(instrument))
            self._of_strategy.setdefault(strategy, []).append(line)
        return line

    def total(self, instrument: str) -> Total:
        """What the account has of an instrument."""
        total = self.totals.get(instrument)
        if total is None:
            total = self.totals[instrument] = Total(self._valuing[instrument])
        return total

    def lines_of(self, strategy: str) -> list[Line]:
        """What a strategy has, by instrument."""
        return self._of_strategy.get(strategy, [])

    @property
    def strategies(self) -> Iterable[str]:
        """Those that ever ordered or held."""
        return self._of_strategy.keys()

    @property
    def holds(self) -> bool:
        """Whether anything is held, in any strategy."""
        return any(line.holds for line in self._lines.values())

    def mid(self, instrument: str) -> Decimal | None:
        """Price between bid and ask; None where it is not known."""
        touch = self.touch(instrument)
        return None if touch is None else touch.mid

    def valuing(self, instrument: str) -> Valuing:
        """How an instrument is valued."""
        return self._valuing[instrument]

    def unit(self, valuing: Valuing) -> Decimal | None:
        """Value of a size of 1 at the mid in the account's currency; None where it is not known."""
        touch = self.touch(valuing.instrument.id) if valuing.is_money else None
        return None if touch is None else valuing.unit(touch.mid)

    def equity(self) -> Decimal | None:
        """Money and open profit; None where a price is not known of what is held, or it is other money."""
        profit = self.unrealised(self.totals.values())
        return None if profit is None else self.balance + profit

    def unrealised(self, lines: Iterable[Line | Total]) -> Decimal | None:
        """Open profit of some lines; None as `equity`."""
        profit = ZERO
        for each in lines:
            if each.net:
                mid = self.mid(each.valuing.instrument.id) if each.valuing.is_money else None
                if mid is None:
                    return None
                profit += each.unrealised(mid)
            else:
                profit -= each.cost  # of lines that offset each other, what was earned on the way
        return profit

    def profit_of(self, lines: Iterable[Line]) -> Decimal | None:
        """What lines earned so far, fees taken off and open profit included; None as `equity`."""
        several = list(lines)
        if any((each.net or each.realised) and not each.valuing.is_money for each in several):
            return None
        profit = self.unrealised(several)
        return None if profit is None else profit + sum((each.realised - each.fees for each in several), ZERO)

    def lines_in(self, instrument: str) -> list[Line]:
        """What each strategy has of an instrument."""
        return [line for (name, _), line in self._lines.items() if name == instrument]

    def was_sent(self, order_id: str) -> bool:
        """Whether an order of this id passed or was seen before."""
        return order_id in self._sent

    # What the gate tells it -------------------------------------------------------------------------------

    def send(self, order_id: str, intent: OrderIntent, quantity: Decimal, now_ns: int) -> Working:
        """Count an order that passed, of so many base units."""
        line = self.line(intent.instrument, intent.strategy)
        order = Working(line, is_buy=intent.side == "BUY", reduce_only=intent.reduce_only, quantity=quantity)
        order.quoted = intent.quantity if intent.quote_quantity else None
        order.sent_ns = now_ns
        self.orders[order_id] = order
        self._sent.add(order_id)
        return order

    def ask(self, order: Working, quantity: Decimal, now_ns: int) -> None:
        """Count a change to `quantity` that passed; until it is answered the larger size counts."""
        order.asked.append(quantity)
        order.sent_ns = now_ns
        order.settle()

    def withdraw(self, order_id: str) -> int:
        """Forget what passed and was not sent after all; when it had passed, 0 where it is not known."""
        order = self.orders.get(order_id)
        if order is None:
            return 0
        if order.asked:
            order.asked.pop()
            order.settle()
        elif not order.status:
            order.end()
            del self.orders[order_id]
            self._sent.discard(order_id)
        return order.sent_ns

    # What the session tells it ----------------------------------------------------------------------------

    def note(self, event: AnyEvent) -> None:
        """Take every event of the session, in order."""
        match event:
            case OrderChanged():
                self._note_order(event)
            case Filled():
                self._note_fill(event)
            case PositionChanged():
                self._note_position(event)
            case AccountChanged():
                for balance in event.balances:
                    if balance.currency == self.currency:
                        self.balance = balance.total
            case EpochBegan():
                epoch = self.epoch
                self.clear()
                self.epoch = epoch + 1
            case _:
                pass

    def _note_order(self, event: OrderChanged) -> None:
        if event.instrument not in self._valuing or event.status == HELD:
            return
        order = self.orders.get(event.order_id)
        if event.status in ENDED:
            self._sent.add(event.order_id)
            if order is not None:
                order.end()
                del self.orders[event.order_id]
            return
        if order is None:
            if event.order_id in self._sent:
                return  # it ended; this was told late
            order = self._found(event)
        quantity = event.quantity
        if order.quoted is not None:
            if quantity == order.quoted:
                quantity = order.quantity  # still told in quote currency
            else:
                order.quoted = None
        # A doubt has its reason, too, and is no answer: the change may be at work, so it still counts.
        order.answer(quantity, refused=bool(event.reason) and event.status != IN_DOUBT)
        order.status, order.quantity, order.filled = event.status, quantity, event.filled
        order.settle()

    def _found(self, event: OrderChanged) -> Working:
        """An order that did not pass here: of an earlier session, or placed elsewhere."""
        line = self.line(event.instrument, event.strategy)
        order = Working(
            line, is_buy=event.side == "BUY", reduce_only=event.reduce_only, quantity=event.quantity
        )
        self.orders[event.order_id] = order
        self._sent.add(event.order_id)
        return order

    def _note_fill(self, event: Filled) -> None:
        trade = (event.order_id, event.trade_id)
        if event.instrument not in self._valuing or trade in self._trades:
            return  # a venue may tell an execution twice
        self._trades.add(trade)
        if event.quantity < 0 and event.order_id not in self.orders:
            self._sent.discard(event.order_id)  # what ended it never happened; it is told next if it works
        line = self.line(event.instrument, event.strategy)
        fee = event.fee if event.fee_currency == line.valuing.settled_in else ZERO
        self._earn(line, line.fill(event.quantity, event.price, fee, is_buy=event.side == "BUY"))

    def _note_position(self, event: PositionChanged) -> None:
        if event.instrument in self._valuing:
            line = self.line(event.instrument, event.strategy)
            close = event.average_close
            self._earn(line, line.tell(event.position_id, event.quantity, event.average_open, close))

    def _earn(self, line: Line, profit: Decimal) -> None:
        """Count a profit before the venue tells the balance that it left."""
        if profit and line.valuing.is_money:
            self.balance += profit
