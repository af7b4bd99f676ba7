"""A session in words and figures: its name, its status line, the digits that its times have."""

import math
import weakref
from collections.abc import Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication

from app.frame_clock import FrameFigures
from app.session import Notice
from app.state.session import SessionState
from engine.messages.events import ConnectionChanged, HaltStep, Phase
from engine.messages.frames import Control, ModelHealth, Recorder
from engine.messages.run import Run
from engine.strategies import STRATEGIES
from widgets.numbers import micros_text
from widgets.status import Cell

_SAMPLED: Final = 512
_SLOW_MS: Final = 250.0
_RECENT_S: Final = 2.0


translate: Final = QCoreApplication.translate


def describe(run: Run | None) -> tuple[str, str]:
    """Name and detail of a run for the window's head; no detail where there is none."""
    if run is None:
        return translate("session", "No session"), ""
    source = (
        translate("session", "simulated market") if run.simulate else translate("session", "recorded market")
    )
    if run.recording:
        source = translate("session", "recorded session")
    if run.mode == "paper":
        source = translate("session", "paper, %1").replace("%1", run.profile or source)
    elif run.mode == "live":
        source = translate("session", "live, %1").replace("%1", run.profile)
    title = STRATEGIES[run.strategy].title if run.strategy in STRATEGIES else run.strategy
    strategy = translate("session", "no strategy") if run.strategy == "none" else translate("session", title)
    return run.instrument, f"{source} · {strategy}"


def mode_of(notice: Notice | None, state: SessionState | None) -> tuple[str, str]:
    """Word for what a session is now, and the colour's token that goes with it; empty where there is none."""
    if state is None:
        return "", "signal"
    if notice is not None:
        return {
            "end": (translate("session", "ENDED"), "warning"),
            "crash": (translate("session", "STOPPED"), "danger"),
            "silence": (translate("session", "NO ANSWER"), "warning"),
        }[notice.cause]
    if state.transport is not None and state.transport.phase is Phase.FAILED:
        return translate("session", "FAILED"), "danger"
    return _mode_of_control(state.control)


def _mode_of_control(control: Control) -> tuple[str, str]:
    """REPLAY is blue, PAPER amber, LIVE red; paper and live that let no order pass are a quiet VIEW."""
    if control.halt is not HaltStep.NONE:
        return translate("session", "HALTED"), "danger"
    if control.mode == "replay":
        return translate("session", "REPLAY"), "signal"
    if control.arm == "live":
        return translate("session", "LIVE"), "danger"
    if control.arm == "paper":
        return translate("session", "PAPER"), "warning"
    return translate("session", "VIEW"), "quiet"


def model_cells(models: Sequence[ModelHealth]) -> list[Cell]:
    """What the run's models lose and take; nothing where it has none."""
    if not models:
        return []
    dropped = sum(model.dropped for model in models)
    slowest = [stage.p99_us for model in models for stage in model.stages if stage.name == "inference"]
    return [
        Cell(
            translate("session", "Model drops"),
            f"{dropped:,}",
            translate("session", "Rows that were not asked because the model was too slow for them"),
            "warning" if dropped else "text",
        ),
        Cell(
            translate("session", "Inference p99"),
            micros_text(max(slowest, default=math.nan)),
            translate("session", "Time of which 99 of 100 predictions take less, of the slowest model"),
        ),
    ]


def recorder_cell(recorder: Recorder) -> Cell:
    """Size of the recording and the rows that are not in it; or that there is none."""
    name = translate("session", "Recorder")
    if recorder.state == "off":
        return Cell(name, translate("session", "off"), translate("session", "Nothing is recorded"))
    size = f"{recorder.bytes_written / 2**20:,.1f} MB"
    if recorder.state == "stopped":
        size = translate("session", "stopped")
    value = size
    if recorder.rows_lost:
        value = translate("session", "%1, %2 rows lost")
        value = value.replace("%1", size).replace("%2", f"{recorder.rows_lost:,}")
    tip = translate("session", "%1 rows of market data and %2 events in %3; at most %4")
    cap = f"{recorder.cap_bytes / 2**20:,.0f} MB" if recorder.cap_bytes else "∞"
    for place, text in (
        ("%1", f"{recorder.rows:,}"),
        ("%2", f"{recorder.events:,}"),
        ("%3", recorder.folder),
        ("%4", cap),
    ):
        tip = tip.replace(place, text)
    warns = recorder.rows_lost or recorder.text
    token = "danger" if recorder.state == "stopped" else "warning" if warns else "text"
    return Cell(name, value, f"{recorder.text} {tip}".strip(), token)


_CONNECTION_TONES: Final = {"reconnecting": "danger", "ended": "danger", "connecting": "warning"}
_OLD_S: Final = 3.0
_VERY_OLD_S: Final = 10.0


