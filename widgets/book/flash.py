"""Which cells have just changed: each flashes for a moment, unless so much changes that nothing is news."""

from typing import Final

from widgets.book.rows import Picture

FLASH_S: Final = 0.15


class Flashes:
    """Cells `(row, side)` that flash, side 1 being bids and 2 asks; times in seconds of one clock."""

    def __init__(self) -> None:
        self._until: dict[tuple[int, int], float] = {}

    def note(self, old: Picture, new: Picture, now: float) -> None:
        """Flash the cells whose size differs between two pictures of one grid."""
        shift = old.rows[0].row - new.rows[0].row
        changed, filled = [], 0
        for index, row in enumerate(new.rows):
            filled += (row.bid > 0) + (row.ask > 0)
            if 0 <= index + shift < len(old.rows):
                before = old.rows[index + shift]
                moved = (before.bid != row.bid, before.ask != row.ask)
                changed += [(row.row, side) for side, differs in enumerate(moved, 1) if differs]
        # Where most cells change at once none of them is news, and a flash would only be a flicker.
        if len(changed) * 2 <= filled + 2:
            self._until.update(dict.fromkeys(changed, now + FLASH_S))

    def on(self, row: int, now: float) -> tuple[bool, bool]:
        """Whether the bid and the ask of a row flash."""
        until = self._until
        return until.get((row, 1), 0.0) > now, until.get((row, 2), 0.0) > now

    def end(self, now: float) -> set[int]:
        """Forget the flashes that are over; the rows they were in."""
        over = [cell for cell, until in self._until.items() if until <= now]
        for cell in over:
            del self._until[cell]
        return {row for row, _ in over}

    def rest_ms(self, now: float) -> int | None:
        """Milliseconds to the end of the first flash; None where nothing flashes."""
        return max(1, round((min(self._until.values()) - now) * 1000)) if self._until else None

    def clear(self) -> None:
        """Stop all flashes."""
        self._until.clear()
