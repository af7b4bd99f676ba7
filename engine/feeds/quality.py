"""What is counted of rows before they are stored: order, crossed quotes, silences. Pure rules, no policy."""

from datetime import UTC, datetime, timedelta

import numpy as np

from engine.columns import Int64, Quotes
from engine.store.merging import Mask

LONGEST_SILENCE_NS = 3_600_000_000_000
"""A silence longer than this, while the market is open, is a gap."""

_WEEK = timedelta(days=7)
_WEEKEND = timedelta(hours=49)
_A_FRIDAY_CLOSE = datetime(1970, 1, 2, 21, tzinfo=UTC)
"""Currency markets close Friday to Sunday 17:00 in New York: at most Fri 21:00 to Sun 22:00 UTC."""


def out_of_order(times: Int64) -> int:
    """Rows that are earlier than some row before them."""
    return int((times < np.maximum.accumulate(times)).sum()) if len(times) else 0


def crossed(quotes: Quotes) -> Mask:
    """Quotes with a bid above the ask; equal prices are locked, not crossed."""
    rows: Mask = quotes.bid > quotes.ask
    return rows


def silences(times: Int64, *, weekend_closed: bool) -> int:
    """Stretches without a row of more than `LONGEST_SILENCE_NS`; the closed weekend does not count.

    `times` is sorted. The rule cannot know holidays, so a gap there is counted.
    """
    ends = np.flatnonzero(np.diff(times) > LONGEST_SILENCE_NS) + 1
    if not weekend_closed:
        return len(ends)
    open_ns = [
        int(times[end] - times[end - 1]) - _weekend_ns(int(times[end - 1]), int(times[end])) for end in ends
    ]
    return sum(length > LONGEST_SILENCE_NS for length in open_ns)


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
