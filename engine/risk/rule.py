"""What every rule at the gate is: one limit of one scope, and the sentence that says it is broken."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar, Final, Literal, get_type_hints

import msgspec

from engine.messages.limits import Limits, LimitUse
from engine.messages.orders import Denial
from engine.risk.book import AccountBook
from engine.risk.case import Case, Exposure
from engine.risk.lines import Line, Total
from engine.risk.losses import LossTrack, LossTracks
from engine.risk.paces import Paces
from engine.risk.protection import DrawdownGuard
from engine.risk.scope import Scope, scopes_of
from engine.risk.valuing import ONE
from engine.risk.wording import money, plain

type Judges = Literal["entry", "count", "reach"]
"""Which orders a rule judges: those that may open a position; all that do not reduce; and those that may take
a position farther, which in one strategy even an order can that reduces in another."""


class State(msgspec.Struct, frozen=True):
    """What rules read besides the order: all of it outlives a change of the policy."""

    book: AccountBook
    losses: LossTracks
    paces: Paces
    guard: DrawdownGuard


class Rule(ABC):
    """One limit in force.

    Attributes
    ----------
    name : str
        Its field in `Limits`, whose title and unit it has.
    allowed : Decimal
        The limit as it holds now.
    """

    name: ClassVar[str]
    judges: ClassVar[Judges] = "entry"

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        self.scope, self.limit, self.state = scope, limit, state
        self.allowed = limit
        self.is_strategy = scope.kind == "strategy"
        self.currency = state.book.currency
        self.title, unit = _DESCRIBED[self.name]
        self.unit = self.currency if unit == "money" else unit

    @abstractmethod
    def denial(self, case: Case) -> Denial | None:
        """None where the order keeps to the limit; takes a microsecond, as every order waits for it."""

    @abstractmethod
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        """How much of the limit is used now; None where nothing can be told. `newest` passed last."""

    def use(self, newest: Case | None, now_ns: int) -> LimitUse:
        """The limit as a bar."""
        used = self.used(newest, now_ns)
        return LimitUse(
            rule=self.name,
            title=self.title,
            scope=self.scope.kind,
            name=self.scope.name,
            unit=self.unit,
            value=0.0 if used is None else float(used),
            limit=float(self.allowed),
        )

    @property
    def lines(self) -> Iterable[Line | Total]:
        """What the scope holds and has working."""
        book = self.state.book
        match self.scope.kind:
            case "account":
                return book.totals.values()
            case "strategy":
                return book.lines_of(self.scope.name)
            case "instrument":
                return (book.total(self.scope.name),)

    def exposure(self, case: Case) -> Exposure:
        """Values of what the scope holds and has working, the order counted."""
        kind = self.scope.kind
        found = case.exposures.get(kind)
        if found is None:
            found = case.exposures[kind] = Exposure(self.state.book, self.lines, case)
        return found

    def track(self, case: Case) -> LossTrack | None:
        """What the scope lost so far, marked now; None where a price is not known of what it holds."""
        track = case.tracks.get(self.scope)
        if track is None:
            track = self.state.losses.marked(self.scope, case.now_ns, case.equity)
            if track is not None:
                case.tracks[self.scope] = track
        return track

    def binds(self, case: Case) -> bool:
        """Whether the newest order was in this scope."""
        return self.scope in scopes_of(case.intent.strategy, case.intent.instrument)

    def denied(self, text: str, value: Decimal | None = None) -> Denial:
        """The limit is broken: what would come of the order, and what to do instead."""
        return Denial(
            rule=self.name,
            text=text,
            value=value,
            limit=None if value is None else self.allowed,
            unit=self.unit,
        )

    def unknown(self, case: Case, instrument: str = "") -> Denial:
        """A price is missing, so that the limit cannot be kept for certain."""
        name = instrument or case.intent.instrument
        settled = case.book.valuing(name).settled_in
        if settled != self.currency:
            text = (
                f"{name} is settled in {settled} and the account is in {self.currency}, so its value cannot "
                f"be held against the limit of {self.title.lower()}{self.scope.of}; clear "
                "the limit to trade it."
            )
        else:
            text = (
                f"There is no price of {name} yet to judge the limit of {self.title.lower()}{self.scope.of} "
                "by; wait for the market, or clear the limit."
            )
        return self.denied(text)

    def money(self, value: Decimal) -> str:
        """An amount of the account's currency, in words."""
        return money(value, self.currency)


class ScaledRule(Rule):
    """A limit of a size, of which a drawdown may leave a share only; made anew where that changes."""

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.allowed = limit * state.guard.share

    @property
    def scaled(self) -> str:
        """What stands behind the limit in a sentence where it shrank."""
        share = self.state.guard.share
        if share == ONE:
            return ""
        return f" ({plain(round(share * 100, 1))} % of {plain(self.limit)}, as the drawdown protection says)"


def _read() -> dict[str, tuple[str, str]]:
    hints = get_type_hints(Limits, include_extras=True)
    metas = {name: hint.__metadata__[0] for name, hint in hints.items()}
    return {name: (meta.title, meta.extra["unit"]) for name, meta in metas.items()}


_DESCRIBED: Final = _read()
