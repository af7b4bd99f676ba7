"""Composition root of the engine process: what a spawned engine is made of.

`python -m app.engine_main` is started by `app.engines`, which tells it through standard input what to run.
"""

import sys
from typing import TYPE_CHECKING

from app.paths import memory_folder
from engine.link.endpoint import Secrets
from engine.link.host import host
from engine.link.protocols import Session
from engine.messages.run import Run

if TYPE_CHECKING:
    from engine.recording.recorder import SessionRecorder
    from engine.session.source import Source
    from engine.signals.protocols import Model


def make_session(run: Run, secrets: Secrets | None = None) -> Session:
    """Session of this run; imports the trading engine, which takes longer than to answer the window.

    `secrets` are emptied when this returns: a session that trades at a venue hands them to its client here.
    """
    from app.recordings import person_settings, recorder_of  # noqa: PLC0415

    recorder = recorder_of(person_settings(), run.mode)
    if run.mode != "replay":
        return _live_session(run, {} if secrets is None else secrets, recorder)
    from engine.session.replay import ReplaySession  # noqa: PLC0415 -- the window is answered before this loads
    from engine.session.source import open_source  # noqa: PLC0415

    source = open_source(run)
    return ReplaySession(run, source, model_of(run, source), recorder=recorder)


def _live_session(run: Run, secrets: Secrets, recorder: "SessionRecorder | None") -> Session:
    """Paper or live, on a venue's market or on recorded data."""
    from engine.session.live import LiveSession  # noqa: PLC0415 -- the window is answered before this loads
    from engine.session.live_market import market_at, recorded_as_live  # noqa: PLC0415
    from engine.session.memory import DayMemory, SessionMemory  # noqa: PLC0415
    from engine.session.source import open_source  # noqa: PLC0415

    memory = day = None
    if run.connection is None:
        market = recorded_as_live(run, open_source(run))
    else:
        market = market_at(run, secrets.get(run.profile, {}))
        if run.mode == "live":
            memory = SessionMemory(memory_folder() / f"{run.profile}-{run.instrument}.json")
            day = DayMemory(memory_folder() / f"{run.profile}-day.json")
    return LiveSession(run, market, model_of(run, market), recorder=recorder, memory=memory, day=day)


def model_of(run: Run, source: "Source") -> "Model | None":
    """Models of a run, loaded and warm; None where it has none.

    Raises
    ------
    UserError
        The run is impossible over this source (see `check_run`), or a model is refused.
    """
    if run.inference is None:
        return None
    from app.headlines import news_of  # noqa: PLC0415
    from app.models import open_model  # noqa: PLC0415 -- runtimes and features, only where there is a model
    from engine.session.checks import check_run  # noqa: PLC0415
    from engine.strategies import AiSignalParameters  # noqa: PLC0415

    parameters = check_run(run, source)
    assert isinstance(parameters, AiSignalParameters)  # noqa: S101 -- no other strategy may have a model
    return open_model(run.inference, source.instrument, parameters.ensemble, news_of(run, source.instrument))


if __name__ == "__main__":
    sys.exit(host(make_session))
