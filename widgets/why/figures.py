"""From an explanation to what the inspector says of it: words, figures and shares of bars. No painting."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from engine.messages.frames import Contribution, Explanation
from widgets.numbers import figure_text, micros_text, price_text, signed_text
from widgets.page import Figure, Heading, Line, Sentence
from widgets.why.chain import SIDE_TONES, direction_word, exact_time
from widgets.why.lines import BarLine, EffectLine, Gauge

type Translate = Callable[[str], str]

MOST: Final = 8
"""Inputs shown until a person asks for all."""


def explanation_lines(why: Explanation, tr: Translate, *, all_inputs: bool) -> list[Line]:
    """Row, output, thresholds, decision and contributions."""
    if why.problem:
        return [Sentence(why.problem, "warning")]
    before_us = (why.asked_ts - why.ts) / 1e3
    note = tr("{time} before").format(time=micros_text(before_us)) if before_us else ""
    return [
        Figure(tr("Row"), exact_time(why.ts), note=note, tip=tr("The newest row at or before that time.")),
        Figure(tr("Model"), why.model),
        *_output_lines(why, tr),
        *_gauge_lines(why, tr),
        Figure(
            tr("Decision at this row"),
            direction_word(why.direction, tr),
            SIDE_TONES[why.direction],
            tip=tr("What was wanted as of this row, by the thresholds and what was decided before."),
        ),
        *_contribution_lines(why, tr, shows_all=all_inputs),
    ]


def _output_lines(why: Explanation, tr: Translate) -> list[Line]:
    """Each number of the model; probabilities on their own scale, others beside the largest."""
    is_shares = all(0.0 <= value <= 1.0 for value in why.output)
    largest = max((abs(value) for value in why.output if math.isfinite(value)), default=0.0)
    tip = tr("The model's numbers as they came.")
    lines: list[Line] = [Heading(tr("Output"), tip=tip)]
    for place, value in enumerate(why.output):
        named = place < len(why.class_names)
        name = why.class_names[place] if named else tr("Output {place}").format(place=place + 1)
        text = figure_text(value, 4)
        if is_shares:
            lines.append(BarLine(name, text, value, "signal", tip=tip))
        else:
            share = value / largest if largest and math.isfinite(value) else 0.0
            lines.append(EffectLine(name, "", text, share, "signal", tip=tip))
    return lines


def _gauge_lines(why: Explanation, tr: Translate) -> list[Line]:
    """Each side's strength beside the thresholds; what a side is compared by is said in the heading."""
    lines: list[Line] = [
        Heading(
            tr("Thresholds"),
            tr("enter {enter} · exit {exit}").format(
                enter=figure_text(why.enter, 4), exit=figure_text(why.exit, 4)
            ),
            tip=tr("The bright line is the threshold of entry, the quiet one that of exit."),
        )
    ]
    if why.up is not None and why.down is not None:
        strengths, low, high, digits = (why.up, why.down), 0.0, 1.0, 3
    else:
        # A regression's score is compared as it is for long, and negated for short.
        high = 1.25 * max(abs(why.score), abs(why.enter), abs(why.exit))
        strengths, low, digits = (why.score, -why.score), -high, _digits(high)
    for name, value, tone in zip((tr("Long"), tr("Short")), strengths, ("bid", "ask"), strict=True):
        share, enter, leave = ((x - low) / (high - low or 1.0) for x in (value, why.enter, why.exit))
        reached = value >= why.enter
        label = tr("{side} ≥ enter").format(side=name) if reached else name
        lines.append(Gauge(label, price_text(value, digits), share, enter, leave, tone))
    lines.append(
        Figure(
            tr("Score"),
            signed_text(why.score, digits),
            tip=tr("Up less down for classes; the predicted value in the label's unit for a regression."),
        )
    )
    return lines


def _contribution_lines(why: Explanation, tr: Translate, *, shows_all: bool) -> list[Line]:
    ranked = sorted(why.contributions, key=lambda one: abs(one.effect), reverse=True)
    tip = tr(
        "Effect: the score less the score with this input at its training mean throughout the window. "
        "Effects need not add up to the score."
    )
    lines: list[Line] = [Heading(tr("Inputs"), tr("value, effect on the score"), tip=tip)]
    if not ranked:
        return [*lines, Sentence(tr("No input was told apart."), "quiet")]
    largest = max(abs(one.effect) for one in ranked)
    digits = 3 if why.up is not None else _digits(largest)
    shown = ranked if shows_all else ranked[:MOST]
    lines += [_effect_line(one, largest, digits, tip) for one in shown]
    if len(shown) < len(ranked):
        lines.append(Sentence(_rest_text(ranked[len(shown) :], digits, tr), "quiet"))
    return lines


def _effect_line(one: Contribution, largest: float, digits: int, tip: str) -> EffectLine:
    tone = "quiet" if not largest or abs(one.effect) < largest / 1e3 else "bid" if one.effect > 0 else "ask"
    return EffectLine(
        one.column,
        figure_text(one.value, 6 if abs(one.value) >= 1 else 4),
        signed_text(one.effect, digits),
        one.effect / largest if largest else 0.0,
        tone,
        tip=f"{one.column} = {one.value!r}\n{tip}",
    )


def _rest_text(rest: Sequence[Contribution], digits: int, tr: Translate) -> str:
    largest = max(abs(one.effect) for one in rest)
    return tr("{count} more, none beyond ±{effect}; press “All inputs” to see them").format(
        count=len(rest), effect=price_text(largest, digits)
    )


def _digits(largest: float) -> int:
    """Decimal digits that show three significant ones of the largest value."""
    if not math.isfinite(largest) or largest <= 0:
        return 3
    return min(12, max(0, 2 - math.floor(math.log10(largest))))
