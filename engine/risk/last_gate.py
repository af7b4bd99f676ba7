"""The last check before an order leaves for a venue, over the account as the engine has it there and then.

The first gate counts what the session itself was told. This one has no memory of the account: for each order
and each change it is told anew what is held and working, by whomever, as the engine has it reconciled with
the venue, and the same rules judge once more, by the limits, the arming and the halt of that moment. So a
mistake in what the session counted, or what happened since, ends here.

What needs a history is the first gate's alone: losses, the drawdown and what it makes smaller, order rates,
and what was bought and sold so far.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from engine.messages.events import AnyEvent
from engine.messages.instrument import Instrument
from engine.messages.limits import Limits, Protection, RiskPolicy
from engine.messages.orders import ENDED, Denial, OrderIntent
from engine.risk.book import AccountBook
from engine.risk.case import Case
from engine.risk.gate import Gate, RiskGate

_SAME: Final = (
    "instrument", "strategy", "side", "type", "quantity", "price", "trigger", "trailing_offset",
    "time_in_force", "post_only", "reduce_only", "quote_quantity", "changes",
)  # fmt: skip
"""What of an order must be as it passed; its end, its stop and its purpose are no part of what leaves."""

_BEGUN: Final = frozenset({"", "INITIALIZED"})
_REFUSED: Final = "The last check before the venue refused it: "


class Standing(Protocol):
    """The account as the engine has it now."""

    def events(self) -> Iterable[AnyEvent]:
        """Its money, its positions and its orders at work, whoever's, as if they were just told."""

    def status(self, order_id: str) -> str:
        """How far the engine is with an order; empty where it does not know it.

        What was sent is INITIALIZED for a while, and then it is not among the orders at work yet.
        """

    def answers(self, order_id: str) -> int:
        """How many changes of an order were made or refused so far."""


class VerdictLog(Protocol):
    """Takes what is said of every order here."""

    def last_verdict(self, intent: OrderIntent, order_id: str, denial: Denial | None, ts: int) -> None:
        """Take it; must take no time."""

    def unwritten(self) -> str:
        """Why what was taken is not written down, one sentence; empty once it is."""


