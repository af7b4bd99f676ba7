"""Composition root of the engine process: what a spawned engine is made of.

`python -m app.engine_main` is started by `app.engines`, which tells it through standard input what to run.
"""

import sys

from engine.link.host import host
from engine.link.protocols import Session
from engine.messages.run import Run


def make_session(run: Run) -> Session:
    """Session of this run; imports the trading engine, which takes longer than to answer the window."""
    from engine.session.replay import ReplaySession  # noqa: PLC0415 -- the window is answered before this loads
    from engine.session.source import open_source  # noqa: PLC0415

    return ReplaySession(run, open_source(run))


if __name__ == "__main__":
    sys.exit(host(make_session))
