"""A session watched by a command: what a window would show in colours and tables comes as lines."""

from collections.abc import Sequence

import pytest

from app.commands import watching
from engine.errors import UserError
from engine.link.protocols import LinkDown
from engine.link.scripted import ScriptedLink, arm_state, connection, frame, halted, log, results
from engine.messages.events import AnyEvent, HaltStep, Phase
from engine.messages.frames import Frame
from engine.messages.run import Run

RUN = Run(instrument="EURUSD.SIM", simulate="fx", mode="live")


class OneByOne(ScriptedLink):
    """Gives a frame a look, as an engine does, and ends at last."""

    def __init__(self, frames: Sequence[Frame], down: LinkDown | None = None) -> None:
        super().__init__()
        self._left, self._last = list(frames), down

    def drain(self) -> list[Frame]:
        if not self._left and self._last is not None:
            self.break_with(self._last)
        return [self._left.pop(0)] if self._left else []


def frames(*parts: Sequence[AnyEvent]) -> list[Frame]:
    made, first = [], 1
    for number, events in enumerate(parts, 1):
        made.append(frame(number, events=events, first_event=first))
        first += len(events)
    return made


def watched(monkeypatch: pytest.MonkeyPatch, link: ScriptedLink) -> tuple[list[str], list[str]]:
    """Lines that were told, and warnings of the outcome."""
    told: list[str] = []
    monkeypatch.setattr(watching, "opener", lambda _: lambda _run: link)
    outcome = watching.watch(RUN, 1.0, told.append)
    return told, outcome.warnings


def test_what_ends_trading_and_what_breaks_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, back = "The connection A broke off.", "All connections are back."
    told, warnings = watched(
        monkeypatch,
        OneByOne(
            frames(
                [log("begun")],
                [connection(state="reconnecting", text=lost)],
                [connection(state="connected", text=back)],
                [arm_state("view", "rule", reason="30 minutes passed.")],
                [halted(HaltStep.HALTED, reason="Too much was lost.", text="Flat and halted.")],
                [results()],
            )
        ),
    )
    ended = "Nothing opens any more: 30 minutes passed. Start the command again to go on."
    killed = "Kill switch (Too much was lost): Flat and halted."
    assert told == ["begun", lost, back, ended, killed]
    assert warnings == [ended, killed]


def test_a_log_that_outgrows_its_bound_is_told_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [[log(f"{part}-{line}") for line in range(9_000)] for part in range(3)]
    told, _ = watched(monkeypatch, OneByOne(frames(*parts, [log("last")], [results()])))
    assert len(told) == 27_001
    assert told[-1] == "last"


@pytest.mark.parametrize("fails", [True, False])
def test_an_end_that_leaves_something_at_a_venue_says_so(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    failed = frame(2, phase=Phase.FAILED)
    down = LinkDown("The engine stopped: killed by signal 9.", [], expected=False)
    link = OneByOne([frame(1), failed] if fails else [frame(1)], down)
    with pytest.raises(UserError, match=r"positions may be open: look at the venue\.$"):
        watched(monkeypatch, link)
