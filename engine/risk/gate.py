"""The one gate that every order and every change of one passes before it leaves for a venue."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Protocol

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk, Limits, LimitUse, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent
from engine.messages.run import ArmState, Mode
from engine.risk.account import account_risk
from engine.risk.book import AccountBook
from engine.risk.case import Case
from engine.risk.correlated_rule import Correlations
from engine.risk.exposure_rules import Margin
from engine.risk.kill import KillSwitch
from engine.risk.loss_rules import LossRule
from engine.risk.losses import LossTracks
from engine.risk.paces import Paces
from engine.risk.protection import DrawdownGuard
from engine.risk.rule import Rule, State
from engine.risk.ruling import Bound, check_policy, rules_of, scopes
from engine.risk.scope import Scope, scopes_of
from engine.risk.tails import ReturnHistory
from engine.risk.venue_gate import VenueGate
from engine.risk.working import Working

__all__ = ["Gate", "RiskGate", "VenueGate"]

_ALL_OF_IT: Final = Decimal(100)
"""Percent of equity."""


class Gate(Protocol):
    """Decides on every intent before it becomes an order."""

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """None where it may pass, and from then on counts as sent under that id; must take no time."""

    def withdraw(self, order_id: str) -> None:
        """Forget an order (or a change of one) that passed and was not sent after all."""


class RiskGate:
    """Every check that an order must pass: the venue's grid, arm state and halt, all limits, and margin.

    An order that truly reduces passes all but the first. It does where the account, or its own strategy,
    holds the opposite, and where together with all other orders of its side it could take that no further
    than to nothing; of a reduce-only one without those whose cancellation is under way. What merely moves
    the risk into another strategy still keeps to the limits of positions, unless it `closes` a position: then
    others are closed with it, and an account is flat only by way of what lies between.

    Parameters
    ----------
    instruments : mapping
        By name, those that may be traded.
    policy : RiskPolicy
    book : AccountBook
        It must be told every event of the session.
    now_ns : callable
        The clock of the rules: market time in a replay, the wall clock in paper and live.
    kill_switch : KillSwitch, optional
        Nothing but reducing orders passes from the moment that it is fired.
    correlations : mapping, optional
        Between instruments; what is missing counts as 1.
    returns : ReturnHistory, optional
        What value at risk is told from, kept by the session; by default none is told.

    Raises
    ------
    UserError
        A limit of the policy is none.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        policy: RiskPolicy,
        book: AccountBook,
        now_ns: Callable[[], int],
        *,
        arm: ArmState = "view",
        mode: Mode = "replay",
        kill_switch: KillSwitch | None = None,
        correlations: Correlations | None = None,
        returns: ReturnHistory | None = None,
    ) -> None:
        self._grids = {name: VenueGate(each) for name, each in instruments.items()}
        self._book, self._now_ns, self._mode = book, now_ns, mode
        self._kill_switch, self._returns = kill_switch, returns
        self._correlations = {} if correlations is None else correlations
        self._losses, self._paces = LossTracks(book), Paces()
        self._guard = DrawdownGuard(policy.protection)
        self._epoch = book.epoch
        self._newest: Case | None = None
        self._halted = False
        self.arm = arm
        self.set_policy(policy)

    # State ------------------------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """What fills the orders; it never changes in a session."""
        return self._mode

    @property
    def arm(self) -> ArmState:
        """Whether orders pass, and to what kind of venue."""
        return self._arm

    @arm.setter
    def arm(self, state: ArmState) -> None:
        if state == "live" and self._mode != "live":
            raise UserError("A replay or paper session cannot be armed Live; open a live one.")
        self._arm: ArmState = state

    @property
    def halted(self) -> bool:
        """Whether nothing passes but what reduces, until it is re-armed; a fired kill switch makes it so."""
        return self._halted or (self._kill_switch is not None and self._kill_switch.pending is not None)

    @halted.setter
    def halted(self, halted: bool) -> None:
        self._halted = halted

    @property
    def policy(self) -> RiskPolicy:
        """Limits in force."""
        return self._policy

    def set_policy(self, policy: RiskPolicy) -> None:
        """Put these limits in force at once; counts and losses go on.

        Raises
        ------
        UserError
            One of the limits is none; those before stay in force.
        """
        check_policy(policy)
        self._policy = policy
        self._guard.follow(policy.protection)
        self._bind()

    @property
    def protection(self) -> DrawdownGuard:
        """Where the drawdown protection is, as of the last mark; to be read only."""
        return self._guard

    # Orders -----------------------------------------------------------------------------------------------

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """None where it may pass, and from then on counts as sent under that id."""
        now_ns = self._now_ns()
        self._paces.wanted.note(now_ns)
        case = self.judged(intent, order_id, now_ns)
        if isinstance(case, Denial):
            return case
        self._paces.note(intent.strategy, intent.instrument, now_ns)
        if case.replaces is not None:
            self._book.ask(case.replaces, case.size, now_ns)
        elif order_id:
            self._book.send(order_id, intent, case.size, now_ns)
        self._newest = case
        return None

    def would(self, *intents: OrderIntent) -> Denial | None:
        """The first denial that `check` would come to were all of them sent, counting nothing."""
        now_ns, sent = self._now_ns(), []
        try:
            for number, intent in enumerate(intents):
                case = self.judged(intent, "", now_ns)
                if isinstance(case, Denial):
                    return case
                if case.replaces is None and number < len(intents) - 1:
                    sent.append(f"would-{number}")
                    self._book.send(sent[-1], intent, case.size, now_ns)
        finally:
            for order_id in sent:
                self._book.withdraw(order_id)
        return None

    def withdraw(self, order_id: str) -> None:
        """Forget an order (or a change of one) that passed and was not sent after all."""
        order = self._book.orders.get(order_id)
        if order is not None:
            sent_ns = self._book.withdraw(order_id)
            line = order.line
            self._paces.forget(line.strategy, line.valuing.instrument.id, sent_ns)

    def judged(self, intent: OrderIntent, order_id: str, now_ns: int) -> Case | Denial:
        """The order as it would be worked, or why it does not pass; counts nothing."""
        if self._book.epoch != self._epoch:
            self._begin_epoch()
        grid = self._grids.get(intent.instrument)
        if grid is None:
            names = " or ".join(self._grids)
            return _denied("venue", f"There is no {intent.instrument} in this session; trade {names}.")
        denial = grid.check(intent)
        if denial is not None:
            return denial
        replaces: Working | None = None
        if intent.changes is not None:
            replaces = self._book.orders.get(intent.changes)
            if replaces is None:
                return _denied("venue", f"Order {intent.changes} is not at work any more; place a new one.")
        elif order_id and self._book.was_sent(order_id):
            return _denied("duplicate", f"Order {order_id} was sent before; it is not sent again.")
        case = Case(self._book, intent, replaces, self._book.valuing(intent.instrument), now_ns)
        if not case.size:
            return _denied("venue", f"There is no price of {intent.instrument} yet; wait for the market.")
        return self._broken(case) or case

    def _broken(self, case: Case) -> Denial | None:
        """The first limit, or state, that the order does not pass."""
        intent = case.intent
        in_account, in_strategy = case.reduces
        if not (in_account or in_strategy):
            if intent.closes and not intent.reduce_only:  # no venue would keep it from opening
                text = "Orders at work close all that is held already; wait until the venue has answered."
                return _denied("closing", text)
            denial = self._blocked(intent)
            if denial is not None:
                return denial
        bound = self._bound.get((intent.instrument, intent.strategy)) or self._rules(intent)
        for rule in bound.judging(
            in_account=in_account, in_strategy=in_strategy, reduce_only=intent.reduce_only
        ):
            denial = rule.denial(case)
            if denial is not None:
                return denial
        return None if in_account or self._mode == "live" else self._beyond_margin(case)

    def _beyond_margin(self, case: Case) -> Denial | None:
        """What no simulated account could carry, limit or not; of a venue's it knows the margins itself."""
        denial = self._margin.denial(case)
        return None if denial is None or denial.value is None else denial

    def _blocked(self, intent: OrderIntent) -> Denial | None:
        if self.halted:
            return _denied("halted", "Trading is halted; only what reduces passes until it is re-armed.")
        if self._mode == "live":
            if self._arm != "live":
                return _denied("view", "Live is not armed; arm it to send orders.")
        elif self._arm == "view" and (self._mode != "replay" or intent.strategy == HAND):
            return _denied("view", "The session is only viewed; arm it to send orders.")
        guard = self._guard
        if guard.stage not in ("paused", "flat"):
            return None
        return Denial(
            rule="protection",
            text=f"{guard.said.removesuffix('.')}; only what reduces passes.",
            value=round(guard.fall, 4),
            limit=guard.begins,
            unit="%",
        )

    # What is in force -------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Take the equity of now into losses, the drawdown and the protection from it; call it often."""
        if self._book.epoch != self._epoch:
            self._begin_epoch()
        now_ns = self._now_ns()
        self._losses.mark(now_ns)
        share = self._guard.share
        self._guard.mark(self._losses.account.fall_pct)
        if self._guard.share != share:
            self._bind()

    @property
    def day_start(self) -> Decimal:
        """Equity at midnight UTC, or at the session's start where that is later, as of the last mark."""
        return self._losses.account.day_start

    @day_start.setter
    def day_start(self, equity: Decimal) -> None:
        self._losses.account.day_start = equity

    def loss_broken(self) -> str:
        """The first loss limit that is broken as of the last mark, in words; empty while none is."""
        found = (rule.broken() for rule in self._all if isinstance(rule, LossRule))
        return next(filter(None, found), "")

    def wanted_in_second(self) -> int:
        """Orders and changes that came to the gate in the last second, passed or not."""
        return self._paces.wanted.in_second(self._now_ns())

    def uses(self) -> list[LimitUse]:
        """How much of every limit is used now, as of the last mark; hours have no number and no bar."""
        now_ns, newest = self._now_ns(), self._newest
        return [
            rule.use(newest if newest is not None and rule.binds(newest) else None, now_ns)
            for rule in self._all
            if rule.name != "trading_hours"
        ]

    def risk(self, *, mark: bool = True) -> AccountRisk:
        """The account's risk now; marks it, too, unless somebody else does so at fixed times."""
        if mark:
            self.mark()
        return account_risk(
            self._book,
            self._losses,
            self._returns,
            self._guard,
            uses=self.uses(),
            version=self._policy.version,
        )

    @property
    def _all(self) -> tuple[Rule, ...]:
        return tuple(rule for rules in self._by_scope.values() for rule in rules)

    def _bind(self) -> None:
        state = State(self._book, self._losses, self._paces, self._guard)
        self._by_scope = {
            scope: rules_of(limits, scope, state, self._correlations)
            for scope, limits in scopes(self._policy).items()
            if limits != Limits() and (scope.kind != "instrument" or scope.name in self._grids)
        }
        self._margin = Margin(Scope("account"), _ALL_OF_IT, state)
        self._bound: dict[tuple[str, str], Bound] = {}

    def _rules(self, intent: OrderIntent) -> Bound:
        """Those that bind this strategy in this instrument."""
        every = scopes_of(intent.strategy, intent.instrument)
        account, strategy, instrument = (self._by_scope.get(scope, ()) for scope in every)
        found = self._bound[intent.instrument, intent.strategy] = Bound(account, strategy, instrument)
        return found

    def _begin_epoch(self) -> None:
        """The run starts anew, and its rules with it."""
        self._epoch = self._book.epoch
        self._losses.reset()
        self._guard.restart()
        self._paces.reset()
        self._bind()
        self._newest = None


def _denied(rule: str, text: str) -> Denial:
    return Denial(rule=rule, text=text)
