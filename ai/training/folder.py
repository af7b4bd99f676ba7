"""Where a training run puts what it made, and how it is known there; looked at before the work begins."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from ai.features import FeatureSet
from ai.passport import PASSPORT_NAME, Ranges, parse
from ai.training.plan import Plan
from ai.training.stretches import Stretch, hashes
from engine.errors import UserError

MODEL_NAME: Final = "model.onnx"
RECORD_NAME: Final = "training.json"


class _KeptFeatures(msgspec.Struct, frozen=True):
    sha256: str


class _Kept(msgspec.Struct, frozen=True):
    """What the record of an earlier run says of what it was made of."""

    plan: Plan
    features: _KeptFeatures
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Origin:
    """What the passport says of where the model is from."""

    name: str
    instruments: tuple[str, ...]
    simulated: bool = False
    licence: str = ""


def check_out(out: Path, name: str) -> None:
    """Raise `UserError` where the result cannot be put: nowhere to write, or the place of another model."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file; name a folder.")
    _check_writable(out)
    beside = out / PASSPORT_NAME
    if not beside.is_file() and not (out / MODEL_NAME).exists():
        return
    try:
        kept = parse(beside.read_bytes()).name
    except (OSError, ValueError):
        kept = ""
    if kept != name:
        told = f" ({kept})" if kept else ""
        raise UserError(
            f"--out {out} holds another model{told}; choose another folder, or delete that model first."
        )


def check_rerun(
    out: Path, plan: Plan, features: FeatureSet, stretches: Sequence[Stretch] | None = None
) -> None:
    """Raise `UserError` where a model in `out` is not what this run would make again.

    Parameters
    ----------
    out : Path
        As `check_out` left it: empty, or with a model of this run's name.
    plan : Plan
    features : FeatureSet
    stretches : sequence of Stretch, optional
        What to train on, once it is read.
    """
    if not (out / MODEL_NAME).exists():
        return
    try:
        kept = msgspec.json.decode((out / RECORD_NAME).read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        other: str | None = "a record that cannot be read"
    else:
        other = _difference(kept, plan, features, stretches)
    if other:
        raise UserError(
            f"--out {out} holds a model of the same name with {other}; choose another folder, or delete that "
            "model first."
        )


def _difference(
    kept: "_Kept", plan: Plan, features: FeatureSet, stretches: Sequence[Stretch] | None
) -> str | None:
    for field in Plan.__struct_fields__:
        was, now = getattr(kept.plan, field), getattr(plan, field)
        if was != now:
            return f"other settings ({field.replace('_', ' ')} {was}, now {now})"
    if kept.features.sha256 != features.sha256:
        return "other features"
    if stretches is not None and kept.ranges.data_sha256 != hashes(stretches):
        return "other training data"
    return None


def _check_writable(out: Path) -> None:
    """Write into the folder, and take away again what had to be made for that."""
    made = [each for each in (out, *out.parents) if not os.path.lexists(each)]
    try:
        with draft_of(out):
            pass
    finally:
        for each in made:
            with suppress(OSError):  # it was not made, or another program put something into it
                each.rmdir()


@contextmanager
def draft_of(out: Path) -> Iterator[Path]:
    """Give a folder inside `out` to write into, gone afterwards with all that was not moved out of it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=out) as folder:
            yield Path(folder)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(f"--out {out} cannot be written ({why}); choose another folder.") from error
