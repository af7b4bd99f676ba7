"""The figures of a window's status line, taken a few times a second."""

from typing import TYPE_CHECKING

import psutil

from app.windows.session_text import status_cells
from widgets.rate import Rate
from widgets.status import StatusStrip

if TYPE_CHECKING:
    from app.station import Station


class StatusFigures:
    """Measures what the strip shows of a station's session."""

    def __init__(self, station: "Station", strip: StatusStrip) -> None:
        self._station, self._strip = station, strip
        self._rate = Rate()
        self._process = psutil.Process()

    def refresh(self, now_s: float) -> None:
        """Show them as they are now."""
        state, session = self._station.state, self._station.session
        ticks_per_s = self._rate.over(state.health.ticks if state is not None else 0, now_s)
        memory = self._process.memory_info().rss
        one_process = session is not None and session.shares_our_process
        figures = self._station.clock.figures
        self._strip.set_cells(status_cells(state, figures, ticks_per_s, memory, one_process=one_process))
