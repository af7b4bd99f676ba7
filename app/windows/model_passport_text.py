"""A passport in words and figures: what a model is, what it was trained on, and how well it did."""

import math
from typing import Final

from PySide6.QtCore import QCoreApplication

from ai.loading.inspection import Inspection
from ai.passport import Label, Passport, Span
from app.model_messages import MEASURED
from widgets.model.card_state import Fact, Line, Section, Table
from widgets.numbers import date_text, date_time_text, duration_text

translate: Final = QCoreApplication.translate

_BASELINES: Final = ("logistic", "linear", "majority", "mean")
"""Prefixes of the metrics of what a model must beat."""

_DETAILS: Final = ("precision_", "recall_", MEASURED)
_METRICS: Final = {
    "mcc": "MCC",
    "ece": "calibration error",
    "r2": "R²",
    "ic": "IC",
    "mae": "mean error, bp",
    "n": "rows",
}
_MANY: Final = 100
_DAY_NS: Final = 86_400_000_000_000


def passport_sections(passport: Passport) -> list[Section]:
    """All that a passport tells a person."""
    sections = [
        Section(translate("model", "What it is"), tuple(_identity(passport))),
        Section(translate("model", "What it was trained on"), tuple(_training(passport))),
    ]
    metrics = metrics_table(passport.metrics)
    if metrics.lines:
        facts = [Fact(translate("model", "Trials"), _trials(passport.trials))]
        if verdict := verdict_on(passport):
            facts.insert(0, Fact(translate("model", "Verdict"), verdict))
        sections.append(Section(translate("model", "Out of sample"), tuple(facts), metrics, is_result=True))
    return [section for section in sections if section.facts]


def _identity(passport: Passport) -> list[Fact]:
    label = passport.label
    names = ", ".join(label.class_names) if label is not None else ""
    columns = passport.columns
    rows = translate("model", "the newest row of {clock}" if passport.window == 1 else "{n} rows of {clock}")
    window = rows.format(n=f"{passport.window:,}", clock=passport.bars or passport.clock)
    if passport.stride > 1:
        window += translate("model", ", every {n}th row").format(n=passport.stride)
    return [
        Fact(translate("model", "Task"), f"{passport.task}: {names}" if names else passport.task),
        Fact(translate("model", "Tells"), label_text(label) if label is not None else "–"),
        Fact(
            translate("model", "Reads"),
            translate("model", "{n} columns: {names}").format(n=len(columns), names=few(columns)),
            tip=", ".join(columns),
        ),
        Fact(translate("model", "Window"), window),
        Fact(
            translate("model", "Inputs"), "; ".join(_port(p.name, p.dtype, p.shape) for p in passport.inputs)
        ),
        Fact(
            translate("model", "Outputs"),
            "; ".join(f"{_port(p.name, p.dtype, p.shape)} ({p.meaning})" for p in passport.outputs),
        ),
        Fact(translate("model", "Scaling"), _normaliser(passport)),
        Fact(
            translate("model", "Made for"),
            few(passport.instruments) if passport.instruments else translate("model", "any instrument"),
        ),
        Fact(translate("model", "Licence"), passport.licence or translate("model", "not stated"), "text"),
        Fact(translate("model", "Expires"), passport.expires or translate("model", "never")),
    ]


def _training(passport: Passport) -> list[Fact]:
    facts = []
    ranges = passport.ranges
    if ranges is not None:
        for title, span in (
            (translate("model", "Training"), ranges.train),
            (translate("model", "Validation"), ranges.validation),
            (translate("model", "Test"), ranges.test),
        ):
            if span is not None:
                facts.append(Fact(title, span_text(span)))
        if ranges.purge_ns or ranges.embargo_ns:
            gaps = translate("model", "purge {purge}, embargo {embargo}").format(
                purge=duration_text(ranges.purge_ns), embargo=duration_text(ranges.embargo_ns)
            )
            facts.append(Fact(translate("model", "Gaps"), gaps))
    if passport.seed is not None:
        facts.append(Fact(translate("model", "Seed"), str(passport.seed)))
    if passport.frameworks:
        text = ", ".join(f"{name} {version}" for name, version in passport.frameworks.items())
        facts.append(Fact(translate("model", "Made with"), text))
    return facts


