"""Round numbers for the axes: which prices and times get a label, and how each is written."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from widgets.numbers import date_text, time_text

_DAY: Final = 86_400_000_000_000
_SECOND: Final = 1_000_000_000
_TIME_STEPS: Final = (
    *(unit * many for unit in (1, 1_000, 1_000_000) for many in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(many * _SECOND for many in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)),
    *(many * 3600 * _SECOND for many in (1, 2, 3, 6, 12)),
    *(many * _DAY for many in (1, 2, 7, 14, 28, 91, 364)),
)


@dataclass(frozen=True, slots=True)
class Label:
    """A place on an axis and its text; a strong one begins a day."""

    value: float
    text: str
    strong: bool = False


def price_step(tick: float, price_per_pixel: float, spacing: int) -> float:
    """Smallest 1, 2 or 5 times a power of ten of ticks that keeps labels `spacing` pixels apart."""
    ticks = price_per_pixel * spacing / tick
    if ticks <= 1:
        return tick
    decade = 10.0 ** np.floor(np.log10(ticks))
    return float(tick * decade * next(many for many in (1, 2, 5, 10) if many * decade >= ticks * 0.999))


def prices(low: float, high: float, step: float) -> list[float]:
    """Multiples of `step` from `low` to `high`."""
    return [number * step for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def time_step(scale_ns: int, spacing: int) -> int:
    """Smallest round length of time that keeps labels `spacing` pixels apart."""
    return next((step for step in _TIME_STEPS if step >= scale_ns * spacing), _TIME_STEPS[-1])


def second_digits(step_ns: int) -> int:
    """Digits of the second that tell multiples of a step apart."""
    for digits, unit in ((0, _SECOND), (3, 1_000_000), (6, 1_000)):
        if step_ns % unit == 0:
            return digits
    return 9


def times(left_ns: int, right_ns: int, step_ns: int) -> list[Label]:
    """Labels at multiples of `step_ns`; midnight is written as its date."""
    labels = []
    for ts in range(-(-left_ns // step_ns) * step_ns, right_ns, step_ns):
        if ts % _DAY == 0:
            labels.append(Label(ts, date_text(ts), strong=True))
        elif step_ns % (60 * _SECOND) == 0:
            labels.append(Label(ts, time_text(ts, 0)[:5]))
        else:
            labels.append(Label(ts, time_text(ts, second_digits(step_ns))))
    return labels
