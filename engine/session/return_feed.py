"""Past returns for value at risk, from all that happened: the same however fast a session is watched."""

from collections.abc import Mapping
from typing import Final

from engine.columns import Columns
from engine.risk.tails import ReturnHistory
from engine.session.bar_history import BarHistory

_BAR: Final = "1-MINUTE-MID"


class ReturnFeed:
    """Closes of the mid a minute; of trades where there are no quotes, and none of a book alone.

    Parameters
    ----------
    instrument : str
    kinds : frozenset of str
        Market data that the session has.

    Attributes
    ----------
    returns : ReturnHistory
    """

    def __init__(self, instrument: str, kinds: frozenset[str]) -> None:
        self._bars = BarHistory(_BAR, kinds)
        self._step_ns = self._bars.interval_ns or 0
        self._taken = 0
        self.returns = ReturnHistory([instrument], step_s=60.0)

    def absorb(self, part: Mapping[str, Columns]) -> None:
        """Take rows that happened."""
        self._bars.absorb(part)
        bars = self._bars.complete(0, self._taken)
        self._taken += len(bars)
        for bar in bars:
            self.returns.sample(bar.ts_open + self._step_ns, {self.returns.names[0]: bar.close}.get)
