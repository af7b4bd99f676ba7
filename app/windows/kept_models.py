"""The models that a person can open without a file at hand: those that were kept, and those that ship."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from app.paths import RESOURCES, home
from app.windows.drops import MODEL_SUFFIXES
from widgets.model.shelf import KeptModel

SHIPPED: Final = RESOURCES / "models"
_PASSPORT: Final = "model.json"
_PROGRAMS: Final = ("torchscript", "pt2")
_HEADLINES: Final = ("balanced_accuracy", "accuracy", "ic", "r2")


class _Facts(msgspec.Struct, frozen=True):
    """What a list shows of a passport; its golden tensors are passed over."""

    name: str = ""
    task: str = ""
    metrics: dict[str, float] = {}
    simulated: bool = False


def kept_models() -> list[KeptModel]:
    """All of them, those that came with the station first, then the oldest; `id` is the file's path."""
    return [*_shipped(), *_registered()]


def models_to_choose() -> list[KeptModel]:
    """Those that a run can be given without a question."""
    return [model for model in kept_models() if model.can_be_chosen]


def name_of(file: str) -> str:
    """What a model is called, by the passport beside its file; else its file's name."""
    path = Path(file)
    return _facts(path.with_name(_PASSPORT)).name or path.stem


def _shipped() -> Iterator[KeptModel]:
    for passport in sorted(SHIPPED.glob(f"*/{_PASSPORT}")):
        facts = _facts(passport)
        for path in sorted(passport.parent.iterdir()):
            if path.suffix.lower() in MODEL_SUFFIXES:
                yield KeptModel(
                    id=str(path),
                    sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                    name=facts.name or path.stem,
                    version=1,
                    format=path.suffix.removeprefix("."),
                    task=facts.task,
                    metric=_headline(facts.metrics),
                    notes=f"comes with the station{'; trained on simulated data' if facts.simulated else ''}",
                )


def _registered() -> Iterator[KeptModel]:
    if not (home() / "models").is_dir():
        return
    from ai.registry import Registry  # noqa: PLC0415 - loads what knows models
    from app.model_messages import MEASURED  # noqa: PLC0415

    registry = Registry(home() / "models")
    for entry in sorted(registry.entries(), key=lambda entry: entry.added_ns):
        path = registry.path(entry)
        facts = _facts(path.with_name(_PASSPORT))
        simulated = "trained on simulated data" if facts.simulated else ""
        yield KeptModel(
            id=str(path),
            sha256=entry.sha256,
            name=entry.name,
            version=entry.version,
            format=entry.format,
            task=facts.task or "no passport",
            metric=_headline(facts.metrics),
            cost_us=entry.metrics.get(MEASURED),
            added_ns=entry.added_ns,
            notes="; ".join(filter(None, (entry.notes, simulated))),
            can_be_chosen=entry.has_passport and entry.format not in _PROGRAMS,
        )


def _facts(passport: Path) -> _Facts:
    try:
        return msgspec.json.decode(passport.read_bytes(), type=_Facts)
    except (OSError, msgspec.MsgspecError):
        # The card says what is wrong with it; a list without this line would hide the model.
        return _Facts()


def _headline(metrics: dict[str, float]) -> str:
    name = next((each for each in _HEADLINES if each in metrics), "")
    return f"{name.replace('_', ' ')} {metrics[name]:.3g}" if name else ""
