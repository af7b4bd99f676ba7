"""Looking at models for the window, in a process of its own: what is done for each question.

A file is hashed, parsed and run here, and never in the process that paints; what is accepted is kept in the
registry, so that a session depends on no file that the person may move.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from ai.features import FeatureSet
from ai.features.sources import NEWS
from ai.loading import Inspection, Question, inspect
from ai.loading.conversion import convert
from ai.loading.mapping import passport_from_mapping
from ai.loading.opening import measure_runtimes, open_predictor
from ai.loading.proposing import Wishes, propose
from ai.passport import PassportError
from ai.registry import Entry, Registry
from ai.runtime.devices import Device, resolve_device
from ai.runtime.isolation import IsolationError
from ai.runtime.predictor import predict_in_chunks
from app.commands.features import find_set, set_files
from app.commands.model import known_features
from app.model_mapping import fitted_on
from app.model_messages import (
    MEASURED,
    Answer,
    Convert,
    Look,
    Looked,
    Measure,
    Measured,
    Propose,
    Proposed,
    Request,
    UseMapping,
)
from app.paths import RESOURCES, home
from app.state.model_card import kinds_read
from engine.errors import UserError
from engine.store import Store

_DRAWN, _SEED, _FLAT = 16, 7, 1e-3

type Tell = Callable[[str], None]
"""Says in a few words what is being done."""


def default_registry() -> Registry:
    """Models that the person took in."""
    return Registry(home() / "models")


def answer(request: Request, tell: Tell) -> Answer:
    """Do what is asked.

    Raises
    ------
    UserError
        It cannot be done; a file that is refused is an answer.
    """
    match request:
        case Look(path, trust):
            return _look(Path(path), trust, tell)
        case Measure():
            return _measure(request, tell)
        case Propose():
            return _propose(request, tell)
        case UseMapping():
            return _map(request, tell)
        case Convert():
            return _convert(request, tell)


def _look(path: Path, trust: str, tell: Tell) -> Looked:

    tell("Checking its bytes, then running it once in a process of its own")
    found = inspect(path, Question(trust=trust or None, known_features=known_features))
    if not found.accepted or found.passport is None or path.resolve().is_relative_to(RESOURCES):
        return Looked(found)
    registry = default_registry()
    if (kept := _kept_at(registry, path)) is not None:
        return Looked(found, kept)
    tell("Keeping it")
    entry = registry.add(found)
    return Looked(msgspec.structs.replace(found, path=str(registry.path(entry))), entry)


def _kept_at(registry: Registry, path: Path) -> Entry | None:
    """Newest version whose file this is."""
    same = [entry for entry in registry.entries() if registry.path(entry) == path]
    return max(same, key=lambda entry: entry.added_ns, default=None)


def _measure(asked: Measure, tell: Tell) -> Measured:

    tell("Measuring every runtime that is here")
    device = resolve_device(asked.device)
    choice = measure_runtimes(asked.found, device)
    best = next((each for each in choice.measured if each.name == choice.best), None)
    if asked.entry is not None and best is not None and best.p50_us is not None:
        default_registry().annotate(asked.entry, metrics={MEASURED: round(best.p50_us, 1)})
    return Measured(
        choice, device.told, choice.best is not None and _is_flat(asked.found, device, choice.best)
    )


def _is_flat(found: Inspection, device: Device, runtime: str) -> bool:
    """Whether answers to drawn inputs lie closer together than a thousandth of their size."""
    predictor = open_predictor(found, device, runtime)
    try:
        signature = predictor.signature
        drawn = np.random.default_rng(_SEED).standard_normal((_DRAWN, signature.window, signature.columns))
        if signature.mean is not None and signature.std is not None:
            drawn = drawn * signature.std + signature.mean
        answers = predict_in_chunks(predictor, drawn.astype(np.float32))
    finally:
        predictor.close()
    meanings = {port.meaning for port in found.passport.outputs} if found.passport is not None else set()
    # Equal numbers of a class may well come of a few inputs.
    return "class" not in meanings and bool(np.ptp(answers, axis=0).max() <= _FLAT * np.abs(answers).max())


def _propose(asked: Propose, tell: Tell) -> Proposed:

    tell("Guessing what it reads and tells")
    sets = {name: find_set(name) for name in set_files()}
    proposal = propose(asked.found, sorted(sets.values(), key=lambda each: not _is_fed(each, asked.kinds)))
    fitting = {name: sets[name].title for name in proposal.fitting}
    mapped = proposal.mapped
    if mapped is None or mapped.label is None:
        return Proposed(fitting, problem=" ".join(proposal.reasons))
    output, meaning = next(iter(mapped.meanings.items()))
    horizon = mapped.label.horizon
    return Proposed(
        fitting,
        features=proposal.features,
        output=output,
        meaning=meaning,
        classes=mapped.label.class_names,
        window=mapped.window if _has_free_window(asked.found) else None,
        horizon=f"{horizon / 1e9:g}s" if mapped.label.unit == "ns" else str(horizon),
        assumed=proposal.assumptions,
    )


def _is_fed(features: FeatureSet, kinds: tuple[str, ...]) -> bool:
    streams = {line.stream for line in features.lines}
    if NEWS in streams or any(line.role for line in features.lines):
        return False
    return kinds_read(streams, features.bars) <= set(kinds)


def _has_free_window(found: Inspection) -> bool:
    return not any(
        len(port.shape) == 2 or isinstance(port.shape[1], int) for port in found.inputs if port.shape
    )


def _map(asked: UseMapping, tell: Tell) -> Looked:

    features = find_set(asked.features)
    tell("Running it for the mapping")
    wishes = Wishes(
        features=asked.features,
        output=asked.output,
        meaning=asked.meaning,
        classes=asked.classes,
        window=asked.window,
        horizon=asked.horizon,
    )
    proposal = propose(asked.found, [features], wishes)
    mapped = proposal.mapped
    if mapped is None:
        raise UserError(" ".join(proposal.reasons))
    if asked.fit_on:
        tell(f"Scaling its inputs as they were in the first rows of {asked.fit_on}")
        mapped = fitted_on(mapped, features, Store(Path(asked.store)), asked.fit_on)
    try:
        passport = passport_from_mapping(asked.found, mapped)
    except PassportError as error:
        raise UserError(" ".join(error.faults)) from error
    except IsolationError as error:
        raise UserError(str(error)) from error
    registry = default_registry()
    entry = registry.add(asked.found, passport=passport, notes="mapped by hand")
    return _look(registry.path(entry), asked.trust, tell)


def _convert(asked: Convert, tell: Tell) -> Looked:

    tell("Writing it as ONNX and comparing the answers")
    with TemporaryDirectory(prefix="nexttick-convert-") as folder:
        target = Path(folder) / Path(asked.found.path).with_suffix(".onnx").name
        convert(asked.found, target, Question(trust=asked.trust or None))
        return _look(target, "", tell)
