"""Bars adjusted back for splits and dividends, from bars and what the company did to its shares.

The convention is that of CRSP (Center for Research in Security Prices, "Data Definitions: factor to adjust
price"): the newest prices stand, and every price before an ex-date is multiplied by

- `denominator / numerator` of a split (volumes by the inverse),
- `(close - dividend) / close` of a dividend, `close` being the last one before the ex-date,

so that returns over an ex-date are those of a holder who reinvests.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.columns import CorporateAction, CorporateActions, VendorBars
from engine.errors import UserError

_DIGITS: Final = 6
"""Decimals of adjusted prices, which are derived and have no exact ones."""

_LARGEST: Final = 10**18

type _Factors = npt.NDArray[np.float64]


def back_adjusted(
    bars: VendorBars, actions: CorporateActions, *, splits: bool, dividends: bool
) -> VendorBars:
    """Bars with prices before each ex-date put on the scale of those after the last one.

    Parameters
    ----------
    bars : VendorBars
        In order of time, not adjusted for what is asked here.
    actions : CorporateActions
        In any order. A dividend is per share as traded on the day before its ex-date; those before the first
        bar, and after the last one, change nothing.
    splits, dividends : bool
        What to adjust for. Yahoo's bars and dividends are adjusted for splits already.

    Returns
    -------
    VendorBars
        Prices rounded to six decimals, volumes to those that they had.

    Raises
    ------
    UserError
        A dividend is as large as the close before it, or more.
    """
    factors, shares = _factors(bars, actions, splits=splits, dividends=dividends)
    scale = 10.0**_DIGITS / 10.0**bars.price_precision * factors
    return VendorBars(
        ts_event=bars.ts_event,
        ts_init=bars.ts_init,
        open=_rounded(bars.open * scale),
        high=_rounded(bars.high * scale),
        low=_rounded(bars.low * scale),
        close=_rounded(bars.close * scale),
        volume=bars.volume if (shares == 1).all() else _rounded(bars.volume * shares),
        price_precision=_DIGITS,
        size_precision=bars.size_precision,
    )


def _factors(
    bars: VendorBars, actions: CorporateActions, *, splits: bool, dividends: bool
) -> tuple[_Factors, _Factors]:
    """What each bar's prices, and its volume, are multiplied by."""
    prices, shares = np.ones(len(bars)), np.ones(len(bars))
    for row in range(len(actions)):
        before = int(np.searchsorted(bars.ts_event, actions.ts_event[row]))
        if not 0 < before < len(bars):
            continue
        if actions.action[row] == CorporateAction.SPLIT and splits:
            ratio = actions.numerator[row] / actions.denominator[row]
            prices[:before] /= ratio
            shares[:before] *= ratio
        elif actions.action[row] == CorporateAction.DIVIDEND and dividends:
            close = bars.close[before - 1] / 10.0**bars.price_precision
            dividend = actions.amount[row] / 10.0**actions.price_precision
            if dividend >= close:
                raise UserError(
                    f"A dividend of {dividend:g} is not below the close of {close:g} before it, so prices "
                    "cannot be adjusted for it; check both."
                )
            prices[:before] *= (close - dividend) / close
    return prices, shares


def _rounded(values: _Factors) -> npt.NDArray[np.int64]:
    if len(values) and values.max() >= _LARGEST:
        raise UserError("An adjusted number has more than 18 digits, which cannot be kept.")
    return np.rint(values).astype(np.int64)
