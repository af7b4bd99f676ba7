"""From a model file to a model that can be asked: through its gate, its passport proven, warm."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ai.features import FEATURES, Market
from ai.features.code_hash import code_hash
from ai.inference.ensemble import Member
from ai.inference.measuring import Measurements
from ai.inference.recipe import Recipe
from ai.loading import Inspection, Question, inspect
from ai.loading.opening import open_predictor, runtimes
from ai.registry import Registry
from ai.runtime.devices import resolve_device
from ai.runtime.predictor import Predictor, warm_up_rows
from app.paths import RESOURCES
from engine.errors import UserError
from engine.messages.run import Inference, ModelUse


class ModelFiles:
    """Opens the models of runs.

    Parameters
    ----------
    registry : Registry
        Models that were accepted here before; they are not tried again in a process of their own.
    measurements : Measurements
        What models cost here.
    """

    def __init__(self, registry: Registry, measurements: Measurements) -> None:
        self._registry, self._measurements = registry, measurements

    def open(self, use: ModelUse, inference: Inference, market: Market) -> Member:
        """Open one model.

        Raises
        ------
        UserError
            It is refused, has changed, cannot run in a session or is not what its passport says.
        """
        path = Path(use.file)
        found = self._inspected(path, use)
        if found.passport is None:
            raise UserError(f"{path.name} has no passport; map its inputs to features first.")
        recipe = Recipe.of(found.passport)
        predictor = self._opened(found, inference.device)
        try:
            _prove(predictor, recipe, path.name)
            member = Member(recipe, predictor, found.sha256, use.weight, inference.latency_us or 0.0)
            if inference.latency_us is None:
                member = replace(member, latency_us=self._measurements.latency_us(member, market))
        except BaseException:
            predictor.close()
            raise
        return member

    def _inspected(self, path: Path, use: ModelUse) -> Inspection:
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise UserError(
                f"The model {path} cannot be read ({(error.strerror or str(error)).lower()}); choose another."
            ) from error
        if use.sha256 and use.sha256 != sha256:
            raise UserError(f"{path.name} has changed since it was chosen; look at it again and arm it anew.")
        question = Question(
            trust=sha256 if use.trusted else None,
            known_features=lambda: _KNOWN,
            measure=False,
            probe=not self._is_known(path, sha256),
        )
        found = inspect(path, question)
        if not found.accepted:
            raise UserError(f"{path.name} is refused: {found.reason}")
        return found

    def _is_known(self, path: Path, sha256: str) -> bool:
        """Whether it came with the station, or was accepted here before."""
        if path.resolve().is_relative_to(RESOURCES):
            return True
        return any(entry.sha256 == sha256 for entry in self._registry.entries())

    def _opened(self, found: Inspection, setting: str) -> Predictor:
        """Open it where the setting says; with a choice of devices, where it is fastest here."""
        device = resolve_device(setting)
        if device.cuda is None:
            return open_predictor(found, device)
        present = [each for each in runtimes(found, device) if each.open is not None]
        if setting == "auto":
            if len(present) == 1:
                return open_predictor(found, device, present[0].name)
            return open_predictor(found, device, self._measurements.fastest(found, device))
        on_gpu = [each for each in runtimes(found, device) if "cuda" in each.name]
        name = next((each.name for each in on_gpu if each.open is not None), None)
        if name is None:
            why = on_gpu[0].absent if on_gpu else "Its runtime has no CUDA here."
            raise UserError(
                f"{Path(found.path).name} cannot run on {device}: {why} Set device to auto or cpu."
            )
        return open_predictor(found, device, name)


def _prove(predictor: Predictor, recipe: Recipe, name: str) -> None:
    """Warm it up, and compare it with its golden outputs in the runtime that will be asked.

    Raises
    ------
    UserError
        It answers something else, or in another shape.
    """
    predictor.warm_up()
    numbers = predictor.predict(warm_up_rows(predictor.signature)).shape[1]
    recipe.reading.check(numbers, name)
    golden = recipe.passport.golden
    if golden is None:
        return
    outputs = predictor.run({each: tensor.array() for each, tensor in golden.inputs.items()})
    if wrong := [each for each in golden.outputs if not golden.agrees(each, outputs[each])]:
        raise UserError(
            f"{name} gives another {wrong[0]} in {predictor.runtime} on {predictor.device} than in its "
            "training; set device to cpu, or get the file anew."
        )


class _KnownFeatures(Mapping[str, str]):
    """Code hash of each feature by its name, made when it is asked for: all of them take a while."""

    def __getitem__(self, name: str) -> str:
        return code_hash(FEATURES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(FEATURES)

    def __len__(self) -> int:
        return len(FEATURES)


_KNOWN = _KnownFeatures()
