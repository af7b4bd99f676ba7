"""Runs and boxes land on the pixels they name and never outside the picture."""

import numpy as np
from PySide6.QtGui import QColor

from widgets.chart.raster import Raster, blend, fill_boxes, fill_runs, pixel


def _columns(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_runs_fill_their_rows_and_are_cut_at_the_edges() -> None:
    pixels = np.zeros((5, 4), np.uint32)
    fill_runs(pixels, _columns(0, 2, 9, -1), _columns(1, -7, 0, 0), _columns(3, 99, 5, 5), 7)
    assert pixels[:, 0].tolist() == [0, 7, 7, 0, 0]
    assert pixels[:, 2].tolist() == [7] * 5
    assert not pixels[:, (1, 3)].any()


def test_boxes_have_their_own_colours() -> None:
    pixels = np.zeros((4, 6), np.uint32)
    colours = np.array([1, 2], np.uint32)
    fill_boxes(pixels, _columns(-3, 4), _columns(2, 9), _columns(0, 2), _columns(1, 4), colours)
    assert pixels.tolist() == [[1, 1, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 0, 2, 2], [0, 0, 0, 0, 2, 2]]


def test_what_numpy_writes_is_what_qt_shows() -> None:
    raster = Raster(5, 3)  # 5 pixels of 4 bytes: lines need no padding in this format
    raster.pixels.fill(pixel(QColor(10, 20, 30)))
    raster.pixels[1, 4] = pixel(QColor(200, 100, 50))
    assert raster.image.pixelColor(4, 1) == QColor(200, 100, 50)
    assert raster.image.pixelColor(0, 2) == QColor(10, 20, 30)


def test_blending_mixes_each_channel() -> None:
    pixels = np.full((1, 2), pixel(QColor(0, 100, 200)), np.uint32)
    blend(pixels[:, :1], QColor(200, 0, 100), 0.5)
    assert QColor(int(pixels[0, 0])) == QColor(100, 50, 150)
    assert QColor(int(pixels[0, 1])) == QColor(0, 100, 200)
