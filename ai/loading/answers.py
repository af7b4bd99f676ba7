"""What the answers of a stranger's model mean, told from one run and from what its user has said."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ai.features.windows import Window
from ai.loading.proposal import MisfitError, Wishes
from ai.passport import Label, Meaning
from ai.runtime.isolation import Arrays

CLASSES: Mapping[int, tuple[str, ...]] = {2: ("down", "up"), 3: ("down", "flat", "up")}
_HORIZON = 100
_MEANINGS = {
    "probabilities": "probabilities (none was below 0, and each row's sum was 1)",
    "logits": "logits, one per class (a softmax makes them probabilities)",
    "class": "the number of a class, counted from 0",
    "value": "one value, a return in basis points",
}


def prediction_of(answers: Arrays, wishes: Wishes, assumptions: list[str]) -> tuple[str, Meaning, int]:
    """Name, meaning and numbers per row of the output that is the prediction."""
    if wishes.output and wishes.output not in answers:
        raise MisfitError(f"It has no output {wishes.output}; it has {', '.join(answers)}.")
    guesses = {name: _meaning(array) for name, array in answers.items()}
    order = ("probabilities", "logits", "class", "value")
    name = wishes.output or min(guesses, key=lambda each: order.index(guesses[each]))
    if not wishes.output and len(answers) > 1:
        unused = ", ".join(each for each in answers if each != name)
        assumptions.append(f"Its output {name} is the prediction; {unused} is unused.")
    if wishes.meaning is None:
        assumptions.append(f"Its output {name} gives {_MEANINGS[guesses[name]]}.")
    return name, wishes.meaning or guesses[name], _per_row(answers[name])


def _per_row(array: npt.NDArray[Any]) -> int:
    return int(np.prod(array.shape[1:], dtype=np.int64)) if array.ndim > 1 else 1


def _meaning(array: npt.NDArray[Any]) -> Meaning:
    if not np.issubdtype(array.dtype, np.floating):
        return "class"
    if _per_row(array) == 1:
        return "value"
    rows = array.reshape(len(array), -1).astype(np.float64)
    is_share = bool(np.all(rows >= 0) and np.allclose(rows.sum(axis=1), 1.0, atol=1e-3))
    return "probabilities" if is_share else "logits"


def label_of(meaning: Meaning, numbers: int, clock: str, wishes: Wishes, assumptions: list[str]) -> Label:
    """Label of the prediction, with the horizon and the class names that were said or assumed."""
    classes: tuple[str, ...] = ()
    if meaning != "value":
        classes = _classes(meaning, numbers, wishes, assumptions)
    try:
        horizon = Window.parse(wishes.horizon or _HORIZON)
    except ValueError:
        raise MisfitError(f"The horizon {wishes.horizon!r} is neither rows (100) nor a time (10s).") from None
    if not wishes.horizon:
        assumptions.append(f"It looks {_HORIZON} rows of {clock} ahead.")
    return Label(
        kind="return_bps" if meaning == "value" else "direction",
        horizon=horizon.ns or horizon.rows,
        unit="ns" if horizon.ns else "bars" if clock == "bars" else "ticks",
        class_names=classes,
    )


def _classes(meaning: Meaning, numbers: int, wishes: Wishes, assumptions: list[str]) -> tuple[str, ...]:
    count = len(wishes.classes or CLASSES[3]) if meaning == "class" else numbers
    if wishes.classes:
        if len(wishes.classes) != count:
            raise MisfitError(
                f"It tells {count} classes and {len(wishes.classes)} are named; name each, in order."
            )
        return wishes.classes
    if count not in CLASSES:
        raise MisfitError(
            f"It tells {count} classes; name them in order (--classes), with down, flat and up among them."
        )
    # Users of the same public data set disagree on the order, so no convention can be called upon.
    assumptions.append(
        f"Its classes are {', '.join(CLASSES[count])}, in this order; were it the other way round, every "
        "signal would be, too."
    )
    return CLASSES[count]
