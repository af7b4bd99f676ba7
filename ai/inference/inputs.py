"""A model's inputs as the market goes by: events in, and the window of each row that is to be asked."""

from collections.abc import Callable
from math import nan
from typing import Any, Final

import numpy as np

from ai.features import Market
from ai.inference.counts import STEP, Counting
from ai.inference.history import History
from ai.inference.recipe import Recipe
from ai.runtime.predictor import Floats
from engine.messages.frames import InputHealth

type Handler = Callable[..., bool | None]

_END_OF_TIME: Final = 2**63 - 1
_HUGE: Final = 1e76  # the square of what float32 no longer holds


class StreamInputs:
    """Rows of one model's inputs.

    Attributes
    ----------
    feed : dict of function by stream
        Takes one event as `FeatureStream` does. Of the clock it answers whether the new row is to be asked.
    window : float32 array `[1, T, F]`
        Of the newest row; valid after such an answer, and never written to again.
    is_whole : bool
        Whether every input in that window has a value.
    rows : int
        Rows so far.
    first_ts : int
        Time of the first row.
    first_warm : int
        Number of the first warm row; -1 before it.
    missing_column : str
        Input that last had no value.
    drift : tuple of (str, float), or None
        The most drifted input and how far, from the row on at which one first drifted too far.
    """

    def __init__(
        self, recipe: Recipe, market: Market, *, volatility_ns: int = 0, max_psi: float = 0.0
    ) -> None:
        self._recipe = recipe
        features = recipe.with_volatility(volatility_ns) if volatility_ns else recipe.features
        stream = features.stream(market)
        columns = len(recipe.columns)
        self._values, self._volatility = stream.values[:columns], stream.values[columns:]
        self._rows_needed, self._stride = recipe.window, recipe.stride
        self.history = History(recipe.window, columns)
        self._block = self.history.blocks[-1]
        self._take_block(0)
        self.window: Floats = self._windows[0]
        self.is_whole = True
        self.rows, self.first_warm = 0, -1
        self._next = self._missing_row = -1
        self.missing_column = ""
        self.first_ts = 0
        self._warm_after = dict.fromkeys(recipe.warm_up.others, _END_OF_TIME)
        self._counting, self._max_psi = Counting(recipe), max_psi
        self._counts = np.zeros(self._counting.width, np.int64)
        self._look_at = _END_OF_TIME
        self.drift: tuple[str, float] | None = None
        self.feed: dict[str, Handler] = {
            each: self._clock(stream.handler(each))
            if each == recipe.features.clock
            else self._other(stream.handler(each), each)
            for each in recipe.streams
        }

    @property
    def volatility(self) -> float:
        """Realised volatility at the newest row; NaN where it was not asked for."""
        return self._volatility.item(0) if len(self._volatility) else nan

    # -- rows ---------------------------------------------------------------------------------------------

    def _clock(self, handler: Callable[..., None]) -> Handler:
        def on_event(ts: int, *event: Any) -> bool:
            handler(ts, *event)
            return self._row(ts)

        return on_event

    def _other(self, handler: Callable[..., None], stream: str) -> Handler:
        """Note the time from which the clock's rows see this line past its warm-up."""
        rows, ns = self._recipe.warm_up.others[stream]
        count, first_ts = 0, 0

        def on_event(ts: int, *event: Any) -> None:
            nonlocal count, first_ts
            handler(ts, *event)
            if self._warm_after[stream] == _END_OF_TIME:
                first_ts = first_ts if count else ts
                count += 1
                if count > rows and ts - first_ts >= ns:
                    self._warm_after[stream] = ts

        return on_event

    def _take_block(self, at: int) -> None:
        self._at, self._x, self._windows, self._ts = at, self._block.x, self._block.windows, self._block.ts

    def _row(self, ts: int) -> bool:
        at, row, values = self._at, self.rows, self._values
        self._x[at] = values
        self._ts[at] = ts
        self._at, self.rows = at + 1, row + 1
        is_asked = False
        if self.first_warm >= 0 or self._warms(row, ts):
            # A sum of squares tells in a third of the time what np.isfinite would.
            if not values.dot(values) < _HUGE:
                self._note_missing(row)
            if row == self._next:
                is_asked = True
                self._next = row + self._stride
                self.window = self._windows[at]
                self.is_whole = self._missing_row <= row - self._rows_needed
        if self.rows >= self._look_at:
            self._look()
        if self._at == len(self._ts):
            self._block = self.history.next_block()
            self._take_block(self._rows_needed - 1)
        return is_asked

    def _warms(self, row: int, ts: int) -> bool:
        if not row:
            self.first_ts = ts
        needed = self._recipe.warm_up
        if row < needed.rows or ts - self.first_ts < needed.ns:
            return False
        if any(ts <= after for after in self._warm_after.values()):
            return False
        self.first_warm, self._next = row, row + self._rows_needed - 1
        self._look_at = row + STEP
        return True

    def _note_missing(self, row: int) -> None:
        missing = ~np.isfinite(self._x[self._at - 1])
        if missing.any():
            self._missing_row = row
            self.missing_column = self._recipe.columns[int(missing.argmax())]

    # -- counts -------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Count the rows of the step that is whole now, and look at drift."""
        rows = self.history.rows(self._look_at - STEP, self._look_at)
        self._counts += self._counting.count(rows, STEP)[0]
        self._look_at += STEP
        if self._max_psi and self.drift is None:
            self.drift = self._counting.drifted(self._counts, self._max_psi)

    def told(self) -> list[InputHealth]:
        """Counts of all rows so far, drift as of the last whole step."""
        counted = self._look_at - STEP
        if self.first_warm < 0 or counted == self.rows:
            return self._counting.told(self._counts)
        return self._counting.told(self._counts, self.history.rows(counted, self.rows))
