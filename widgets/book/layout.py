"""Where the ladder's columns and rows lie, in logical pixels."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

HEAD: Final = 18
FOOT_LINE: Final = 18
_PROFILE_FROM: Final = 300
_LEAST_OWN: Final = 34
_MOST_OWN: Final = 72
_LEAST_SIZE: Final = 38
_WHOLE_SIZE: Final = 46
"""Room for a size of six digits: only what is left beside two of them goes to the columns of own orders."""
_SHORTEST_ROW: Final = 13
_TALLEST_ROW: Final = 20
_ROWS_WANTED: Final = 46
"""20 a side and a spread of 3 ticks, in view wherever the mid wanders (see `RowWindow`)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Horizontal extent of a column: `[left, right)`."""

    left: int
    right: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def middle(self) -> int:
        """Centre."""
        return (self.left + self.right) // 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns from left to right, and the rows' place; `foot_lines` is 3, or 4 with a notice."""

    width: int
    height: int
    own_bid: Span
    bid: Span
    price: Span
    ask: Span
    own_ask: Span
    volume: Span
    row_height: int
    count: int
    foot_lines: int

    @classmethod
    def fit(cls, width: int, height: int, price_text_width: int, foot_lines: int) -> "Layout":
        """Share the width out: price and sizes get what their digits need, then own orders, then the rest."""
        price = price_text_width + 16
        volume = min(130, width * 16 // 100) if width >= _PROFILE_FROM else 0
        own = min(_MOST_OWN, max(_LEAST_OWN, (width - price - volume - 2 * _WHOLE_SIZE) // 2))
        size = max(_LEAST_SIZE, (width - 2 * own - price - volume) // 2)
        edges = [0]
        for part in (own, size, price, size, own):
            edges.append(edges[-1] + part)
        edges.append(max(width, edges[-1]) if volume else edges[-1])
        room = max(_SHORTEST_ROW, height - HEAD - foot_lines * FOOT_LINE)
        row = min(_TALLEST_ROW, max(_SHORTEST_ROW, room // _ROWS_WANTED))
        own_bid, bid, price_span, ask, own_ask, profile = (Span(*pair) for pair in pairwise(edges))
        return cls(
            width=width,
            height=height,
            own_bid=own_bid,
            bid=bid,
            price=price_span,
            ask=ask,
            own_ask=own_ask,
            volume=profile,
            row_height=row,
            count=room // row,
            foot_lines=foot_lines,
        )

    def row_top(self, index: int) -> int:
        """Top edge of the `index`-th row from above."""
        return HEAD + index * self.row_height

    def row_at(self, y: int) -> int | None:
        """Index of the row under `y`."""
        index = (y - HEAD) // self.row_height
        return index if 0 <= index < self.count else None

    @property
    def foot_top(self) -> int:
        """Top edge of the foot."""
        return self.height - self.foot_lines * FOOT_LINE
