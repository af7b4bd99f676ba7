"""The process in which a stranger's model is opened and run; started by `ai.runtime.isolation` only."""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ai.passport.records import Tensor
from ai.runtime.confinement import confine, resident_bytes
from ai.runtime.isolation_messages import (
    Export,
    Exported,
    Failed,
    Open,
    Opened,
    Ran,
    Reply,
    Request,
    Run,
    Time,
    Timed,
    decode_request,
    read_frame,
    write_frame,
)

type Arrays = dict[str, npt.NDArray[Any]]
type Runner = Callable[[Arrays], Arrays]

_MAX_TOLD = 300


class _Child:
    """What is open, and the memory that the process held before."""

    def __init__(self) -> None:
        self._run: Runner | None = None
        self._export: Callable[[Arrays, tuple[str, ...]], bytes] | None = None
        self._resident_before: int | None = None

    def answer(self, request: Request) -> Reply:
        """Do one request."""
        match request:
            case Open():
                return self._open(request)
            case Run():
                outputs = self._runner()(_arrays(request.inputs))
                tensors = {name: Tensor.of(output) for name, output in outputs.items()}
                return Ran(tensors, self._memory())
            case Time():
                return Timed(_durations(self._runner(), request))
            case Export():
                if self._export is None:
                    return Failed("This format cannot be converted.")
                return Exported(self._export(_arrays(request.inputs), request.output_names))

    def _open(self, request: Open) -> Reply:
        data = Path(request.path).read_bytes()
        if hashlib.sha256(data).hexdigest() != request.sha256:
            return Failed("The file changed while it was looked at; try again.")
        if request.format == "onnx":
            return self._open_onnx(data, request)
        return self._open_torch(data, request)

    def _open_onnx(self, data: bytes, request: Open) -> Reply:
        from ai.runtime.onnx_session import declared, open_session  # noqa: PLC0415 - 45 MB, only for ONNX

        self._confine(request)
        session = open_session(data)
        names = [port.name for port in session.get_outputs()]

        def run(inputs: Arrays) -> Arrays:
            return dict(zip(names, session.run(names, inputs), strict=True))

        self._run = run
        return Opened(
            inputs=declared(session.get_inputs()),
            outputs=declared(session.get_outputs()),
            memory_bytes=self._memory(),
        )

    def _open_torch(self, data: bytes, request: Open) -> Reply:
        from ai.runtime import torch_files  # noqa: PLC0415 - 224 MB, only for torch's formats

        self._confine(request)
        opened = torch_files.open_file(data, request.format, request.architecture, request.output_names)
        self._run, self._export = opened.run, opened.export
        return Opened(entries=opened.entries, remapped_from=opened.remapped_from, memory_bytes=self._memory())

    def _confine(self, request: Open) -> None:
        confine(request.limits.memory_bytes, request.limits.cpu_s)
        self._resident_before = resident_bytes()

    def _memory(self) -> int | None:
        now = resident_bytes()
        if now is None or self._resident_before is None:
            return None
        return max(0, now - self._resident_before)

    def _runner(self) -> Runner:
        if self._run is None:
            raise ValueError("it holds weights only; name the architecture they belong to")
        return self._run


def _arrays(tensors: dict[str, Tensor]) -> Arrays:
    return {name: tensor.array() for name, tensor in tensors.items()}


def _durations(run: Runner, request: Time) -> tuple[int, ...]:
    inputs = _arrays(request.inputs)
    for _ in range(min(10, request.runs)):
        run(inputs)
    durations: list[int] = []
    clock = time.perf_counter_ns
    until = clock() + int(request.seconds * 1e9)
    while len(durations) < request.runs and (begun := clock()) < until:
        run(inputs)
        durations.append(clock() - begun)
    return tuple(durations)


def _failure(error: Exception) -> Failed:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # TorchScript tells the operation first and the reason last.
    line = lines[-1] if lines[0].startswith("The following operation failed") else lines[0]
    told = line[:_MAX_TOLD].rstrip(". ")
    out_of_memory = isinstance(error, MemoryError) or any(
        sign in str(error) for sign in ("bad_alloc", "Failed to allocate memory", "can't allocate memory")
    )
    return Failed(f"{told}.", out_of_memory=out_of_memory)


def _private_pipe() -> BinaryIO:
    """Take standard output away from the model: what it prints goes nowhere, replies go through this."""
    pipe = os.dup(sys.stdout.fileno())
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return os.fdopen(pipe, "wb")


def main() -> None:
    """Answer requests until the station closes the pipe."""
    requests: BinaryIO = sys.stdin.buffer
    replies = _private_pipe()
    child = _Child()
    # Libraries that ask for a folder of temporary files get this empty one, without a trial file in it.
    tempfile.tempdir = str(Path.cwd())
    np.seterr(all="ignore")
    while (data := read_frame(requests)) is not None:
        try:
            reply = child.answer(decode_request(data))
        except Exception as error:  # noqa: BLE001 - libraries raise what they like; all of it is the answer
            reply = _failure(error)
        write_frame(replies, reply)


if __name__ == "__main__":
    main()
