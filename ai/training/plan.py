"""What a training run is asked to do: one frozen record, kept in `training.json` beside the model."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from ai.features.windows import Window
from engine.errors import UserError


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run; with equal data and an equal plan the weights are equal.

    Attributes
    ----------
    window, stride : int
        Rows that one prediction sees, and rows between two predictions.
    hidden, layers : int
        Width and number of hidden layers.
    task : {"classification", "regression"}
        Tell the direction (down, flat, up), or the move itself in basis points.
    horizon : str
        How far ahead the label looks: rows (`100`) or a time (`10s`).
    threshold : float or None
        Move in basis points up to which the price counts as flat; None chooses it on the training part.
    embargo : str or None
        Rows or time left out after each part; None is as far as the inputs look back.
    epochs, patience : int
        Most epochs, and how many in a row may bring nothing before the training stops.
    epoch_windows : int
        Most windows of one epoch; a larger training part is drawn from anew in each.
    validated : int
        Most windows that an epoch is judged by, evenly spaced.
    threads : int
        Threads of the processor; part of the plan, since sums round otherwise with more of them.
    """

    name: str = ""
    architecture: Literal["mlp", "lstm"]
    task: Literal["classification", "regression"] = "classification"
    window: int = 1
    stride: int = 1
    hidden: int = 32
    layers: int = 2
    horizon: str = "10"
    threshold: float | None = None
    embargo: str | None = None
    shares: tuple[float, float] = (0.7, 0.15)
    epochs: int = 40
    patience: int = 5
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    epoch_windows: int = 50_000
    validated: int = 20_000
    seed: int = 1
    threads: int = 1

    @property
    def look_ahead(self) -> Window:
        """`horizon`, read."""
        return span(self.horizon, "--horizon")

    def check(self) -> None:
        """Raise `UserError` for the first value that cannot be worked with."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(
                    f"--{name.replace('_', '-')} {value:,} is out of range; choose {low:,} to {high:,}."
                )
        if self.threshold is not None and not 0 <= self.threshold < 10_000:
            raise UserError(
                f"--threshold {self.threshold:g} is no move in basis points; give 0 to 10,000 or auto."
            )
        _ = self.look_ahead
        if self.embargo is not None:
            span(self.embargo, "--embargo")


PLANS: Final[Mapping[str, Plan]] = {
    "mlp": Plan(architecture="mlp"),
    "lstm": Plan(
        architecture="lstm", window=50, hidden=64, layers=1, learning_rate=5e-4, epoch_windows=20_000
    ),
}
"""Plan of each architecture that trains in minutes on two cores."""

_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "window": (1, 10_000),
    "stride": (1, 1_000_000),
    "hidden": (1, 4_096),
    "epochs": (1, 100_000),
    "batch": (1, 65_536),
    "epoch_windows": (1, 1_000_000_000),
    "seed": (0, 2**32 - 1),
}


def span(text: str, option: str) -> Window:
    """Rows or time that an option was given; raises `UserError` for anything else."""
    try:
        return Window.parse(text)
    except ValueError:
        raise UserError(
            f"{option} {text!r} is neither rows nor a time; write for example 100 or 10s."
        ) from None
