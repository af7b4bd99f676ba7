"""Composition root of the engine process: what a spawned engine is made of.

`python -m app.engine_main` is started by `app.engines`, which tells it through standard input what to run.
"""

import sys
from typing import TYPE_CHECKING

from engine.link.endpoint import Secrets
from engine.link.host import host
from engine.link.protocols import Session
from engine.messages.run import Run

if TYPE_CHECKING:
    from engine.session.source import Source
    from engine.signals.protocols import Model


def make_session(run: Run, secrets: Secrets | None = None) -> Session:  # noqa: ARG001 - of venues, to come
    """Session of this run; imports the trading engine, which takes longer than to answer the window.

    `secrets` are emptied when this returns: a session that trades at a venue hands them to its client here.
    """
    from app.recordings import person_settings, recorder_of  # noqa: PLC0415
    from engine.session.source import open_source  # noqa: PLC0415 -- the window is answered before this loads

    source = open_source(run)
    recorder = recorder_of(person_settings())
    if run.mode == "replay":
        from engine.session.replay import ReplaySession  # noqa: PLC0415

        return ReplaySession(run, source, model_of(run, source), recorder=recorder)
    from engine.session.live import LiveSession  # noqa: PLC0415
    from engine.session.live_market import recorded_as_live  # noqa: PLC0415

    market = recorded_as_live(run, source)
    return LiveSession(run, market, model_of(run, source), recorder=recorder)


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
