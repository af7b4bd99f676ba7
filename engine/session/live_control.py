"""Whether the orders of a live session pass, and what a person does: arming, limits, halting, orders."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from engine.columns import Columns
from engine.errors import UserError
from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Kill,
    Modify,
    Preview,
    Rearm,
    Reverse,
    SetArmState,
    SetPolicy,
    SetStop,
    Submit,
)
from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    ArmStateChanged,
    EpochBegan,
    HaltStep,
    Logged,
    PolicyChanged,
)
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk, RiskPolicy
from engine.messages.orders import OrderPreview
from engine.messages.run import ArmState, Mode, Run
from engine.nautilus.live_desk import LiveDesk
from engine.risk.book import AccountBook, Touch
from engine.risk.gate import Gate, RiskGate
from engine.risk.kill import HaltProcedure, KillSwitch
from engine.risk.kill_rules import KillFacts, KillRuleWatch
from engine.risk.last_gate import LastGate, Standing, VerdictLog
from engine.session.abilities import check_able
from engine.session.bar_history import BarHistory
from engine.session.memory import DayMemory
from engine.session.preview import preview
from engine.session.protecting import Protecting
from engine.session.return_feed import ReturnFeed
from engine.session.stop_follower import StopFollower

ARMED_LIVE_NS: Final = 30 * 60 * 1_000_000_000
"""Time without an order by hand after which a session is armed for real money no longer."""

_RULE: Final = "rule"
_LOOK_EVERY_NS: Final = 100_000_000
_TICKS_LATE_NS: Final = 500_000_000
"""Time after which all ticks of before are surely absorbed, and a bar is complete."""


class LiveControl:
    """The gate of one live session, and all that opens and shuts it.

    Parameters
    ----------
    run : Run
    instrument : Instrument
        With the fees of the run.
    account : str
        Name that a person types to arm for real money and to re-arm after a halt.
    kill_switch : KillSwitch
    emit : callable
        Takes the events that tell a change.
    now_ns : callable
        The wall clock.
    touch : callable
        Best prices of an instrument; None where they are not known.
    kinds : frozenset of str
        Market data that will come.
    day : DayMemory, optional
        What the account was worth when the day began, over all sessions at its venue.

    Attributes
    ----------
    gate : RiskGate
        What every order of the session passes.
    """

    def __init__(
        self,
        run: Run,
        instrument: Instrument,
        account: str,
        *,
        kill_switch: KillSwitch,
        emit: Callable[[AnyEvent], None],
        now_ns: Callable[[], int],
        touch: Callable[[str], Touch | None],
        kinds: frozenset[str],
        day: DayMemory | None = None,
    ) -> None:
        self._mode: Mode = run.mode
        self._instrument, self._touch = instrument, touch
        self._balance, self._leverage = run.venue.balance, run.venue.leverage
        self._run = run
        self._preview: OrderPreview | None = None
        self._account, self._kill_switch = account, kill_switch
        self._emit, self._now_ns = emit, now_ns
        self._book = self._new_book()
        self._returns = ReturnFeed(instrument.id, kinds)
        self.gate = RiskGate(
            {instrument.id: instrument},
            run.policy,
            self._book,
            now_ns,
            # Real money is armed by a person who looks at it, never by how a session was started.
            arm="view" if run.mode == "live" else run.arm,
            mode=run.mode,
            kill_switch=kill_switch,
            returns=self._returns.returns,
        )
        self._rules = KillRuleWatch(run.policy.kill)
        self._protecting = Protecting(emit)
        self._halt = HaltProcedure(kill_switch, account, flatten_by=run.policy.kill.flatten_by)
        self._bars = BarHistory(run.bar, kinds)
        self._follower = StopFollower(instrument, self._bars)
        self._expires_ns: int | None = None
        self._looked_ns = 0
        self._desk: LiveDesk | None = None
        self._day, self._has_begun = day, False
        emit(PolicyChanged(ts=now_ns(), policy=run.policy, by="run"))
        emit(ArmStateChanged(ts=now_ns(), state=self.gate.arm, by="run"))

    def last_gate(self, gate: Gate, log: VerdictLog | None, standing: Standing) -> LastGate:
        """What stands behind `gate`, of which it is a part, and before a venue."""
        facts = {self._instrument.id: self._instrument}
        return LastGate(gate, self.gate, facts, self._new_book(), standing, self._now_ns, log)

    def _new_book(self) -> AccountBook:
        return AccountBook(
            {self._instrument.id: self._instrument},
            currency=self._instrument.quote,
            balance=self._balance,
            touch=self._touch,
            leverage=self._leverage,
        )

    def begin(self, desk: LiveDesk) -> None:
        """Take the hand, once the node is there."""
        self._desk = desk

    def end(self) -> None:
        """Let go of the hand, which must not outlive its node."""
        self._desk = None

    def note(self, event: AnyEvent) -> None:
        """Take every event of orders, positions and the account, in order."""
        self._book.note(event)

    def absorb(self, part: Mapping[str, Columns]) -> None:
        """Take market data that came."""
        self._bars.absorb(part)
        self._returns.absorb(part)

    def began_with(self, event: AccountChanged) -> None:
        """Take the balance with which a venue's account begins: profit is counted from there."""
        self._book.start_balance = event.balances[0].total
        self._book.note(EpochBegan(ts=event.ts, epoch=1))
        self._book.note(event)
        self._has_begun = True

    # Commands --------------------------------------------------------------------------------------------

    def obey(self, command: AnyCommand) -> None:
        """Carry a command out, or raise `UserError`; those that are none of these are passed over."""
        match command:
            case SetArmState():
                self._arm(command.state, command.account)
            case SetPolicy(policy):
                self._set_policy(policy)
            case Kill(reason):
                self._kill_switch.fire(reason or "The kill switch was pressed.")
            case Rearm(confirmation):
                self._emit(self._halt.rearm(confirmation, self._now_ns()))
            case Submit(intents=intents, contingency=contingency):
                check_able(self._run, intents, contingency)
                self._connected.obey(command)
                self._put_off_expiry()
            case Modify() | Cancel() | CancelAll() | Flatten() | Reverse() | BreakEven():
                self._connected.obey(command)
                if isinstance(command, Modify):
                    self._put_off_expiry()
            case SetStop():
                said = self._follower.set(command, self._connected, self._now_ns() - _TICKS_LATE_NS)
                self._emit(Logged(ts=self._now_ns(), level="info", source="session", text=said))
            case Preview():
                self._preview = preview(
                    command,
                    self._run,
                    self._instrument,
                    self.gate,
                    touch=self._touch(self._instrument.id),
                    equity=self._book.equity(),
                    held=self._book.total(self._instrument.id).net,
                    now_ns=self._now_ns(),
                )
            case _:
                pass

    def remember(self) -> dict[str, str]:
        """What is to be known again after a restart: the hand's, and the rule by which its stop moves."""
        rule = self._follower.rule
        moves = {} if rule is None else {_RULE: msgspec.json.encode(rule).decode()}
        return {**self._connected.remember(), **moves}

    def take_up(self, hand: Mapping[str, str]) -> None:
        """Put the rule in force again that `remember` gave; the hand has taken up the rest by itself."""
        if _RULE in hand:
            try:
                self.obey(msgspec.json.decode(hand[_RULE], type=SetStop))
            except (UserError, msgspec.MsgspecError) as error:
                text = f"The stop is not moved any more: {error}"
                self._emit(Logged(ts=self._now_ns(), level="warning", source="session", text=text))

    def _put_off_expiry(self) -> None:
        if self._expires_ns is not None:
            self._expires_ns = self._now_ns() + ARMED_LIVE_NS

    @property
    def _connected(self) -> LiveDesk:
        if self._desk is None:
            raise UserError("The session is still connecting; order when it is connected.")
        return self._desk

    def _arm(self, state: ArmState, account: str) -> None:
        now = self._now_ns()
        if state == "live":
            if self._mode == "live" and account != self._account:
                raise UserError(f"Type the account's name, {self._account}, to arm it.")
            self.gate.arm = state  # refuses what is no live session
            self._expires_ns = now + ARMED_LIVE_NS
        else:
            if state == "paper" and self._mode == "live":
                raise UserError("This session trades at a venue; arm it live, or open a paper session.")
            self.gate.arm, self._expires_ns = state, None
        self._emit(ArmStateChanged(ts=now, state=state, by="person", expires_ns=self._expires_ns))

    def _set_policy(self, policy: RiskPolicy) -> None:
        self.gate.set_policy(policy)
        self._rules.rules, self._halt.flatten_by = policy.kill, policy.kill.flatten_by
        self._emit(PolicyChanged(ts=self._now_ns(), policy=policy, by="person"))

    def shut(self, reason: str) -> None:
        """Let nothing open any more."""
        if self.gate.arm != "view":
            self.gate.arm, self._expires_ns = "view", None
            self._emit(ArmStateChanged(ts=self._now_ns(), state="view", by="rule", reason=reason))

    # What happens by itself ------------------------------------------------------------------------------

    def step(self, feed_age_s: float | None, sick_model: str) -> None:
        """Do what is due: a halt's next step, an arming that ends, a rule that fires; call it often."""
        now = self._now_ns()
        if self._desk is not None:
            for event in self._halt.step(now, self._desk):
                self._emit(event)
                if event.step is HaltStep.HALTED:
                    self._desk.say_what_cancels_out()
        if now - self._looked_ns < _LOOK_EVERY_NS:
            return
        self._looked_ns = now
        if self._expires_ns is not None and now >= self._expires_ns:
            self.shut(f"{ARMED_LIVE_NS // 60_000_000_000} minutes passed without an order by hand.")
        self.gate.mark()
        if self._day is not None and self._has_begun:
            self.gate.day_start = self._day.kept(now, self._book.currency, self.gate.day_start)
        is_flat = not self._book.holds and not self._book.orders
        wants_flat = self._protecting.look(self.gate, now, is_flat=is_flat)
        if wants_flat and self._desk is not None:
            self._desk.flatten()
        ended = now - _TICKS_LATE_NS
        if self._desk is not None and self._follower.is_due(ended):
            self._follower.follow(self._desk, ended)
        facts = KillFacts(
            loss_broken=self.gate.loss_broken(),
            wanted_in_second=self.gate.wanted_in_second(),
            holds=self._book.holds,
            feed_age_s=feed_age_s,
            sick_model=sick_model,
        )
        if reason := self._rules.check(facts):
            self._kill_switch.fire(reason, "rule")

    # What is shown ---------------------------------------------------------------------------------------

    def control(self, feed_age_s: float | None) -> Control:
        """Whether and where orders pass now."""
        return Control(
            mode=self._mode,
            arm=self.gate.arm,
            expires_ns=self._expires_ns,
            account=self._account,
            halt=self._halt.step_now,
            feed_age_s=feed_age_s,
            stop=self._follower.said,
        )

    def take_preview(self) -> OrderPreview | None:
        """Answer to the newest question, once."""
        answer, self._preview = self._preview, None
        return answer

    def risk(self) -> AccountRisk:
        """The account as a whole, marked now."""
        return self.gate.risk()
