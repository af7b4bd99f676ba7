"""The tick store: plain Parquet that polars and DuckDB read as it lies, exact to the last digit.

Layout
------
::

    STORE/INSTRUMENT/instrument.json             precision, tick, lot, currencies, fees
    STORE/INSTRUMENT/KIND/YYYY-MM-DD.parquet     KIND is quotes, trades, deltas or depth
    STORE/INSTRUMENT/KIND/YYYY-01-01.parquet     KIND is bars-SPEC, bars-SPEC-ADJUSTED or actions
    STORE/INSTRUMENT/repairs/NNNN/               what repairs took out (`engine.store.journal`)
    STORE/series/NAME/YYYY-01-01.parquet         timed rows that are no ticks (`engine.store.series`)

A file holds the rows whose `ts_event` lies in that UTC day (year), sorted by `ts_event`, then `ts_init`, then
order of arrival. Files are ZSTD-compressed, in row groups of 131,072 rows with statistics and page indexes,
so that a time range reads only what it needs. Names beginning with a dot (`.lock`, `.….part`, `.importing`)
are the writers' own.

Columns
-------
========== ======================================================================================
all        `ts_event`, `ts_init`: INT64, ns since 1970-01-01 UTC. `ts_event` is the venue's time,
           `ts_init` the recorder's (equal where the source gives one time only)
quotes     `bid`, `ask`: DECIMAL(18, price precision); `bid_size`, `ask_size`: DECIMAL(18, size
           precision), 0 where the source has no sizes; `sequence`: INT64, the venue's update
           number, 0 where it gave none
trades     `price`, `size`: DECIMAL; `aggressor`: UINT8, 0 unknown 1 buyer 2 seller; `trade_id`:
           INT64, 0 where the venue gave no number
deltas     `action`: UINT8, 1 add 2 update 3 delete 4 clear; `side`: UINT8, 0 none 1 bid 2 ask;
           `price`, `size`: DECIMAL; `flags`: UINT8, bit 7 (128) last row of its update, bit 5
           (32) part of a snapshot; `sequence`: INT64, the venue's last update number in it
depth      whole books: `bid`, `ask`, `bid_size`, `ask_size`: LIST of DECIMAL, best level first,
           size 0 where a level is missing
bars-…     a vendor's bars: `open`, `high`, `low`, `close`, `volume`: DECIMAL; `ts_event` is when the
           bar opened, `ts_init` when it closed
actions    `action`: UINT8, 1 split 2 dividend; `amount`: DECIMAL; `numerator`, `denominator`: INT64
========== ======================================================================================

Times are integers because DuckDB cuts a nanosecond timestamp with a zone to microseconds; read them with
`pl.from_epoch("ts_event", "ns")` in polars and `make_timestamp_ns(ts_event)` in DuckDB. Every decimal of an
instrument has the same scale in all its files. `engine.store.merging` tells which rows count as duplicates.
"""

from engine.store.incoming import Incoming, Spill
from engine.store.store import KindInfo, Store, checked_id
from engine.store.stream import Chunk
from engine.store.writing import Added

__all__ = ["Added", "Chunk", "Incoming", "KindInfo", "Spill", "Store", "checked_id"]
