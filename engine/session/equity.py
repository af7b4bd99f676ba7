"""The account's value at every mark, its peak and its drawdown, whatever windows and pictures cut time into.

Marks are the mid prices of quotes, the prices of trades where there are no quotes, or the book's mid once a
second where there are neither. Balances and positions are the engine's own, taken over at each change.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.book import Book, depth_columns
from engine.columns import Columns, Deltas, Quotes, Trades
from engine.messages.columns import EQUITY, Rows
from engine.messages.events import AccountChanged, AnyEvent, Filled, PositionChanged
from engine.messages.frames import Risk
from engine.messages.instrument import Instrument

CURVE_BUCKETS: Final = 2_000
"""Stretches of the curve; each keeps its deepest point and its last."""

_BOOK_MARK_NS: Final = 1_000_000_000

type Floats = npt.NDArray[np.float64]


class Equity:
    """Follows one instrument's positions and one account in the instrument's quote currency.

    Parameters
    ----------
    instrument : Instrument
    balance : float
        Starting balance.
    kinds : frozenset of str
        Kinds of columns that the session has.
    start_ns, end_ns : int
        Market time of the session, which the curve's stretches divide.
    """

    def __init__(
        self, instrument: Instrument, balance: float, kinds: frozenset[str], start_ns: int, end_ns: int
    ) -> None:
        self._instrument = instrument
        self._start_balance = self._balance = balance
        self._marks = next(kind for kind in ("quotes", "trades", "deltas") if kind in kinds)
        self._book, self._book_at = Book(), start_ns
        self._positions: dict[str, tuple[float, float]] = {}
        self._fees = 0.0
        # What is held after each change: when, net size, cost (size x average price, summed), balance.
        self._held: list[tuple[int, float, float, float]] = [(-(2**63), 0.0, 0.0, balance)]
        self._mark: float | None = None
        self._peak = balance
        self._max_drawdown = 0.0
        self._start = start_ns
        self._bucket_ns = max(1, -(-(end_ns - start_ns + 1) // CURVE_BUCKETS))
        self._curve: list[Rows] = []
        self._bucket: Rows | None = None

    def note(self, event: AnyEvent) -> None:
        """Take an event of the engine, in order; after a position's comes that of the account it leaves."""
        match event:
            case Filled():
                self._fees += float(event.fee)
            case PositionChanged():
                if event.quantity:
                    self._positions[event.position_id] = float(event.quantity), float(event.average_open)
                else:
                    self._positions.pop(event.position_id, None)
            case AccountChanged():
                self._balance = float(event.balances[0].total) if event.balances else self._balance
                self._hold(event.ts)
            case _:
                pass

    def absorb(self, parts: Iterable[Mapping[str, Columns]]) -> None:
        """Take rows that happened, in order, after the events that they caused."""
        for part in parts:
            columns = part.get(self._marks)
            if isinstance(columns, Quotes):
                self._value(
                    columns.ts_init, (columns.bid + columns.ask) / (2 * 10.0**columns.price_precision)
                )
            elif isinstance(columns, Trades):
                self._value(columns.ts_init, columns.price / 10.0**columns.price_precision)
            elif isinstance(columns, Deltas):
                self._value_book(columns)

    def risk(self) -> Risk:
        """Risk now, at the last mark."""
        mark = self._mark
        _, size, cost, balance = self._held[-1]
        open_profit = size * mark - cost if mark is not None else 0.0
        equity = balance + open_profit
        peak = max(self._peak, equity)
        return Risk(
            instrument=self._instrument.id,
            currency=self._instrument.quote,
            position=size,
            average_open=cost / size if size else None,
            exposure=abs(size) * mark if mark is not None else 0.0,
            realised_pnl=balance - self._start_balance,
            unrealised_pnl=open_profit,
            equity=equity,
            drawdown=equity - peak,
            max_drawdown=min(self._max_drawdown, equity - peak),
            fees=self._fees,
        )

    def curve(self) -> Rows:
        """Equity and drawdown so far; the same for the same fills, however the session was run.

        The first row is the starting balance at the session's start, before anything was traded: the first
        mark may have fees and spread in it already.
        """
        begin = np.array([(self._start, self._start_balance, 0.0)], EQUITY)
        return np.concatenate([begin, *self._curve, *([] if self._bucket is None else [self._bucket])])

    def _hold(self, ts: int) -> None:
        size = sum(held for held, _ in self._positions.values())
        cost = sum(held * average for held, average in self._positions.values())
        self._held.append((ts, size, cost, self._balance))

    def _value_book(self, deltas: Deltas) -> None:
        first, last = self._book_at // _BOOK_MARK_NS + 1, (int(deltas.ts_init[-1]) - 1) // _BOOK_MARK_NS
        boundaries = np.arange(first, last + 1, dtype=np.int64) * _BOOK_MARK_NS
        price, _ = depth_columns(self._book, deltas, boundaries, 1)
        mids = price[:, :, 0].mean(axis=1)
        known = np.isfinite(mids)
        if known.any():
            self._book_at = int(boundaries[-1])
            self._value(boundaries[known], mids[known])

    def _value(self, ts: npt.NDArray[np.int64], mark: Floats) -> None:
        held = np.array([row[1:] for row in self._held])
        times = np.array([row[0] for row in self._held], np.int64)
        at = np.searchsorted(times, ts, side="right") - 1
        now = held[at]
        equity = now[:, 2] + now[:, 0] * mark - now[:, 1]
        peak = np.maximum(np.maximum.accumulate(equity), self._peak)
        drawdown = equity - peak
        self._mark = float(mark[-1])
        self._peak = float(peak[-1])
        self._max_drawdown = min(self._max_drawdown, float(drawdown.min()))
        del self._held[: int(at[-1])]  # what changed later than these marks is for the next ones
        self._sample(ts, equity, drawdown)

    def _sample(self, ts: npt.NDArray[np.int64], equity: Floats, drawdown: Floats) -> None:
        """Put the deepest and the last point of each stretch on the curve, the open stretch's for now."""
        bucket = (ts - self._start) // self._bucket_ns
        starts = np.flatnonzero(np.concatenate([(True,), bucket[1:] != bucket[:-1]]))
        ends = np.append(starts[1:], len(ts))
        lowest = np.repeat(np.minimum.reduceat(drawdown, starts), ends - starts)
        at_lowest = np.flatnonzero(drawdown == lowest)
        _, first = np.unique(bucket[at_lowest], return_index=True)
        points = np.unique(np.concatenate([at_lowest[first], ends - 1]))
        rows = np.empty(len(points), EQUITY)
        rows["ts"], rows["equity"], rows["drawdown"] = ts[points], equity[points], drawdown[points]
        if self._bucket is not None:
            rows = self._joined(self._bucket, rows)
        last = (rows["ts"] - self._start) // self._bucket_ns == bucket[-1]
        self._bucket = rows[last]
        if not last.all():
            self._curve.append(rows[~last])

    def _joined(self, open_rows: Rows, rows: Rows) -> Rows:
        """Rows after those of an open stretch; where they continue it, two points of it stay."""
        number = (int(open_rows["ts"][-1]) - self._start) // self._bucket_ns
        same = (rows["ts"] - self._start) // self._bucket_ns == number
        if not same.any():
            return np.concatenate([open_rows, rows])
        stretch = np.concatenate([open_rows, rows[same]])
        keep = np.unique([int(stretch["drawdown"].argmin()), len(stretch) - 1])
        return np.concatenate([stretch[keep], rows[~same]])
