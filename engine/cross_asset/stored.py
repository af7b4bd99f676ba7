"""Prices of stored instruments for the questions of this room: mids of quotes, or trade prices."""

from collections.abc import Callable, Sequence

import numpy as np

from engine.columns import Columns, Int64, Quotes, Trades
from engine.cross_asset.correlation import LeadLag, correlation, hayashi_yoshida, lead_lag
from engine.cross_asset.merging import checked
from engine.cross_asset.sampling import Float64, Prices, clock, prices, refresh_times
from engine.errors import UserError
from engine.messages.data import Correlations, LeadLagCurve, Sampling
from engine.store.store import Store

PRICED_KINDS = ("quotes", "trades")


def stored_prices(
    store: Store, instrument: str, kind: str, start_ns: int | None = None, end_ns: int | None = None
) -> Prices:
    """Prices of one instrument with `start_ns <= ts_event < end_ns`: mids of uncrossed quotes, or trades.

    Raises
    ------
    UserError
        Unknown instrument, or `kind` has no price of its own.
    """
    parts = [
        _price(rows)
        for rows in store.in_event_order(instrument, kind)
        if (start_ns is None or rows.ts_event[-1] >= start_ns)
        and (end_ns is None or rows.ts_event[0] < end_ns)
    ]
    if not parts:
        return prices(np.zeros(0, np.int64), np.zeros(0))
    ts = np.concatenate([part[0] for part in parts])
    price = np.concatenate([part[1] for part in parts])
    low = 0 if start_ns is None else int(np.searchsorted(ts, start_ns))
    high = len(ts) if end_ns is None else int(np.searchsorted(ts, end_ns))
    return prices(ts[low:high], price[low:high])


def _price(rows: Columns) -> tuple[Int64, Float64]:
    scale = 10.0**rows.price_precision
    if isinstance(rows, Quotes):
        good = rows.bid <= rows.ask
        return rows.ts_event[good], ((rows.bid + rows.ask)[good]) / (2 * scale)
    if isinstance(rows, Trades):
        return rows.ts_event, rows.price / scale
    raise UserError("Only quotes and trades have one price each; choose --kind quotes or trades.")


def correlations(
    store: Store,
    instruments: Sequence[str],
    *,
    kind: str = "quotes",
    sampling: Sampling = "previous-tick",
    step_ns: int = 60_000_000_000,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> Correlations:
    """Correlation matrix of log returns over the time that all instruments cover.

    `previous-tick` samples every `step_ns`, `refresh-time` whenever all have changed, `hayashi-yoshida` takes
    every tick as it is.

    Raises
    ------
    UserError
        Fewer than two instruments, one unknown or without rows, no common time, or a bad step.
    """
    if step_ns <= 0:
        raise UserError("The step must be above 0; give for example 1s or 1m.")
    names = checked(store, instruments, kind, least=2)
    several = _common([stored_prices(store, name, kind, start_ns, end_ns) for name in names], names)
    first, last = int(several[0].ts[0]), max(int(each.ts[-1]) for each in several)
    if sampling == "hayashi-yoshida":
        matrix = np.array([[1.0 if a is b else hayashi_yoshida(a, b) for b in several] for a in several])
        count = min(len(each) - 1 for each in several)
    else:
        times = (
            clock(first, last, step_ns)
            if sampling == "previous-tick"
            else refresh_times([each.ts for each in several])
        )
        matrix, count = correlation(several, times)
    return Correlations(
        instruments=tuple(names),
        kind=kind,
        sampling=sampling,
        step_ns=step_ns if sampling == "previous-tick" else None,
        start_ns=first,
        end_ns=last,
        returns=count,
        matrix=[[None if np.isnan(value) else float(value) for value in row] for row in matrix],
    )


def lead_lag_of(
    store: Store,
    first: str,
    second: str,
    *,
    kind: str = "quotes",
    largest_ns: int = 10_000_000_000,
    step_ns: int = 100_000_000,
    start_ns: int | None = None,
    end_ns: int | None = None,
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
    names = checked(store, [first, second], kind)
    one, other = _common([stored_prices(store, name, kind, start_ns, end_ns) for name in names], names)
    count = largest_ns // step_ns
    shifts = np.arange(-count, count + 1, dtype=np.int64) * step_ns
    found: LeadLag = lead_lag(one, other, shifts, cancelled)
    return LeadLagCurve(
        first=first,
        second=second,
        shifts_ns=shifts.tolist(),
        correlation=[None if np.isnan(value) else value for value in found.correlation.tolist()],
        lead_ns=found.lead_ns,
        ratio=None if np.isnan(found.ratio) else found.ratio,
    )


def _common(several: list[Prices], names: Sequence[str]) -> list[Prices]:
    """Prices within the time that all cover; each begins with what it was at the common start."""
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
