"""The first run of a model: in a process of its own, on golden inputs where there are any.

It proves that the model runs within its limits, answers in the shapes it declares with finite numbers, and
gives the outputs that its passport promises; and it measures what one prediction costs here.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ai.loading.inspection import Findings, Latency, Question, RefusedError
from ai.passport import Passport, verify
from ai.runtime.isolation import IsolatedModel, IsolationError
from ai.runtime.isolation_messages import Declared, Format

type Arrays = dict[str, npt.NDArray[Any]]

MAX_INPUT_NUMBERS = 16 << 20
MAX_OUTPUT_NUMBERS = 4 << 20
_SECONDS, _RUNS = 0.4, 2_000
_DTYPES = {"float64", "float32", "float16", "int64", "int32", "bool"}


def try_out(found: Findings, question: Question, kind: Format) -> None:
    """Open the file in a process of its own, run it where its inputs are known, and check its passport.

    Raises
    ------
    RefusedError
        It overran a limit, failed, gave no finite numbers, or is not what its passport says.
    """
    passport = found.passport
    if passport is not None and not question.probe:
        _check_ports(found, passport)
        _check_passport(found, passport, question, None)
        return
    told = passport.outputs if passport is not None else found.outputs
    names = tuple(each.name for each in told)
    # Weights run as an architecture of ours; only a passport can name it with all its sizes.
    architecture = (
        passport.architecture if passport is not None and kind in {"weights", "state_dict"} else None
    )
    try:
        with IsolatedModel(found.path, found.sha256, kind, question.limits, architecture, names) as model:
            _note_opened(found, model)
            if passport is not None:
                _check_ports(found, passport)
            runs = architecture is not None or kind not in {"weights", "state_dict"}
            outputs = _run(found, model, question) if runs and _are_known(found.inputs) else None
    except IsolationError as error:
        raise RefusedError(f"{error} It cannot be used.") from error
    if passport is not None:
        _check_passport(found, passport, question, outputs)


def _are_known(inputs: tuple[Declared, ...]) -> bool:
    """Tell whether inputs can be made: a script tells their names, but neither types nor shapes."""
    return bool(inputs) and all(port.dtype for port in inputs)


def _note_opened(found: Findings, model: IsolatedModel) -> None:
    opened = model.opened
    found.memory_bytes = opened.memory_bytes
    found.inputs = opened.inputs or found.inputs
    found.outputs = opened.outputs or found.outputs
    found.weights = opened.entries or found.weights


def _run(found: Findings, model: IsolatedModel, question: Question) -> Arrays | None:
    golden = found.passport.golden if found.passport is not None else None
    if golden is not None:
        inputs = {port.name: golden.inputs[port.name].array() for port in found.inputs}
    else:
        inputs = made_inputs(found.inputs, found.passport)
    outputs = _answers(model, inputs, found)
    if not _finite(outputs):
        if golden is not None:
            raise RefusedError("Its outputs for the golden inputs are not finite; it cannot be used.")
        if not _finite(_answers(model, made_inputs(found.inputs, found.passport, zeros=True), found)):
            raise RefusedError("Its outputs are not finite even for zeros; it cannot be used.")
        found.warnings.append("Some plain inputs (standard normal) give outputs that are not finite.")
    if question.measure:
        single = made_inputs(found.inputs, found.passport)
        durations = np.array(model.time(single, _SECONDS, _RUNS), np.float64) / 1e3
        if durations.size:
            p50, p99 = np.percentile(durations, [50, 99])
            found.latency_us = Latency(round(float(p50), 2), round(float(p99), 2))
    return outputs if golden is not None else None


def _answers(model: IsolatedModel, inputs: Arrays, found: Findings) -> Arrays:
    ran = model.run(inputs)
    found.memory_bytes = ran.memory_bytes if ran.memory_bytes is not None else found.memory_bytes
    outputs = {name: tensor.array() for name, tensor in ran.outputs.items()}
    if not found.outputs:
        found.outputs = tuple(Declared(name, y.dtype.name, y.shape) for name, y in outputs.items())
    for port in found.outputs:
        _check_answer(port, outputs[port.name])
    return outputs


def _check_answer(port: Declared, output: npt.NDArray[Any]) -> None:
    if output.size > MAX_OUTPUT_NUMBERS:
        raise RefusedError(f"Its output {port.name} has {output.size:,} numbers; no signal has so many.")
    if not _agree(port.shape, output.shape) and port.shape:
        raise RefusedError(
            f"Its output {port.name} came out as {list(output.shape)}, and it declares {list(port.shape)}."
        )


def _agree(declared: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(declared) == len(other) and all(
        one == two or isinstance(one, str) or isinstance(two, str)
        for one, two in zip(declared, other, strict=True)
    )


def _finite(outputs: Mapping[str, npt.NDArray[Any]]) -> bool:
    return all(np.isfinite(output).all() for output in outputs.values())


def made_inputs(ports: tuple[Declared, ...], passport: Passport | None, *, zeros: bool = False) -> Arrays:
    """Inputs of one prediction: standard normal, seeded; whole numbers and flags are zero.

    A free first size becomes 1, a free window the passport's, any other free size 1.

    Raises
    ------
    RefusedError
        A type that no feature has, or more numbers than a window ever holds.
    """
    rng = np.random.default_rng(7)
    inputs: Arrays = {}
    for port in ports:
        if port.dtype not in _DTYPES:
            raise RefusedError(f"Its input {port.name} takes {port.dtype}; features are numbers.")
        window = passport.window if passport is not None else 1
        shape = [
            size if isinstance(size, int) else window if at == 1 and len(port.shape) == 3 else 1
            for at, size in enumerate(port.shape)
        ]
        if any(size < 1 for size in shape) or math.prod(shape) > MAX_INPUT_NUMBERS:
            raise RefusedError(f"Its input {port.name} has shape {list(port.shape)}, which no window has.")
        floating = port.dtype.startswith("float") and not zeros
        numbers = rng.standard_normal(shape) if floating else np.zeros(shape)
        inputs[port.name] = numbers.astype(port.dtype)
    return inputs


# -- the passport against the file ------------------------------------------------------------------------


def _check_ports(found: Findings, passport: Passport) -> None:
    """Refuse a passport whose ports are not the file's; bare weights and scripts have only the passport's."""
    sides = (("input", passport.inputs, found.inputs), ("output", passport.outputs, found.outputs))
    for side, told, declared in sides:
        # A script's text tells names alone, and of outputs not even these; the passport names them by place.
        ports = {port.name: port for port in declared if port.dtype}
        if ports and set(ports) != {each.name for each in told}:
            raise RefusedError(
                f"The passport names the {side}s {', '.join(each.name for each in told)}, and the file has "
                f"{', '.join(ports)}; it is of another model."
            )
        for each in told:
            port = ports.get(each.name)
            if port is not None and not (
                port.dtype == each.dtype and _agree(port.shape or each.shape, each.shape)
            ):
                raise RefusedError(
                    f"The passport says that {side} {each.name} is {each.dtype} {list(each.shape)}, and the "
                    f"file that it is {port.dtype} {list(port.shape)}; it is of another model."
                )
    if not _are_known(found.inputs):
        found.inputs = tuple(Declared(each.name, each.dtype, each.shape) for each in passport.inputs)
    if not _are_known(found.outputs):
        found.outputs = tuple(Declared(each.name, each.dtype, each.shape) for each in passport.outputs)


def _check_passport(found: Findings, passport: Passport, question: Question, outputs: Arrays | None) -> None:
    found.checks += verify(
        passport,
        sha256=found.content_sha256,
        file_name=found.path.name,
        known_features=question.known_features() if question.known_features is not None else None,
        columns=question.columns,
        outputs=outputs,
    )
    failed = [check.told for check in found.checks if check.ok is False]
    if failed:
        raise RefusedError(" ".join(failed))
