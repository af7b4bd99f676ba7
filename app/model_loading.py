"""Looking at models for the window, in a process of its own: requests, answers, and the work between them.

A file is hashed, parsed and run here, and never in the process that paints; what is accepted is kept in the
registry, so that a session depends on no file that the person may move.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ai.loading.inspection import Inspection
from ai.passport import Meaning
from ai.registry import Entry, Registry
from ai.runtime.choosing import Choice
from ai.runtime.devices import Device
from app.paths import home
from engine.errors import UserError

if TYPE_CHECKING:
    from ai.features import FeatureSet

MEASURED: Final = "p50_us"
"""Metric of a kept model: one prediction on this machine in its fastest runtime, microseconds."""

_STORED: Final = {"quotes": "quotes", "trades": "trades", "book": "deltas"}
_DRAWN, _SEED, _FLAT = 16, 7, 1e-3

type Tell = Callable[[str], None]
"""Says in a few words what is being done."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """Inspect a file; `trust` is its sha256 where its own code may run. Keep it where it can be armed."""

    path: str
    trust: str = ""


class Measure(msgspec.Struct, frozen=True, tag=True):
    """Measure every runtime on an accepted model."""

    found: Inspection
    entry: Entry | None = None
    device: str = "auto"


class Propose(msgspec.Struct, frozen=True, tag=True):
    """Guess what a model without a passport reads and tells.

    Feature sets that read no more than these `kinds` of market data are tried first.
    """

    found: Inspection
    kinds: tuple[str, ...] = ()


class UseMapping(msgspec.Struct, frozen=True, tag=True):
    """Write the passport that a person's words make, and keep the model with it.

    Attributes
    ----------
    features : str
        Name of a feature set; what else is left empty is guessed again.
    window : int or None
        None where the file's shape tells it.
    fit_on, store : str
        Instrument of that tick store whose first rows scale the inputs; empty gives them as they are.
    """

    found: Inspection
    features: str
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""
    trust: str = ""
    fit_on: str = ""
    store: str = ""


class Convert(msgspec.Struct, frozen=True, tag=True):
    """Write a trusted model or weights as ONNX and keep that."""

    found: Inspection
    trust: str = ""


type Request = Look | Measure | Propose | UseMapping | Convert


class Looked(msgspec.Struct, frozen=True, tag=True):
    """What a file is; `entry` where it was kept, and `found.path` is then the kept file's."""

    found: Inspection
    entry: Entry | None = None


class Measured(msgspec.Struct, frozen=True, tag=True):
    """Figures of every runtime, and what came of `device = auto` in words.

    `is_flat` tells that the model answered the same whatever it was given, as one without training does.
    """

    choice: Choice
    device: str
    is_flat: bool = False


class Proposed(msgspec.Struct, frozen=True, tag=True):
    """A guess at what a model reads and tells.

    Attributes
    ----------
    sets : dict
        Titles of the feature sets that would fit, by name; `features` is the one proposed.
    window : int or None
        Set where the file leaves it free.
    assumed : tuple of str
        What the file does not tell and was guessed.
    problem : str
        Why nothing fits; the rest is then empty, but for `sets`.
    """

    sets: dict[str, str]
    features: str = ""
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""
    assumed: tuple[str, ...] = ()
    problem: str = ""


type Answer = Looked | Measured | Proposed


class Working(msgspec.Struct, frozen=True, tag=True):
    """What is being done now."""

    text: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It cannot be done; one sentence with the next step."""

    text: str


class Broke(msgspec.Struct, frozen=True, tag=True):
    """A fault of the program."""

    report: str


type Reply = Looked | Measured | Proposed | Working | Failed | Broke


def kinds_read(streams: AbstractSet[str], bars: str) -> frozenset[str]:
    """Kinds of market data, as the tick store has them, that these streams are made of."""
    kinds = {_STORED[stream] for stream in streams if stream in _STORED}
    if "bars" in streams:
        kinds.add("trades" if bars.upper().endswith("-LAST") else "quotes")
    return frozenset(kinds)


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
    from ai.loading import Question, inspect  # noqa: PLC0415 - the window reads this module for its structs
    from app.commands.model import known_features  # noqa: PLC0415

    tell("Checking its bytes, then running it once in a process of its own")
    found = inspect(path, Question(trust=trust or None, known_features=known_features))
    if not found.accepted or found.passport is None:
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
    from ai.loading.opening import measure_runtimes  # noqa: PLC0415
    from ai.runtime.devices import resolve_device  # noqa: PLC0415

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
    import numpy as np  # noqa: PLC0415

    from ai.loading.opening import open_predictor  # noqa: PLC0415
    from ai.runtime.predictor import predict_in_chunks  # noqa: PLC0415

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
    from ai.loading.proposing import propose  # noqa: PLC0415
    from app.commands.features import find_set, set_files  # noqa: PLC0415

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


def _is_fed(features: "FeatureSet", kinds: tuple[str, ...]) -> bool:
    streams = {line.stream for line in features.lines}
    return all(not line.role for line in features.lines) and kinds_read(streams, features.bars) <= set(kinds)


def _has_free_window(found: Inspection) -> bool:
    return not any(
        len(port.shape) == 2 or isinstance(port.shape[1], int) for port in found.inputs if port.shape
    )


def _map(asked: UseMapping, tell: Tell) -> Looked:
    from ai.loading.mapping import passport_from_mapping  # noqa: PLC0415
    from ai.loading.proposing import Wishes, propose  # noqa: PLC0415
    from ai.passport import PassportError  # noqa: PLC0415
    from ai.runtime.isolation import IsolationError  # noqa: PLC0415
    from app.commands.features import find_set  # noqa: PLC0415

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
        from app.model_mapping import fitted_on  # noqa: PLC0415
        from engine.store import Store  # noqa: PLC0415

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
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from ai.loading import Question  # noqa: PLC0415
    from ai.loading.conversion import convert  # noqa: PLC0415

    tell("Writing it as ONNX and comparing the answers")
    with TemporaryDirectory(prefix="nexttick-convert-") as folder:
        target = Path(folder) / Path(asked.found.path).with_suffix(".onnx").name
        convert(asked.found, target, Question(trust=asked.trust or None))
        return _look(target, "", tell)