def _trials(count: int) -> str:
    if count == 1:
        return translate("model", "1 by this run; earlier ones are not known")
    return translate("model", "{n} models were tried; the best of many looks better than it is").format(
        n=f"{count:,}"
    )


def label_text(label: Label) -> str:
    """What a model was trained to tell: `direction, 100 ticks ahead, beyond 1 bp`."""
    ahead = duration_text(label.horizon) if label.unit == "ns" else f"{label.horizon:,} {label.unit}"
    text = translate("model", "{kind}, {ahead} ahead").format(kind=label.kind, ahead=ahead)
    if label.threshold:
        text += translate("model", ", beyond {threshold} bp").format(threshold=f"{label.threshold:g}")
    return text


def span_text(span: Span) -> str:
    """Stretch of time in UTC, in days where it is longer than one."""
    if span.end_ns - span.start_ns > 2 * _DAY_NS:
        return f"{date_text(span.start_ns)} – {date_text(span.end_ns)}"
    return f"{date_time_text(span.start_ns, 0)} – {date_time_text(span.end_ns, 0)} UTC"


def metrics_table(metrics: dict[str, float]) -> Table:
    """Metrics on data not trained on, each beside the same metric of the baselines."""
    baselines = [each for each in _BASELINES if any(f"{each}_{name}" in metrics for name in metrics)]
    shown = [name for name in metrics if not name.startswith((*(f"{b}_" for b in baselines), *_DETAILS))]
    lines = []
    for name in shown:
        values = (metrics.get(key) for key in (name, *(f"{each}_{name}" for each in baselines)))
        lines.append(Line((_METRICS.get(name, name.replace("_", " ")), *map(_number, values))))
    return Table((translate("model", "Metric"), translate("model", "Model"), *baselines), tuple(lines))


def verdict_on(passport: Passport) -> str:
    """Whether the model was worth its while, by the figure it was trained for; empty where none tells."""
    metrics = passport.metrics
    figure, better = ("r2", 1.0) if passport.task == "regression" else ("log_loss", -1.0)
    scores = {each: metrics[f"{each}_{figure}"] for each in _BASELINES if f"{each}_{figure}" in metrics}
    if figure not in metrics or not scores:
        return ""
    unbeaten = [name for name, score in scores.items() if not better * (metrics[figure] - score) > 0]
    if unbeaten:
        text = translate("model", "It does NOT beat a baseline ({names}) in {figure}.")
        return text.format(names=", ".join(unbeaten), figure=figure.replace("_", " "))
    text = translate("model", "It beats its baselines ({names}) in {figure}.")
    return text.format(names=", ".join(scores), figure=figure.replace("_", " "))


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= _MANY and value.is_integer() else f"{value:,.4f}"


def _normaliser(passport: Passport) -> str:
    kind, fitted_on = passport.normaliser.kind, passport.normaliser.fitted_on
    if kind == "none":
        return translate("model", "none: columns as they are")
    if fitted_on is None:
        return translate("model", "z-score")
    return translate("model", "z-score of {span}").format(span=span_text(fitted_on))


def _port(name: str, dtype: str, shape: tuple[int | str, ...]) -> str:
    sizes = f" [{', '.join(map(str, shape))}]" if shape else ""
    return f"{name} {dtype}{sizes}".strip()


def few(names: tuple[str, ...], most: int = 4) -> str:
    """First names of many, and the last."""
    shown = ", ".join(names[:most])
    return f"{shown} … {names[-1]}" if len(names) > most else shown


def file_sections(found: Inspection) -> list[Section]:
    """What a file tells that has no passport."""
    facts = [
        *(Fact(translate("model", "Input"), _port(p.name, p.dtype, p.shape)) for p in found.inputs),
        *(Fact(translate("model", "Output"), _port(p.name, p.dtype, p.shape)) for p in found.outputs),
    ]
    if found.weights:
        facts.append(Fact(translate("model", "Weights"), few(tuple(w.name for w in found.weights))))
    if found.fit is not None:
        sizes = ", ".join(f"{name} {size}" for name, size in found.fit.sizes.items())
        facts.append(Fact(translate("model", "Fits"), f"{found.fit.architecture} ({sizes})"))
    return [Section(translate("model", "What the file tells"), tuple(facts))] if facts else []
