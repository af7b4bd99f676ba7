"""Drawdown protection: trade smaller, then not at all, then hold nothing, as equity falls below its peak."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.errors import UserError

type Stage = Literal["normal", "scaled", "paused", "flat"]

_STAGES: Final[tuple[Stage, ...]] = ("normal", "scaled", "paused", "flat")


class DrawdownSteps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drawdowns in percent of the peak from which each stage holds; None leaves a stage out.

    Attributes
    ----------
    scale_pct : Decimal or None
        From here sizes shrink in a straight line, from all at `scale_pct` to `scale_floor` at the next stage.
    pause_pct : Decimal or None
        From here nothing is opened.
    flatten_pct : Decimal or None
        From here nothing is held.
    scale_floor : Decimal
        Smallest share of a size, 0 to 1.
    recovered : Decimal
        Share of a stage's drawdown below which it ends, so that a stage does not come and go with each tick.
    """

    scale_pct: Decimal | None = Decimal(5)
    pause_pct: Decimal | None = Decimal(10)
    flatten_pct: Decimal | None = Decimal(15)
    scale_floor: Decimal = Decimal("0.25")
    recovered: Decimal = Decimal("0.8")


class DrawdownGuard:
    """Follows one equity curve.

    Parameters
    ----------
    steps : DrawdownSteps

    Attributes
    ----------
    stage : str
        `normal`; `scaled`; `paused` (nothing is opened); `flat` (positions are to be closed), which only
        `restart` ends: whoever lost so much decides anew.
    share : Decimal
        What sizes are multiplied by, 0 to 1.

    Raises
    ------
    UserError
        A later stage would begin before an earlier one, or a share is none.
    """

    def __init__(self, steps: DrawdownSteps) -> None:
        set_ones = [pct for pct in (steps.scale_pct, steps.pause_pct, steps.flatten_pct) if pct is not None]
        if set_ones != sorted(set(set_ones)) or any(not 0 < pct <= 100 for pct in set_ones):
            raise UserError(
                "Drawdowns must grow from stage to stage, each above 0 and at most 100 %; reorder them."
            )
        if not 0 <= steps.scale_floor <= 1 or not 0 < steps.recovered <= 1:
            raise UserError("The smallest share and the recovery must lie between 0 and 1; correct them.")
        self._steps = steps
        self._peak: Decimal | None = None
        self.stage: Stage = "normal"
        self.share = Decimal(1)

    def mark(self, equity: Decimal) -> Stage:
        """Take the equity of now; the stage that holds from now on."""
        self._peak = equity if self._peak is None else max(self._peak, equity)
        fall = (self._peak - equity) * 100 / self._peak if self._peak > 0 else Decimal(100)
        reached = self._reached(fall)
        if _STAGES.index(reached) > _STAGES.index(self.stage) or self._is_over(fall):
            self.stage = reached
        self.share = self._share(fall)
        return self.stage

    def restart(self, equity: Decimal) -> None:
        """Begin anew with the equity of now as the peak."""
        self._peak, self.stage, self.share = equity, "normal", Decimal(1)

    def _begins(self, stage: Stage) -> Decimal | None:
        steps = self._steps
        return {
            "normal": Decimal(0),
            "scaled": steps.scale_pct,
            "paused": steps.pause_pct,
            "flat": steps.flatten_pct,
        }[stage]

    def _reached(self, fall: Decimal) -> Stage:
        found: Stage = "normal"
        for stage in _STAGES:
            begins = self._begins(stage)
            if begins is not None and fall >= begins:
                found = stage
        return found

    def _is_over(self, fall: Decimal) -> bool:
        begins = self._begins(self.stage)
        return self.stage != "flat" and begins is not None and fall < begins * self._steps.recovered

    def _share(self, fall: Decimal) -> Decimal:
        if self.stage in ("paused", "flat"):
            return Decimal(0)
        begins = self._steps.scale_pct
        if self.stage == "normal" or begins is None:
            return Decimal(1)
        end = self._steps.pause_pct or self._steps.flatten_pct or Decimal(100)
        floor = self._steps.scale_floor
        way = (
            min(Decimal(1), max(Decimal(0), (fall - begins) / (end - begins))) if end > begins else Decimal(1)
        )
        return 1 - way * (1 - floor)
