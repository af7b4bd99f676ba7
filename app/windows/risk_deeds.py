"""What the actions do with limits: show them, and put others in force at once and for what is opened next."""

from app.policies import Policies
from app.windows.replay_deeds import ReplayDeeds
from engine.errors import UserError
from engine.messages.limits import RiskPolicy
from engine.messages.orders import HAND


class RiskDeeds(ReplayDeeds):
    """Deeds of one window with limits."""

    def edit_limits(self) -> None:
        """Show the limits in force, to be changed."""
        from app.windows.limits_dialog import LimitsDialog  # noqa: PLC0415 - with the first

        state = None if self._session is None else self._session.state
        try:
            in_force = None if state is None else state.policy
            policy = in_force or self._began_with()
        except UserError as error:
            self._warn(str(error))
            return
        traders = {HAND} if state is None else {HAND, *(o.strategy for o in state.orders.orders.values())}
        risk = None if state is None else state.account_risk
        dialog = LimitsDialog(
            policy,
            "" if risk is None else risk.currency,
            sorted(traders),
            [] if state is None else list(state.markets),
            self._window,
            of_replay=self._is_replay,
        )

        def apply(policy: RiskPolicy) -> None:
            in_force = self.put_in_force(policy)
            if in_force is not None:
                dialog.show_policy(in_force)

        dialog.applied.connect(apply)
        # They are of this session: in another one they would take the place of its own.
        self._station.session_changed.connect(dialog.close)
        dialog.show()

    def put_in_force(self, policy: RiskPolicy) -> RiskPolicy | None:
        """Hold the session to these limits from now on, and keep them as the newest version.

        Answers what is in force then; None where it could not be kept, which is told.

        A replay began with its own limits, not the person's: what it is given is kept for it alone, or an
        edit of one of them would take away all that paper and live are under.
        """
        if self._is_replay and self._session is not None:
            self._session.set_policy(policy)
            return policy
        try:
            kept = Policies().save(policy)
        except UserError as error:
            self._warn(str(error))
            return None
        if self._session is not None:
            self._session.set_policy(kept)
        return kept

    def _began_with(self) -> RiskPolicy:
        if self._is_replay and self._session is not None:
            return self._session.run.policy
        return Policies().current().policy

    @property
    def _is_replay(self) -> bool:
        return self._session is not None and self._session.run.mode == "replay"
