"""Why a model said what it said: what the score loses when an input tells nothing (occlusion).

Each input in turn is set to its training mean over the whole window; the effect is the score less the score
then (Zeiler, Fergus 2014, Visualizing and understanding convolutional networks, section 4.2, for columns).
"""
# ruff: noqa: N806 - tensors are named by their shape

from collections.abc import Sequence

import numpy as np

from ai.inference.ensemble import Ensemble
from ai.runtime.predictor import Floats
from engine.messages.frames import Contribution, Explanation

TOO_OLD = "The inputs of that moment are not kept any more; ask about a later one."
NOT_YET = "No row has been predicted up to that moment; the features may still be warming up."


def explain(ensemble: Ensemble, windows: Sequence[Floats], asked_ts: int, ts: int) -> Explanation:
    """Explain the answer to these windows `[1, T, F]`, one per member."""
    for member, window in zip(ensemble.members, windows, strict=True):
        if not (whole := np.isfinite(window).all(axis=(0, 1))).all():
            column = member.recipe.columns[int(whole.argmin())]
            return Explanation(asked_ts=asked_ts, problem=f"The input {column} had no value at that moment.")
    columns = list(dict.fromkeys(name for each in ensemble.members for name in each.recipe.columns))
    told = np.empty((len(windows), 1 + len(columns), 4), np.float32)
    values: dict[str, float] = {}
    output: list[float] = []
    for place, (member, window) in enumerate(zip(ensemble.members, windows, strict=True)):
        recipe = member.recipe
        x_BTF = np.repeat(window, 1 + len(recipe.columns), axis=0)
        for at, ordinary in enumerate(recipe.ordinary.tolist()):
            x_BTF[1 + at, :, at] = ordinary
        y_BC = member.predictor.predict(x_BTF)
        output = y_BC[0].tolist()
        answers = recipe.reading.many(y_BC)
        told[place] = answers[0]
        for at, name in enumerate(recipe.columns):
            told[place, 1 + columns.index(name)] = answers[1 + at]
            values.setdefault(name, float(window[0, -1, at]))
    answers = ensemble.combined(told)
    scores = answers[:, 3].astype(np.float64)
    names = ensemble.members[0].recipe.class_names
    if len(windows) > 1 and not ensemble.is_regression:
        output, names = answers[0, :3].tolist(), ("down", "flat", "up")
    elif len(windows) > 1:
        output = [float(scores[0])]
    down, flat, up = (None,) * 3 if ensemble.is_regression else answers[0, :3].tolist()
    return Explanation(
        asked_ts=asked_ts,
        ts=ts,
        model=ensemble.name,
        contributions=[
            Contribution(name, values[name], float(effect))
            for name, effect in zip(columns, scores[0] - scores[1:], strict=True)
        ],
        output=output,
        class_names=names,
        down=down,
        flat=flat,
        up=up,
        score=float(scores[0]),
    )
