"""Reads a passport and tells all that is wrong with it at once, so that its writer mends it in one go."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args, get_origin

import msgspec
import numpy as np

from ai.passport.records import MAX_PASSPORT_BYTES, Golden, Passport, Record, Shape, Span, Tensor


class PassportError(ValueError):
    """A passport that cannot be true; `faults` are all of them, one plain sentence each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("The passport is not valid: " + " ".join(self.faults))


def parse(data: bytes | str) -> Passport:
    """Read a passport's JSON.

    Raises
    ------
    PassportError
        With everything that is wrong, not only the first fault.
    """
    if len(data) > MAX_PASSPORT_BYTES:
        raise PassportError([f"It is larger than {MAX_PASSPORT_BYTES >> 20} MB."])
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PassportError([f"It is not JSON ({error})."]) from error
    if faults := list(_shape_faults(Passport, told, "")):
        raise PassportError(faults)
    passport = msgspec.convert(told, Passport)
    if faults := list(passport_faults(passport)):
        raise PassportError(faults)
    return passport


# -- faults of form: every field, not only the first ------------------------------------------------------


def _shape_faults(kind: Any, value: object, path: str) -> Iterator[str]:
    """Faults of `value` as a `kind`; descends into records, so that each fault is told by itself."""
    optional = type(None) in get_args(kind)
    if optional and value is None:
        return
    record = next((each for each in (kind, *get_args(kind)) if _is_record(each)), None)
    if record is None:
        yield from _leaf_faults(kind, value, path)
    elif get_origin(kind) is tuple:
        if not isinstance(value, list):
            yield f"{path} must be a list."
            return
        for at, each in enumerate(value):
            yield from _shape_faults(record, each, f"{path}[{at}]")
    elif get_origin(kind) is dict:
        if not isinstance(value, dict):
            yield f"{path} must be an object."
            return
        for name, each in value.items():
            yield from _shape_faults(record, each, f"{path}.{name}")
    elif not isinstance(value, dict):
        yield f"{path or 'It'} must be an object."
    else:
        yield from _record_faults(record, value, path)


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


def _record_faults(record: Any, value: Mapping[str, object], path: str) -> Iterator[str]:
    dot = f"{path}." if path else ""
    known = {field.name: field for field in msgspec.structs.fields(record)}
    for name in value:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            yield f"{dot}{name} is no field of it" + (f"; {near[0]} is meant?" if near else ".")
    for name, field in known.items():
        if name in value:
            yield from _shape_faults(field.type, value[name], dot + name)
        elif field.required:
            yield f"{dot}{name} is missing."


def _leaf_faults(kind: Any, value: object, path: str) -> Iterator[str]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        told = re.sub(r" - at `\$(.*)`$", r" (at \1)", str(error))
        yield f"{path}: {told[0].lower()}{told[1:]}."


# -- faults of meaning ------------------------------------------------------------------------------------


def passport_faults(passport: Passport) -> Iterator[str]:
    """Tell what in a well-formed passport contradicts itself."""
    yield from _input_faults(passport)
    yield from _output_faults(passport)
    yield from _normaliser_faults(passport)
    yield from _bins_faults(passport)
    yield from _range_faults(passport)
    if passport.golden is not None:
        yield from _golden_faults(passport, passport.golden)
    for name, digest in passport.sha256.items():
        if re.fullmatch("[0-9a-f]{64}", digest) is None:
            yield f"sha256.{name} must be 64 hexadecimal digits."
    for name, value in (
        ("window", passport.window),
        ("stride", passport.stride),
        ("trials", passport.trials),
    ):
        if value < 1:
            yield f"{name} must be at least 1."
    if passport.expires is not None:
        try:
            dt.date.fromisoformat(passport.expires)
        except ValueError:
            yield "expires must be a day such as 2027-12-31."


def _input_faults(passport: Passport) -> Iterator[str]:
    columns = passport.columns
    if not passport.inputs:
        yield "inputs must name at least one tensor."
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        yield f"features give the column {twice[0]} twice."
    for each in passport.inputs:
        yield from _shape_size_faults(f"inputs.{each.name}", each.shape)
        if len(each.shape) not in {2, 3}:
            yield f"inputs.{each.name}.shape must be [batch, columns] or [batch, window, columns]."
            continue
        if isinstance(each.shape[-1], int) and each.shape[-1] != len(each.columns):
            yield f"inputs.{each.name} has {each.shape[-1]} columns and names {len(each.columns)}."
        if len(each.shape) == 3 and isinstance(each.shape[1], int) and each.shape[1] != passport.window:
            yield f"inputs.{each.name} takes {each.shape[1]} rows and window is {passport.window}."
        if len(each.shape) == 2 and passport.window != 1:
            yield f"inputs.{each.name} takes one row and window is {passport.window}."
    taken = tuple(column for each in passport.inputs for column in each.columns)
    if taken != columns:
        if sorted(taken) == sorted(columns):
            yield "The inputs take the columns in another order than features give them."
        else:
            stray = sorted(set(taken) ^ set(columns)) or ["one column"]
            yield f"inputs and features name different columns ({', '.join(stray[:5])})."


