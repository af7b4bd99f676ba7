"""Envelopes that are asked for again and again while the view follows or is panned: only new pixels are read.

A pixel stands for the same stretch of time wherever it is on the canvas, and rows are only ever appended. So
what was read for a pixel stays true, except for the pixel that the newest row fell into.
"""

from dataclasses import dataclass

import numpy as np

from widgets.chart.state import Envelope, Floats, Ticks, Times
from widgets.chart.view import View


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """An envelope over pixels `start`, `start + 1` …, counted from the epoch in lengths of `scale_ns`.

    `values` is float64 `[4, pixels]`, its rows are `first`, `last`, `low` and `high`. Pixels from `open_from`
    on may still change.
    """

    scale_ns: int
    start: int
    open_from: int
    count: Times
    values: Floats
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    before: float


class KeptEnvelope:
    """Envelope of one column of one tape, kept from view to view."""

    def __init__(self, tape: Ticks, column: str) -> None:
        self._tape, self._column = tape, column
        self._kept: Pixels | None = None

    def over(self, view: View) -> Envelope:
        """Envelope of the view's pixels."""
        start, width, scale = view.left_ns // view.scale_ns, view.width, view.scale_ns
        count, values = np.zeros(width, np.int64), np.full((4, width), np.nan)
        begin, end = self._overlap(start, width, scale)
        kept = self._kept
        if kept is not None and end > begin:
            there, here = slice(begin - kept.start, end - kept.start), slice(begin - start, end - start)
            count[here], values[:, here] = kept.count[there], kept.values[:, there]
        else:
            begin = end = start
        for first, last in ((start, begin), (end, start + width)):
            if last > first:
                part = self._tape.envelope(self._column, first * scale, last * scale, last - first)
                here = slice(first - start, last - start)
                count[here] = part.count
                values[:, here] = part.first, part.last, part.low, part.high
        before = self._tape.envelope(self._column, view.left_ns, view.left_ns + 1, 1).before
        newest = int(self._tape.times[-1]) if len(self._tape) else 0
        self._kept = Pixels(
            scale, start, newest // scale, count, values, values[0], values[1], values[2], values[3], before
        )
        return self._kept

    def _overlap(self, start: int, width: int, scale: int) -> tuple[int, int]:
        """Pixels that are known and will not change; none where the end is not after the begin."""
        kept = self._kept
        if kept is None or kept.scale_ns != scale:
            return start, start
        known_end = min(kept.start + len(kept.count), kept.open_from)
        return max(start, kept.start), min(start + width, known_end)
