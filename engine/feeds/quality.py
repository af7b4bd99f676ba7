"""What is counted of rows before they are stored: order, crossed quotes, silences. Pure rules, no policy."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from engine.columns import Int64, Quotes
from engine.store.merging import Mask

LONGEST_SILENCE_NS = 3_600_000_000_000
"""A silence longer than this, while the market is open, is a gap."""

_BEGINNING_NS = -(2**63)
_NONE: Int64 = np.zeros((0, 2), np.int64)
_WEEK = timedelta(days=7)
_WEEKEND = timedelta(hours=49)
_A_FRIDAY_CLOSE = datetime(1970, 1, 2, 21, tzinfo=UTC)
"""Currency markets close Friday to Sunday 17:00 in New York: at most Fri 21:00 to Sun 22:00 UTC."""


def out_of_order(times: Int64, before_ns: int = _BEGINNING_NS) -> int:
    """Rows that are earlier than some row before them; `before_ns` is the latest of rows before `times`."""
    return int((times < np.maximum(np.maximum.accumulate(times), before_ns)).sum())


def crossed(quotes: Quotes) -> Mask:
    """Quotes with a bid above the ask; equal prices are locked, not crossed."""
    rows: Mask = quotes.bid > quotes.ask
    return rows


def stretches(times: Int64) -> Int64:
    """First and last of each stretch of `times` without a silence; int64 [stretches, 2], ns UTC.

    They are all that must be kept of a file's times to count the silences over many files.
    """
    times = np.sort(times)
    last = np.flatnonzero(np.diff(times) > LONGEST_SILENCE_NS)
    ends = len(times) - 1
    return np.stack([times[[0, *(last + 1)]], times[[*last, ends]]], axis=1) if len(times) else _NONE


def silences(found: Sequence[Int64], *, weekend_closed: bool) -> int:
    """Times of more than `LONGEST_SILENCE_NS` in no stretch; the closed weekend does not count.

    `found` is what `stretches` gave of several files, which may overlap and come in any order. The rule
    cannot know holidays, so a gap there is counted.
    """
    ordered = np.concatenate([_NONE, *found])
    ordered = ordered[np.argsort(ordered[:, 0])]
    begins, ends = np.maximum.accumulate(ordered[:, 1])[:-1], ordered[1:, 0]
    silent = ends - begins > LONGEST_SILENCE_NS
    return sum(
        end - begin - (_weekend_ns(begin, end) if weekend_closed else 0) > LONGEST_SILENCE_NS
        for begin, end in zip(begins[silent].tolist(), ends[silent].tolist(), strict=True)
    )


def _weekend_ns(start_ns: int, end_ns: int) -> int:
    """Nanoseconds of `[start_ns, end_ns)` that lie in a weekend."""
    week, length = _ns(_WEEK), _ns(_WEEKEND)
    first = int(_A_FRIDAY_CLOSE.timestamp()) * 1_000_000_000
    closed, close = 0, first + (start_ns - first) // week * week
    while close < end_ns:
        closed += max(0, min(end_ns, close + length) - max(start_ns, close))
        close += week
    return closed


def _ns(span: timedelta) -> int:
    return int(span.total_seconds()) * 1_000_000_000