def _shape_size_faults(path: str, shape: Shape) -> Iterator[str]:
    if any(isinstance(size, int) and size < 1 for size in shape):
        yield f"{path}.shape must have sizes of at least 1 (or a name where a size is free)."


def _output_faults(passport: Passport) -> Iterator[str]:
    used = [each for each in passport.outputs if each.meaning != "unused"]
    if len(used) != 1:
        yield f"Exactly one output must be used; {len(used)} are."
    for each in passport.outputs:
        yield from _shape_size_faults(f"outputs.{each.name}", each.shape)
    names = passport.label.class_names if passport.label is not None else ()
    for each in used:
        if passport.task == "regression" and each.meaning != "value":
            yield f"outputs.{each.name} means {each.meaning}; a regression gives a value."
        if passport.task == "classification" and each.meaning == "value":
            yield f"outputs.{each.name} means a value; a classification tells classes."
        per_class = each.meaning in {"logits", "probabilities"} and each.shape
        if per_class and names and isinstance(each.shape[-1], int) and each.shape[-1] != len(names):
            yield f"outputs.{each.name} has {each.shape[-1]} classes and label names {len(names)}."


def _normaliser_faults(passport: Passport) -> Iterator[str]:
    normaliser, count = passport.normaliser, len(passport.columns)
    if normaliser.kind == "none":
        if normaliser.mean or normaliser.std:
            yield "normaliser is none and yet has mean or std."
        return
    for name, values in (("mean", normaliser.mean), ("std", normaliser.std)):
        if len(values) != count:
            yield f"normaliser.{name} has {len(values)} numbers for {count} columns."
    if any(not std > 0 for std in normaliser.std):
        yield "normaliser.std must be above zero everywhere."
    yield from _span_faults("normaliser.fitted_on", normaliser.fitted_on)


def _bins_faults(passport: Passport) -> Iterator[str]:
    for each in passport.training_bins:
        path = f"training_bins.{each.column}"
        if each.column not in passport.columns:
            yield f"{path} is no column of the features."
        if len(each.shares) != len(each.edges) + 1:
            yield f"{path} needs one share more than edges."
        if any(not low < high for low, high in pairwise(each.edges)):
            yield f"{path}.edges must ascend."
        if any(share < 0 for share in each.shares) or not math.isclose(sum(each.shares), 1, abs_tol=1e-6):
            yield f"{path}.shares must add up to one."


def _range_faults(passport: Passport) -> Iterator[str]:
    ranges = passport.ranges
    if ranges is None:
        return
    spans = {"train": ranges.train, "validation": ranges.validation, "test": ranges.test}
    for name, span in spans.items():
        yield from _span_faults(f"ranges.{name}", span)
    if ranges.purge_ns < 0 or ranges.embargo_ns < 0:
        yield "ranges.purge_ns and ranges.embargo_ns must not be below zero."
    given = [(name, span) for name, span in spans.items() if span is not None]
    for (early, before), (late, after) in pairwise(given):
        if after.start_ns < before.end_ns + ranges.purge_ns:
            yield f"ranges.{late} begins before {early} and its purge have ended."


def _span_faults(path: str, span: Span | None) -> Iterator[str]:
    if span is not None and span.end_ns <= span.start_ns:
        yield f"{path} ends before it begins."


def _golden_faults(passport: Passport, golden: Golden) -> Iterator[str]:
    sides = (
        ("inputs", golden.inputs, {each.name for each in passport.inputs}),
        ("outputs", golden.outputs, {each.name for each in passport.outputs}),
    )
    for side, tensors, names in sides:
        if set(tensors) != names:
            yield f"golden.{side} must be given for {', '.join(sorted(names))}."
        for name, tensor in tensors.items():
            yield from _tensor_faults(f"golden.{side}.{name}", tensor)
    if not (golden.rtol >= 0 and golden.atol >= 0) or golden.rtol > 0.1:
        yield "golden.rtol must be from 0 to 0.1 and golden.atol not below zero."


def _tensor_faults(path: str, tensor: Tensor) -> Iterator[str]:
    if any(size < 1 for size in tensor.shape):
        yield f"{path}.shape must have sizes of at least 1."
    elif math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize != len(tensor.data):
        yield f"{path}.data does not fill its shape."
    elif not np.isfinite(tensor.array()).all():
        yield f"{path}.data holds numbers that are not finite."
