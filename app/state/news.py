"""What was published in a session: headlines and releases of its series, in order of publication."""

import numpy as np
import numpy.typing as npt

from app.state.growing import Growing
from engine.messages.events import Published


class NewsState:
    """Publications of one epoch.

    Attributes
    ----------
    rows : list of Published
        By market time, only ever appended to.
    """

    def __init__(self) -> None:
        self.rows: list[Published] = []
        self._times: Growing[np.int64] = Growing(np.int64)

    def take(self, event: Published) -> None:
        """Append one."""
        self.rows.append(event)
        self._times.extend(np.array([event.ts], np.int64))

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Times of `rows`, ns UTC, ascending."""
        return self._times.view

    @property
    def version(self) -> int:
        """Number of rows."""
        return len(self.rows)
