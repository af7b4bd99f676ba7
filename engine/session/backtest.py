"""A run without a watcher: the same session, driven to its end, and what came of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from engine.messages.commands import Command, Finish, Play, SetSpeed
from engine.messages.events import Filled, Logged, Phase, PhaseChanged, Refused, Results
from engine.messages.run import Run
from engine.recording.recorder import SessionRecorder
from engine.session.playhead import WINDOW_EVENTS
from engine.session.replay import ReplaySession
from engine.session.source import Source, open_source
from engine.signals.protocols import Model

_SLICE_S = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of a finished run, its fills in order, and what was warned of, each sentence once."""

    results: Results
    fills: list[Filled]
    warnings: list[str]


def backtest(
    run: Run,
    source: Source | None = None,
    model: Model | None = None,
    recorder: SessionRecorder | None = None,
) -> Outcome:
    """Run at full speed to the end; `model` is what the run's strategy acts on, and is closed.

    Raises
    ------
    UserError
        See `open_source` and `ReplaySession`; or the strategy or the engine failed on the way.
    """
    session = ReplaySession(run, source or open_source(run), model, watched=False, recorder=recorder)
    return _outcome(session, [Finish()])


def replay_headless(
    run: Run,
    source: Source | None = None,
    model: Model | None = None,
    *,
    speed: float = 0.0,
    window_events: Callable[[], int] = lambda: WINDOW_EVENTS,
    recorder: SessionRecorder | None = None,
) -> Outcome:
    """Play to the end as a replay does, at `speed` (0 is maximum), in windows of so many events.

    Raises
    ------
    UserError
        As `backtest`, or for an impossible speed.
    """
    session = ReplaySession(
        run,
        source or open_source(run),
        model,
        window_events=window_events,
        watched=False,
        recorder=recorder,
    )
    return _outcome(session, [SetSpeed(speed), Play()])


def random_windows(seed: int) -> Callable[[], int]:
    """Window sizes from 1 to the largest, drawn at random; equal seeds give equal sizes."""
    sizes = _sizes(seed)
    return lambda: next(sizes)


def _sizes(seed: int) -> Iterator[int]:
    random = np.random.default_rng(seed)
    while True:
        yield from random.integers(1, WINDOW_EVENTS, 256, endpoint=True).tolist()


def _outcome(session: ReplaySession, commands: list[Command]) -> Outcome:
    try:
        for command in commands:
            session.handle(command)  # type: ignore[arg-type]
        text = ""
        warnings: dict[str, None] = {}
        while True:
            busy = session.advance(_SLICE_S)
            for event in session.take_events():
                match event:
                    case Results():
                        return Outcome(event, session.course.fills, list(warnings))
                    case Refused():
                        raise UserError(event.text)
                    case Logged(level="warning"):
                        warnings[event.text] = None
                    case PhaseChanged(phase=Phase.FAILED):
                        text = event.text
                    case _:
                        pass
            if not busy:
                raise UserError(text or "The run stopped before its end.")
    finally:
        session.close()
