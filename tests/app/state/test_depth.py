"""Depth columns stay in order, and old ones go when there are too many."""

import numpy as np

from app.state.depth import DepthHistory
from engine.messages.columns import DEPTH


def _columns(*times: int) -> np.ndarray:
    rows = np.zeros(len(times), DEPTH)
    rows["ts"] = times
    return rows


def test_columns_are_found_by_time() -> None:
    depth = DepthHistory()
    depth.append(_columns(10, 20))
    depth.append(_columns(30))
    assert depth.span(20, 31) == slice(1, 3)
    assert depth.rows["ts"].tolist() == [10, 20, 30]


def test_nothing_new_is_no_new_version() -> None:
    depth = DepthHistory()
    depth.append(_columns())
    assert depth.version == 0


def test_the_oldest_columns_go_and_are_counted() -> None:
    depth = DepthHistory(limit=100)
    for time in range(250):
        depth.append(_columns(time))
    assert len(depth) <= 100
    assert depth.times[0] == depth.dropped == 250 - len(depth)
