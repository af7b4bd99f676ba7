"""Which rows of the ladder are in view: centred on the mid without jumping, or where the user scrolled to."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class RowWindow:
    """The rows in view, `top` being the highest price.

    While `following`, the mid may wander a few rows around the centre before anything moves, and then the
    window moves only as far as it must. `placed` says whether it has a place yet.
    """

    count: int = 1
    top: int = 0
    following: bool = True
    placed: bool = False

    @property
    def band(self) -> int:
        """Rows the mid may be off the centre."""
        return max(2, self.count // 16)

    @property
    def rows_a_side(self) -> int:
        """Rows that stay in view on each side of the mid wherever it wanders."""
        return max(1, self.count // 2 - self.band)

    def resize(self, count: int) -> None:
        """Show this many rows around the same middle."""
        count = max(1, count)
        self.top += count // 2 - self.count // 2
        self.count = count

    def place_anew(self) -> None:
        """Centre exactly with the next `follow`; for a new instrument or grouping."""
        self.placed = False

    def follow(self, mid_row: float) -> None:
        """Keep the mid near the centre; does nothing after `scroll`."""
        if not self.placed:
            self.top = math.floor(mid_row) + self.count // 2
            self.placed = True
            return
        if not self.following:
            return
        drift = mid_row - (self.top - (self.count - 1) / 2)
        excess = abs(drift) - self.band
        if excess > 0:
            self.top += math.ceil(excess) if drift > 0 else -math.ceil(excess)

    def scroll(self, rows: int) -> None:
        """Move up by `rows` and stop following."""
        self.following = False
        self.top += rows

    def back_to_now(self) -> None:
        """Follow again, from the exact centre."""
        self.following = True
        self.placed = False
