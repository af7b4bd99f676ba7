"""From a tape to the lines that time and sales shows: incremental, bounded, and open about what is missing.

A line is one trade, several of one sweep when aggregated, one change of the quote, or a gap: rows that
happened but were conflated on the way here. No Qt.
"""

from typing import Final, Literal

import numpy as np

from engine.messages.columns import Rows
from widgets.tape.state import Tape

type Mode = Literal["trades", "quotes"]

KEPT: Final = 20_000
"""Lines kept; older ones are still in the chart and in the store."""

LINE: Final = np.dtype(
    [
        ("ts", "<i8"),
        ("price", "<f8"),
        ("ask", "<f8"),
        ("size", "<f8"),
        ("side", "<i1"),
        ("count", "<i4"),
    ]
)
"""`price` is the bid in quote lines, `ask` is NaN in trade lines; `side` 1 is a buyer or a rise, 2 a seller
or a fall; `count` is the number of rows in the line. A gap has count 0 and its number of rows in `size`."""


def _trade_lines(trades: Rows) -> Rows:
    lines = np.empty(len(trades), LINE)
    lines["ts"], lines["price"], lines["size"] = trades["ts"], trades["price"], trades["size"]
    lines["ask"], lines["side"], lines["count"] = np.nan, trades["aggressor"], 1
    return lines


def _quote_lines(quotes: Rows, before: tuple[float, float] | None) -> Rows:
    """One line per quote whose price differs from the one before it."""
    first = before or (np.nan, np.nan)
    bid_before = np.concatenate([[first[0]], quotes["bid"][:-1]])
    ask_before = np.concatenate([[first[1]], quotes["ask"][:-1]])
    changed = (quotes["bid"] != bid_before) | (quotes["ask"] != ask_before)
    moved = (quotes["bid"] + quotes["ask"]) - (bid_before + ask_before)
    lines = np.empty(len(quotes), LINE)
    lines["ts"], lines["price"], lines["ask"] = quotes["ts"], quotes["bid"], quotes["ask"]
    lines["size"], lines["count"] = 0.0, 1
    lines["side"] = np.where(moved > 0, 1, np.where(moved < 0, 2, 0))
    kept: Rows = lines[changed]
    return kept


def aggregated(lines: Rows) -> Rows:
    """Merge neighbours of one time and one aggressor: the levels that one order swept.

    The merged line has the last price, the sum of sizes, and the number of its trades.
    """
    if len(lines) < 2:
        return lines
    trades = lines["count"] > 0
    same = (
        (lines["ts"][1:] == lines["ts"][:-1])
        & (lines["side"][1:] == lines["side"][:-1])
        & trades[1:]
        & trades[:-1]
    )
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.concatenate([starts[1:], [len(lines)]]) - 1
    merged: Rows = lines[ends].copy()
    merged["size"] = np.add.reduceat(lines["size"], starts)
    merged["count"] = np.add.reduceat(lines["count"], starts)
    return merged


def _gap(count: int, ts: int) -> Rows:
    gap = np.zeros(1, LINE)
    gap["ts"], gap["size"], gap["price"], gap["ask"] = ts, count, np.nan, np.nan
    return gap


class TapeLines:
    """Lines of one tape, oldest first.

    Attributes
    ----------
    mode : str
        Whether they are trades or quotes.
    lines : array of dtype `LINE`
        What is shown, after aggregation and filter; replaced, never changed in place.
    left_out : int
        Rows that happened but never came here.
    seen : int
        Rows of the tape that were taken over.
    """

    def __init__(self) -> None:
        self.aggregate = False
        self.min_size = 0.0
        self.mode: Mode = "trades"
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.lines = np.empty(0, LINE)
        self.left_out = 0
        self._raw = np.empty(0, LINE)
        self.seen = 0
        self._quote: tuple[float, float] | None = None

    def update(self, tape: Tape, mode: Mode) -> None:
        """Take over what is new on the tape."""
        total = tape.dropped + len(tape.rows)
        if mode != self.mode or total < self.seen:
            self.clear()
            self.mode = mode
        fresh = tape.rows[max(self.seen, total - KEPT, tape.dropped) - tape.dropped :]
        self.seen = total
        parts = [self._raw]
        missing = tape.conflated - self.left_out
        if missing > 0 and len(self._raw) + len(fresh):
            parts.append(_gap(missing, int((fresh if len(fresh) else self._raw)["ts"][-1])))
            self.left_out = tape.conflated
        if len(fresh):
            parts.append(self._fresh_lines(fresh))
        if len(parts) > 1:
            self._raw = np.concatenate(parts)[-KEPT:]
            self.refilter()

    def refilter(self) -> None:
        """Apply `aggregate` and `min_size` to what is kept."""
        lines = aggregated(self._raw) if self.aggregate and self.mode == "trades" else self._raw
        if self.min_size > 0 and self.mode == "trades":
            lines = lines[(lines["size"] >= self.min_size) | (lines["count"] == 0)]
        self.lines = lines

    def _fresh_lines(self, rows: Rows) -> Rows:
        if self.mode == "trades":
            return _trade_lines(rows)
        lines = _quote_lines(rows, self._quote)
        self._quote = float(rows["bid"][-1]), float(rows["ask"][-1])
        return lines
