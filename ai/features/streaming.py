"""The streaming form of a feature set: events in, one preallocated row of values out.

`FeatureStream.sources` shows the functions that it runs.
"""

from array import array
from collections.abc import Sequence
from math import nan

import numpy as np
import numpy.typing as npt

from ai.features.line_code import Handler, LineCode, Row
from ai.features.sources import NEWS, STREAMS, Source
from ai.features.values import Value


class Line:
    """One stream's running function; a stream that is not the clock writes aside until it may be seen."""

    def __init__(self, code: LineCode, row: Row, places: Sequence[int], warm_up: tuple[int, int]) -> None:
        self._row, self._places, self._warm_up = row, places, warm_up
        self._aside: Row = array("d", row)
        self._held = self._was_ready = False
        self._ts = 0
        self.on_event, self._told = code.made(self._aside, self._begin)

    def _begin(self, ts: int) -> None:
        self.settle(ts)
        self._held, self._ts = True, ts

    def settle(self, ts: int) -> None:
        """Show the row what was last written, if that was before `ts`."""
        if self._held and ts > self._ts:
            row, aside = self._row, self._aside
            for place in self._places:
                row[place] = aside[place]
            self._held = False
            self._was_ready = self._was_ready or warmed_up(self._told(), self._warm_up)

    @property
    def ready(self) -> bool:
        """Whether the row shows values from after the warm-up."""
        return self._was_ready


def warmed_up(told: tuple[int, int, int], warm_up: tuple[int, int]) -> bool:
    """Whether the last event lies beyond a warm-up of (rows, ns)."""
    rows, first_ts, ts = told
    return rows > warm_up[0] and ts - first_ts >= warm_up[1]


class FeatureStream:
    """Streaming form of one set.

    Feed events in the order of `ts`; events of equal `ts` in any order between streams. After each event of
    the clock, `values` is the set's row for it.

    Attributes
    ----------
    values : float64 array `[outputs]`
        The current row; the same memory at all times, so copy what is to be kept.
    sources : dict
        The Python text of each stream's function.
    on_quote : function of (ts, bid, ask, bid_size, ask_size)
    on_trade : function of (ts, price, size, aggressor)
    on_book : function of (ts, bid_prices, bid_sizes, ask_prices, ask_sizes)
        Sequences of floats, best level first, at least as many as the set reads; a missing level has the
        price NaN and the size 0.
    on_bar : function of (ts, open, high, low, close, volume)
        `ts` is the time at which the bar is complete.
    on_news : function of (ts, sentiment, importance)
    """

    def __init__(self, width: int, lines: Sequence["LinePlan"]) -> None:
        row: Row = array("d", [nan] * width)
        self.values: npt.NDArray[np.float64] = np.frombuffer(row, np.float64)
        self._handlers: dict[tuple[str, str], Handler] = {}
        self.sources: dict[str, str] = {}
        self._waiting: list[Line] = []
        clock, *others = lines
        for plan in others:
            code = LineCode(plan.source, plan.outputs)
            line = Line(code, row, [at for _, at in plan.outputs], plan.warm_up)
            self._waiting.append(line)
            self._add(plan, code, line.on_event)
        code = LineCode(clock.source, clock.outputs)
        handler, self._told = code.made(row, self._settle if others else None)
        self._warm_up = clock.warm_up
        self._add(clock, code, handler)
        self.on_quote, self.on_trade, self.on_book, self.on_bar, self.on_news = (
            self.handler(stream) for stream in (*STREAMS, NEWS)
        )

    def _add(self, plan: "LinePlan", code: LineCode, handler: Handler) -> None:
        self._handlers[plan.source.stream, plan.role] = handler
        self.sources[f"{plan.role}.{plan.source.stream}".lstrip(".")] = code.text(begins=False)

    def _settle(self, ts: int) -> None:
        for line in self._waiting:
            line.settle(ts)

    def handler(self, stream: str, role: str = "") -> Handler:
        """Return the function that takes the events of one stream of one instrument.

        A stream that the set does not read is taken and ignored.
        """
        return self._handlers.get((stream, role), _ignore)

    @property
    def ready(self) -> bool:
        """Whether every feature's warm-up is over in the current row."""
        return warmed_up(self._told(), self._warm_up) and all(line.ready for line in self._waiting)


class LinePlan:
    """What a `FeatureStream` is made of: one stream of one instrument, and what it computes."""

    def __init__(
        self, role: str, source: Source, outputs: Sequence[tuple[Value, int]], warm_up: tuple[int, int]
    ) -> None:
        self.role, self.source, self.outputs, self.warm_up = role, source, outputs, warm_up


def _ignore(*_event: object) -> None:
    pass
