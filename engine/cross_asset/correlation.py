"""How returns of several instruments move together, and which moves first.

Formulas
--------
Hayashi-Yoshida covariance (Hayashi & Yoshida 2005, "On covariance estimation of non-synchronously observed
diffusion processes", Bernoulli 11): the sum of the products of all pairs of log returns whose intervals
overlap. It needs no common clock, and dividing by the roots of the realised variances gives a correlation.

Lead-lag (Hoffmann, Rosenbaum & Yoshida 2013, "Estimation of the lead-lag parameter from non-synchronous
data", Bernoulli 19): the same with one side's times shifted; the first leads by the shift at which the
correlation is largest in size. The lead-lag ratio (Huth & Abergel 2014, "High frequency lead/lag
relationships", Journal of Empirical Finance 26) is the sum of the squared correlations over positive shifts
by that over negative ones: above 1 the first leads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Int64
from engine.cross_asset.sampling import Float64, Prices, synchronised


def correlation(several: Sequence[Prices], at: Int64) -> tuple[Float64, int]:
    """Pearson correlations of log returns between the times `at`, and how many returns each is made of.

    Returns
    -------
    float64 [n, n], int
        NaN where a price never moved or fewer than two returns are known. Times before the last of the first
        prices are left out, so that all pairs are of the same times.
    """
    common = synchronised(several, at)
    common = common[~np.isnan(common).any(axis=1)]
    returns = np.diff(np.log(common), axis=0)
    n = len(several)
    if len(returns) < 2:
        return np.full((n, n), np.nan), len(returns)
    deviations = returns - returns.mean(axis=0)
    products = deviations.T @ deviations
    scale = np.sqrt(np.diag(products))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Float64 = products / np.outer(scale, scale)
    return np.clip(found, -1.0, 1.0), len(returns)


def hayashi_yoshida(first: Prices, second: Prices, shift_ns: int = 0) -> float:
    """Correlation by Hayashi and Yoshida, with the first's times moved `shift_ns` later.

    It is not bounded by 1 in small samples. NaN where one has fewer than two prices or never moved.
    """
    if len(first) < 2 or len(second) < 2:
        return float("nan")
    log_first, log_second = np.log(first.price), np.log(second.price)
    variance = float(np.square(np.diff(log_first)).sum()) * float(np.square(np.diff(log_second)).sum())
    if variance <= 0:
        return float("nan")
    begin, end = first.ts[:-1] + shift_ns, first.ts[1:] + shift_ns
    # Returns of the second whose intervals overlap (begin, end) add up to one difference of its log price.
    low = np.maximum(np.searchsorted(second.ts, begin, side="right") - 1, 0)
    high = np.minimum(np.searchsorted(second.ts, end, side="left"), len(second) - 1)
    overlapping = log_second[np.maximum(high, low)] - log_second[low]
    return float(np.dot(np.diff(log_first), overlapping)) / float(np.sqrt(variance))


@dataclass(frozen=True, slots=True, eq=False)
class LeadLag:
    """Correlation of two instruments by shift.

    Attributes
    ----------
    shifts_ns : int64 array, ascending
        Positive: the first's past with the second's present, so the first leads.
    correlation : float64 array
        Hayashi-Yoshida at each shift.
    lead_ns : int
        Shift of the largest correlation in size; the smallest shift among equals.
    ratio : float
        Lead-lag ratio; above 1 the first leads. NaN where there is no shift on one side.
    """

    shifts_ns: Int64
    correlation: Float64
    lead_ns: int
    ratio: float


def lead_lag(
    first: Prices, second: Prices, shifts_ns: Int64, cancelled: Callable[[], bool] = lambda: False
) -> LeadLag:
    """Correlation at each of `shifts_ns`; those not reached when `cancelled()` became true are NaN."""
    found = np.full(len(shifts_ns), np.nan)
    for number, shift in enumerate(shifts_ns.tolist()):
        if cancelled():
            break
        found[number] = hayashi_yoshida(first, second, shift)
    known = np.flatnonzero(~np.isnan(found))
    if not len(known):
        return LeadLag(shifts_ns, found, 0, float("nan"))
    size = np.abs(found[known])
    largest = known[size == size.max()]
    best = largest[np.argmin(np.abs(shifts_ns[largest]))]
    leads, lags = (np.nansum(np.square(found[side])) for side in (shifts_ns > 0, shifts_ns < 0))
    return LeadLag(shifts_ns, found, int(shifts_ns[best]), float(leads / lags) if lags > 0 else float("nan"))
