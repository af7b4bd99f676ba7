"""What a session tells: its events in order, each handed to the recorder once, and the phase it is in."""

from collections.abc import Callable
from typing import Literal

from engine.errors import UserError
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent, Logged, Phase, PhaseChanged, Refused
from engine.recording.recorder import SessionRecorder
from engine.session import telling
from engine.session.course_model import CourseModel
from engine.session.run_model import RunModel


class Told:
    """Events of one session, until somebody takes them.

    Parameters
    ----------
    recorder : SessionRecorder or None
        Records them, too.
    now_ns : callable
        Time of what is told here.

    Attributes
    ----------
    phase : Phase
        Where the session is in its life.
    """

    def __init__(self, recorder: SessionRecorder | None, now_ns: Callable[[], int]) -> None:
        self._recorder, self._now_ns = recorder, now_ns
        self._events: list[AnyEvent] = []
        self._recorded = 0
        self.phase = Phase.LOADING

    def append(self, event: AnyEvent) -> None:
        """Tell an event."""
        self._events.append(event)

    def log(
        self, text: str, level: Literal["info", "warning", "error"] = "info", source: str = "session"
    ) -> None:
        """Tell a line for the log."""
        self.append(Logged(ts=self._now_ns(), level=level, source=source, text=text))

    def enter(self, phase: Phase, text: str = "") -> None:
        """Be in a phase from now on."""
        self.phase = phase
        self.append(PhaseChanged(ts=self._now_ns(), phase=phase, text=text))

    def refused(self, command: AnyCommand, error: UserError) -> None:
        """A command was not carried out."""
        name = str(type(command).__struct_config__.tag)
        self.append(Refused(ts=self._now_ns(), command=name, text=str(error)))

    def model(self, model: RunModel | None, course: CourseModel | None) -> None:
        """What the run's model is, and what to beware of."""
        if model is None or course is None:
            return
        for text in telling.model(model, course):
            self.log(text)
        for text in model.facts.warnings:
            self.log(text, "warning")
        if model.in_sample:
            self.log(telling.in_sample(model), "warning")

    def hand_over(self) -> None:
        """Let the recorder have what happened, and tell what it has to say."""
        if self._recorder is None:
            return
        for level, text in self._recorder.take_news():
            self.log(text, level, "recorder")
        self._recorder.events(self._events[self._recorded :])
        self._recorded = len(self._events)

    def take(self) -> list[AnyEvent]:
        """Events since the last call, in order; each was handed to the recorder."""
        events, self._events = self._events, []
        self._recorded = 0
        return events
