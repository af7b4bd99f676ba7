"""Bars of any spec for the screen, built from a tape as it grows by the engine's own exact builder.

A chart of a year of minutes has more bars than pixels; then neighbours are merged into one truthful wider
bar, at a cost that depends on the number of bars shown, not on the number there are.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.state.growing import Growing
from app.state.pyramid import RangePyramid
from app.state.tape import Tape
from engine.bars import BarBuilder, Bars, BarSpec, PriceType
from engine.messages.columns import Rows

BAR: Final = np.dtype(
    [
        ("ts", "<i8"),
        ("end", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
    ]
)
"""One bar or several merged; `[ts, end)` in ns: a tick or volume bar ends where the next one starts."""

_ROWS_PER_UPDATE: Final = 500_000
"""So that choosing a spec over a long history costs several frames instead of one long stall."""


class BarsState:
    """Bars of one spec over one tape.

    Attributes
    ----------
    spec : BarSpec
    version : int
        Grows with every change.
    behind : bool
        Whether rows are waiting for the next `update`.
    """

    def __init__(self, spec: BarSpec, tape: Tape, *, price_precision: int, size_precision: int) -> None:
        self.spec = spec
        self.version = 0
        self.behind = False
        self._tape = tape
        self._seen = 0
        mid = spec.price_type == PriceType.MID
        self._price_scale = 10 ** (price_precision + mid)
        self._size_scale = 10 ** (size_precision + mid)
        self._builder = BarBuilder(
            spec, price_precision=price_precision + mid, size_precision=size_precision + mid
        )
        self._ts: Growing[np.int64] = Growing(np.int64)
        self._open: Growing[np.float64] = Growing(np.float64)
        self._close: Growing[np.float64] = Growing(np.float64)
        self._high, self._low = RangePyramid(), RangePyramid()

    @property
    def conflated(self) -> int:
        """Ticks that never reached the screen: tick and volume bars lack them."""
        return self._tape.conflated

    def __len__(self) -> int:
        """Bars, the open one included."""
        return len(self._ts) + len(self._builder.current)

    def update(self) -> None:
        """Take in what the tape has got since."""
        first = max(self._seen - self._tape.dropped, 0)
        rows = self._tape.rows[first : first + _ROWS_PER_UPDATE]
        if not len(rows):
            return
        self._seen = self._tape.dropped + first + len(rows)
        self.behind = self._seen < self._tape.dropped + len(self._tape)
        price, size = self._scaled(rows)
        closed = self._builder.append(rows["ts"].astype(np.int64), price, size)
        if len(closed):
            bars = self._floats(closed)
            self._ts.extend(bars["ts"])
            self._open.extend(bars["open"])
            self._close.extend(bars["close"])
            self._high.extend(bars["high"])
            self._low.extend(bars["low"])
        self.version += 1

    def _scaled(self, rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Price and size that the spec looks at, as the scaled integers they came from."""
        match self.spec.price_type:
            case PriceType.LAST:
                price, size = rows["price"], rows["size"]
            case PriceType.BID:
                price, size = rows["bid"], rows["bid_size"]
            case PriceType.ASK:
                price, size = rows["ask"], rows["ask_size"]
            case PriceType.MID:
                price, size = (rows["bid"] + rows["ask"]) / 2, (rows["bid_size"] + rows["ask_size"]) / 2
        return (
            np.rint(price * self._price_scale).astype(np.int64),
            np.rint(size * self._size_scale).astype(np.int64),
        )

    def _floats(self, bars: Bars) -> Rows:
        rows = np.empty(len(bars), BAR)
        rows["ts"] = bars.ts_open
        for name in ("open", "high", "low", "close"):
            rows[name] = getattr(bars, name) / self._price_scale
        return rows

    def candles(self, start_ns: int, end_ns: int, limit: int) -> Rows:
        """Bars that touch `[start_ns, end_ns)`, oldest first, the open one included; dtype `BAR`.

        Where there are more than `limit`, each row merges 2, 4, 8 … neighbours: always the same ones, so that
        panning does not make bars change.
        """
        first = max(int(self._ts.view.searchsorted(start_ns, "right")) - 1, 0)
        last = int(self._ts.view.searchsorted(end_ns))
        merged = 1
        while last - first > limit * merged:
            merged *= 2
        first -= first % merged
        starts = np.arange(first, last, merged)
        ends = np.minimum(starts + merged, len(self._ts))
        rows = np.empty(len(starts), BAR)
        rows["ts"], rows["open"] = self._ts.view[starts], self._open.view[starts]
        rows["close"] = self._close.view[ends - 1]
        rows["low"] = self._low.extremes(starts, ends)[0]
        rows["high"] = self._high.extremes(starts, ends)[1]
        current = self._floats(self._builder.current)
        if len(current) and current["ts"][0] < end_ns:
            rows = np.concatenate([rows, current])
        self._set_ends(rows, ends)
        return rows

    @property
    def interval_ns(self) -> int | None:
        """Length of a time bar, ns; None for tick and volume bars."""
        return self.spec.interval_ns

    def _set_ends(self, rows: Rows, after: npt.NDArray[np.int64]) -> None:
        """End of each row: the interval's end, or the start of the bar that follows."""
        if not len(rows):
            return
        interval = self.interval_ns
        if interval is not None:
            rows["end"] = rows["ts"] + interval
            rows["end"][: len(after)] = self._ts.view[after - 1] + interval
            return
        known = len(self._ts)
        rows["end"][:-1] = rows["ts"][1:]
        follows = int(after[-1]) if len(after) == len(rows) else known
        newest = int(self._tape.times[-1]) + 1 if len(self._tape) else int(rows["ts"][-1])
        rows["end"][-1] = self._ts.view[follows] if follows < known else newest
