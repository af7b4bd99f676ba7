"""A model's words across a link: predictions, signals, arming, explanations."""

from collections.abc import Iterator
from math import isnan

import numpy as np
import pytest

from engine.link.thread import ThreadLink
from engine.messages.columns import PREDICTION
from engine.messages.commands import Attach, Explain, Seek, SetArming
from engine.messages.events import AnyEvent, ArmingChanged, Phase, SignalActed, Signalled
from engine.messages.frames import Frame
from engine.messages.run import Run
from tests.engine.link.fakes import until
from tests.engine.session.markets import quotes, session
from tests.engine.signals.fakes import INFERENCE, FakeModel

SILENT_AT = 4_075
"""Row at which a position is wanted."""


class Watched:
    """A session with a model in a thread, and all that came from it."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.link = ThreadLink(
            lambda: session(strategy="ai_signal", model=FakeModel(silent_at=SILENT_AT), inference=INFERENCE),
            Run(instrument="EURUSD.SIM", strategy="ai_signal"),
        )

    def see(self) -> list[Frame]:
        self.frames += self.link.drain()
        return self.frames

    @property
    def events(self) -> list[AnyEvent]:
        return [each.event for frame in self.see() for each in frame.events]

    def seek(self, row: int) -> None:
        ts = int(quotes().ts_init[row])
        self.link.send(Seek(ts))
        until(lambda: self.is_paused_at(ts), "the end of the seek")

    def is_paused_at(self, ts: int) -> bool:
        transport = self.see()[-1].transport if self.see() else None
        return transport is not None and transport.phase == Phase.PAUSED and transport.now == ts


@pytest.fixture
def watched() -> Iterator[Watched]:
    it = Watched()
    yield it
    it.link.close()
    assert it.link.join(10)


def test_predictions_signals_and_health_arrive(watched: Watched) -> None:
    watched.seek(5_000)
    rows = np.concatenate([news.rows for frame in watched.frames for news in frame.predictions])
    assert rows.dtype == PREDICTION
    assert rows["ts"].tolist() == quotes().ts_init[50:5_001].tolist()
    signals = [event for event in watched.events if isinstance(event, Signalled)]
    acted = [event for event in watched.events if isinstance(event, SignalActed)]
    assert [event.signal for event in acted] == [event.number for event in signals]
    assert signals[-1].cause == "disarmed"
    assert isnan(signals[-1].threshold)
    assert signals[-1].up is None
    health = watched.frames[-1].models[0]
    assert (health.arming, health.reason) == ("off", "Input 'away' has no value.")


def test_a_question_is_answered_while_time_stands_still(watched: Watched) -> None:
    watched.seek(2_000)
    asked = int(quotes().ts_init[1_500]) + 1
    watched.link.send(Explain(asked))
    until(lambda: any(frame.explanation for frame in watched.see()), "the answer")
    [answer] = [frame.explanation for frame in watched.frames if frame.explanation]
    assert (answer.asked_ts, answer.ts) == (asked, quotes().ts_init[1_500])
    assert answer.contributions[0].column == "away"


def test_a_switch_is_told_while_time_stands_still(watched: Watched) -> None:
    watched.seek(2_000)
    watched.link.send(SetArming("shadow"))
    until(lambda: watched.see()[-1].models[0].arming == "shadow", "the switch")
    changed = [event for event in watched.events if isinstance(event, ArmingChanged)]
    assert [(event.mode, event.by) for event in changed] == [("armed", "run"), ("shadow", "person")]


def test_who_joins_again_sees_all_predictions_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.session.course_model._ROWS_SHOWN_AGAIN", 100)  # thirty pictures
    watched.seek(3_000)
    before = len(watched.frames)
    watched.link.send(Attach(len(watched.events)))
    expected = quotes().ts_init[50:3_001].tolist()

    def seen() -> list[int]:
        return [
            ts for frame in watched.see()[before:] for news in frame.predictions for ts in news.rows["ts"]
        ]

    until(lambda: len(seen()) >= len(expected), "the past")
    assert seen() == expected
