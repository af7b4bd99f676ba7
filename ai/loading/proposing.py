"""Guesses what a stranger's model reads and tells, so that its user confirms instead of writing it all down.

A file tells shapes and types of its inputs and outputs, and one run tells what kind of numbers come out. The
rest is a guess, such as the order of its classes: it is written down as an assumption, which only the person
who knows the model can confirm. What does not fit is told with the next step.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from ai.features import FeatureSet
from ai.loading.answers import label_of, prediction_of
from ai.loading.inspection import Inspection, RefusedError
from ai.loading.mapping import FORMATS, Mapped
from ai.loading.proposal import MisfitError, Proposal, Wishes
from ai.loading.trial import made_inputs
from ai.passport import FeatureUse
from ai.runtime.isolation import Arrays, IsolatedModel, IsolationError
from ai.runtime.isolation_messages import Declared

__all__ = ["Proposal", "Wishes", "propose", "sample_answers"]

_FREE_WINDOW = 50


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
    except MisfitError as misfit:
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
        raise MisfitError(f"It is refused: {found.reason}")
    if found.passport is not None:
        raise MisfitError("It has a passport already, which says what it reads.")
    if found.weights:
        raise MisfitError(
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
            raise MisfitError(f"It did not run for the mapping: {error}") from error
    output, meaning, names = prediction_of(answers, wishes, assumptions)
    label = label_of(meaning, names, features.clock, wishes, assumptions)
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
            raise MisfitError(
                f"There is no feature set {wishes.features!r}; 'nexttick features list' names all."
            )
        chosen = known[wishes.features]
        if wishes.features not in fitting:
            raise MisfitError(
                f"Feature set {chosen.name} gives {len(chosen.outputs)} columns and the model takes {width} "
                "per row; write a set of its own columns as TOML (see 'nexttick features list')."
            )
        return chosen
    if width is None:
        raise MisfitError(
            "The file does not tell how many columns it takes; choose the feature set that feeds it."
        )
    if not fitting:
        counts = ", ".join(f"{name} {len(each.outputs)}" for name, each in known.items())
        raise MisfitError(
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
            raise MisfitError("It does not tell the shapes of its several inputs; export it to ONNX instead.")
        rows = (wishes.window,) if wishes.window is not None and wishes.window > 1 else ()
        return (Declared(inputs[0].name, "float32", ("batch", *rows, len(features.outputs))),)
    for port in inputs:
        if len(port.shape) not in {2, 3}:
            raise MisfitError(
                f"Its input {port.name} has the shape {list(port.shape)}; export the model with an input "
                "[batch, columns] or [batch, window, columns]."
            )
        if not port.dtype.startswith("float"):
            raise MisfitError(
                f"Its input {port.name} takes {port.dtype}, and features have decimals; export the model "
                "with float32 inputs."
            )
    if any(isinstance(port.shape[-1], str) for port in inputs):
        if len(inputs) > 1:
            raise MisfitError("Its several inputs do not tell their columns; export it with fixed columns.")
        last = (*inputs[0].shape[:-1], len(features.outputs))
        return (Declared(inputs[0].name, inputs[0].dtype, last),)
    return inputs


def _window(ports: Sequence[Declared], wishes: Wishes, assumptions: list[str]) -> int:
    told = {port.shape[1] if len(port.shape) == 3 else 1 for port in ports}
    fixed = {size for size in told if isinstance(size, int)}
    if len(fixed) > 1:
        raise MisfitError(
            f"Its inputs take windows of {' and '.join(map(str, sorted(fixed)))} rows; export the model with "
            "one window for all."
        )
    if fixed:
        (window,) = fixed
        if wishes.window not in {None, window}:
            raise MisfitError(f"Its window is {window} rows by its shape, not {wishes.window}; leave it out.")
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
