"""Clean generated markets in a store, and columns to put faults into."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.bars import BarSpec, bars_of
from engine.columns import Columns, Int64, Quotes, Trades, VendorBars
from engine.feeds.simulated import PROFILES, Simulation, random_quotes, simulate
from engine.messages.data import Finding
from engine.messages.instrument import Instrument
from engine.quality import Calendars, Checked, check
from engine.store import Store

CALENDARS_PATH = Path(__file__).resolve().parents[3] / "configs" / "calendars.toml"
CALENDARS = Calendars.load(CALENDARS_PATH)
SECOND_NS = 1_000_000_000
MINUTE_NS, HOUR_NS = 60 * SECOND_NS, 3_600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
FX = PROFILES["fx"].instrument
CRYPTO = PROFILES["crypto"].instrument


def at(text: str) -> int:
    """UTC time in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


MONDAY = at("2019-02-04T08:00:00")


def walk(rows: int, seed: int = 1, start_ns: int = MONDAY, instrument: Instrument = FX) -> Quotes:
    """Clean quotes, 10 ms apart on average."""
    return random_quotes(rows, seed, instrument, start_ns)


def market(seconds: float = 60, seed: int = 2, start_ns: int = MONDAY) -> Simulation:
    """A clean market of quotes, trades and a book that agree."""
    return simulate(PROFILES["crypto"], seed, start_ns, seconds)


def with_values[C: Columns](columns: C, rows: Any, **values: Any) -> C:
    """A copy with other values in some rows."""
    arrays = {name: array.copy() for name, array in columns.arrays().items()}
    for name, value in values.items():
        arrays[name][rows] = value
    return columns.with_arrays(arrays)


def without[C: Columns](columns: C, start_ns: int, end_ns: int) -> C:
    """A copy without the rows from `start_ns` to before `end_ns`."""
    return columns.take((columns.ts_event < start_ns) | (columns.ts_event >= end_ns))


def shifted[C: Columns](columns: C, by_ns: "int | Int64") -> C:
    """The same rows at other times."""
    return columns.with_arrays({"ts_event": columns.ts_event + by_ns, "ts_init": columns.ts_init + by_ns})


def checked(
    tmp_path: Path, parts: Mapping[str, Columns], instrument: Instrument = FX, **asked: Any
) -> Checked:
    """Store `parts` anew and check them."""
    store = Store(tmp_path)
    store.add(instrument, parts)
    return check(store, instrument.id, CALENDARS, **asked)


def only(result: Checked) -> Finding:
    """The one finding that there is."""
    assert result.found == len(result.findings) == 1, result.findings
    return result.findings[0]


def trades(times: Int64, prices: Int64, ids: Int64 | None = None) -> Trades:
    """Trades of size 1 by buyers."""
    ones = np.ones(len(times), np.int64)
    return Trades(
        ts_event=times,
        ts_init=times,
        price=prices,
        size=ones,
        aggressor=ones.astype(np.uint8),
        trade_id=np.arange(1, len(times) + 1) if ids is None else ids,
        price_precision=FX.price_precision,
        size_precision=FX.size_precision,
    )


def vendor_bars(quotes: Quotes, spec: str) -> VendorBars:
    """Bars of these quotes as a vendor gives them."""
    parsed = BarSpec.parse(spec)
    bars = bars_of(parsed, quotes)
    arrays = {name: array for name, array in bars.arrays().items() if name != "ts_open"}
    return VendorBars(
        ts_event=bars.ts_open,
        ts_init=bars.ts_open + (parsed.interval_ns or 0),
        **arrays,
        price_precision=bars.price_precision,
        size_precision=bars.size_precision,
    )
