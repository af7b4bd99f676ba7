"""The crosshair reads the market as it was at that time, never later."""

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from tests.widgets.chart.markets import INSTRUMENT, SECOND, START, depth, market, quotes, theme, trades
from widgets.chart import readout
from widgets.chart.axes import Axes
from widgets.chart.flow import flow_of
from widgets.chart.layout import Layout
from widgets.chart.readout import candle_at
from widgets.chart.scene import Scene, Shown
from widgets.chart.view import View


@pytest.fixture
def scene(qapp: QApplication) -> Scene:
    seconds = np.arange(60)
    return Scene(
        theme(),
        market(
            quotes(seconds, 100.0 + seconds),
            trades(np.array([10.0, 20.0]), 100.0, [5.0, 2.0], [1, 2]),
            depth(seconds, wall=103.0),
        ),
        None,
    )


def _view() -> View:
    view = View(scale_ns=SECOND // 10)
    view.resize(600, 300)
    view.left_ns, view.low, view.high = START, 90.0, 170.0
    return view


def _draw(scene: Scene, view: View, shown: Shown) -> None:
    axes = Axes(INSTRUMENT, 1.0)
    layout = Layout.of(view.width + 60, view.height + 22, 1.0, 60, with_flow=False)
    scene.draw(view, layout, shown, scene.market.now, axes)


def _at(scene: Scene, second: float, price: float, shown: Shown) -> list[str]:
    view = _view()
    scene.flow = flow_of(scene.market.trades, view, None, 1)
    _draw(scene, view, shown)
    ts = START + int(second * SECOND)
    return readout.lines(scene, view, shown, Axes(INSTRUMENT, 1.0), (ts, price))


def test_it_reads_time_quote_depth_and_delta(scene: Scene) -> None:
    texts = _at(scene, 10.0, 103.0, Shown())
    assert texts[0].endswith(":30.000")
    assert "110.0 / 110.5" in texts
    assert "depth 1,000" in texts or "depth 1000.0" in texts or "depth 1.00k" in texts
    assert "Δ +5.00" in texts
    assert "Σ +5.00" in texts


def test_between_ticks_it_reads_the_tick_before(scene: Scene) -> None:
    assert "112.0 / 112.5" in _at(scene, 12.55, 50.0, Shown())


def test_with_candles_it_reads_the_candle(scene: Scene) -> None:
    texts = _at(scene, 12.5, 50.0, Shown(spec="1-SECOND-BID"))
    assert texts[1:5] == ["O 112.0", "H 112.0", "L 112.0", "C 112.0"]


@pytest.mark.parametrize("second", [10.0, 14.5, 19.9, 19.99])
def test_everywhere_over_a_candle_it_reads_that_candle(scene: Scene, second: float) -> None:
    """Also in the last pixel, which the next candle's start lies within a pixel of."""
    texts = _at(scene, second, 50.0, Shown(spec="10-SECOND-BID"))
    assert texts[1:5] == ["O 110.0", "H 119.0", "L 110.0", "C 119.0"]


@pytest.mark.parametrize("second", [50.0, 55.0, 59.5])
def test_over_the_open_candle_it_reads_the_open_candle(scene: Scene, second: float) -> None:
    texts = _at(scene, second, 50.0, Shown(spec="10-SECOND-BID"))
    assert texts[1:5] == ["O 150.0", "H 159.0", "L 150.0", "C 159.0"]


def test_merged_candles_are_read_as_they_are_painted(scene: Scene) -> None:
    """Where a pixel is a second, candles of a second are painted by fours."""
    view = View(scale_ns=SECOND, following=False)
    view.resize(60, 300)
    view.left_ns = START
    shown = Shown(spec="1-SECOND-BID", heatmap=False)
    _draw(scene, view, shown)
    painted = candle_at(scene, view, START + 9 * SECOND)
    assert painted is not None
    assert (painted["end"] - painted["ts"]).tolist() == [4 * SECOND]
    assert (painted["open"][0], painted["high"][0], painted["close"][0]) == (108.0, 111.0, 111.0)


def test_mid_candles_are_read_with_their_half_digit(scene: Scene) -> None:
    texts = _at(scene, 12.5, 50.0, Shown(spec="1-SECOND-MID"))
    assert texts[1:5] == ["O 112.25", "H 112.25", "L 112.25", "C 112.25"]


def test_after_the_last_tick_it_reads_no_price(scene: Scene) -> None:
    texts = _at(scene, 70.0, 50.0, Shown())
    assert not any("/" in text for text in texts)


def test_measuring_tells_price_ticks_percent_time_and_volume(scene: Scene) -> None:
    start, end = (START + 5 * SECOND, 100.0), (START + 15 * SECOND, 102.0)
    text = readout.measure_text(scene, Axes(INSTRUMENT, 1.0), start, end)
    assert "+2.0" in text
    assert "+4 ticks" in text
    assert "+2.000 %" in text
    assert "10.000 s" in text
    assert "volume 5" in text
