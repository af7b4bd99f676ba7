"""A process of its own for a model that nobody vouches for: bounded memory, bounded time, nothing to steal.

The child has no environment beyond what its libraries need, an empty folder to stand in, no file that it
could make grow, and no memory beyond the limit. When it overruns its time it is killed; the station goes on.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from ai.passport.records import Architecture, Tensor
from ai.runtime.isolation_messages import (
    Export,
    Exported,
    Failed,
    Format,
    Limits,
    Open,
    Opened,
    Ran,
    Reply,
    Request,
    Run,
    Time,
    Timed,
    decode_reply,
    read_frame,
    write_frame,
)

type Arrays = dict[str, npt.NDArray[Any]]

_KEPT_ENVIRONMENT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "LANG", "CUDA_VISIBLE_DEVICES")
_START_S = 60.0  # a cold disk reads torch in well under this


class IsolationError(Exception):
    """The model could not be opened or run; the text is one plain sentence."""


class IsolatedModel:
    """A model open in a process of its own; a context manager, which ends the process.

    Raises
    ------
    IsolationError
        It failed, asked for more than the limits allow, or took the process down.
    """

    def __init__(
        self,
        path: Path,
        sha256: str,
        kind: Format,
        limits: Limits | None = None,
        architecture: Architecture | None = None,
        output_names: tuple[str, ...] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._folder = tempfile.TemporaryDirectory(prefix="nexttick-model-")
        self._overran = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "ai.runtime.isolated_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
        )
        try:
            request = Open(str(path.absolute()), sha256, kind, self._limits, architecture, output_names)
            reply = self._ask(request, _START_S + self._limits.wall_s)
            self.opened = _opened(reply)
        except BaseException:
            self.close()
            raise

    def run(self, inputs: Arrays) -> Ran:
        """Run once."""
        reply = self._ask(Run(_tensors(inputs)), self._limits.wall_s)
        if not isinstance(reply, Ran):
            raise IsolationError("The process that runs it answered out of turn.")
        return reply

    def time(self, inputs: Arrays, seconds: float, runs: int) -> tuple[int, ...]:
        """Durations of repeated runs in ns."""
        reply = self._ask(Time(_tensors(inputs), seconds, runs), self._limits.wall_s + seconds)
        if not isinstance(reply, Timed):
            raise IsolationError("The process that times it answered out of turn.")
        return reply.durations_ns

    def export(self, inputs: Arrays, output_names: tuple[str, ...]) -> bytes:
        """Model as ONNX, its first axis free."""
        reply = self._ask(Export(_tensors(inputs), output_names), self._limits.wall_s + _START_S)
        if not isinstance(reply, Exported):
            raise IsolationError("The process that converts it answered out of turn.")
        return reply.model

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # an unsent request of a process that died
                    continue
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- asking -------------------------------------------------------------------------------------------

    def _ask(self, request: Request, wall_s: float) -> Reply:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process was started with pipes")
        watchdog = threading.Timer(wall_s, self._overrun)
        watchdog.start()
        try:
            write_frame(self._process.stdin, request)  # type: ignore[arg-type]
            data = read_frame(self._process.stdout)  # type: ignore[arg-type]
        except BrokenPipeError:
            data = None
        finally:
            watchdog.cancel()
            watchdog.join()
        if data is None:
            raise IsolationError(self._death(wall_s))
        reply = decode_reply(data)
        if isinstance(reply, Failed):
            raise IsolationError(self._out_of_memory() if reply.out_of_memory else reply.told)
        return reply

    def _overrun(self) -> None:
        self._overran = True
        self._process.kill()

    def _death(self, wall_s: float) -> str:
        if self._overran:
            return f"It did not answer within {wall_s:.0f} s."
        self._process.kill()
        code = self._process.wait()
        if code == -signal.SIGABRT:
            return self._out_of_memory()
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"It took down the process that it ran in ({cause})."

    def _out_of_memory(self) -> str:
        return f"It asks for more than the {self._limits.memory_bytes >> 20:,} MB that a model may take."


def _opened(reply: Reply) -> Opened:
    if not isinstance(reply, Opened):
        raise IsolationError("The process that opens it answered out of turn.")
    return reply


def _tensors(arrays: Arrays) -> dict[str, Tensor]:
    return {name: Tensor.of(array) for name, array in arrays.items()}
