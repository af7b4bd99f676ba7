"""What the model says now and what came of it, as lines; every rate with its interval and its count."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from engine.messages.columns import Rows
from engine.messages.frames import ModelHealth, Outcomes
from engine.messages.run import Arming
from widgets.numbers import (
    DASH,
    duration_text,
    percent_text,
    price_text,
    sign_of,
    signed_text,
    size_text,
)
from widgets.page import Figure, Heading, Line, Sentence
from widgets.signals.reliability import Reliability
from widgets.signals.state import SignalsOfInstrument
from widgets.signals.words import SIGNS, side_text

type Translate = Callable[[str], str]
type Part = tuple[str, str]
"""Text and colour."""

_Z: Final = 1.959964
_BY_SIGN: Final = {-1: "ask", 0: "text", 1: "bid"}


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Interval that covers the true rate in 95 of 100 cases (Wilson, 1927); count is at least 1."""
    share, square = hits / count, _Z * _Z
    middle = share + square / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    scale = 1 + square / count
    # Rounding may leave a hair below 0 or above 1.
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def horizon_text(models: Sequence[ModelHealth], tr: Translate) -> str:
    """How far ahead the label looks, in words; empty where no model tells."""
    for model in models:
        if model.horizon_rows is not None:
            return tr("after {count} rows").format(count=size_text(model.horizon_rows, 0))
        if model.horizon_ns is not None:
            return tr("after {time}").format(time=duration_text(model.horizon_ns))
    return ""


def hit_text(outcomes: Outcomes) -> tuple[str, str]:
    """Hit rate, and its interval with the count."""
    if not outcomes.signals:
        return DASH, ""
    low, high = wilson(outcomes.hits, outcomes.signals)
    rate = percent_text(outcomes.hits / outcomes.signals, 1)
    return rate, f"{100 * low:.0f}–{100 * high:.0f} · n {size_text(outcomes.signals, 0)}"


def age_text(ns: int) -> str:
    """Length of time since something: tenths of a second while it is young."""
    return f"{ns / 1e9:.1f} s" if 0 <= ns < 60_000_000_000 else duration_text(max(ns, 0))


def _newest(rows: Rows, *, is_score: bool) -> list[Part]:
    """What the newest row says: its probabilities, or its score."""
    row = rows[-1]
    if is_score:
        score = float(row["score"])
        return [(signed_text(score, 4), _BY_SIGN[sign_of(score, 4)])]
    parts = (("up", "▲", "bid"), ("flat", "•", "quiet"), ("down", "▼", "ask"))
    return [(f"{sign} {price_text(float(row[name]), 3)}", tone) for name, sign, tone in parts]


def headline(
    signals: SignalsOfInstrument, arming: Arming | None, now_ns: int, *, is_score: bool, tr: Translate
) -> list[Part]:
    """What is said now, what is wanted since when, and how often that came true; the first matters most."""
    parts: list[Part] = []
    if arming in {"shadow", "off"}:
        parts.append((tr("SHADOW"), "warning") if arming == "shadow" else (tr("OFF"), "danger"))
    if len(signals.predictions):
        parts += _newest(signals.predictions.rows, is_score=is_score)
    if signals.records.rows:
        last = signals.records.rows[-1].signalled
        text = tr("{side} for {age}").format(side=side_text(last.direction), age=age_text(now_ns - last.ts))
        parts.append((f"{SIGNS[last.direction]} {text}", "signal"))
    if signals.outcomes is not None:
        rate, note = hit_text(signals.outcomes)
        parts.append((tr("hit {rate}").format(rate=rate) + (f" ({note})" if note else ""), "text"))
    return parts


def figure_lines(
    signals: SignalsOfInstrument, models: Sequence[ModelHealth], *, is_score: bool, tr: Translate
) -> list[Line]:
    """What came of the model's words, and how much of them the screen shows."""
    lines: list[Line] = [Heading(tr("Outcomes"), horizon_text(models, tr))]
    if signals.outcomes is None:
        lines.append(
            Sentence(tr("The model's passport names no horizon, so nothing can be judged."), "quiet")
        )
    else:
        lines += _outcome_lines(signals.outcomes, is_score=is_score, tr=tr)
    tape = signals.predictions
    shown = Figure(
        tr("Rows shown"),
        size_text(len(tape), 0),
        note=tr("{count} conflated").format(count=size_text(tape.conflated, 0)),
        tip=tr(
            "Rows that the screen could not show are left out of the curve, never of the outcomes: those "
            "are counted where every row is seen."
        ),
    )
    return [*lines, shown, Figure(tr("Signals"), size_text(len(signals.records.rows), 0))]


def diagram_lines(signals: SignalsOfInstrument, tr: Translate) -> list[Line]:
    """The reliability diagram; nothing of a regression and before the first row was judged."""
    if signals.outcomes is None or not signals.outcomes.bins:
        return []
    return [Reliability(tuple(signals.outcomes.bins), tr("said"), tr("came"))]


def _outcome_lines(outcomes: Outcomes, *, is_score: bool, tr: Translate) -> list[Line]:
    rate, note = hit_text(outcomes)
    hits = Figure(
        tr("Hit rate"),
        rate,
        note=note,
        tip=tr(
            "Entries after which the price lay on their side at the label's horizon, beyond its flat zone; "
            "95 % interval (Wilson) and count. The interval takes entries as independent: where their "
            "horizons overlap it is wider."
        ),
    )
    correlation = Figure(
        tr("Correlation"),
        signed_text(outcomes.correlation, 3),
        tip=tr("Of scores and relative price changes to the horizon, over all rows judged (Pearson)."),
    )
    judged = Figure(tr("Rows judged"), size_text(outcomes.rows, 0))
    if is_score:
        return [hits, correlation, judged]
    return [
        hits,
        Figure(
            tr("Expected"),
            percent_text(outcomes.expected, 1),
            tip=tr("Mean probability that the model gave the sides of these entries."),
        ),
        correlation,
        Figure(
            tr("Brier score"),
            price_text(outcomes.brier, 3),
            tip=tr("Mean squared distance of the side's probability from what came; 0.25 is a coin's."),
        ),
        Figure(
            tr("Calibration error"),
            price_text(outcomes.ece, 3),
            tip=tr("Mean distance of what came from what was said, weighted by rows (ECE)."),
        ),
        judged,
    ]
