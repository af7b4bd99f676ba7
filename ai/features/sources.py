"""The streams that features read: their tables, their events, and what a formula may call their columns.

All columns but the times are Float64 in the instrument's own units, no value is null, and rows are in the
order of `ts`: int64 ns UTC, the time at which the row was known here (the recorder's, not the venue's).

======  ===========================================================================================
quotes  `ts`, `bid`, `ask`, `bid_size`, `ask_size`; sizes are 0 where the source has none
trades  `ts`, `price`, `size`, `aggressor` (1 buyer, 2 seller, 0 where the venue does not tell)
book    `ts`, then `bid_price_k`, `bid_size_k`, `ask_price_k`, `ask_size_k` for k = 1 … L, best first;
        one row per book update; a missing level has the price NaN and the size 0
bars    `ts` (the first moment at which the bar is complete), `ts_open`, `open`, `high`, `low`, `close`,
        `volume`
news    `ts` (from when the headline could be known), `sentiment` (-1 bad to 1 good, 0 where the source
        gives none), `importance` (0 unknown, 1 low to 3 high); never a clock
======  ===========================================================================================

A set on one clock may read other streams, of its own instrument or of another: such a feature's value is the
one after the last row with an **earlier** `ts`. Rows of two streams at the same `ts` do not see each other,
since which of them came first is not known.
"""

from collections.abc import Mapping
from typing import Final, override

from ai.features.values import Value, column

STREAMS: Final = ("quotes", "trades", "book", "bars")
"""Those that can be a clock."""

NEWS: Final = "news"
NEWS_FIELDS: Final = ("sentiment", "importance")
BOOK_FIELDS: Final = ("bid_price", "bid_size", "ask_price", "ask_size")
DAY_NS: Final = 86_400 * 10**9

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": ("bid", "ask", "bid_size", "ask_size"),
    "trades": ("price", "size", "aggressor"),
    "book": BOOK_FIELDS,
    "bars": ("open", "high", "low", "close", "volume"),
}


def columns_of(stream: str, levels: int) -> tuple[str, ...]:
    """Columns of a stream's table; `levels` a side for the book."""
    columns = NEWS_FIELDS if stream == NEWS else _COLUMNS[stream]
    if stream == "book":
        columns = tuple(f"{each}_{level}" for level in range(1, levels + 1) for each in columns)
    return ("ts", *columns)


class Source:
    """One stream, as formulas and the writer of the streaming form see it."""

    def __init__(self, stream: str) -> None:
        self.stream = stream

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the streaming form after `ts`."""
        return tuple(f"{name}_" for name in _COLUMNS[self.stream])

    def python(self, name: str) -> str:
        """Expression of a column in the streaming form."""
        if name == "ns_of_day":
            return f"ts % {DAY_NS}"
        if self.stream == "book":
            field, _, level = name.rpartition("_")
            return f"{field}_[{int(level) - 1}]"
        return f"{name}_"

    # -- what formulas read -------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Value:
        """Return a column of the table."""
        return column(name)

    def _best(self, field: str) -> Value:
        return column(f"{field}_1" if self.stream == "book" else field.removesuffix("_price"))

    @property
    def bid(self) -> Value:
        """Best bid, of quotes or a book."""
        return self._best("bid_price")

    @property
    def ask(self) -> Value:
        """Best ask."""
        return self._best("ask_price")

    @property
    def bid_size(self) -> Value:
        """Size at the best bid."""
        return self._best("bid_size")

    @property
    def ask_size(self) -> Value:
        """Size at the best ask."""
        return self._best("ask_size")

    @property
    def price(self) -> Value:
        """A trade's price, a bar's close, else the mid."""
        if self.stream == "trades":
            return column("price")
        if self.stream == "bars":
            return column("close")
        return (self.bid + self.ask) * 0.5

    @property
    def size(self) -> Value:
        """A trade's size, a bar's volume, or the bid and ask sizes of a quote together."""
        if self.stream == "trades":
            return column("size")
        if self.stream == "bars":
            return column("volume")
        return self.bid_size + self.ask_size


class NewsSource(Source):
    """The stream of headlines.

    Apart from the others, whose columns are part of the hash of every feature's code: news must not outdate
    the models that read none.
    """

    def __init__(self) -> None:
        super().__init__(NEWS)

    @property
    @override
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the streaming form after `ts`."""
        return tuple(f"{name}_" for name in NEWS_FIELDS)


def source_of(stream: str) -> Source:
    """Return a stream as formulas see it."""
    return NewsSource() if stream == NEWS else Source(stream)
