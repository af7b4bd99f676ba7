"""The heatmap shows each level at its price and time, at any zoom, at a cost that ignores the history."""

import numpy as np
import pytest

from app.state.depth import DepthHistory
from tests.widgets.chart.markets import SECOND, START, TICK, depth
from widgets.chart.heatmap import HeatTiles
from widgets.chart.view import View


def _history(count: int, **more: float) -> DepthHistory:
    history = DepthHistory()
    history.append(depth(np.arange(count), **more))
    return history


def _view(left_s: float, scale_ns: int, width: int = 300, low: float = 90.0, high: float = 110.0) -> View:
    view = View(scale_ns=scale_ns)
    view.resize(width, 200)
    view.left_ns = START + int(left_s * SECOND) // scale_ns * scale_ns
    view.low, view.high = low, high
    view.following = False
    return view


def _composed(tiles: HeatTiles, view: View, now_s: float = 1e6) -> np.ndarray:
    while True:
        tiles.begin_picture()
        cells = tiles.compose(view, START + int(now_s * SECOND))
        if not tiles.incomplete:
            return cells


def test_a_level_covers_the_rows_of_its_tick_and_no_others() -> None:
    tiles = HeatTiles(_history(10, wall=103.0), TICK)
    view = _view(0, SECOND // 30)
    cells = _composed(tiles, view, 9)
    column = cells[:, view.x_of(START + 5 * SECOND)]
    brightest = np.flatnonzero(column == column.max())
    prices = view.high - (brightest + 0.5) * view.price_per_pixel
    assert (np.abs(prices - 103.0) <= TICK / 2).all()
    assert len(brightest) == round(TICK / view.price_per_pixel)
    above_book = int(view.y_of(107.0))
    assert not column[:above_book].any()


def test_larger_sizes_have_larger_bytes_and_the_legend_tells_them() -> None:
    tiles = HeatTiles(_history(10, wall=103.0), TICK)
    cells = _composed(tiles, _view(0, SECOND // 30), 9)
    low, high = np.unique(cells[cells > 0])
    sizes = tiles.sizes_of(np.array([low, high], float))
    assert sizes == pytest.approx([1.0, 1000.0], rel=0.05)


def test_nothing_is_painted_before_the_first_column_after_now_or_in_a_gap() -> None:
    history = DepthHistory()
    history.append(depth(np.concatenate([np.arange(10, 20), np.arange(60, 70)])))
    tiles = HeatTiles(history, TICK)
    view = _view(0, SECOND // 3)
    cells = _composed(tiles, view, 69.0)

    def at(second: float) -> bool:
        return bool(cells[:, view.x_of(START + int(second * SECOND))].any())

    assert not at(8)
    assert at(12)
    assert at(19.5)
    assert not at(40)
    assert at(65)
    assert not at(72)


def test_a_zoomed_out_view_keeps_the_largest_level_of_each_stretch() -> None:
    history = DepthHistory()
    for second in range(1000):
        wall = 103.0 if second % 97 == 13 else None
        history.append(depth(np.array([second]), wall=wall))
    tiles = HeatTiles(history, TICK)
    view = _view(0, 7 * SECOND, width=160)
    cells = _composed(tiles, view, 999)
    row = cells[int(view.y_of(103.0))]
    bright = np.flatnonzero(row == cells.max())
    for second in range(13, 1000, 97):
        assert np.abs(bright - view.x_of(START + second * SECOND)).min() <= 2


def test_the_same_picture_comes_from_any_batching_and_after_the_last_tile_grew() -> None:
    rows = depth(np.arange(700), wall=98.0)
    rows["price"] += np.round(np.sin(np.arange(700) / 50) * 8)[:, None, None] * TICK
    whole = DepthHistory()
    whole.append(rows)
    parts = DepthHistory()
    growing = HeatTiles(parts, TICK)
    views = [_view(0, SECOND // 2), _view(100, SECOND), _view(0, 3 * SECOND)]
    for start in range(0, 700, 37):
        parts.append(rows[start : start + 37])
        for view in views:
            _composed(growing, view, 699)
    for view in views:
        np.testing.assert_array_equal(
            _composed(growing, view, 699), _composed(HeatTiles(whole, TICK), view, 699)
        )


def test_a_tile_that_grew_is_made_once_again_and_then_kept() -> None:
    history = _history(50)
    tiles, view = HeatTiles(history, TICK), _view(0, SECOND)
    _composed(tiles, view)
    history.append(depth(np.arange(50, 60)))
    _composed(tiles, view)
    read = tiles.columns_read
    _composed(tiles, view)
    assert tiles.columns_read == read == 110


def test_prices_far_apart_share_rows_by_the_largest_size() -> None:
    tiles = HeatTiles(_history(10, wall=103.0), TICK)
    view = _view(0, SECOND // 30, low=-300.0, high=500.0)  # eight ticks per pixel
    cells = _composed(tiles, view, 9)
    column = cells[:, 100]
    assert column.max() == column[int(view.y_of(103.0)) - 1 : int(view.y_of(103.0)) + 2].max()


def test_panning_a_long_history_reads_no_column_twice() -> None:
    tiles = HeatTiles(_history(20_000), TICK)
    view = _view(15_000, SECOND)
    _composed(tiles, view)
    read = tiles.columns_read
    assert read <= 300 + 2 * 128
    for _ in range(50):
        view.pan(1, 0)
        _composed(tiles, view)
    assert tiles.columns_read <= read + 128


def test_a_forgotten_beginning_leaves_the_rest_in_place() -> None:
    history = DepthHistory(limit=400)
    for second in range(1000):
        history.append(depth(np.array([second]), wall=103.0 if second == 900 else None))
    assert history.dropped > 0
    view = _view(800, SECOND)
    row = _composed(HeatTiles(history, TICK), view, 999)[int(view.y_of(103.0))]
    assert np.flatnonzero(row == row.max()).tolist() == [view.x_of(START + 900 * SECOND)]
