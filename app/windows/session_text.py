"""A session in words and figures: its name, its status line, the digits that its times have."""

from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication

from app.frame_clock import FrameFigures
from app.state.session import SessionState
from engine.messages.run import Run
from engine.strategies import STRATEGIES
from widgets.status import Cell

_SAMPLED: Final = 512
_SLOW_MS: Final = 250.0


def _tr(text: str) -> str:
    return QCoreApplication.translate("session", text)


def describe(run: Run | None) -> tuple[str, str, str]:
    """Name, detail and mode of a run for the window's head; empty texts where there is none."""
    if run is None:
        return _tr("No session"), "", ""
    source = _tr("simulated market") if run.simulate else _tr("recorded market")
    title = STRATEGIES[run.strategy].title if run.strategy in STRATEGIES else run.strategy
    strategy = _tr("watching only") if run.strategy == "none" else _tr(title)
    return run.instrument, f"{source} · {strategy}", _tr("REPLAY")


def status_cells(state: SessionState | None, figures: FrameFigures, own_bytes: int) -> list[Cell]:
    """Every delay, conflation and loss, zero included; `own_bytes` is the window process's memory."""
    own_mb = own_bytes / 2**20
    fps = figures.frames_per_s()
    frames = Cell(_tr("Frames/s"), f"{fps:.0f}", _tr("Frames painted per second"))
    if state is None:
        return [frames, Cell(_tr("Memory"), f"{own_mb:,.0f} MB", _tr("Memory of this window's process"))]
    health = state.health
    late = figures.tick_to_paint_ms[-120:]
    paint = f"{np.median(late):.0f} ms" if len(late) else "–"
    return [
        Cell(
            _tr("Feed lag"),
            f"{health.lag_ms:,.0f} ms",
            _tr("How far the session's clock is behind where its speed says it should be"),
            "warning" if health.lag_ms > _SLOW_MS else "text",
        ),
        Cell(
            _tr("Engine"),
            f"{health.loop_ms:,.0f} ms",
            _tr("Longest turn of the engine's loop since the last frame"),
            "warning" if health.loop_ms > _SLOW_MS else "text",
        ),
        Cell(_tr("Tick to paint"), paint, _tr("Median age of a frame's oldest tick when it was painted")),
        frames,
        Cell(_tr("Ticks/s"), f"{health.ticks_per_s:,.0f}", _tr("Ticks that the engine processes per second")),
        Cell(
            _tr("Conflated"),
            f"{health.conflated:,}",
            _tr("Ticks left out on screen because a frame cannot show them; none is left out of the run"),
        ),
        Cell(
            _tr("Events lost"),
            f"{state.events_lost:,}",
            _tr("Events that did not arrive and were asked for again"),
            "danger" if state.events_lost else "text",
        ),
        Cell(
            _tr("Memory"),
            f"{own_mb:,.0f} + {health.memory_mb:,.0f} MB",
            _tr("Memory of this window's process and of the engine's"),
        ),
    ]


def time_digits(state: SessionState) -> int:
    """Digits of the second that the newest data have: 3, 6 or 9, so that no time shows zeros it never had."""
    newest = [
        tape.rows["ts"][-_SAMPLED:]
        for market in state.markets.values()
        for tape in (market.quotes, market.trades)
    ]
    times = np.concatenate(newest) if newest else np.empty(0, np.int64)
    for digits, unit in ((3, 1_000_000), (6, 1_000)):
        if not (times % unit).any():
            return digits
    return 9
