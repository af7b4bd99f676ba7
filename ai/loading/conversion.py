"""Turns TorchScript, torch.export archives and bare weights into ONNX with its passport, and proves it."""

from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np

from ai.loading.inspection import Inspection, Question
from ai.loading.mapping import FORMATS
from ai.loading.onnx_model import with_passport
from ai.loading.trial import made_inputs
from ai.passport import Passport
from ai.runtime.isolation import Arrays, IsolatedModel, IsolationError
from engine.errors import UserError

_BATCHES = (1, 3, 8)
_RTOL, _ATOL = 1e-4, 1e-5


class Converted(msgspec.Struct, frozen=True):
    """The written file, and the largest difference to the model that it was made of."""

    path: str
    max_abs_difference: float
    batches: tuple[int, ...]


def convert(found: Inspection, target: Path, question: Question) -> Converted:
    """Write an accepted model as ONNX with its passport.

    The new file is run beside the old one, at several batch sizes, before it gets its name.

    Raises
    ------
    UserError
        It is refused, is ONNX already, has no passport, cannot be expressed in ONNX, or came out different.
    """
    if not found.accepted:
        raise UserError(f"{found.path} is refused: {found.reason}")
    if found.format == "onnx":
        raise UserError(f"{found.path} is ONNX already; use it as it is.")
    if found.passport is None:
        raise UserError(
            f"{found.path} has no passport, so its inputs are not known; write model.json beside it first."
        )
    free = _with_free_batch(found.passport)
    draft = target.with_name(f".{target.name}.part")
    try:
        return _convert(found, free, draft, target, question)
    except IsolationError as error:
        raise UserError(f"{found.path} cannot be converted: {error}") from error
    except OSError as error:
        raise UserError(f"{target} cannot be written ({(error.strerror or str(error)).lower()}).") from error
    finally:
        draft.unlink(missing_ok=True)


def _convert(
    found: Inspection, passport: Passport, draft: Path, target: Path, question: Question
) -> Converted:
    names = tuple(each.name for each in passport.outputs)
    source = IsolatedModel(
        Path(found.path), found.sha256, FORMATS[found.format], question.limits, passport.architecture, names
    )
    with source:
        example = made_inputs(found.inputs, passport)
        model = source.export(example, names)
        digest = sha256(model).hexdigest()
        kept = msgspec.structs.replace(passport, sha256={target.name: digest}, architecture=None)
        whole = with_passport(model, kept.to_json())
        draft.write_bytes(whole)
        with IsolatedModel(draft, sha256(whole).hexdigest(), "onnx", question.limits) as made:
            worst = max(_compare(source, made, example, batch) for batch in _BATCHES)
    draft.replace(target)
    return Converted(str(target), worst, _BATCHES)


def _with_free_batch(passport: Passport) -> Passport:
    return msgspec.structs.replace(
        passport,
        inputs=tuple(msgspec.structs.replace(p, shape=("batch", *p.shape[1:])) for p in passport.inputs),
        outputs=tuple(msgspec.structs.replace(p, shape=("batch", *p.shape[1:])) for p in passport.outputs),
    )


def _compare(source: IsolatedModel, made: IsolatedModel, example: Arrays, batch: int) -> float:
    rng = np.random.default_rng(11)
    inputs: Arrays = {}
    for name, array in example.items():
        shape = (batch, *array.shape[1:])
        floating = np.issubdtype(array.dtype, np.floating)
        inputs[name] = (rng.standard_normal(shape) if floating else np.zeros(shape)).astype(array.dtype)
    right, answers = source.run(inputs).outputs, made.run(inputs).outputs
    worst = 0.0
    for name, tensor in right.items():
        one, two = tensor.array().astype(np.float64), answers[name].array().astype(np.float64)
        if one.shape != two.shape or not np.allclose(two, one, rtol=_RTOL, atol=_ATOL):
            raise UserError(
                f"The converted model answers differently ({name}, at batch {batch}), so it was not written; "
                "export it to ONNX where it was trained."
            )
        worst = max(worst, float(np.max(np.abs(one - two), initial=0.0)))
    return worst
