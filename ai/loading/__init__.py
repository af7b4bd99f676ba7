"""Loads a stranger's file only through the gate of its format, and says why where it refuses."""

from pathlib import Path

from ai.loading.gates import GATES
from ai.loading.inspection import (
    MAX_FILE_BYTES,
    Findings,
    Fit,
    Inspection,
    Latency,
    Question,
    RefusedError,
    UntrustedError,
)
from ai.loading.recognition import recognise
from ai.loading.refusals import REFUSALS
from engine.errors import UserError

__all__ = ["Fit", "Inspection", "Latency", "Question", "inspect"]


def inspect(path: Path, question: Question | None = None) -> Inspection:
    """Look at a model file: what it is, whether it may be loaded, what one prediction costs here.

    Nothing of the file runs in this process. What must run to be judged runs in a process of its own, under
    memory and time limits; code of its maker (TorchScript, torch.export) only where `question.trust` is
    this very file's sha256.

    Raises
    ------
    UserError
        The file cannot be read at all. A file that is refused is an `Inspection` with the reason.
    """
    question = question or Question()
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return _too_large(path, size)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({(error.strerror or str(error)).lower()}); choose another file."
        ) from error
    found = Findings.of(path, data)
    try:
        if not data:
            return found.result("This file is empty; bring it again.")
        found.format = recognise(data, path.suffix.lower())
        if found.format in REFUSALS:
            return found.result(REFUSALS[found.format])
        GATES[found.format](found, question)
    except RefusedError as error:
        found.needs_trust = isinstance(error, UntrustedError)
        return found.result(str(error))
    if found.passport is not None:
        from ai.inference.recipe import unfit  # noqa: PLC0415 - features, only where a passport names some

        found.unfit = unfit(found.passport)
    return found.result(None)


def _too_large(path: Path, size: int) -> Inspection:
    return Inspection(
        path=str(path),
        format="unknown",
        accepted=False,
        reason=f"It has {size >> 20:,} MB and may have {MAX_FILE_BYTES >> 20} MB; bring a smaller model.",
        sha256="",
        content_sha256="",
        size_bytes=size,
    )
