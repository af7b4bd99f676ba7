"""What a model says of itself in words and figures: health for the panels, and reasons for being sick."""

from collections.abc import Sequence

from ai.inference.ensemble import Member
from ai.runtime.latency import LatencyHistogram
from engine.messages.frames import InputHealth, ModelHealth, Stage
from engine.messages.run import InferenceMode


def without_value(name: str, column: str) -> str:
    """An input has no value."""
    return f"{name} got no value for its input {column}."


def without_answer(name: str) -> str:
    """The model answered, but no number."""
    return f"{name} answered with something that is no number."


def failed(name: str, told: str) -> str:
    """The model broke."""
    return f"{name} failed in the background ({told}); no more forecasts come of it."


def drifted(name: str, column: str, psi: float, most: float) -> str:
    """An input is not what it was in training."""
    return f"The input {column} of {name} has drifted from its training: PSI {psi:.2f}, above {most:g}."


def stage(name: str, durations: LatencyHistogram) -> Stage:
    """Durations of one step."""
    return Stage(name, durations.count, durations.p50_us, durations.p99_us)  # type: ignore[arg-type]


def health(
    member: Member,
    *,
    mode: InferenceMode,
    warm: bool,
    predictions: int,
    age_ns: int | None,
    inputs: list[InputHealth],
    stages: Sequence[Stage] = (),
    dropped: int = 0,
    queued: int = 0,
    in_sample: bool = False,
) -> ModelHealth:
    """Figures of one model; arming and signals are the run's to fill in."""
    passport, memory = member.recipe.passport, member.predictor.memory()
    return ModelHealth(
        name=member.recipe.name,
        sha256=member.sha256,
        arming="off",
        mode=mode,
        runtime=member.predictor.runtime,
        device=member.predictor.device,
        warm=warm,
        predictions=predictions,
        dropped=dropped,
        queued=queued,
        age_ms=None if age_ns is None else age_ns / 1e6,
        latency_us=member.latency_us,
        stages=list(stages),
        inputs=inputs,
        memory_mb=None if memory.host_bytes is None else memory.host_bytes / 1e6,
        gpu_mb=None if memory.gpu_bytes is None else memory.gpu_bytes / 1e6,
        in_sample=in_sample,
        simulated=passport.simulated,
        class_names=member.recipe.class_names,
        label=member.recipe.told_label,
        horizon_rows=member.recipe.horizon[0],
        horizon_ns=member.recipe.horizon[1],
    )
