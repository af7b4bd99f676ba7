"""Guesses what a stranger's model reads and tells, so that its user confirms instead of writing it all down.

A file tells shapes and types of its inputs and outputs, and one run tells what kind of numbers come out. The
rest is a guess, such as the order of its classes: it is written down as an assumption, which only the person
who knows the model can confirm. What does not fit is told with the next step.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ai.features import FeatureSet
from ai.features.windows import Window
from ai.loading.inspection import Inspection, RefusedError
from ai.loading.mapping import FORMATS, Mapped
from ai.loading.trial import made_inputs
from ai.passport import FeatureUse, Label, Meaning
from ai.runtime.isolation import Arrays, IsolatedModel, IsolationError
from ai.runtime.isolation_messages import Declared

CLASSES: Mapping[int, tuple[str, ...]] = {2: ("down", "up"), 3: ("down", "flat", "up")}
_FREE_WINDOW = 50
_HORIZON = 100
_MEANINGS = {
    "probabilities": "probabilities (none was below 0, and each row's sum was 1)",
    "logits": "logits, one per class (a softmax makes them probabilities)",
    "class": "the number of a class, counted from 0",
    "value": "one value, a predicted return",
}


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the user has said already; the rest is guessed.

    Attributes
    ----------
    features : str
        Name of the feature set.
    output : str
        Name of the output that is the prediction.
    horizon : str
        How far ahead the model looks: rows of its clock (`100`) or a time (`10s`).
    """

    features: str = ""
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A guess at the whole mapping, for the user to confirm.

    Attributes
    ----------
    mapped : Mapped or None
        None where nothing fits.
    features : str
        Name of the proposed feature set.
    fitting : tuple of str
        Names of all sets that would fit.
    assumptions : tuple of str
        What the file does not tell and was guessed; one sentence each.
    reasons : tuple of str
        Why nothing fits, each with the next step; empty where `mapped` is given.
    """

    mapped: Mapped | None = None
    features: str = ""
    fitting: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class _Misfit(Exception):  # noqa: N818 - an answer, not a failure
    """The file cannot be mapped; the text is the reason with the next step."""


def propose(
    found: Inspection,
    sets: Iterable[FeatureSet],
    wishes: Wishes | None = None,
    answers: Arrays | None = None,
) -> Proposal:
    """Propose the mapping of an accepted file that has no passport.

    Parameters
    ----------
    found : Inspection
    sets : iterable of FeatureSet
        All that may feed it.
    wishes : Wishes, optional
    answers : dict, optional
        What `sample_answers` gave earlier; without it the model is run once, in a process of its own.
    """
    wishes = wishes or Wishes()
    known = {each.name: each for each in sets}
    try:
        return _proposed(found, known, wishes, answers)
    except _Misfit as misfit:
        return Proposal(fitting=_fitting(found.inputs, known), reasons=(str(misfit),))


def sample_answers(found: Inspection, ports: Sequence[Declared], window: int) -> Arrays:
    """Outputs of the model for one made input, from a process of its own.

    Raises
    ------
    IsolationError
        It did not run.
    """
    names = tuple(port.name for port in found.outputs if port.name)
    inputs = made_inputs(tuple(_with_window(port, window) for port in ports), None)
    with IsolatedModel(Path(found.path), found.sha256, FORMATS[found.format], None, None, names) as model:
        return {name: tensor.array() for name, tensor in model.run(inputs).outputs.items()}


def _with_window(port: Declared, window: int) -> Declared:
    sizes = [window if at == 1 and isinstance(size, str) else size for at, size in enumerate(port.shape)]
    return Declared(port.name, port.dtype, tuple(sizes) if len(port.shape) == 3 else port.shape)


def _proposed(
    found: Inspection, known: Mapping[str, FeatureSet], wishes: Wishes, answers: Arrays | None
) -> Proposal:
    if not found.accepted:
        raise _Misfit(f"It is refused: {found.reason}")
    if found.passport is not None:
        raise _Misfit("It has a passport already, which says what it reads.")
    if found.weights:
        raise _Misfit(
            "Weights alone do not tell how they are wired, so a mapping could be wrong unseen; export the "
            "model to ONNX instead."
        )
    assumptions: list[str] = []
    features = _chosen(found.inputs, known, wishes, assumptions)
    ports = _ports(found.inputs, features, wishes)
    window = _window(ports, wishes, assumptions)
    if answers is None:
        try:
            answers = sample_answers(found, ports, window)
        except (IsolationError, RefusedError) as error:
            raise _Misfit(f"It did not run for the mapping: {error}") from error
    output, meaning, names = _told(answers, wishes, assumptions)
    label = _label(meaning, names, features.clock, wishes, assumptions)
    mapped = Mapped(
        name=Path(found.path).stem,
        features=tuple(msgspec.convert(entry.facts(), FeatureUse) for entry in features),
        columns=_columns(ports, features.outputs),
        meanings={output: meaning},
        clock=features.clock,
        bars=features.bars if any(line.stream == "bars" for line in features.lines) else "",
        feature_set_sha256=features.sha256,
        window=window,
        label=label,
        ports=ports if ports != found.inputs else (),
    )
    return Proposal(
        mapped=mapped,
        features=features.name,
        fitting=_fitting(found.inputs, known),
        assumptions=tuple(assumptions),
    )


# -- inputs -----------------------------------------------------------------------------------------------


def _width(inputs: Sequence[Declared]) -> int | None:
    """Numbers per row that all inputs take together; None where the file does not tell."""
    sizes = [port.shape[-1] if port.shape else "" for port in inputs]
    return sum(int(size) for size in sizes) if sizes and all(isinstance(s, int) for s in sizes) else None


def _fitting(inputs: Sequence[Declared], known: Mapping[str, FeatureSet]) -> tuple[str, ...]:
    width = _width(inputs)
    return tuple(name for name, each in known.items() if width in {None, len(each.outputs)})


def _chosen(
    inputs: Sequence[Declared], known: Mapping[str, FeatureSet], wishes: Wishes, assumptions: list[str]
) -> FeatureSet:
    width, fitting = _width(inputs), _fitting(inputs, known)
    if wishes.features:
        if wishes.features not in known:
            raise _Misfit(f"There is no feature set {wishes.features!r}; 'nexttick features list' names all.")
        chosen = known[wishes.features]
        if wishes.features not in fitting:
            raise _Misfit(
                f"Feature set {chosen.name} gives {len(chosen.outputs)} columns and the model takes {width} "
                "per row; write a set of its own columns as TOML (see 'nexttick features list')."
            )
        return chosen
    if width is None:
        raise _Misfit(
            "The file does not tell how many columns it takes; say which feature set feeds it (--set NAME; "
            "'nexttick features list' names all)."
        )
    if not fitting:
        counts = ", ".join(f"{name} {len(each.outputs)}" for name, each in known.items())
        raise _Misfit(
            f"It takes {width} numbers per row, and no feature set gives so many ({counts}); write a set of "
            "its columns as TOML (see 'nexttick features list'), or, where they are a flattened window, "
            "export the model with an input [batch, window, columns]."
        )
    others = f"; {', '.join(fitting[1:])} would fit, too" if len(fitting) > 1 else ""
    assumptions.append(
        f"Its {width} columns are those of the feature set {fitting[0]}, in its order{others}."
    )
    return known[fitting[0]]


def _ports(inputs: tuple[Declared, ...], features: FeatureSet, wishes: Wishes) -> tuple[Declared, ...]:
    """Inputs with types and shapes; a script's own text tells neither."""
    if inputs and not any(port.dtype for port in inputs):
        if len(inputs) > 1:
            raise _Misfit("It does not tell the shapes of its several inputs; export it to ONNX instead.")
        rows = (wishes.window,) if wishes.window is not None and wishes.window > 1 else ()
        return (Declared(inputs[0].name, "float32", ("batch", *rows, len(features.outputs))),)
    for port in inputs:
        if len(port.shape) not in {2, 3}:
            raise _Misfit(
                f"Its input {port.name} has the shape {list(port.shape)}; export the model with an input "
                "[batch, columns] or [batch, window, columns]."
            )
        if not port.dtype.startswith("float"):
            raise _Misfit(
                f"Its input {port.name} takes {port.dtype}, and features have decimals; export the model "
                "with float32 inputs."
            )
    if any(isinstance(port.shape[-1], str) for port in inputs):
        if len(inputs) > 1:
            raise _Misfit("Its several inputs do not tell their columns; export it with fixed columns.")
        last = (*inputs[0].shape[:-1], len(features.outputs))
        return (Declared(inputs[0].name, inputs[0].dtype, last),)
    return inputs


