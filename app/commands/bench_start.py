"""`nexttick bench start`: from the start of the process to the first painted window, offscreen.

Each start is a process of its own. The peer is an empty Qt window in the same run: what no Qt program can be
faster than.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from app.commands import Report, Result
from engine.errors import UserError

_STARTS: Final = 5
_HEAVY: Final = ("torch", "onnxruntime", "pandas", "polars", "pyarrow", "nautilus_trader")

_STATION: Final = f"""
import json, sys
from app.__main__ import main
code = main(["demo", "--offscreen", "--seconds", "1", "--json", sys.argv[1]])
figures = json.load(open(sys.argv[1]))
figures["imported"] = [name for name in {_HEAVY!r} if name in sys.modules]
json.dump(figures, open(sys.argv[1], "w"))
raise SystemExit(code)
"""

_PEER: Final = """
import json, sys, time
import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        seconds = time.time() - psutil.Process().create_time()
        json.dump({"seconds_to_first_paint": seconds}, open(sys.argv[1], "w"))
        QTimer.singleShot(0, app.quit)
app = QApplication(["peer", "-platform", "offscreen"])
window = Window()
window.resize(1600, 900)
window.show()
app.exec()
"""


def run_bench_start(_args: argparse.Namespace, report: Report) -> Result:
    """Start the station and the peer in turns; medians, and what the station's process imported."""
    station: list[dict[str, Any]] = []
    peer: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        for number in range(_STARTS):
            report(f"Start {number + 1} of {_STARTS}")
            peer.append(_figures(_PEER, out))
            station.append(_figures(_STATION, out))
    seconds = [float(one["seconds_to_first_paint"]) for one in station]
    bare = [float(one["seconds_to_first_paint"]) for one in peer]
    result: dict[str, Any] = {
        "first_paint_s": {"p50": statistics.median(seconds), "max": max(seconds)},
        "bare_qt_first_paint_s": {"p50": statistics.median(bare), "max": max(bare)},
        "ratio": statistics.median(seconds) / statistics.median(bare),
        "imported": sorted({name for one in station for name in one["imported"]}),
    }
    heavy = ", ".join(result["imported"]) or "none"
    text = (
        f"First painted window after {result['first_paint_s']['p50']:.2f} s "
        f"(slowest of {_STARTS}: {result['first_paint_s']['max']:.2f} s), "
        f"{result['ratio']:.1f} times an empty Qt window ({result['bare_qt_first_paint_s']['p50']:.2f} s).\n"
        f"Of {', '.join(_HEAVY)} its process imported: {heavy}."
    )
    return Result(result, text)


def _figures(code: str, out: Path) -> dict[str, Any]:
    """Run one start to its end and read what it measured."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(out)], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise UserError(f"A start ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return msgspec.json.decode(out.read_bytes(), type=dict[str, Any])
