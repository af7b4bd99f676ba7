"""What all of Yahoo's bars have in common: single-precision prices, and adjusted ones beside the others.

Yahoo's prices and volumes are adjusted for every split up to the download. The adjusted close is, for
dividends, too; open, high and low are adjusted here in its proportion to the close. The two never stand in
one kind: `bars-1-DAY-LAST` holds the former, `bars-1-DAY-LAST-ADJUSTED` the latter.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from engine.columns import CorporateAction, CorporateActions, Int64, VendorBars
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.rows import Rows
from engine.feeds.vendors.bar_rows import PRICES, bars

ADJUSTED_DIGITS: Final = 6
"""Decimals of adjusted prices, which are derived and have no exact ones."""

SPLIT_NOTE: Final = (
    "Yahoo's prices and volumes are adjusted for all splits up to the download; after a later split import "
    "the whole history anew."
)
FLOAT_NOTE: Final = "Yahoo sends floating-point numbers; they are taken at their shortest decimals."
ADJUSTED_NOTE: Final = (
    f"Bars adjusted for dividends, too, are kept apart, rounded to {ADJUSTED_DIGITS} decimals: open, high "
    "and low in the proportion of Yahoo's adjusted close to its close."
)


def shortest_text(column: pl.Series) -> pl.Series:
    """Decimals that Yahoo meant, of numbers that it keeps in single precision and writes as doubles.

    75.0875 reaches us as 75.0875015258789, which is the nearest single-precision number as a double. What is
    no such number stands for itself.
    """
    doubles = column.cast(pl.Float64, strict=False)
    with np.errstate(over="ignore"):
        single = doubles.fill_null(np.nan).to_numpy().astype(np.float32)
    widened = pl.Series(single.astype(np.float64) == doubles.fill_null(np.nan).to_numpy())
    return (
        pl.DataFrame({"own": column.cast(pl.String), "single": single.astype(str), "widened": widened})
        .select(pl.when("widened").then("single").otherwise("own"))
        .to_series()
    )


def split_adjusted(rows: Rows, opens: Int64, closes: Int64) -> VendorBars:
    """Good rows of the columns open, high, low, close and volume as bars."""
    prices: dict[str, Scaled] = {}
    for name in PRICES:
        rows.columns[name] = shortest_text(rows.columns[name])
        prices[name] = rows.number(name, positive=True)
    return bars(rows, opens, closes, prices, rows.number("volume", positive=False))


def dividend_adjusted(rows: Rows, opens: Int64, closes: Int64) -> VendorBars:
    """Good rows as bars in the proportion of the column `adjusted close` to `close`."""
    rows.columns["adjusted close"] = shortest_text(rows.columns["adjusted close"])
    adjusted = rows.number("adjusted close", positive=True)
    close = _doubles(scaled(rows.columns["close"]))
    factor = np.divide(_doubles(adjusted), close, out=np.zeros(len(close)), where=close > 0)
    prices: dict[str, Int64] = {}
    for name in PRICES:
        exact = _doubles(scaled(rows.columns[name])) * factor * 10**ADJUSTED_DIGITS
        rows.reject(~(exact < 10**18), "an adjusted price has more than 18 digits")
        prices[name] = np.rint(np.where(rows.good, exact, 0)).astype(np.int64)
        rows.reject(prices[name] <= 0, f"the adjusted {name} is 0 at {ADJUSTED_DIGITS} decimals")
    volume = scaled(rows.columns["volume"])
    made = VendorBars(
        ts_event=opens,
        ts_init=closes,
        **prices,
        volume=volume.integers,
        price_precision=ADJUSTED_DIGITS,
        size_precision=volume.precision,
    )
    return rows.taken(made)


def actions(rows: Rows, ex_dates: Int64, amounts: Scaled, ratios: Mapping[str, Scaled]) -> CorporateActions:
    """Splits and dividends, one a row: a dividend has an amount above 0, a split a ratio.

    Parameters
    ----------
    ratios : mapping of "numerator" and "denominator" to Scaled
        0 in both where the row is a dividend; they may have decimals, which the shares of a split have not.
    """
    digits = max(each.precision for each in ratios.values())
    numerator, denominator = ratios["numerator"].at(digits), ratios["denominator"].at(digits)
    common = np.maximum(np.gcd(numerator, denominator), 1)
    is_split = numerator > 0
    made = CorporateActions(
        ts_event=ex_dates,
        ts_init=ex_dates,
        action=np.where(is_split, CorporateAction.SPLIT, CorporateAction.DIVIDEND).astype(np.uint8),
        amount=np.where(is_split, 0, amounts.integers),
        numerator=np.where(is_split, numerator // common, 1),
        denominator=np.where(is_split, denominator // common, 1),
        price_precision=amounts.precision,
        size_precision=0,
    )
    return rows.taken(made)


def _doubles(values: Scaled) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return values.integers / 10.0**values.precision
