"""The scripted session's model: it says what its trader is about to do, and is judged as a real one is."""

from typing import Final

import numpy as np

from engine.link.builders import EURUSD
from engine.link.signal_builders import ENTER, EXIT, acted, model_health, predictions, signal
from engine.messages.columns import PREDICTION, Rows
from engine.messages.events import AnyEvent, Direction
from engine.messages.frames import ModelHealth, Predictions
from engine.signals.outcomes import Entry, Judge
from engine.signals.protocols import ModelFacts

HORIZON_ROWS: Final = 20
_FACTS: Final = ModelFacts(
    name="Demo MLP",
    clock="quotes",
    streams=frozenset({"quotes"}),
    levels=0,
    bars="",
    is_regression=False,
    horizon_rows=HORIZON_ROWS,
    horizon_ns=None,
    latency_ns=50_000,
    trained=None,
)


class ScriptedModel:
    """Class probabilities of every quote; they cross the strategy's thresholds where the trader acts.

    Parameters
    ----------
    seed : int
    frames_between : int
        Frames from one act of the trader to the next: long, flat, short, flat by turns.
    """

    def __init__(self, seed: int, frames_between: int) -> None:
        self._rng = np.random.default_rng(seed + 1)
        self._between = frames_between
        self._judge = Judge(_FACTS)
        self._direction: Direction = 0
        self._signals = self._rows = 0

    def advance(self, number: int, quotes: Rows) -> tuple[Predictions, list[AnyEvent]]:
        """What it says of one frame's quotes; the last of them may be a signal, which is told."""
        price = (quotes["bid"] + quotes["ask"]) / 2
        acts = number % self._between == 0
        following: Direction = (1, 0, -1, 0)[number // self._between % 4 - 1] if acts else self._direction
        rows = self._probabilities(number, quotes, following)
        events: list[AnyEvent] = []
        entries = []
        first, self._rows = self._rows, self._rows + len(quotes)
        if acts:
            self._signals += 1
            last = rows[-1]
            event = signal(
                self._signals,
                following,
                self._direction,
                down=float(last["down"]),
                flat=float(last["flat"]),
                up=float(last["up"]),
                score=float(last["score"]),
                threshold=ENTER if following else EXIT,
                price=float(price[-1]),
                ts=int(last["ts"]),
            )
            events.append(event)
            if following:
                entries.append(Entry(self._rows - 1, event))
            self._direction = following
        events += self._judge.take(rows, np.arange(first, self._rows), entries, rows["ts"], price)
        return predictions(rows, outcomes=self._judge.outcomes), events

    def act(self, order_id: str, ts: int) -> AnyEvent:
        """Tell that the newest signal made an order."""
        return acted(self._signals, order_id=order_id, ts=ts)

    def health(self) -> ModelHealth:
        """Figures so far."""
        return model_health(
            predictions=self._rows,
            signals=self._signals,
            horizon_rows=HORIZON_ROWS,
            label=f"direction of {EURUSD.symbol}'s mid over {HORIZON_ROWS} quotes",
        )

    def _probabilities(self, number: int, quotes: Rows, following: Direction) -> Rows:
        """Rows of dtype `PREDICTION`: its side drifts to a threshold, and the last row crosses it."""
        count = len(quotes)
        part = ((number - 1) % self._between + np.arange(1, count + 1) / count) / self._between
        noise = 0.04 * self._rng.standard_normal(count)
        if self._direction:
            side = np.clip(0.66 - 0.24 * part + noise, EXIT + 0.005, 0.9)
        else:
            side = np.clip(0.34 + 0.18 * part + noise, 0.05, ENTER - 0.005)
        other = (1 - side) * np.clip(0.35 + noise[::-1], 0.1, 0.6)
        if following != self._direction:
            side[-1] = ENTER + 0.04 if following else EXIT - 0.04
            other[-1] = 0.2
        leads = self._direction or following or self._next(number)
        rows = np.empty(count, PREDICTION)
        rows["ts"] = quotes["ts"]
        rows["up"], rows["down"] = (side, other) if leads > 0 else (other, side)
        rows["flat"] = 1 - rows["up"] - rows["down"]
        rows["score"] = rows["up"] - rows["down"]
        return rows

    def _next(self, number: int) -> int:
        """Side of the next entry."""
        turn = number // self._between % 4
        return 1 if turn == 0 else -1
