"""What vn.py's exports have in common: the columns of its bars and ticks, and clocks without a zone.

A bar has prices, volume, turnover and open interest. A tick is a look at the book: up to five levels of it,
the last price, and what was traded since the day began; as a trade it cannot be told apart from the ticks
beside it, so only its book is taken. Turnover and open interest have no place in bars.
"""

from typing import Final

import numpy as np
import polars as pl

from engine.columns import Columns, Int64, Quotes, Snapshots, VendorBars
from engine.feeds.decimals import Scaled
from engine.feeds.rows import Rows
from engine.feeds.timestamps import TimeRule, Times, times
from engine.feeds.vendors.bar_rows import DAY_NS, HOUR_NS, MINUTE_NS, PRICES, bars

LENGTHS: Final = {"1m": MINUTE_NS, "1h": HOUR_NS, "d": DAY_NS}
"""Of vn.py's intervals those that are kept; weeks are not."""

BAR_COLUMNS: Final = ("datetime", *PRICES, "volume")
_LEVELS: Final = 5
_SIDES: Final = ("bid", "ask")
TICK_COLUMNS: Final = (
    "datetime",
    "localtime",
    *(
        f"{side}_{of}_{level}"
        for of in ("price", "volume")
        for side in _SIDES
        for level in range(1, _LEVELS + 1)
    ),
)

ZONE_NOTE: Final = (
    "vn.py's times are those of the clock it ran by, often Shanghai's, and no file tells which; they are "
    "stored as if they were UTC unless you say theirs with --zone, for example --zone Asia/Shanghai."
)
BARS_NOTE: Final = "Turnover and open interest of the bars are not stored."
TICKS_NOTE: Final = "Of the ticks their book is stored; last price and volume tell no trade of its own."


def vendor_bars(rows: Rows, opens: Int64, interval_ns: int) -> VendorBars:
    """Good rows as bars; vn.py stamps a bar with its start."""
    prices = {name: rows.number(name, positive=True) for name in PRICES}
    return bars(rows, opens, opens + interval_ns, prices, rows.number("volume", positive=False))


def books(rows: Rows, opens: Times, zone: str) -> dict[str, Columns]:
    """Good rows as quotes, and as depth those that have more than one level."""
    received = _received(rows, opens, zone)
    prices, price_precision = _levels(rows, "price")
    sizes, size_precision = _levels(rows, "volume")
    there = {side: (prices[side] > 0) & (sizes[side] > 0) for side in _SIDES}
    for side in _SIDES:
        prices[side] = np.where(there[side], prices[side], 0)
        sizes[side] = np.where(there[side], sizes[side], 0)
    deep = rows.good & (there["bid"][:, 1:].any(axis=1) | there["ask"][:, 1:].any(axis=1))
    depth = Snapshots(
        ts_event=opens.ns,
        ts_init=received,
        bid=prices["bid"],
        ask=prices["ask"],
        bid_size=sizes["bid"],
        ask_size=sizes["ask"],
        price_precision=price_precision,
        size_precision=size_precision,
    ).take(deep)
    for side in _SIDES:
        rows.reject(~there[side][:, 0] & ~deep, f"there is no {side}")
    quotes = Quotes(
        ts_event=opens.ns,
        ts_init=received,
        bid=prices["bid"][:, 0],
        ask=prices["ask"][:, 0],
        bid_size=sizes["bid"][:, 0],
        ask_size=sizes["ask"][:, 0],
        price_precision=price_precision,
        size_precision=size_precision,
    ).take(rows.good & there["bid"][:, 0] & there["ask"][:, 0])
    return {"quotes": quotes, "depth": depth}


def _levels(rows: Rows, of: str) -> tuple[dict[str, Int64], int]:
    """Prices or volumes of each side, `[rows, levels]`, 0 where a level is missing, and their precision."""
    found: dict[str, list[Scaled]] = {}
    for side in _SIDES:
        for level in range(1, _LEVELS + 1):
            role = f"{side}_{of}_{level}"
            column = rows.columns.get(role, pl.Series([None] * len(rows.lines), dtype=pl.Float64))
            rows.columns[role] = column.fill_null(0.0 if column.dtype.is_float() else "0")
            found.setdefault(side, []).append(rows.number(role, positive=False))
    precision = max(each.precision for side in _SIDES for each in found[side])
    return {
        side: np.stack([each.at(precision) for each in found[side]], axis=1) for side in _SIDES
    }, precision


def _received(rows: Rows, opens: Times, zone: str) -> Int64:
    """When vn.py had each tick, where it kept that."""
    local = rows.columns.get("localtime")
    if local is None or local.null_count() == len(local):
        return opens.ns
    kept = times(local, None, TimeRule(zone=zone))
    return np.where(kept.valid, kept.ns, opens.ns)
