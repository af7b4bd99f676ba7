"""Where each part of the canvas lies, in device pixels."""

from dataclasses import dataclass
from typing import Final

from widgets.chart.raster import Area

_TIME_HEIGHT: Final = 22
_FLOW_PART: Final = 0.2
_FLOW_LEAST: Final = 56
_FLOW_MOST: Final = 160


@dataclass(frozen=True, slots=True)
class Layout:
    """Price pane, lower pane (of no height when hidden), price axis and time axis.

    `scale` is device pixels per logical one, a whole number, for thicknesses.
    """

    price: Area
    flow: Area
    axis: Area
    time: Area
    scale: int
    with_flow: bool

    @classmethod
    def of(cls, width: int, height: int, ratio: float, axis_width: int, *, with_flow: bool) -> "Layout":
        """Divide a canvas of `width` x `height` device pixels."""
        scale = max(1, round(ratio))
        time_top = max(height - round(_TIME_HEIGHT * ratio), 1)
        right = max(width - axis_width, 1)
        flow = round(min(max(time_top * _FLOW_PART, _FLOW_LEAST * ratio), _FLOW_MOST * ratio))
        bottom = time_top
        if with_flow and time_top > 3 * flow:
            bottom = time_top - flow - scale
            lower = Area(0, bottom + scale, right, time_top)
        else:
            lower = Area(0, time_top, right, time_top)
        return cls(
            price=Area(0, 0, right, bottom),
            flow=lower,
            axis=Area(right, 0, width, time_top),
            time=Area(0, time_top, width, height),
            scale=scale,
            with_flow=with_flow,
        )