class LastGate:
    """A gate before which `gate` is asked, and the check of what is about to leave.

    What truly reduces always leaves. All else must be what passed `gate`, in every particular.

    Parameters
    ----------
    gate : Gate
        The first one, whose counts are withdrawn with what does not leave.
    rules : RiskGate
        Whose policy, arming and halt are in force.
    instruments : mapping
        By name, those that may be traded.
    book : AccountBook
        Used for nothing else.
    standing : Standing
    now_ns : callable
    log : VerdictLog or None
        What opens only leaves once its verdicts are written there.
    """

    def __init__(
        self,
        gate: Gate,
        rules: RiskGate,
        instruments: Mapping[str, Instrument],
        book: AccountBook,
        standing: Standing,
        now_ns: Callable[[], int],
        log: VerdictLog | None = None,
    ) -> None:
        self._gate, self._rules, self._book, self._standing = gate, rules, book, standing
        self._now_ns, self._log = now_ns, log
        self._policy = rules.policy
        self._judge = RiskGate(instruments, _now_only(self._policy), book, now_ns, mode=rules.mode)
        self._passed: dict[str, OrderIntent] = {}
        self._left: dict[str, tuple[OrderIntent, Decimal]] = {}
        self._asked: dict[str, tuple[int, list[Decimal]]] = {}

    # The first gate ---------------------------------------------------------------------------------------

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """As the first gate says; but what the engine's books hold can be closed, whatever it counted."""
        denial = self._gate.check(intent, order_id)
        if denial is not None and intent.closes and self._truly_closes(intent, order_id):
            denial = None
        if denial is None and order_id:
            self._passed[order_id] = intent
        return denial

    def _truly_closes(self, intent: OrderIntent, order_id: str) -> bool:
        now_ns = self._now_ns()
        self._look(now_ns)
        case = self._judge.judged(intent, order_id, now_ns)
        return isinstance(case, Case) and any(case.reduces)

    def withdraw(self, order_id: str) -> None:
        """Forget what passed, or left, and was not sent after all."""
        if self._passed.pop(order_id, None) is None and order_id in self._asked:
            self._asked[order_id][1].pop()
        else:
            self._left.pop(order_id, None)
        self._gate.withdraw(order_id)

    # The last ---------------------------------------------------------------------------------------------

    def leaves(self, intent: OrderIntent, order_id: str) -> Denial | None:
        """None where it may leave now; `intent` is the order as it is about to."""
        now_ns = self._now_ns()
        self._look(now_ns)
        passed = self._passed.get(order_id)
        altered = _altered(intent, passed)
        if passed is not None and not altered:
            intent = passed  # with its stop, which is no part of the order
        case = self._judge.judged(intent, order_id, now_ns)
        denial = _refusal(case, altered)
        if self._log is not None:
            self._log.last_verdict(intent, order_id, denial, now_ns)
        if isinstance(case, Case) and denial is None:
            denial = self._unwritten(case)
            if denial is None:
                self._passed.pop(order_id, None)
                self._let_go(case, order_id)
        return denial

    def _unwritten(self, case: Case) -> Denial | None:
        """Nothing opens of which nobody could tell afterwards; what reduces does not even wait for it."""
        if self._log is None or any(case.reduces):
            return None
        problem = self._log.unwritten()
        if not problem:
            return None
        return Denial(rule="audit", text=f"{_REFUSED}what opens must stand in the audit log. {problem}")

    def _let_go(self, case: Case, order_id: str) -> None:
        if case.replaces is None:
            self._left[order_id] = case.intent, case.size
        else:
            self._asked.setdefault(order_id, (self._standing.answers(order_id), []))[1].append(case.size)

    def _look(self, now_ns: int) -> None:
        """Take the account as it is, and the rules that are in force."""
        rules, judge = self._rules, self._judge
        if rules.policy is not self._policy:
            self._policy = rules.policy
            judge.set_policy(_now_only(self._policy))
        judge.arm, judge.halted = rules.arm, rules.halted
        self._book.clear()
        self._count_sent(now_ns)
        for event in self._standing.events():
            self._book.note(event)
        self._count_asked(now_ns)

    def _count_sent(self, now_ns: int) -> None:
        """Count what left and stands nowhere yet."""
        for order_id, (intent, size) in list(self._left.items()):
            status = self._standing.status(order_id)
            # The size of one in quote currency is known here alone for as long as it works.
            if status in _BEGUN or (intent.quote_quantity and status not in ENDED):
                self._book.send(order_id, intent, size, now_ns)
            else:
                del self._left[order_id]

    def _count_asked(self, now_ns: int) -> None:
        """Count the larger size of a change until it is answered."""
        for order_id, (answered, sizes) in list(self._asked.items()):
            order, answers = self._book.orders.get(order_id), self._standing.answers(order_id)
            del sizes[: answers - answered]
            if order is None or not sizes:
                del self._asked[order_id]
                continue
            self._asked[order_id] = answers, sizes
            for size in sizes:
                self._book.ask(order, size, now_ns)


def _refusal(case: Case | Denial, altered: str) -> Denial | None:
    if isinstance(case, Denial):
        return msgspec.structs.replace(case, text=_REFUSED + case.text)
    if altered and not any(case.reduces):
        return Denial(rule="altered", text=_REFUSED + altered)
    return None


def _altered(intent: OrderIntent, passed: OrderIntent | None) -> str:
    """What is not as it passed, one sentence; empty where all is."""
    if passed is None:
        return "the gate was not asked for it; place it anew."
    for name in _SAME:
        now, before = getattr(intent, name), getattr(passed, name)
        if now != before:
            what = name.replace("_", " ")
            return f"its {what} was {before} when it passed and is {now} now; place it anew."
    return ""


def _now_only(policy: RiskPolicy) -> RiskPolicy:
    """The limits that an account shows as it stands, without a history."""
    return RiskPolicy(
        version=policy.version,
        account=_shown(policy.account),
        strategies={name: _shown(limits) for name, limits in policy.strategies.items()},
        instruments={name: _shown(limits) for name, limits in policy.instruments.items()},
        protection=Protection(),
    )


def _shown(limits: Limits) -> Limits:
    return msgspec.structs.replace(
        limits,
        orders_per_second=None,
        orders_per_minute=None,
        day_loss=None,
        session_loss=None,
        drawdown=None,
        inventory_imbalance=None,
    )
