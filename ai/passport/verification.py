"""Proves a passport against the file, this station's features and the model's own answers.

Each check is one line of the model card: what was checked, whether it held, and in words what to do if not.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from ai.passport.records import Passport

type CheckName = Literal["hash", "features", "order", "ports", "golden", "expiry", "licence"]


class Check(msgspec.Struct, frozen=True):
    """One verification tick; `ok` is None where nothing was there to check."""

    name: CheckName
    ok: bool | None
    told: str


def verify(
    passport: Passport,
    *,
    sha256: str,
    file_name: str,
    known_features: Mapping[str, str] | None,
    columns: Sequence[str] | None = None,
    outputs: Mapping[str, npt.NDArray[Any]] | None,
    today: dt.date | None = None,
) -> list[Check]:
    """Check all that loading depends on.

    Parameters
    ----------
    passport : Passport
    sha256 : str
        Hash of the model file, without the passport that it may carry.
    file_name : str
    known_features : mapping or None
        Code hash of each feature of this station by its name; None where the caller knows no features.
    columns : sequence of str, optional
        Columns of the feature set that is to feed the model, in order.
    outputs : mapping or None
        What the model answers here to the golden inputs, by name; None where it did not run.
    today : date, optional
        Instead of the clock's.
    """
    checks = [_hash(passport, sha256, file_name), _features(passport, known_features)]
    if columns is not None:
        checks.append(_order(passport, tuple(columns)))
    checks.append(_golden(passport, outputs))
    if passport.expires is not None:
        last = dt.date.fromisoformat(passport.expires)
        over = (today or dt.datetime.now(dt.UTC).date()) > last
        told = f"It expired on {last}; train it again." if over else f"It may be armed until {last}."
        checks.append(Check("expiry", not over, told))
    return checks


def _hash(passport: Passport, sha256: str, file_name: str) -> Check:
    if not passport.sha256:
        return Check("hash", None, "The passport names no hash; it cannot tell whether the file was changed.")
    expected = passport.sha256.get(file_name)
    if expected == sha256 or (expected is None and sha256 in passport.sha256.values()):
        return Check("hash", True, "The file is the one that the passport was written for.")
    return Check(
        "hash", False, "The file is not the one that the passport was written for; get both from one place."
    )


def _features(passport: Passport, known: Mapping[str, str] | None) -> Check:
    if known is None:
        return Check("features", None, "Features were not compared with this station's.")
    unknown = sorted({each.name for each in passport.features if each.name not in known})
    if unknown:
        return Check(
            "features", False, f"This station has no feature {', '.join(unknown)}; map the inputs anew."
        )
    moved = sorted({each.name for each in passport.features if known[each.name] != each.code})
    if moved:
        return Check(
            "features",
            False,
            f"The code of {', '.join(moved)} has changed since the training; train the model again.",
        )
    return Check("features", True, f"All {len(passport.columns)} columns are computed as in the training.")


def _order(passport: Passport, columns: tuple[str, ...]) -> Check:
    if columns == passport.columns:
        return Check("order", True, "The feature set gives the columns in the model's order.")
    if sorted(columns) == sorted(passport.columns):
        told = "The feature set gives the model's columns in another order; use the set it was trained with."
        return Check("order", False, told)
    lacking = sorted(set(passport.columns) - set(columns))
    spare = sorted(set(columns) - set(passport.columns))
    parts = [f"lacks {', '.join(lacking[:5])}"] if lacking else []
    parts += [f"has {', '.join(spare[:5])} besides"] if spare else []
    return Check(
        "order", False, f"The feature set {' and '.join(parts) or 'repeats columns'}; choose another."
    )


def _golden(passport: Passport, outputs: Mapping[str, npt.NDArray[Any]] | None) -> Check:
    golden = passport.golden
    if golden is None:
        return Check("golden", None, "The passport has no golden outputs to compare with.")
    if outputs is None:
        return Check("golden", None, "The model did not run, so its golden outputs were not compared.")
    for name, expected in golden.outputs.items():
        if name not in outputs:
            return Check("golden", False, f"The model gives no output {name}; the file is another model.")
        if not golden.agrees(name, outputs[name]):
            return Check("golden", False, _difference(name, expected.array(), outputs[name]))
    return Check("golden", True, "The golden outputs came out as in the training.")


def _difference(name: str, expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> str:
    if expected.shape != found.shape:
        return f"Output {name} has shape {list(found.shape)} here and {list(expected.shape)} in the passport."
    worst = float(np.max(np.abs(found.astype(np.float64) - expected.astype(np.float64))))
    return f"Output {name} differs from the golden one by up to {worst:.3g}; it cannot be used so."
