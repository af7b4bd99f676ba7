"""Drawdown protection: trade smaller, then not at all, then hold nothing, as equity falls below its peak."""

from decimal import Decimal
from typing import Final

from engine.messages.limits import Protection, Stage
from engine.risk.valuing import ONE, ZERO
from engine.risk.wording import plain

_STAGES: Final[tuple[Stage, ...]] = ("normal", "scaled", "paused", "flat")
_WON_BACK: Final = Decimal("0.8")
"""Share of a stage's drawdown below which it ends."""
_ALL: Final = Decimal(100)


class DrawdownGuard:
    """Follows one drawdown.

    Parameters
    ----------
    steps : Protection

    Attributes
    ----------
    stage : str
        `normal`; `scaled`; `paused` (nothing is opened); `flat` (positions are to be closed).
    share : Decimal
        What sizes are multiplied by, 0 to 1.
    fall : Decimal
        Below the peak, in percent of it, as of the last mark.
    """

    def __init__(self, steps: Protection) -> None:
        self._steps = steps
        self.restart()

    def restart(self) -> None:
        """Begin anew, at the peak."""
        self.stage: Stage = "normal"
        self.share, self.fall = ONE, ZERO

    def follow(self, steps: Protection) -> None:
        """Judge by these from now on; where they are others, also what only a decision ends."""
        if steps != self._steps:
            self._steps, self.stage = steps, "normal"
            self.mark(self.fall)

    def mark(self, fall: Decimal) -> Stage:
        """Take the drawdown of now, in percent of the peak; the stage that holds from now on."""
        self.fall = fall
        reached = self._reached(fall)
        if _STAGES.index(reached) > _STAGES.index(self.stage) or self._is_over(fall):
            self.stage = reached
        self.share = self._share(fall)
        return self.stage

    @property
    def begins(self) -> Decimal | None:
        """Drawdown from which the stage holds; None of `normal`."""
        steps = self._steps
        return {"scaled": steps.scale_at, "paused": steps.pause_at, "flat": steps.flatten_at}.get(self.stage)

    @property
    def said(self) -> str:
        """The stage in a sentence."""
        fall = f"Equity is {plain(round(self.fall, 2))} % below its peak"
        if self.begins is None:
            return f"{fall}; the drawdown protection holds nothing back."
        begins = f"{fall}; from {plain(self.begins)} % on"
        match self.stage:
            case "scaled":
                share = plain(round(self.share * _ALL, 1))
                return f"{begins} limits of size shrink, now to {share} %."
            case "paused":
                return f"{begins} nothing is opened."
            case _:
                return f"{begins} nothing is held, until the drawdown protection is set anew."

    def _reached(self, fall: Decimal) -> Stage:
        steps = self._steps
        found: Stage = "normal"
        for stage, begins in zip(
            _STAGES[1:], (steps.scale_at, steps.pause_at, steps.flatten_at), strict=True
        ):
            if begins is not None and fall >= begins:
                found = stage
        return found

    def _is_over(self, fall: Decimal) -> bool:
        begins = self.begins
        return self.stage != "flat" and begins is not None and fall < begins * _WON_BACK

    def _share(self, fall: Decimal) -> Decimal:
        if self.stage in ("paused", "flat"):
            return ZERO
        begins = self._steps.scale_at
        if self.stage == "normal" or begins is None:
            return ONE
        end = self._steps.pause_at or self._steps.flatten_at or _ALL
        way = ONE if end <= begins else min(ONE, max(ZERO, (fall - begins) / (end - begins)))
        return ONE - way * (ONE - self._steps.scale_to / _ALL)
