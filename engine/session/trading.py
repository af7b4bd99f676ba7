"""A person's side of a replay: the hand, the arm state, the limits and the kill switch, over all its courses.

A seek back makes the run anew, and does again what was done up to where it goes. What a person has in force
(arm state, limits, a halt) is of the present: in the past that is run again things were as they were then,
and from the target on they are as they are now.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Literal

import msgspec

from engine.errors import UserError
from engine.messages.commands import CancelAll, Preview, SetArmState, SetPolicy, SetStop, Submit
from engine.messages.events import (
    AnyEvent,
    ArmingChanged,
    ArmStateChanged,
    HaltChanged,
    HaltStep,
    Logged,
    PolicyChanged,
)
from engine.messages.frames import Control
from engine.messages.limits import AccountRisk, RiskPolicy
from engine.messages.orders import OrderPreview
from engine.messages.run import Run
from engine.nautilus.desk import Desk, HandCommand
from engine.risk.kill import HaltProcedure, Holding, KillSwitch
from engine.risk.kill_rules import KillFacts, KillRuleWatch
from engine.risk.ruling import watches_losses
from engine.session.course import Course, Errand
from engine.session.journal import Close, Deed, Halt, Journal
from engine.session.preview import preview
from engine.session.protecting import Protecting
from engine.session.stop_follower import StopFollower

_LOOK_NS: Final = 1_000_000_000
"""Market time between two looks at losses."""
_HALTING_NS: Final = 100_000_000
"""Market time between two steps of a halt."""
_REST_S: Final = 0.01
_LONGEST_REST_NS: Final = 50_000_000
_MODEL_NS: Final = 60_000_000_000
"""Market time between two looks at whether a model is sick, which runs of models are cut by."""


class Trading:
    """What a person does in a session of replays.

    Parameters
    ----------
    run : Run
    account : str
        Name of the account, which is typed to re-arm.
    switch : KillSwitch
    emit : callable
        Takes every event.

    Attributes
    ----------
    is_over : bool
        The run has ended, so that nothing can be at work.
    """

    def __init__(self, run: Run, account: str, switch: KillSwitch, emit: Callable[[AnyEvent], None]) -> None:
        self._run, self._account, self._switch, self._emit = run, account, switch, emit
        self._arm, self._policy = run.arm, run.policy
        self._arm_by: Literal["run", "person"] = "run"
        self._policy_by: Literal["run", "person"] = "run"
        self._halted = False
        self._journal = Journal()
        self._halt = HaltProcedure(switch, account, flatten_by=run.policy.kill.flatten_by)
        self._rules = KillRuleWatch(run.policy.kill)
        self._protecting = Protecting(emit)
        self._clock_ns = self._market_ns = self._wall_ns = 0
        self._sick = ""
        self._asked = 0
        self._told_waiting = False
        self._is_past = False
        self._preview: OrderPreview | None = None
        self._course: Course | None = None
        self.is_over = False

    # Courses ---------------------------------------------------------------------------------------------

    def begin(self, course: Course) -> None:
        """Trade in the first course."""
        self._take_up(course)
        self._say_state(course.playhead.now + 1)

    def begin_again(self, course: Course, target: int) -> None:
        """Trade in a course that does again what was done up to `target`."""
        dropped = self._journal.cut(target)
        self._take_up(course)
        self._say_state(course.playhead.now + 1)
        self._tell_dropped(dropped)
        self._is_past = bool(self._journal.done) or self._differs
        self._set_watch()
        errands = [Errand(ts, partial(self._again, deed)) for ts, deed in self._journal.done]
        course.plan([*errands, Errand(target, self._arrive)])

    def leave_past(self) -> None:
        """Stop doing again what was done: the present begins here."""
        if self._is_past:
            self._now.forget_plan()
            self._tell_dropped(self._journal.cut(self._ts))
            self._arrive()

    def _tell_dropped(self, count: int) -> None:
        if count:
            what = "One order or change" if count == 1 else f"{count:,} orders and changes"
            self._log(f"{what} by hand after that time {'is' if count == 1 else 'are'} dropped.")

    def _take_up(self, course: Course) -> None:
        self._course, self.is_over = course, False
        self._sick = ""
        self._asked = 0
        self._protecting.restart()
        self._follower = StopFollower(course.instrument, course.history)
        self._market_ns = course.playhead.now
        self._set_watch()

    def _arrive(self) -> None:
        """From now on things are as they are at present."""
        self._is_past = False
        gate = self._now.gate
        for differs, deed in (
            (gate.policy != self._policy, SetPolicy(self._policy)),
            (gate.arm != self._arm, SetArmState(state=self._arm)),
            (gate.halted != self._halted, Halt(self._halted)),
        ):
            if differs:
                self._do(deed)
        self._set_watch()

    @property
    def _differs(self) -> bool:
        return self._policy != self._run.policy or self._arm != self._run.arm or self._halted

    @property
    def _now(self) -> Course:
        assert self._course is not None  # noqa: S101 - the session begins with one
        return self._course

    @property
    def _ts(self) -> int:
        return self._now.playhead.now

    # Commands --------------------------------------------------------------------------------------------

    def order(self, command: HandCommand | SetStop) -> None:
        """Carry out what a person asks of orders and positions."""
        if isinstance(command, Submit) and self._journal.knows(command.request):
            return
        self._do(command)

    def arm(self, command: SetArmState) -> None:
        """Let a person's orders pass, or not."""
        if command.state == "live":
            raise UserError("A replay cannot be armed Live; open a live session for that.")
        self._arm, self._arm_by = command.state, "person"
        if not self._is_past:
            self._do(SetArmState(state=command.state))
        self._emit(ArmStateChanged(ts=self._ts, state=self._arm, by="person"))

    def set_policy(self, policy: RiskPolicy) -> None:
        """Put limits in force; raises `UserError` where one is none."""
        before = self._now.gate.policy
        self._now.gate.set_policy(policy)
        if self._is_past:
            self._now.gate.set_policy(before)
        else:
            self._do(SetPolicy(policy))
        self._policy, self._policy_by = policy, "person"
        self._rules.rules = policy.kill
        self._halt.flatten_by = policy.kill.flatten_by
        self._emit(PolicyChanged(ts=self._ts, policy=policy, by="person"))
        self._set_watch()

    def rearm(self, confirmation: str) -> None:
        """Let orders pass again after a halt; raises `UserError` where that cannot be."""
        changed = self._halt.rearm(confirmation, self._clock_ns)
        self._halted = False
        if not self._is_past:
            self._do(Halt(halted=False))
        self._emit(msgspec.structs.replace(changed, ts=self._ts))
        self._set_watch()

    def ask(self, question: Preview) -> None:
        """Say what a request would come to, in the next picture."""
        course = self._now
        self._preview = preview(
            question,
            self._run,
            course.instrument,
            course.gate,
            touch=course.touch(course.instrument.id),
            equity=course.equity,
            held=course.held,
            now_ns=self._ts,
        )

    # Doing -----------------------------------------------------------------------------------------------

    def _do(self, deed: Deed) -> None:
        """Do something now, and keep it for the next course; kept also where it was refused on the way."""
        self._journal.note(self._ts, deed)
        self._carry_out(deed)

    def _again(self, deed: Deed) -> None:
        with suppress(UserError):  # it was told when it was done
            self._carry_out(deed)
        self._set_watch()

    def _carry_out(self, deed: Deed) -> None:
        gate = self._now.gate
        match deed:
            case SetArmState(state=state):
                gate.arm = state
            case SetPolicy(policy):
                gate.set_policy(policy)
            case Halt(halted):
                gate.halted = halted
            case Close(holding, by):
                self._now.act(lambda desk: desk.close(holding, "limit" if by == "limit" else "market"))
            case SetStop():
                self._set_stop(deed)
            case _:
                command: HandCommand = deed
                self._now.act(lambda desk: desk.obey(command))

    def _set_stop(self, rule: SetStop) -> None:
        course, said = self._now, ""
        course.absorb()

        def begin(desk: Desk) -> None:
            nonlocal said
            said = self._follower.set(rule, desk, self._ts)

        course.act(begin)
        self._log(said)
        self._set_watch()

    # The kill switch --------------------------------------------------------------------------------------

    def note(self, event: AnyEvent) -> None:
        """Take an event of the course."""
        if isinstance(event, ArmingChanged):
            self._sick = event.reason if event.by == "rule" else ""

    @property
    def is_fired(self) -> bool:
        """Whether the kill switch was fired and nothing was done about it yet."""
        return self._switch.pending is not None and self._halt.step_now is HaltStep.NONE

    def moved(self) -> None:
        """Look at what a turn of the session brought, and go on with a halt; cheap where nothing happened."""
        if self._is_past:
            return
        asked = self._now.gauge.asked
        if asked != self._asked:
            self._asked = asked
            self._check_rules()
        if self.is_fired:
            self._step_halt()

    def go_on(self, seconds: float) -> bool:
        """Go on with a halt while market time stands; whether there is more to do."""
        if self._switch.pending is None:
            return False
        if self.is_fired:
            self.leave_past()
            self._wall_ns = time.monotonic_ns()
            self._step_halt()
            return True
        if self._halt.step_now is HaltStep.HALTED and not self._hands.positions():
            return False
        if self._hands.open_orders():
            self._tell_waiting()
            return False
        time.sleep(min(seconds, _REST_S))
        now = time.monotonic_ns()
        self._clock_ns += min(now - self._wall_ns, _LONGEST_REST_NS)
        self._wall_ns = now
        self._step_halt()
        return True

    def _look(self) -> int | None:
        """Look at losses, and go on with a halt: at fixed market times, however time is cut.

        Losses and the protection from them are of the run, and so of the past that is run again, too.
        """
        course, every_ns = self._now, self._every_ns
        course.gate.mark()
        desk = course.desk
        is_flat = not desk.positions() and not desk.open_orders()
        if self._protecting.look(course.gate, self._ts, is_flat=is_flat):
            course.act(lambda desk: desk.flatten())
        if every_ns is not None:
            self._follow_bars((self._ts // every_ns + 1) * every_ns)
        if not self._is_past:
            self._check_rules()
            if self._switch.pending is not None:
                self._step_halt()
        return self._every_ns

    def _follow_bars(self, ended_ns: int) -> None:
        """Have the stop moved by the bars that are complete, as nothing more happens before this time."""
        if self._follower.is_due(ended_ns):
            self._now.absorb()
            self._now.act(lambda desk: self._follower.follow(desk, ended_ns))

    @property
    def _every_ns(self) -> int | None:
        if not self._is_past and self._halt.step_now not in (HaltStep.NONE, HaltStep.HALTED):
            return _HALTING_NS
        if watches_losses(self._now.gate.policy) or self._halt.step_now is HaltStep.HALTED:
            return _LOOK_NS
        model = None if self._run.inference is None else _MODEL_NS
        return min((each for each in (model, self._follower.interval_ns) if each is not None), default=None)

    def _set_watch(self) -> None:
        self._now.watch(self._look, self._every_ns)

    def _check_rules(self) -> None:
        gate = self._now.gate
        facts = KillFacts(
            loss_broken=gate.loss_broken(),
            wanted_in_second=self._now.gauge.take(),
            holds=bool(self._now.desk.positions()),
            sick_model=self._sick,
        )
        if reason := self._rules.check(facts):
            self._switch.fire(reason, "rule")

    def _step_halt(self) -> None:
        self._clock_ns += max(0, self._ts - self._market_ns)
        self._market_ns = self._ts
        if not self._halted:
            self._halted = True
            self._do(Halt(halted=True))
        for changed in self._halt.step(self._clock_ns, self._hands):
            self._told_waiting = False
            text = self._said_of_an_end(changed.step) or changed.text
            self._emit(msgspec.structs.replace(changed, ts=self._ts, text=text))
        self._set_watch()

    def _said_of_an_end(self, step: HaltStep) -> str:
        """What is true of a halt after the end, when nothing can be closed; empty where nothing is held."""
        if not self.is_over or not self._now.desk.positions():
            return ""
        stays = "The replay has ended, and what it held at its end stays"
        if step is HaltStep.HALTED:
            return f"{stays}; seek back to close it. Halted; type {self._account} to re-arm."
        return f"{stays}."

    def _tell_waiting(self) -> None:
        if self._told_waiting:
            return
        self._told_waiting = True
        text = "The replay stands still, and orders reach the venue as its time passes; play on to flatten."
        fired = self._switch.pending
        assert fired is not None  # noqa: S101 - who calls
        self._emit(
            HaltChanged(ts=self._ts, step=self._halt.step_now, by=fired.by, reason=fired.reason, text=text)
        )

    @property
    def _hands(self) -> "_Hands":
        return _Hands(self)

    # What is told ----------------------------------------------------------------------------------------

    def control(self) -> Control:
        """Whether orders pass now."""
        return Control(
            mode="replay",
            arm=self._arm,
            account=self._account,
            halt=self._halt.step_now,
            stop=self._follower.said,
        )

    def risk(self) -> AccountRisk:
        """The account's risk now."""
        return self._now.gate.risk(mark=self._every_ns != _LOOK_NS)

    def take_preview(self) -> OrderPreview | None:
        """Answer to the newest question, once."""
        answer, self._preview = self._preview, None
        return answer

    def _say_state(self, ts: int) -> None:
        self._emit(ArmStateChanged(ts=ts, state=self._arm, by=self._arm_by))
        self._emit(PolicyChanged(ts=ts, policy=self._policy, by=self._policy_by))

    def _log(self, text: str) -> None:
        self._emit(Logged(ts=self._ts, level="info", source="session", text=text))


class _Hands:
    """What the halt does, done as a person does it: kept for the next course."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading

    @property
    def _desk(self) -> Desk | None:
        return None if self._trading.is_over else self._trading._now.desk  # noqa: SLF001 - one thing in two

    def cancel_all(self) -> None:
        if self.open_orders():
            self._trading._do(CancelAll())  # noqa: SLF001

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        self._trading._do(Close(holding, by))  # noqa: SLF001

    def open_orders(self) -> int:
        return 0 if self._desk is None else self._desk.open_orders()

    def positions(self) -> Sequence[Holding]:
        return [] if self._desk is None else self._desk.positions()
