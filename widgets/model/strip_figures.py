"""From a model's health to what the strip says of it: words, figures and tones. No painting."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.messages.events import ArmingChanged
from engine.messages.frames import InputHealth, ModelHealth, Transport
from engine.messages.run import Arming
from widgets.model.strip_lines import ALIKE_BELOW, DRIFTED_ABOVE, INPUT_STOPS, Cells, InputLine, StateLine
from widgets.numbers import DASH, compact_text, micros_text, price_text
from widgets.page import Figure, Heading, Line, Sentence, Tags
from widgets.stale import age_text

type Translate = Callable[[str], str]

WORST: Final = 6
"""Inputs shown until a person asks for all."""

_STALE_AFTER_MS: Final = 5_000.0
_STALE_INTERVALS: Final = 10.0
_STAGE_STOPS: Final = (132, 70, 8)


def state_line(arming: Arming | None, reason: str, tr: Translate) -> StateLine:
    """Whether signals are traded, in a word; `reason` is why a rule says otherwise, empty where none does.

    What trades, and what a rule stopped, is filled with its colour; what only shows is a frame.
    """
    if arming == "armed":
        return StateLine(tr("ARMED"), "signal", tr("signals become orders"), filled=True)
    if reason:
        word = tr("DISARMED") if arming == "off" else tr("SHADOW")
        return StateLine(word, "danger", tr("by a rule"), filled=True)
    if arming == "shadow":
        return StateLine(tr("SHADOW"), "signal", tr("signals are only shown"), filled=False)
    return StateLine(tr("OFF"), "quiet", tr("no signals are made"), filled=False)


def reason_of(changed: ArmingChanged | None, models: Sequence[ModelHealth]) -> str:
    """Why a rule put the models where they are; empty where a person or the run did."""
    if changed is not None:
        return changed.reason if changed.by == "rule" else ""
    return next((model.reason for model in models if model.reason), "")


def is_stale(model: ModelHealth, transport: Transport | None) -> bool:
    """Whether its last prediction is old: 5 s, and ten times what lies between two of its predictions."""
    if model.age_ms is None or transport is None or not model.predictions:
        return False
    interval_ms = (transport.now - transport.start) / 1e6 / model.predictions
    return model.age_ms > max(_STALE_AFTER_MS, _STALE_INTERVALS * interval_ms)


def model_lines(
    model: ModelHealth,
    transport: Transport | None,
    per_s: float,
    tr: Translate,
    *,
    all_inputs: bool,
) -> list[Line]:
    """Everything said of one model; `per_s` is its predictions per second of wall clock."""
    stale = is_stale(model, transport)
    lines: list[Line] = [Heading(model.name, model.sha256[:8], tip=_tip(model, tr))]
    tags = _tags(model, tr)
    if tags:
        lines.append(Tags(tags, tip=tr("What its figures in this run prove, and what they do not.")))
    lines += [
        Figure(tr("Runs on"), f"{model.runtime} · {model.device}", note=_mode(model, tr)),
        _warm_up(model, tr),
        _age(model, tr, stale=stale),
        Figure(
            tr("Predictions/s"),
            compact_text(per_s, characters=7),
            "quiet" if stale else "text",
            tip=tr("Predictions per second of real time, over the last second."),
        ),
        Figure(
            tr("Predictions"),
            price_text(model.predictions, 0),
            note=tr("{count} signals").format(count=price_text(model.signals, 0)),
        ),
        Figure(
            tr("Dropped"),
            price_text(model.dropped, 0),
            "warning" if model.dropped else "text",
            tip=tr("Rows that were not asked because the model was too slow for them."),
        ),
        Figure(tr("Queued"), price_text(model.queued, 0), tip=tr("Rows that wait for the model now.")),
        Figure(
            tr("Signal latency"),
            micros_text(model.latency_us),
            tip=tr("Delay from a row to the order that it causes; in a back-test every signal is given it."),
        ),
        Figure(tr("Memory"), _megabytes(model.memory_mb)),
        Figure(tr("GPU memory"), _megabytes(model.gpu_mb)),
    ]
    return [*lines, *_stages(model, tr), *_inputs(model.inputs, tr, shows_all=all_inputs)]


def _tags(model: ModelHealth, tr: Translate) -> tuple[tuple[str, str], ...]:
    tags = []
    if model.simulated:
        tags.append((tr("trained on simulated data"), "warning"))
    if model.in_sample:
        tags.append((tr("in-sample"), "warning"))
    return tuple(tags)


def _tip(model: ModelHealth, tr: Translate) -> str:
    parts = [tr("Content {sha}").format(sha=model.sha256)]
    if model.label:
        parts.insert(0, tr("Trained to tell: {label}").format(label=model.label))
    if model.class_names:
        parts.append(tr("Classes: {names}").format(names=", ".join(model.class_names)))
    return "\n".join(parts)


def _mode(model: ModelHealth, tr: Translate) -> str:
    return {
        "per-tick": tr("tick by tick"),
        "batch": tr("asked beforehand"),
        "thread": tr("in the background"),
    }[model.mode]


def _warm_up(model: ModelHealth, tr: Translate) -> Figure:
    tip = tr("A feature needs some rows before it has a value; until then nothing is predicted.")
    if model.warm:
        return Figure(tr("Warm-up"), tr("done"), tip=tip)
    return Figure(tr("Warm-up"), tr("waiting for data"), "warning", tip=tip)


def _age(model: ModelHealth, tr: Translate, *, stale: bool) -> Figure:
    label = tr("Last prediction")
    tip = tr("Market time since the newest prediction.")
    if model.age_ms is None:
        return Figure(label, tr("none yet"), "quiet", tip=tip)
    if stale:
        return Figure(
            label, tr("stale {age}").format(age=age_text(int(model.age_ms / 1e3))), "warning", tip=tip
        )
    return Figure(label, tr("{age} ago").format(age=micros_text(model.age_ms * 1e3)), tip=tip)


def _megabytes(value: float | None) -> str:
    return DASH if value is None else f"{price_text(value, 1 if value < 100 else 0)} MB"


def _stages(model: ModelHealth, tr: Translate) -> list[Line]:
    names: Mapping[str, str] = {
        "feature": tr("Features"),
        "queue": tr("Waiting"),
        "inference": tr("Inference"),
        "signal-to-order": tr("Signal to order"),
    }
    if not model.stages:
        if model.mode != "batch":
            return []
        return [
            Sentence(tr("It was asked about all rows beforehand, so no latency per row is told."), "quiet")
        ]
    head = Cells(tr("From tick to order"), (tr("count"), "p50", "p99"), _STAGE_STOPS, is_head=True)
    return [
        Heading(tr("Latency")),
        head,
        *(
            Cells(
                names[stage.name],
                (
                    compact_text(stage.count, characters=7),
                    micros_text(stage.p50_us),
                    micros_text(stage.p99_us),
                ),
                _STAGE_STOPS,
            )
            for stage in model.stages
        ),
    ]


def _inputs(inputs: Sequence[InputHealth], tr: Translate, *, shows_all: bool) -> list[Line]:
    if not inputs:
        return []
    ranked = sorted(inputs, key=_badness, reverse=True)
    shown = ranked if shows_all else ranked[:WORST]
    head = Cells(
        "", (tr("NaN"), tr("range"), tr("drift")), (*INPUT_STOPS, 8), is_head=True, tip=_drift_tip(tr)
    )
    lines: list[Line] = [Heading(tr("Inputs"), tr("worst first")), head]
    lines += [_input(one, tr) for one in shown]
    if len(shown) < len(ranked):
        rest = tr("{count} more; press “All inputs” to see them").format(count=len(ranked) - len(shown))
        lines.append(Sentence(rest, "quiet"))
    return lines


def _badness(one: InputHealth) -> tuple[int, float, int]:
    psi = -1.0 if one.psi is None else one.psi
    level = 2 if one.nans or psi > DRIFTED_ABOVE else int(bool(one.out_of_range) or psi >= ALIKE_BELOW)
    return level, psi, one.nans + one.out_of_range


def _input(one: InputHealth, tr: Translate) -> InputLine:
    if one.psi is None:
        word, tone = DASH, "quiet"
    elif one.psi < ALIKE_BELOW:
        word, tone = tr("alike"), "quiet"
    elif one.psi <= DRIFTED_ABOVE:
        word, tone = tr("shifting"), "warning"
    else:
        word, tone = tr("drifted"), "danger"
    index = tr("not known: no training bins, or too few rows") if one.psi is None else f"{one.psi:.3f}"
    tip = tr(
        "{column}\nPopulation stability index: {index}\nWithout a value: {nans}, out of range: {out}"
    ).format(
        column=one.column, index=index, nans=price_text(one.nans, 0), out=price_text(one.out_of_range, 0)
    )
    return InputLine(one.column, one.nans, one.out_of_range, one.psi, word, tone, tip=tip)


def _drift_tip(tr: Translate) -> str:
    return tr(
        "NaN: rows without a value. Range: rows beyond the range of training. Drift: population stability "
        "index against the training data; below 0.1 alike, to 0.25 shifting, above drifted."
    )
