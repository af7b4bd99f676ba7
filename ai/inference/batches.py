"""A model asked about many windows: large batches, and on the CPU one per core."""
# ruff: noqa: N806 - tensors are named by their shape

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from ai.inference.ensemble import Member
from ai.inference.reading import FOUR
from ai.runtime.predictor import MAX_BATCH, Arrays, Floats, Signature, predict_in_chunks

_NUMBERS: Final = 1 << 15
_LEAST_ROWS: Final = 64
"""A batch on the CPU has windows of so many numbers, and so many rows at least: what a model makes of them on
the way then stays in the processor's cache. An LSTM is a fifth faster so than at 4,096 rows, which takes it
hundreds of MB."""


class Batches:
    """Reads many windows of one model; a context manager, which ends its threads.

    Only onnxruntime may be asked from several threads at once. A batch is computed by one thread, so that the
    sessions stay those of the single prediction.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._plain = _Plain(member)
        signature, on_cpu = member.predictor.signature, member.predictor.device == "cpu"
        numbers = signature.window * signature.columns
        self._rows = MAX_BATCH
        if on_cpu:
            self._rows = min(MAX_BATCH, max(_NUMBERS // numbers, _LEAST_ROWS, signature.batch or 1))
        cores = os.cpu_count() or 1
        may_share = member.predictor.runtime == "onnxruntime" and on_cpu
        # A batch of single rows is done before another thread would be awake.
        is_worth_it = signature.window > 1 and cores > 1
        self._pool = ThreadPoolExecutor(min(cores, 4)) if may_share and is_worth_it else None

    def read(self, windows: Floats, places: npt.NDArray[np.int64]) -> Floats:
        """Down, flat, up and score at these places of normalised windows `[rows, T, F]`: float32 `[n, 4]`."""
        parts = [places[at : at + self._rows] for at in range(0, len(places), self._rows)]

        def read_part(part: npt.NDArray[np.int64]) -> Floats:
            first, last = int(part[0]), int(part[-1])
            in_a_row = last - first == len(part) - 1
            x_BTF = windows[first : last + 1] if in_a_row else windows[part]
            return self._member.recipe.reading.many(predict_in_chunks(self._plain, x_BTF))

        if self._pool is not None and len(parts) > 1:
            answers = list(self._pool.map(read_part, parts))
        else:
            answers = [read_part(part) for part in parts]
        return np.concatenate(answers) if answers else np.empty((0, FOUR), np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class _Plain:
    """The predictor for rows that are normalised already."""

    def __init__(self, member: Member) -> None:
        self._predictor = member.predictor
        self.signature: Signature = replace(member.predictor.signature, mean=None, std=None)

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        return self._predictor.run(inputs)
