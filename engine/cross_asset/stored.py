"""Prices of stored instruments for the questions of this room: mids of quotes, or trade prices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int64, Quotes, Trades
from engine.cross_asset.correlation import LeadLag, correlation, hayashi_yoshida, lead_lag
from engine.cross_asset.merging import checked
from engine.cross_asset.sampling import Float64, Prices, clock, prices, refresh_times
from engine.errors import UserError
from engine.messages.data import Clock, Correlations, LeadLagCurve, Sampling
from engine.store.store import Store

PRICED_KINDS = ("quotes", "trades")
CLOCKS: tuple[Clock, ...] = ("event", "received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows, by which of their two times.

    Attributes
    ----------
    kind : str
        `quotes` (mids of those not crossed) or `trades`.
    by : {'event', 'received'}
        Venue's time, or the recorder's: one recorder has one clock, venues have several.
    start_ns, end_ns : int or None
        `start_ns <= time < end_ns`, ns UTC; None is no limit.
    """

    kind: str = "quotes"
    by: Clock = "event"
    start_ns: int | None = None
    end_ns: int | None = None


def stored_prices(store: Store, instrument: str, asked: Asked) -> Prices:
    """Prices of one instrument.

    Raises
    ------
    UserError
        Unknown instrument, or `kind` has no price of its own.
    """
    parts = [_price(rows, asked.by) for rows in store.in_event_order(instrument, asked.kind)]
    ts = np.concatenate([part[0] for part in parts])
    price = np.concatenate([part[1] for part in parts])
    if asked.by == "received":
        order = np.argsort(ts, kind="stable")
        ts, price = ts[order], price[order]
    low = 0 if asked.start_ns is None else int(np.searchsorted(ts, asked.start_ns))
    high = len(ts) if asked.end_ns is None else int(np.searchsorted(ts, asked.end_ns))
    return prices(ts[low:high], price[low:high])


def _price(rows: Columns, by: Clock) -> tuple[Int64, Float64]:
    ts = rows.ts_event if by == "event" else rows.ts_init
    scale = 10.0**rows.price_precision
    if isinstance(rows, Quotes):
        good = rows.bid <= rows.ask
        return ts[good], ((rows.bid + rows.ask)[good]) / (2 * scale)
    if isinstance(rows, Trades):
        return ts, rows.price / scale
    raise UserError("Only quotes and trades have one price each; choose quotes or trades.")


def common_prices(
    store: Store,
    instruments: Sequence[str],
    asked: Asked,
) -> list[Prices]:
    """Prices within the time that all cover; each begins with what it was at the common start.

    Raises
    ------
    UserError
        Fewer than two instruments, one unknown or without rows, or no time in common.
    """
    names = checked(store, instruments, asked.kind, least=2)
    several = [stored_prices(store, name, asked) for name in names]
    start = max((int(each.ts[0]) for each in several if len(each)), default=0)
    end = min((int(each.ts[-1]) for each in several if len(each)), default=0)
    if start >= end or not all(len(each) for each in several):
        raise UserError(f"{', '.join(names)} have no time in common; choose others or import more days.")
    cut = []
    for each in several:
        low = int(np.searchsorted(each.ts, start, side="right")) - 1
        high = int(np.searchsorted(each.ts, end, side="right"))
        ts = each.ts[low:high].copy()
        ts[0] = max(int(ts[0]), start)
        cut.append(Prices(ts, each.price[low:high]))
    return cut


def common_times(several: Sequence[Prices], sampling: Sampling, step_ns: int) -> Int64:
    """Times at which they are compared: a clock's from the common start, or their refresh times."""
    if sampling == "refresh-time":
        return refresh_times([each.ts for each in several])
    return clock(int(several[0].ts[0]), max(int(each.ts[-1]) for each in several), step_ns)


def correlations(
    store: Store,
    instruments: Sequence[str],
    asked: Asked,
    *,
    sampling: Sampling = "previous-tick",
    step_ns: int = 60_000_000_000,
) -> Correlations:
    """Correlation matrix of log returns over the time that all instruments cover.

    `previous-tick` samples every `step_ns`, `refresh-time` whenever all have changed, `hayashi-yoshida` takes
    every tick as it is.

    Raises
    ------
    UserError
        Fewer than two instruments, one unknown or without rows, no common time, or a bad step.
    """
    several = common_prices(store, instruments, asked)
    if sampling == "hayashi-yoshida":
        matrix = np.array([[1.0 if a is b else hayashi_yoshida(a, b) for b in several] for a in several])
        count = min(len(each) - 1 for each in several)
    else:
        matrix, count = correlation(several, common_times(several, sampling, step_ns))
    return Correlations(
        instruments=tuple(instruments),
        kind=asked.kind,
        by=asked.by,
        sampling=sampling,
        step_ns=step_ns if sampling == "previous-tick" else None,
        start_ns=int(several[0].ts[0]),
        end_ns=max(int(each.ts[-1]) for each in several),
        returns=count,
        doubt=clocks_doubt(store, instruments, asked),
        matrix=[[None if np.isnan(value) else float(value) for value in row] for row in matrix],
    )


def lead_lag_of(
    store: Store,
    pair: tuple[str, str],
    asked: Asked,
    *,
    largest_ns: int = 10_000_000_000,
    step_ns: int = 100_000_000,
    cancelled: Callable[[], bool] = lambda: False,
) -> LeadLagCurve:
    """Hayashi-Yoshida correlation of two instruments for shifts of up to `largest_ns` both ways.

    Raises
    ------
    UserError
        As `correlations`.
    """
    if not 0 < step_ns <= largest_ns:
        raise UserError("The step must be above 0 and no longer than the largest shift.")
    one, other = common_prices(store, pair, asked)
    count = largest_ns // step_ns
    shifts = np.arange(-count, count + 1, dtype=np.int64) * step_ns
    found: LeadLag = lead_lag(one, other, shifts, cancelled)
    return LeadLagCurve(
        first=pair[0],
        second=pair[1],
        shifts_ns=shifts.tolist(),
        correlation=[None if np.isnan(value) else value for value in found.correlation.tolist()],
        lead_ns=found.lead_ns,
        ratio=None if np.isnan(found.ratio) else found.ratio,
    )


def clocks_doubt(store: Store, instruments: Sequence[str], asked: Asked) -> str:
    """Sentence where only some instruments' rows carry a venue's time, so that the others lag by the way."""
    if asked.by != "event":
        return ""
    without = [name for name in instruments if _has_one_time(store, name, asked.kind)]
    if len(without) in {0, len(instruments)}:
        return ""
    return (
        f"The {asked.kind} of {' and '.join(without)} have no time of the venue, only that of their receipt, "
        "and the others do; compare all by received time."
    )


def _has_one_time(store: Store, instrument: str, kind: str) -> bool:
    rows = next(store.in_event_order(instrument, kind))
    return bool((rows.ts_event == rows.ts_init).all())
