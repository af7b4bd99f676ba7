"""Pixels that numpy writes and Qt shows: crisp lines, candles and bars without a Qt call per shape.

A chart at any zoom is a set of vertical runs of pixels, a few per column. Writing them into the image's own
memory costs a fraction of what a painter takes for the same shapes as lines or rectangles.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

type Pixels = npt.NDArray[np.uint32]
type Columns = npt.NDArray[np.int64]


def pixel(colour: QColor) -> int:
    """Colour as an opaque pixel."""
    return int(colour.rgb()) & 0xFFFFFFFF


def mixed(colour: QColor, ground: QColor, part: float) -> int:
    """Opaque pixel of `part` of a colour over a ground."""
    channels = (
        (colour.red(), ground.red()),
        (colour.green(), ground.green()),
        (colour.blue(), ground.blue()),
    )
    return pixel(QColor(*(round(part * over + (1 - part) * under) for over, under in channels)))


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of device pixels; `right` and `bottom` are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.left <= x < self.right and self.top <= y < self.bottom


class Raster:
    """An image and its memory as an array.

    Attributes
    ----------
    image : QImage
        RGB32.
    pixels : uint32 array `[height, width]`
        The same memory.
    """

    def __init__(self, width: int, height: int) -> None:
        self.image = QImage(width, height, QImage.Format.Format_RGB32)
        self.pixels: Pixels = np.frombuffer(self.image.bits(), np.uint32).reshape(height, width)

    def inside(self, area: Area) -> Pixels:
        """Pixels of an area, not copied."""
        return self.pixels[area.top : area.bottom, area.left : area.right]


def fill_runs(pixels: Pixels, x: Columns, top: Columns, bottom: Columns, colour: "int | Pixels") -> None:
    """Fill vertical runs: column `x[i]`, rows `top[i]` to below `bottom[i]`; what lies outside is cut off.

    Parameters
    ----------
    pixels : uint32 array `[height, width]`
        A view into a larger image will do.
    colour : int or uint32 array `[runs]`
    """
    height, width = pixels.shape
    top, bottom = np.clip(top, 0, height), np.clip(bottom, 0, height)
    some = (bottom > top) & (x >= 0) & (x < width)
    x, top, length = x[some], top[some], (bottom - top)[some]
    total = int(length.sum())
    if not total:
        return
    run = np.repeat(np.arange(len(x)), length)
    starts = length.cumsum() - length
    rows = np.arange(total) - starts[run] + top[run]
    pixels[rows, x[run]] = colour if isinstance(colour, int) else colour[some][run]


def fill_boxes(
    pixels: Pixels, left: Columns, right: Columns, top: Columns, bottom: Columns, colour: Pixels
) -> None:
    """Fill rectangles, one colour each; `right` and `bottom` are outside them."""
    left, right = np.clip(left, 0, pixels.shape[1]), np.clip(right, 0, pixels.shape[1])
    width = np.maximum(right - left, 0)
    box = np.repeat(np.arange(len(left)), width)
    starts = width.cumsum() - width
    x = np.arange(len(box)) - starts[box] + left[box]
    fill_runs(pixels, x, top[box], bottom[box], colour[box])


def blend_lines(pixels: Pixels, rows: list[int], columns: list[int], colour: QColor, part: float) -> None:
    """Lay `part` of a colour over whole rows and columns; those outside are left out."""
    height, width = pixels.shape
    inside = [row for row in rows if 0 <= row < height]
    if inside:
        lines = pixels[inside]
        blend(lines, colour, part)
        pixels[inside] = lines
    across = [column for column in columns if 0 <= column < width]
    if across:
        lines = pixels[:, across]
        blend(lines, colour, part)
        pixels[:, across] = lines


def blend(pixels: Pixels, colour: QColor, part: float) -> None:
    """Lay `part` of a colour over some pixels (a view; meant for lines and small areas)."""
    if not pixels.size:
        return
    weight = round(part * 256)
    source = pixel(colour)
    # Red and blue are mixed in one go: neither product reaches the other's bits.
    red_blue = (pixels & 0xFF00FF) * np.uint32(256 - weight) + np.uint32((source & 0xFF00FF) * weight)
    green = (pixels & 0x00FF00) * np.uint32(256 - weight) + np.uint32((source & 0x00FF00) * weight)
    pixels[...] = 0xFF000000 | ((red_blue >> 8) & 0xFF00FF) | ((green >> 8) & 0x00FF00)
