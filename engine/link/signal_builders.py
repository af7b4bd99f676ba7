"""Predictions, signals and models in one line each, beside `builders`."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from engine.link.builders import EURUSD, START_NS, rows
from engine.messages.columns import PREDICTION, Rows
from engine.messages.events import ArmingChanged, Direction, SignalActed, SignalJudged, Signalled
from engine.messages.frames import (
    Contribution,
    Explanation,
    InputHealth,
    ModelHealth,
    Outcomes,
    Predictions,
    Stage,
)
from engine.messages.run import Arming

ENTER: Final = 0.55
EXIT: Final = 0.4


def predictions(
    table: Sequence[tuple[Any, ...]] | Rows = (),
    *,
    conflated: int = 0,
    enter: float | None = ENTER,
    exit: float | None = EXIT,  # noqa: A002 -- the field's name in the message
    outcomes: Outcomes | None = None,
    instrument: str = EURUSD.id,
) -> Predictions:
    """News of one instrument's model, from tuples (ts, down, flat, up, score)."""
    return Predictions(
        instrument=instrument,
        rows=rows(PREDICTION, table),
        conflated=conflated,
        enter=enter,
        exit=exit,
        outcomes=outcomes,
    )


def signal(
    number: int = 1,
    direction: Direction = 1,
    previous: Direction = 0,
    cause: Literal["enter", "reverse", "exit", "horizon", "disarmed"] | None = None,
    *,
    down: float | None = 0.1,
    flat: float | None = 0.25,
    up: float | None = 0.65,
    score: float = 0.55,
    threshold: float = ENTER,
    price: float = 1.0935,
    instrument: str = EURUSD.id,
    ts: int = START_NS,
) -> Signalled:
    """A long entry, unless told otherwise; without a cause it follows from the two directions."""
    if cause is None:
        cause = "exit" if direction == 0 else "reverse" if previous else "enter"
    return Signalled(
        ts=ts,
        number=number,
        instrument=instrument,
        direction=direction,
        previous=previous,
        cause=cause,
        score=score,
        threshold=threshold,
        down=down,
        flat=flat,
        up=up,
        price=price,
    )


def acted(
    signal: int = 1,
    verdict: Literal["ordered", "refused", "shadow", "held"] = "ordered",
    *,
    order_id: str | None = None,
    text: str = "",
    instrument: str = EURUSD.id,
    ts: int = START_NS,
) -> SignalActed:
    """What came of a signal: order `O-<signal>`, where one was made."""
    if verdict == "ordered" and order_id is None:
        order_id = f"O-{signal}"
    return SignalActed(
        ts=ts, signal=signal, instrument=instrument, verdict=verdict, order_id=order_id, text=text
    )


def judged(
    signal: int = 1,
    *,
    hit: bool = True,
    price: float = 1.0936,
    instrument: str = EURUSD.id,
    ts: int = START_NS,
) -> SignalJudged:
    """Outcome of an entry at the label's horizon."""
    return SignalJudged(ts=ts, signal=signal, instrument=instrument, price=price, hit=hit)


def arming(
    mode: Arming = "armed",
    by: Literal["run", "person", "rule"] = "person",
    *,
    reason: str = "",
    ts: int = START_NS,
) -> ArmingChanged:
    """A change of the model's arming."""
    return ArmingChanged(ts=ts, mode=mode, by=by, reason=reason)


def model_health(
    name: str = "Demo MLP",
    *,
    arming: Arming = "armed",
    reason: str = "",
    predictions: int = 1_000,
    signals: int = 12,
    inputs: Sequence[InputHealth] = (
        InputHealth("spread_ticks", psi=0.02),
        InputHealth("imbalance_1", nans=3, psi=0.12),
        InputHealth("return_10", out_of_range=4, psi=0.31),
    ),
    dropped: int = 0,
    age_ms: float | None = 12.5,
    horizon_rows: int | None = 20,
    horizon_ns: int | None = None,
    simulated: bool = True,
    in_sample: bool = False,
    class_names: tuple[str, ...] = ("down", "flat", "up"),
    label: str = "direction of the mid over 20 quotes",
) -> ModelHealth:
    """A small classifier that works, with one drifted input."""
    return ModelHealth(
        name=name,
        sha256="3f" * 32,
        arming=arming,
        reason=reason,
        mode="per-tick",
        runtime="onnxruntime",
        device="cpu",
        warm=True,
        predictions=predictions,
        signals=signals,
        dropped=dropped,
        age_ms=age_ms,
        latency_us=50.0,
        stages=[
            Stage("feature", predictions, 1.8, 3.1),
            Stage("queue", predictions, 0.0, 0.0),
            Stage("inference", predictions, 6.2, 9.4),
            Stage("signal-to-order", signals, 21.0, 48.0),
        ],
        inputs=list(inputs),
        memory_mb=46.0,
        in_sample=in_sample,
        simulated=simulated,
        class_names=class_names,
        label=label,
        horizon_rows=horizon_rows,
        horizon_ns=horizon_ns,
    )


def explanation(
    ts: int = START_NS,
    *,
    contributions: Sequence[Contribution] = (
        Contribution("imbalance_1", 0.82, 0.31),
        Contribution("return_10", -0.00004, -0.12),
        Contribution("spread_ticks", 1.0, 0.02),
    ),
    score: float = 0.55,
    direction: Direction = 1,
    signal: int | None = 1,
    problem: str = "",
) -> Explanation:
    """Why a row got its numbers; a `problem` is an answer without any."""
    if problem:
        return Explanation(asked_ts=ts, problem=problem)
    return Explanation(
        asked_ts=ts,
        ts=ts,
        model="Demo MLP",
        contributions=list(contributions),
        output=[0.1, 0.25, 0.65],
        class_names=("down", "flat", "up"),
        down=0.1,
        flat=0.25,
        up=0.65,
        score=score,
        enter=ENTER,
        exit=EXIT,
        direction=direction,
        signal=signal,
    )