def live_cells(state: SessionState) -> list[Cell]:
    """Age of the feed and each connection, zero included; nothing in a replay."""
    age_s = state.control.feed_age_s
    if state.control.mode == "replay":
        return []
    tone = "text"
    if age_s is not None and age_s > _OLD_S:
        tone = "danger" if age_s > _VERY_OLD_S else "warning"
    cells = [
        Cell(
            translate("session", "Feed age"),
            "–" if age_s is None else f"{age_s:.1f} s",
            translate("session", "Time since the newest market data arrived"),
            tone,
        )
    ]
    for name, connection in state.connections.items():
        word = _connection_word(connection)
        tip = connection.text or translate("session", "Connection to %1").replace("%1", name)
        cells.append(Cell(name, word, tip, _CONNECTION_TONES.get(connection.state, "text")))
    return cells


def _connection_word(connection: ConnectionChanged) -> str:
    words = {
        "connecting": translate("session", "connecting"),
        "connected": translate("session", "connected"),
        "reconnecting": translate("session", "reconnecting, %1"),
        "reconciled": translate("session", "reconciled"),
        "ended": translate("session", "ended"),
    }
    return words[connection.state].replace("%1", f"{connection.attempt:,}")


def status_cells(
    state: SessionState | None,
    figures: FrameFigures,
    ticks_per_s: float,
    own_bytes: int,
    *,
    one_process: bool = False,
) -> list[Cell]:
    """Every delay, conflation and loss, zero included.

    `own_bytes` is the memory of the window's process, in which the engine runs too where it is `one_process`.
    """
    own_mb = own_bytes / 2**20
    fps = figures.frames_per_s()
    frames = Cell(
        translate("session", "Frames/s"), f"{fps:.0f}", translate("session", "Frames painted per second")
    )
    if state is None:
        return [
            frames,
            Cell(
                translate("session", "Memory"),
                f"{own_mb:,.0f} MB",
                translate("session", "Memory of this window's process"),
            ),
        ]
    health = state.health
    late = figures.tick_to_paint_ms[-120:]
    paint = f"{np.median(late):.0f} ms" if figures.seconds_since_tick < _RECENT_S else "–"
    return [
        *live_cells(state),
        Cell(
            translate("session", "Feed lag"),
            f"{health.lag_ms:,.0f} ms",
            translate("session", "How far the session's clock is behind where its speed says it should be"),
            "warning" if health.lag_ms > _SLOW_MS else "text",
        ),
        Cell(
            translate("session", "Engine"),
            f"{health.loop_ms:,.0f} ms",
            translate("session", "Longest turn of the engine's loop since the last frame"),
            "warning" if health.loop_ms > _SLOW_MS else "text",
        ),
        Cell(
            translate("session", "Tick to paint"),
            paint,
            translate("session", "Median age of a frame's oldest tick when it was painted"),
        ),
        frames,
        Cell(
            translate("session", "Ticks/s"),
            f"{ticks_per_s:,.0f}",
            translate("session", "Ticks that the engine processes per second"),
        ),
        Cell(
            translate("session", "Conflated"),
            f"{health.conflated:,}",
            translate(
                "session",
                "Ticks left out on screen because a frame cannot show them; none is left out of the run",
            ),
        ),
        Cell(
            translate("session", "Events lost"),
            f"{state.events_lost:,}",
            translate("session", "Events that did not arrive and were asked for again"),
            "danger" if state.events_lost else "text",
        ),
        *model_cells(state.signals.models),
        recorder_cell(state.recorder),
        Cell(
            translate("session", "Memory"),
            f"{own_mb:,.0f} MB" if one_process else f"{own_mb:,.0f} + {health.memory_mb:,.0f} MB",
            translate("session", "Memory of the one process that holds window and engine")
            if one_process
            else translate("session", "Memory of this window's process and of the engine's"),
        ),
    ]


class TimeDigits:
    """Digits of the second in which a session's times are shown: 3, 6 or 9, what its first data have.

    They stay, so that the clock keeps its width; only data that come with more digits raise them.
    """

    def __init__(self) -> None:
        self._digits = 3
        self._session: weakref.ref[SessionState] | None = None

    def of(self, state: SessionState) -> int:
        """Digits of this session; those of the last one until this one has data."""
        found = _digits_of_newest(state)
        if found is not None:
            known = self._session is not None and self._session() is state
            self._digits = max(self._digits, found) if known else found
            self._session = weakref.ref(state)
        return self._digits


def _digits_of_newest(state: SessionState) -> int | None:
    newest = [
        tape.rows["ts"][-_SAMPLED:]
        for market in state.markets.values()
        for tape in (market.quotes, market.trades)
    ]
    times = np.concatenate(newest) if newest else np.empty(0, np.int64)
    if not len(times):
        return None
    for digits, unit in ((3, 1_000_000), (6, 1_000)):
        if not (times % unit).any():
            return digits
    return 9
