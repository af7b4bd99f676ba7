"""The headlines of a session beside its market: each is given in time for the first row that may know it."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ai.features.pieces import Piece
from ai.features.sources import NEWS_FIELDS

NO_NEWS: Final[Piece] = (np.empty(0, np.int64), {name: np.empty(0) for name in NEWS_FIELDS})

_NONE: Final = (2**63 - 1,)


def after_news(news: Piece, feed: Callable[..., object], handler: Callable[..., bool]) -> Callable[..., bool]:
    """Return what takes an event as `handler` does, after all headlines that were known before it.

    Parameters
    ----------
    news : Piece
        All headlines of a course and of the time before it.
    feed : function of (ts, sentiment, importance)
        Takes each of them once.
    handler : function of (ts, …)
        Takes the events of the clock.
    """
    ts, columns = news
    rows = zip(ts.tolist(), *(columns[name].tolist() for name in NEWS_FIELDS), strict=True)
    following: tuple[Any, ...] = next(rows, _NONE)

    def on_event(ts: int, *event: Any) -> bool:
        nonlocal following
        while following[0] < ts:
            feed(*following)
            following = next(rows, _NONE)
        return handler(ts, *event)

    return on_event


class NewsPieces:
    """The same headlines in pieces, beside the pieces of the market."""

    def __init__(self, news: Piece) -> None:
        self._ts, self._columns = news
        self._given = 0

    def until(self, ts: int) -> Piece:
        """Those up to `ts` that were not given yet."""
        part = slice(self._given, int(self._ts.searchsorted(ts, side="right")))
        self._given = part.stop
        return self._ts[part], {name: column[part] for name, column in self._columns.items()}
