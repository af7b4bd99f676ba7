"""What the benchmarks share: a measurement in a process of its own, and how much memory that took."""

import json
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import psutil


def in_child(measure: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Figures that `measure(*arguments)` answers in a fresh process."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(theirs, measure, arguments))
    child.start()
    theirs.close()
    try:
        figures: dict[str, float] = json.loads(mine.recv_bytes())
    except EOFError as error:
        raise RuntimeError(f"{measure.__name__}{arguments} ended without a figure") from error
    finally:
        child.join()
        mine.close()
    return figures


def _answer(
    pipe: Connection, measure: Callable[..., dict[str, float]], arguments: tuple[object, ...]
) -> None:
    pipe.send_bytes(json.dumps(measure(*arguments)).encode())
    pipe.close()


def peak_mb() -> float:
    """Most memory that this process ever held.

    Not `getrusage`: on Linux its figure survives `exec`, so a child would show its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024
    memory = psutil.Process().memory_info()
    return float(getattr(memory, "peak_wset", memory.rss)) / 2**20
