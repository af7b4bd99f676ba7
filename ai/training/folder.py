"""Where a training run puts what it made, and how it is known there; looked at before the work begins."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ai.passport import PASSPORT_NAME, parse
from engine.errors import UserError

MODEL_NAME: Final = "model.onnx"
RECORD_NAME: Final = "training.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the passport says of where the model is from."""

    name: str
    instruments: tuple[str, ...]
    simulated: bool = False
    licence: str = ""


def check_out(out: Path, name: str) -> None:
    """Raise `UserError` where the result could not be put: no folder, or the place of another model."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file; name a folder.")
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
