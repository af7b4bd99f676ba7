"""What came of a run so far: its orders and fills, the account's value, and the figures of its end."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.columns import Columns
from engine.messages.events import AnyEvent, Filled, InferenceFigures, OrderChanged, Results
from engine.messages.executions import standing
from engine.messages.frames import Risk
from engine.messages.instrument import Instrument
from engine.session.equity import Equity
from engine.session.fills import fills_sha256


class Outcome:
    """Follows one run of one instrument.

    Parameters
    ----------
    instrument : Instrument
    balance : Decimal
        At the start.
    kinds : frozenset of str
        Kinds of columns that the session has.
    start_ns, end_ns : int
        Market time of the session, which the equity curve's stretches divide.

    Attributes
    ----------
    order_events : int
        Steps in the life of orders so far.
    fills : list of Filled
    """

    def __init__(
        self, instrument: Instrument, balance: Decimal, kinds: frozenset[str], start_ns: int, end_ns: int
    ) -> None:
        self.order_events = 0
        self.fills: list[Filled] = []
        self._orders: set[str] = set()
        self._base, self._starting_balance = instrument.base, balance
        self._equity = Equity(instrument, float(balance), kinds, start_ns, end_ns)

    def note(self, event: AnyEvent) -> None:
        """Take an event, in order."""
        match event:
            case OrderChanged():
                self.order_events += 1
                self._orders.add(event.order_id)
            case Filled():
                self.fills.append(event)
            case _:
                pass
        self._equity.note(event)

    def absorb(self, parts: Iterable[Mapping[str, Columns]]) -> None:
        """Take rows that happened, in order, after the events that they caused."""
        self._equity.absorb(parts)

    def risk(self) -> Risk:
        """Risk of what was absorbed."""
        return self._equity.risk()

    def results(
        self,
        *,
        ts: int,
        ticks: int,
        seconds: float,
        balance: Decimal,
        currency: str,
        stats: dict[str, float | str | None],
        inference: InferenceFigures | None,
    ) -> Results:
        """Figures of the end; `balance` is the account's then, without open profit."""
        risk = self._equity.risk()
        # An average price is a ratio, so open profit is exact to the account's digits and no further.
        cent = Decimal(1).scaleb(min(0, int(balance.as_tuple().exponent)))
        unrealised = Decimal(repr(risk.unrealised_pnl)).quantize(cent)
        net = balance + unrealised - self._starting_balance
        held = self._held()
        return Results(
            ts=ts,
            ticks=ticks,
            seconds=seconds,
            orders=len(self._orders),
            fills=len(standing(self.fills)),
            final_balance=f"{balance:f} {currency}",
            stats=stats,
            fills_sha256=fills_sha256(self.fills),
            equity=self._equity.curve(),
            starting_balance=f"{self._starting_balance.quantize(cent):f} {currency}",
            net_pnl=f"{net.quantize(cent):f} {currency}",
            open_position=f"{held:+f} {self._base}" if held else None,
            unrealised_pnl=f"{unrealised:f} {currency}",
            inference=inference,
        )

    def _held(self) -> Decimal:
        """Signed size still held: what was bought less what was sold, exact."""
        return sum(
            (fill.quantity if fill.side == "BUY" else -fill.quantity for fill in self.fills), Decimal(0)
        )
