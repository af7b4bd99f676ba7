"""Limits of what may be lost: once one is broken, only what reduces passes.

Of a strategy or an instrument it is what that earned; a drawdown is then in percent of the account's money at
the start and the best that the part ever had earned.
"""

from abc import abstractmethod
from decimal import Decimal
from typing import override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.losses import LossTrack
from engine.risk.rule import Rule
from engine.risk.valuing import ZERO
from engine.risk.wording import plain


class LossRule(Rule):
    """A limit of a loss."""

    @abstractmethod
    def is_broken(self, track: LossTrack) -> bool:
        """Whether more is lost than may be."""

    @abstractmethod
    def lost(self, track: LossTrack) -> Decimal:
        """What is lost, in the limit's unit."""

    @abstractmethod
    def said(self, track: LossTrack) -> str:
        """Loss and limit in words, as the beginning of a sentence."""

    def broken(self) -> str:
        """Loss and limit in words where it is broken as of the last mark; empty where it is not."""
        track = self.state.losses.track(self.scope)
        return self.said(track) if self.is_broken(track) else ""

    @override
    def denial(self, case: Case) -> Denial | None:
        track = self.track(case)
        if track is None:
            return self.unknown(case)
        if not self.is_broken(track):
            return None
        return self.denied(f"{self.said(track)}; only what reduces passes.", self.lost(track))

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return max(ZERO, self.lost(self.state.losses.track(self.scope)))


class DayLoss(LossRule):
    """Loss since midnight UTC."""

    name = "day_loss"

    @override
    def is_broken(self, track: LossTrack) -> bool:
        return track.day_loss > self.limit

    @override
    def lost(self, track: LossTrack) -> Decimal:
        return track.day_loss

    @override
    def said(self, track: LossTrack) -> str:
        return (
            f"{self.money(track.day_loss)} were lost{self.scope.of} since midnight UTC, above the limit of "
            f"{self.money(self.limit)}"
        )


class SessionLoss(LossRule):
    """Loss since the session's start."""

    name = "session_loss"

    @override
    def is_broken(self, track: LossTrack) -> bool:
        return track.session_loss > self.limit

    @override
    def lost(self, track: LossTrack) -> Decimal:
        return track.session_loss

    @override
    def said(self, track: LossTrack) -> str:
        return (
            f"{self.money(track.session_loss)} were lost{self.scope.of} in this session, above the limit of "
            f"{self.money(self.limit)}"
        )


class Drawdown(LossRule):
    """Fall below the peak, in percent of it."""

    name = "drawdown"

    @override
    def is_broken(self, track: LossTrack) -> bool:
        fall = track.fall
        return fall > ZERO and fall * 100 > self.limit * (track.peak + track.base)

    @override
    def lost(self, track: LossTrack) -> Decimal:
        return round(track.fall_pct, 4)

    @override
    def said(self, track: LossTrack) -> str:
        return (
            f"The drawdown{self.scope.of} is {plain(round(self.lost(track), 2))} %, above the limit of "
            f"{plain(self.limit)} %"
        )
