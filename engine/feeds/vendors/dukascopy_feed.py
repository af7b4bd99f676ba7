"""The delta-coded JSON (or jsonp) of Dukascopy's chart feed.

`timestamp` (ms) and one price of each array (`ask`, `bid`; or `open`, `high`, `low`, `close`) are where the
running sums of the arrays begin: the time of row i is `timestamp + shift * (times[0] + … + times[i])`, its
ask `ask + multiplier * (asks[0] + … + asks[i])`. Volumes stand as they are, in millions of the base currency.
`shift` is 1 ms where it is left out, as in ticks; in candles it is the length of one.
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import Table
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import DAY_NS, PRICES
from engine.feeds.vendors.dukascopy_json import TICKS, ticks_or_bars
from engine.feeds.vendors.json_text import loaded, text_column

_MS_NS: Final = 1_000_000
_LARGEST: Final = 10**18
_HEAD = re.compile(rb'^([A-Za-z_$][\w.$]*\s*\(\s*)?\{[^\[]{0,600}"(multiplier|shift)"\s*:')
_ARRAYS: Final = {"ask": "asks", "bid": "bids", "ask volume": "askVolumes", "bid volume": "bidVolumes"} | {
    name: f"{name}s" for name in (*PRICES, "volume")
}


def matches(head: Head) -> bool:
    """Whether it begins as an object with the step of its deltas."""
    return _HEAD.match(head.data.removeprefix(b"\xef\xbb\xbf").lstrip()) is not None


def decode(file: SourceFile) -> Decoded:
    """Quotes or bars of one answer of the feed.

    Raises
    ------
    Undecodable
        Damaged, arrays of different length, or a delta that is no whole number: all rows after it would be
        wrong.
    """
    document = loaded(gunzipped(file.data))
    if not isinstance(document, dict):
        raise Undecodable("its JSON is no object of deltas")
    roles = TICKS if "asks" in document else (*PRICES, "volume")
    arrays = {role: _array(document, _ARRAYS[role]) for role in roles}
    steps = _array(document, "times")
    if {len(each) for each in arrays.values()} != {len(steps)}:
        raise Undecodable("its arrays are not equally long, so its rows cannot be told; fetch it again")
    if not len(steps):
        return Decoded(columns={}, timestamps="")
    rows = Rows(Table([], None, np.arange(1, len(steps) + 1)), {})
    shift = _one(document, "shift") if "shift" in document else _one({"shift": "1"}, "shift")
    ms = _running("times", _one(document, "timestamp"), shift, steps)
    if ms.precision:
        raise Undecodable("its times are finer than a millisecond, which Dukascopy's are not")
    rows.columns["time"] = pl.Series(ms.integers)
    multiplier = _one(document, "multiplier")
    prices = {
        role: _running(_ARRAYS[role], _one(document, role), multiplier, arrays[role])
        for role in roles
        if "volume" not in role
    }
    for role, price in prices.items():
        rows.reject(price.integers <= 0, f"the {role} is not above 0")
    rows.columns |= {role: arrays[role] for role in roles if "volume" in role}
    volumes = {role: rows.number(role, positive=False) for role in roles if "volume" in role}
    return ticks_or_bars(rows, prices, volumes, file.path, None if roles is TICKS else _interval_ns(shift))


def _array(document: Mapping[str, object], name: str) -> pl.Series:
    found = document.get(name)
    if not isinstance(found, list):
        raise Undecodable(f"it has no list of {name}, as Dukascopy's ticks and candles have")
    return text_column(found)


def _one(document: Mapping[str, object], name: str) -> Scaled:
    found = scaled(text_column([document.get(name)]))
    if not found.valid.all():
        raise Undecodable(f"its {name} is missing or no number, and all rows begin there; fetch it again")
    return found


def _running(name: str, start: Scaled, step: Scaled, deltas: pl.Series) -> Scaled:
    """Where each row stands: the start and all deltas up to it, in steps; exact."""
    whole = scaled(deltas)
    if not whole.valid.all() or whole.precision:
        raise Undecodable(f"one of its {name} is no whole number, and all rows after it would be wrong")
    digits = max(start.precision, step.precision)
    first, factor = (int(each.at(digits)[0]) for each in (start, step))
    reach = abs(first) + abs(factor) * float(np.abs(whole.integers).astype(np.float64).sum())
    if reach >= _LARGEST:
        raise Undecodable(f"the sums of its {name} have more than 18 digits; fetch it again")
    sums: Int64 = first + factor * np.cumsum(whole.integers)
    return Scaled(sums, whole.valid, digits)


def _interval_ns(shift: Scaled) -> int:
    ms = int(shift.integers[0])
    if shift.precision or not 0 < ms <= DAY_NS // _MS_NS:
        raise Undecodable(f"its shift, {ms / 10**shift.precision:g} ms, is no length of a candle")
    return ms * _MS_NS
