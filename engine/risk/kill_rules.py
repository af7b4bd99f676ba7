"""When the kill switch fires by itself: what a session sees of itself, held against its kill rules."""

from decimal import Decimal

import msgspec

from engine.messages.limits import KillRules


class KillFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a session sees of itself now.

    Attributes
    ----------
    loss_broken : str
        A loss limit that is broken, in words; see `RiskGate.loss_broken`.
    wanted_in_second : int
        Orders and changes that came to the gate in the last second, passed or not.
    holds : bool
        Whether a position is open.
    feed_age_s : float or None
        Age of the market data that are oldest of what is held; None where there is no feed to watch.
    sick_model : str
        Why a rule disarmed a model; empty while all are well.
    window_silent_s : float or None
        Time since the last sign of the window; None where none ever was attached.
    memory_mb : float
        That the engine uses.
    """

    loss_broken: str = ""
    wanted_in_second: int = 0
    holds: bool = False
    feed_age_s: float | None = None
    sick_model: str = ""
    window_silent_s: float | None = None
    memory_mb: float = 0.0


def kill_reasons(rules: KillRules, facts: KillFacts) -> dict[str, str]:
    """Why the kill switch must fire now, a sentence by the field of `KillRules`; empty while all is well."""
    found = {}
    if rules.on_loss_limit and facts.loss_broken:
        found["on_loss_limit"] = f"{facts.loss_broken}."
    if _above(facts.wanted_in_second, rules.orders_per_second):
        found["orders_per_second"] = (
            f"{facts.wanted_in_second} orders were wanted in one second, above "
            f"{rules.orders_per_second:f}: an order storm."
        )
    if facts.holds and _above(facts.feed_age_s, rules.stale_feed_s):
        found["stale_feed_s"] = (
            f"The market data are {facts.feed_age_s:.0f} s old, above {rules.stale_feed_s:f} s, while a "
            "position is open."
        )
    if rules.on_sick_model and facts.holds and facts.sick_model:
        found["on_sick_model"] = f"The model of an open position is sick: {facts.sick_model.rstrip('.')}."
    if _above(facts.window_silent_s, rules.lost_window_s):
        found["lost_window_s"] = (
            f"The window has given no sign for {facts.window_silent_s:.0f} s, above "
            f"{rules.lost_window_s:f} s."
        )
    if _above(facts.memory_mb, rules.memory_mb):
        found["memory_mb"] = f"The engine uses {facts.memory_mb:,.0f} MB, above {rules.memory_mb:f} MB."
    return found


class KillRuleWatch:
    """Holds the rules of a session, which may change while it runs, and says why to fire.

    A reason is said when it comes up, and again only after it was gone: the halt of a loss limit would
    otherwise fire anew in the moment that it is re-armed.

    Parameters
    ----------
    rules : KillRules
    """

    def __init__(self, rules: KillRules) -> None:
        self.rules = rules
        self._standing: set[str] = set()

    def check(self, facts: KillFacts) -> str:
        """Why to fire now, one sentence; empty while there is no reason, or none that is new."""
        reasons = kill_reasons(self.rules, facts)
        new = [text for rule, text in reasons.items() if rule not in self._standing]
        self._standing = set(reasons)
        return new[0] if new else ""


def _above(value: float | None, limit: Decimal | None) -> bool:
    return value is not None and limit is not None and value > limit
