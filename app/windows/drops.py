"""What was dropped on the window: models to be looked at, or data to be imported."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

MODEL_SUFFIXES: Final = frozenset(
    {
        *(".onnx", ".safetensors", ".pt", ".pth", ".pt2", ".ts", ".torchscript", ".jit", ".ckpt"),
        # Refused, each with its reason; as data they would only be unknown.
        *(".pkl", ".pickle", ".joblib", ".mar", ".h5", ".hdf5", ".keras", ".tflite", ".ort", ".so", ".dll"),
    }
)
_PASSPORT: Final = "model.json"


class Dropped(msgspec.Struct, frozen=True):
    """Files by what they are; a passport goes with its model."""

    models: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    passports: tuple[Path, ...] = ()


def sort_out(paths: Sequence[str]) -> Dropped:
    """Tell models from data by their names; a folder that holds a passport is its model's."""
    models: list[Path] = []
    data: list[Path] = []
    passports: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir() and (path / _PASSPORT).is_file():
            models += _models(path.iterdir())
        elif path.name == _PASSPORT:
            passports.append(path)
        elif path.suffix.lower() in MODEL_SUFFIXES:
            models.append(path)
        else:
            data.append(path)
    return Dropped(tuple(models), tuple(data), tuple(passports))


def _models(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() in MODEL_SUFFIXES)
