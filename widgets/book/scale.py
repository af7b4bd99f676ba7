"""How long a size bar is: one scale for both sides, that does not breathe with every update."""

import math
from dataclasses import dataclass
from typing import Final

_DECADES: Final = 3.0
_SHRINK_BELOW: Final = 0.5


@dataclass(slots=True)
class BarScale:
    """The size that fills a cell; grows at once, shrinks only when it is twice too large."""

    full: float = 0.0
    logarithmic: bool = False

    def settle(self, largest: float) -> bool:
        """Fit the largest size in view; True where the scale changed."""
        if largest > self.full or 0 < largest < self.full * _SHRINK_BELOW:
            self.full = largest
            return True
        return False

    def fraction(self, size: float) -> float:
        """Part of the cell that a bar of this size fills, 0 to 1; logarithmic bars span three decades."""
        if size <= 0 or self.full <= 0:
            return 0.0
        share = min(1.0, size / self.full)
        return max(0.02, 1 + math.log10(share) / _DECADES) if self.logarithmic else share
