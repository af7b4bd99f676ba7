"""What a signal costs here, from the tick to the answer: measured once, rounded up, and remembered.

A run's orders depend on it, so it must not change with the noise of a machine: the 99th percentile is rounded
up to 1, 2 or 5 times a power of ten, and the first figure of a model on a runtime and device is kept.
"""

import math
import time
from array import array
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ai.features import Market
from ai.inference.ensemble import Ensemble, Member
from ai.inference.inputs import StreamInputs
from ai.inference.reading import FOUR
from ai.loading import Inspection
from ai.loading.opening import measure_runtimes
from ai.runtime.devices import Device
from ai.runtime.latency import LatencyHistogram
from ai.runtime.predictor import warm_up_rows
from engine.errors import UserError

_STRETCHES: Final = 5
_STRETCH_S: Final = 0.06
_LEAST, _MOST = 20, 500
_STEP_NS: Final = 10**7


def measured_us(member: Member, market: Market) -> float:
    """99th percentile of features and inference for one event, in µs, on invented events.

    Of the quietest of several stretches: what the model costs, not what else the machine did meanwhile.
    """
    inputs, ensemble = StreamInputs(member.recipe, market), Ensemble([member], "mean")
    clock = member.recipe.features.clock
    feed, events = inputs.feed[clock], cycle(_events(clock, member.recipe.features.levels))
    window, out = warm_up_rows(member.predictor.signature), array("f", [0.0] * FOUR)
    times = count(0, _STEP_NS)

    def stretch() -> float:
        durations = LatencyHistogram()
        until = time.perf_counter() + _STRETCH_S
        for ts, event in zip(times, events, strict=False):
            begun = time.perf_counter_ns()
            feed(ts, *event)
            ensemble.ask_first(window, out, is_whole=True)
            durations.record(time.perf_counter_ns() - begun)
            if durations.count == _MOST or (durations.count >= _LEAST and time.perf_counter() > until):
                break
        return durations.p99_us

    # The first fills caches.
    return min([stretch() for _ in range(1 + _STRETCHES)][1:])


def rounded_up(us: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten, at least 1."""
    scale = 10.0 ** math.floor(math.log10(max(us, 1.0)))
    return next(step * scale for step in (1.0, 2.0, 5.0, 10.0) if us <= step * scale * (1 + 1e-9))


def _events(clock: str, levels: int) -> list[tuple[Any, ...]]:
    random = np.random.default_rng(7)
    mids = (100.0 + np.cumsum(random.integers(-1, 2, 256)) * 0.01).tolist()
    if clock == "book":
        sizes = [1.0] * levels
        return [
            (
                [mid - 0.01 * level for level in range(1, levels + 1)],
                sizes,
                [mid + 0.01 * level for level in range(1, levels + 1)],
                sizes,
            )
            for mid in mids
        ]
    if clock == "quotes":
        return [(mid - 0.01, mid + 0.01, 1.0, 2.0) for mid in mids]
    if clock == "trades":
        return [(mid, 1.0, 1.0) for mid in mids]
    return [(mid, mid + 0.01, mid - 0.01, mid, 1.0) for mid in mids]


class _Known(msgspec.Struct):
    """What the file holds: µs by model, runtime and device, and the fastest runtime by model."""

    latency_us: dict[str, float] = {}
    fastest: dict[str, str] = {}


class Measurements:
    """What was measured here, in one JSON file.

    Parameters
    ----------
    path : Path
        Made at the first measurement; what cannot be read of it counts as not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def latency_us(self, member: Member, market: Market) -> float:
        """Delay of this model's signals; measured now where it is not known yet.

        Raises
        ------
        UserError
            It cannot be kept.
        """
        key = f"{member.sha256} {member.predictor.runtime} {member.predictor.device}"
        known = self._known()
        if key not in known.latency_us:
            found = rounded_up(measured_us(member, market))
            known = self._known()
            known.latency_us[key] = found
            self._keep(known)
        return known.latency_us[key]

    def fastest(self, found: Inspection, device: Device) -> str:
        """Fastest right runtime of this model; measured now where it is not known yet.

        Raises
        ------
        UserError
            None is right, or it cannot be kept.
        """
        key = f"{found.sha256} {device}"
        known = self._known()
        if key not in known.fastest:
            best = measure_runtimes(found, device).best
            if best is None:
                raise UserError(f"{found.path} is right in no runtime here; see 'nexttick model bench'.")
            known = self._known()
            known.fastest[key] = best
            self._keep(known)
        return known.fastest[key]

    def _known(self) -> _Known:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Known)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Known()

    def _keep(self, known: _Known) -> None:
        draft = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(known)))
            draft.replace(self._path)
        except OSError as error:
            raise UserError(
                f"{self._path} cannot be written ({(error.strerror or str(error)).lower()}); mend its folder "
                "or set latency_us of the run."
            ) from error