def _window(ports: Sequence[Declared], wishes: Wishes, assumptions: list[str]) -> int:
    told = {port.shape[1] if len(port.shape) == 3 else 1 for port in ports}
    fixed = {size for size in told if isinstance(size, int)}
    if len(fixed) > 1:
        raise _Misfit(
            f"Its inputs take windows of {' and '.join(map(str, sorted(fixed)))} rows; export the model with "
            "one window for all."
        )
    if fixed:
        (window,) = fixed
        if wishes.window not in {None, window}:
            raise _Misfit(f"Its window is {window} rows by its shape, not {wishes.window}; leave it out.")
        return window
    if wishes.window is None:
        assumptions.append(f"Its window is free and taken as {_FREE_WINDOW} rows.")
    return wishes.window or _FREE_WINDOW


def _columns(ports: Sequence[Declared], columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    taken: dict[str, tuple[str, ...]] = {}
    at = 0
    for port in ports:
        count = int(port.shape[-1])
        taken[port.name] = tuple(columns[at : at + count])
        at += count
    return taken


# -- outputs ----------------------------------------------------------------------------------------------


def _told(answers: Arrays, wishes: Wishes, assumptions: list[str]) -> tuple[str, Meaning, int]:
    """Name, meaning and numbers per row of the output that is the prediction."""
    if wishes.output and wishes.output not in answers:
        raise _Misfit(f"It has no output {wishes.output}; it has {', '.join(answers)}.")
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


def _label(meaning: Meaning, numbers: int, clock: str, wishes: Wishes, assumptions: list[str]) -> Label:
    classes: tuple[str, ...] = ()
    if meaning != "value":
        classes = _classes(meaning, numbers, wishes, assumptions)
    try:
        horizon = Window.parse(wishes.horizon or _HORIZON)
    except ValueError:
        raise _Misfit(f"The horizon {wishes.horizon!r} is neither rows (100) nor a time (10s).") from None
    if not wishes.horizon:
        assumptions.append(f"It looks {_HORIZON} rows of {clock} ahead.")
    return Label(
        kind="return" if meaning == "value" else "direction",
        horizon=horizon.ns or horizon.rows,
        unit="ns" if horizon.ns else "bars" if clock == "bars" else "ticks",
        class_names=classes,
    )


def _classes(meaning: Meaning, numbers: int, wishes: Wishes, assumptions: list[str]) -> tuple[str, ...]:
    count = len(wishes.classes or CLASSES[3]) if meaning == "class" else numbers
    if wishes.classes:
        if len(wishes.classes) != count:
            raise _Misfit(
                f"It tells {count} classes and {len(wishes.classes)} are named; name each, in order."
            )
        return wishes.classes
    if count not in CLASSES:
        raise _Misfit(
            f"It tells {count} classes; name them in order (--classes), with down, flat and up among them."
        )
    # Users of the same public data set disagree on the order, so no convention can be called upon.
    assumptions.append(
        f"Its classes are {', '.join(CLASSES[count])}, in this order; were it the other way round, every "
        "signal would be, too."
    )
    return CLASSES[count]
