"""What runs inside the engine process: the replay session and its headless form, the back-test."""

from engine.link.protocols import Session
from engine.messages.run import Run


def build(run: Run) -> Session:
    """Session of a run, to be used in this thread; raises `UserError` where the run is impossible."""
    from engine.session.replay import open_session  # noqa: PLC0415 - Nautilus and Arrow take a while to load

    return open_session(run)
