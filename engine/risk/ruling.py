"""The rules that a policy makes: one per limit that is set, bound to its scope, in a fixed order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.errors import UserError
from engine.messages.limits import Limits, Protection, RiskPolicy
from engine.risk.correlated_rule import CorrelatedExposure, Correlations
from engine.risk.count_rules import OpenOrders, OrdersPerMinute, OrdersPerSecond
from engine.risk.exposure_rules import (
    Concentration,
    GrossExposure,
    InventoryImbalance,
    Leverage,
    Margin,
    NetExposure,
    Position,
)
from engine.risk.hours import TradingHours
from engine.risk.loss_rules import DayLoss, Drawdown, LossRule, SessionLoss
from engine.risk.order_rules import OrderNotional, OrderQuantity, PriceBand, TradeLoss
from engine.risk.rule import Rule, ScaledRule, State
from engine.risk.scope import Scope
from engine.risk.time_rules import FeedAge, Hours

SIMPLE: Final[Sequence[type[Rule]]] = (
    OrderQuantity,
    OrderNotional,
    PriceBand,
    Position,
    GrossExposure,
    NetExposure,
    Concentration,
    Leverage,
    Margin,
    OpenOrders,
    OrdersPerSecond,
    OrdersPerMinute,
    DayLoss,
    SessionLoss,
    Drawdown,
    TradeLoss,
    FeedAge,
    InventoryImbalance,
)
"""Rules of a number and nothing else, in the order in which they are asked; the other two come last."""


_SCALED: Final = tuple(rule for rule in SIMPLE if issubclass(rule, ScaledRule))


class Bound:
    """Rules that bind one strategy in one instrument, by the orders that they judge.

    Parameters
    ----------
    account, strategy, instrument : sequence of Rule
        Of each scope.
    """

    def __init__(self, account: Sequence[Rule], strategy: Sequence[Rule], instrument: Sequence[Rule]) -> None:
        self._every = (*account, *strategy, *instrument)
        self._guarded = tuple(rule for rule in self._every if rule.judges != "entry")
        self._in_account = tuple(rule for rule in (*account, *instrument) if rule.judges == "reach")
        self._in_strategy = tuple(rule for rule in strategy if rule.judges == "reach")

    def judging(self, *, in_account: bool, in_strategy: bool, reduce_only: bool) -> Sequence[Rule]:
        """Rules for an order that reduces in one of both, or in none.

        One that is reduce-only and has nothing to reduce yet, such as an exit of a bracket, cannot open.
        """
        if in_account:
            return () if in_strategy else self._in_strategy
        if in_strategy:
            return self._in_account
        return self._guarded if reduce_only else self._every


def rules_of(limits: Limits, scope: Scope, state: State, correlations: Correlations) -> Sequence[Rule]:
    """Rules of the limits that are set, in the order in which they are asked."""
    rules: list[Rule] = []
    for rule in SIMPLE:
        limit = getattr(limits, rule.name)
        if limit is not None:
            rules.append(rule(scope, limit, state))
    if limits.correlated_exposure is not None:
        rules.append(CorrelatedExposure(scope, limits.correlated_exposure, state, correlations))
    if limits.trading_hours:
        rules.append(Hours(scope, limits.trading_hours, state))
    return rules


def scopes(policy: RiskPolicy) -> Mapping[Scope, Limits]:
    """Limits of every scope that a policy names."""
    return {
        Scope("account"): policy.account,
        **{Scope("strategy", name): limits for name, limits in policy.strategies.items()},
        **{Scope("instrument", name): limits for name, limits in policy.instruments.items()},
    }


def watches_losses(policy: RiskPolicy) -> bool:
    """Whether anything depends on what was lost, so that it must be looked at as time passes."""
    return policy.protection != Protection() or any(
        getattr(limits, rule.name) is not None
        for limits in scopes(policy).values()
        for rule in SIMPLE
        if issubclass(rule, LossRule)
    )


def check_policy(policy: RiskPolicy) -> RiskPolicy:
    """The policy, where all of it can be held; that limits are numbers of 0 or more their struct sees to.

    Raises
    ------
    UserError
        An instrument is named as none is, so that its limits would bind nothing; trading hours cannot be
        read; a kill rule's number is negative or none; or nothing is there to scale.
    """
    for name in policy.instruments:
        if "." not in name or name != name.upper():
            raise UserError(
                f"An instrument is named SYMBOL.VENUE in capitals; the limits of {name!r} hold none."
            )
    for limits in scopes(policy).values():
        if limits.trading_hours:
            TradingHours(limits.trading_hours)
    if policy.protection.scale_at is not None and not any(
        getattr(limits, rule.name) is not None for limits in scopes(policy).values() for rule in _SCALED
    ):
        raise UserError(
            "Drawdown protection has nothing to make smaller: set a limit of order size, order value or "
            "position first, or clear 'Smaller from'."
        )
    for name, limit in msgspec.structs.asdict(policy.kill).items():
        if isinstance(limit, Decimal) and not (limit.is_finite() and limit >= 0):
            raise UserError(f"The kill rule {name} is {limit}; make it 0 or more, or clear it.")
    return policy
