"""Bars of a session that are complete, for what moves with them."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from engine.bars import BarBuilder, Bars, BarSpec, PriceType, price_and_size
from engine.columns import Columns

_KEPT: Final = 2_000


class Bar(NamedTuple):
    """One bar of time, exact."""

    ts_open: int
    high: Decimal
    low: Decimal
    close: Decimal


class BarHistory:
    """The newest bars of one kind, as far back as anything needs them.

    Parameters
    ----------
    bar : str
        Of the session; made of other prices of the same ticks where the session has not these.
    kinds : frozenset of str
        Market data that the session has.

    Attributes
    ----------
    spec : BarSpec or None
        None where the session has no bars of time: of ticks or volume, or of a book alone.
    """

    def __init__(self, bar: str, kinds: frozenset[str]) -> None:
        self.spec = _made_of(BarSpec.parse(bar), kinds)
        self._builder: BarBuilder | None = None
        self._closed: deque[Bar] = deque(maxlen=_KEPT)
        self._count = 0

    @property
    def interval_ns(self) -> int | None:
        """Length of a bar."""
        return None if self.spec is None else self.spec.interval_ns

    def absorb(self, part: Mapping[str, Columns]) -> None:
        """Take rows that happened."""
        spec = self.spec
        if spec is None:
            return
        columns = part.get("trades" if spec.price_type == PriceType.LAST else "quotes")
        if columns is None:
            return
        ticks = price_and_size(spec, columns)
        if self._builder is None:
            self._builder = BarBuilder(
                spec, price_precision=ticks.price_precision, size_precision=ticks.size_precision
            )
        closed = _exact(self._builder.append(ticks.ts_event, ticks.price, ticks.size))
        self._count += len(closed)
        self._closed += closed

    def complete(self, ended_ns: int, after: int = 0) -> list[Bar]:
        """Bars kept that were complete at a time, but for the first so many of the session."""
        bars = [*self._closed, *self._ended(ended_ns)]
        return bars[max(0, after - (self._count - len(self._closed))) :]

    def count(self, ended_ns: int) -> int:
        """How many bars of the session were complete at a time."""
        return self._count + len(self._ended(ended_ns))

    def _ended(self, ended_ns: int) -> list[Bar]:
        """The open bar, where its time is over and only no tick has closed it yet."""
        interval = self.interval_ns
        if self._builder is None or interval is None:
            return []
        return [bar for bar in _exact(self._builder.current) if bar.ts_open + interval <= ended_ns]


def _made_of(spec: BarSpec, kinds: frozenset[str]) -> BarSpec | None:
    if spec.interval_ns is None:
        return None
    wanted = "trades" if spec.price_type == PriceType.LAST else "quotes"
    if wanted in kinds:
        return spec
    if "quotes" in kinds:
        return BarSpec(spec.step, spec.aggregation, PriceType.MID)
    return BarSpec(spec.step, spec.aggregation, PriceType.LAST) if "trades" in kinds else None


def _exact(bars: Bars) -> list[Bar]:
    rows = zip(bars.ts_open, bars.high, bars.low, bars.close, strict=True)
    scale = -bars.price_precision
    return [
        Bar(int(ts), *(Decimal(int(price)).scaleb(scale) for price in (high, low, close)))
        for ts, high, low, close in rows
    ]
