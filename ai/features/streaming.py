"""The streaming form of a feature set: events in, one preallocated row of values out.

Feed events in the order of `ts`; events of equal `ts` in any order between streams. After each event of the
clock, `values` is the set's row for it. Features of other streams stand in the row as they were before the
event's `ts` (see `ai.features.tables`), so an event of another stream waits aside until time has moved on.
"""

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from ai.features.feature import Feature, Floats, Market, Row, Takes, Update, WarmUp
from ai.features.windows import NAN

type Placed = tuple[Feature, int]
"""A feature and the column of its first output."""


class FeatureStream:
    """Streaming form of one set.

    Attributes
    ----------
    values : float64 array `[outputs]`
        The current row; the same memory at all times, so copy what is to be kept.
    on_quote : function of (ts, bid, ask, bid_size, ask_size)
    on_trade : function of (ts, price, size, aggressor)
    on_book : function of (ts, bid_prices, bid_sizes, ask_prices, ask_sizes)
        Sequences of floats, best level first, at least as many as the set reads; a missing level has the
        price NaN and the size 0.
    on_bar : function of (ts, open, high, low, close, volume)
        `ts` is the time at which the bar is complete.
    """

    def __init__(self, width: int, lines: Sequence[tuple[str, str, Market, Sequence[Placed]]]) -> None:
        row: Row = array("d", [NAN] * width)
        self._row = row
        self.values: Floats = np.frombuffer(row, np.float64)
        self._lines: dict[tuple[str, str], _Line] = {}
        waiting: list[_Line] = []
        for role, stream, market, placed in lines[1:]:
            line = self._lines[role, stream] = _Waiting(row, market, placed)
            waiting.append(line)
        role, stream, market, placed = lines[0]
        self._clock = self._lines[role, stream] = _Clock(row, market, placed, waiting)
        self.on_quote, self.on_trade, self.on_book, self.on_bar = (
            self.handler(stream) for stream in ("quotes", "trades", "book", "bars")
        )

    def handler(self, stream: str, role: str = "") -> Callable[..., None]:
        """Return the function that takes the events of one stream of one instrument.

        A stream that the set does not read is taken and ignored.
        """
        line = self._lines.get((role, stream))
        return _ignore if line is None else _HANDLERS[stream](line)

    @property
    def ready(self) -> bool:
        """Whether every feature's warm-up is over in the current row."""
        return all(line.ready for line in self._lines.values())


def _ignore(*_event: object) -> None:
    pass


class _Line:
    """Features of one stream, by what they take; `out` is where they write."""

    def __init__(self, out: Row, market: Market, placed: Sequence[Placed]) -> None:
        self.by_takes: dict[Takes, list[Update]] = {takes: [] for takes in Takes}
        for feature, at in placed:
            self.by_takes[feature.takes].append(feature.stream(market, out, at))
        warm_ups = [feature.warm_up for feature, _ in placed]
        self._warm_up = WarmUp(
            max((each.rows for each in warm_ups), default=0), max((each.ns for each in warm_ups), default=0)
        )
        self.rows = self.first_ts = self.ts = 0

    def begin(self, ts: int) -> None:
        """Count one event."""
        if not self.rows:
            self.first_ts = ts
        self.rows += 1
        self.ts = ts

    @property
    def ready(self) -> bool:
        return self.rows > self._warm_up.rows and self.ts - self.first_ts >= self._warm_up.ns


class _Clock(_Line):
    """The clock's features write into the row; before them the other streams' values are brought up."""

    def __init__(self, row: Row, market: Market, placed: Sequence[Placed], waiting: "list[_Line]") -> None:
        super().__init__(row, market, placed)
        self._waiting = [line for line in waiting if isinstance(line, _Waiting)]

    def begin(self, ts: int) -> None:
        if not self.rows:
            self.first_ts = ts
        self.rows += 1
        self.ts = ts
        for line in self._waiting:
            if line.held and ts > line.ts:
                line.settle()


class _Waiting(_Line):
    """Another stream's features write aside; `settle` shows the row what they last wrote."""

    def __init__(self, row: Row, market: Market, placed: Sequence[Placed]) -> None:
        self._row = row
        self._aside: Row = array("d", [NAN] * len(row))
        super().__init__(self._aside, market, placed)
        self._places = [p for feature, at in placed for p in range(at, at + len(feature.outputs))]
        self.held = False
        self._shown_ready = False

    def begin(self, ts: int) -> None:
        if self.held and ts > self.ts:
            self.settle()
        super().begin(ts)
        self.held = True

    def settle(self) -> None:
        row, aside = self._row, self._aside
        for place in self._places:
            row[place] = aside[place]
        self.held = False
        self._shown_ready = self._shown_ready or super().ready

    @property
    def ready(self) -> bool:
        return self._shown_ready


# -- one handler per stream: the shared values are computed once, then each feature takes what it reads ---


def _quote_handler(line: _Line) -> Callable[..., None]:
    begin, of = line.begin, line.by_takes
    times, prices, ticks, tops = of[Takes.TIME], of[Takes.PRICE], of[Takes.TICK], of[Takes.TOP]

    def on_quote(ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        begin(ts)
        price = (bid + ask) * 0.5
        for update in prices:
            update(ts, price)
        for update in tops:
            update(ts, bid, ask, bid_size, ask_size)
        for update in times:
            update(ts)
        if ticks:
            size = bid_size + ask_size
            for update in ticks:
                update(ts, price, size)

    return on_quote


def _trade_handler(line: _Line) -> Callable[..., None]:
    begin, of = line.begin, line.by_takes
    times, prices, ticks, trades = of[Takes.TIME], of[Takes.PRICE], of[Takes.TICK], of[Takes.TRADE]

    def on_trade(ts: int, price: float, size: float, aggressor: float) -> None:
        begin(ts)
        for update in prices:
            update(ts, price)
        for update in ticks:
            update(ts, price, size)
        for update in trades:
            update(ts, price, size, aggressor)
        for update in times:
            update(ts)

    return on_trade


def _book_handler(line: _Line) -> Callable[..., None]:
    begin, of = line.begin, line.by_takes
    times, prices, tops, levels = of[Takes.TIME], of[Takes.PRICE], of[Takes.TOP], of[Takes.LEVELS]
    type Side = Sequence[float]

    def on_book(ts: int, bids: Side, bid_sizes: Side, asks: Side, ask_sizes: Side) -> None:
        begin(ts)
        bid, ask, bid_size, ask_size = bids[0], asks[0], bid_sizes[0], ask_sizes[0]
        price = (bid + ask) * 0.5
        for update in prices:
            update(ts, price)
        for update in tops:
            update(ts, bid, ask, bid_size, ask_size)
        for update in levels:
            update(ts, bids, bid_sizes, asks, ask_sizes)
        for update in times:
            update(ts)

    return on_book


def _bar_handler(line: _Line) -> Callable[..., None]:
    begin, of = line.begin, line.by_takes
    times, prices, ticks, bars = of[Takes.TIME], of[Takes.PRICE], of[Takes.TICK], of[Takes.BAR]

    def on_bar(ts: int, open_: float, high: float, low: float, close: float, volume: float) -> None:
        begin(ts)
        for update in prices:
            update(ts, close)
        for update in ticks:
            update(ts, close, volume)
        for update in bars:
            update(ts, open_, high, low, close, volume)
        for update in times:
            update(ts)

    return on_bar


_HANDLERS: dict[str, Callable[[_Line], Callable[..., None]]] = {
    "quotes": _quote_handler,
    "trades": _trade_handler,
    "book": _book_handler,
    "bars": _bar_handler,
}
