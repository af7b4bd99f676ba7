"""What the inspector looks at: a moment under the crosshair, the newest row, or a pick from a table."""

from dataclasses import dataclass
from typing import Literal

from engine.messages.events import Filled, OrderChanged, Signalled
from widgets.why.state import Record, WhySession
from widgets.why.story import Story, story_of_order, story_of_signal

type Pick = Signalled | OrderChanged | Filled | Record


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to explain.

    Attributes
    ----------
    ts : int
        Market time of the crosshair, or at which the picked thing happened; 0 of the newest row.
    number : int
        Of the picked signal.
    order_id : str
        Of the picked order, or of the order of the picked fill.
    """

    kind: Literal["newest", "crosshair", "signal", "order", "fill"]
    ts: int = 0
    number: int = 0
    order_id: str = ""

    @property
    def is_picked(self) -> bool:
        """Whether it stays when the crosshair moves."""
        return self.kind not in {"newest", "crosshair"}


def subject_of(pick: Pick) -> Subject:
    """Subject of a row of a table."""
    if isinstance(pick, Filled):
        return Subject("fill", pick.ts, order_id=pick.order_id)
    if isinstance(pick, OrderChanged):
        return Subject("order", pick.ts, order_id=pick.order_id)
    signalled = pick if isinstance(pick, Signalled) else pick.signalled
    return Subject("signal", signalled.ts, number=signalled.number)


def picked_story(session: WhySession, subject: Subject) -> Story:
    """Story of what was picked; empty where it has not happened (yet)."""
    if subject.kind == "signal":
        return story_of_signal(session, subject.number)
    return story_of_order(session, subject.order_id)


def row_ts(subject: Subject, story: Story, now: int) -> int | None:
    """Market time to ask about; None where there is nothing to ask.

    A fill and an order are explained by the row of the signal that caused them; what no signal caused, by
    what the model said when it happened.
    """
    if not subject.is_picked:
        return min(subject.ts, now) if subject.kind == "crosshair" else now
    if story.record is not None and story.exit is None:
        return story.record.signalled.ts
    return subject.ts if story.order is not None and subject.ts <= now else None
