"""Databento's files (`.dbn`, `.dbn.zst`): trades, best quotes, ten levels, single orders, bars, definitions.

A file may hold many instruments; the rows of the one that is asked for are taken. Prices are whole numbers of
1e-9 and stay exact. Times are the venue's, and received is when Databento's own clock had the message.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bars import BarSpec
from engine.columns import Aggressor, Columns, Quotes, Snapshots, Trades, VendorBars, bars_kind
from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import bare_symbol
from engine.feeds.timestamps import EARLIEST_NS, LATEST_NS
from engine.feeds.unpacking import contents
from engine.feeds.vendors.databento_definition import defined_by
from engine.feeds.vendors.databento_orders import book_of, order_checks
from engine.feeds.vendors.dbn import (
    ASK,
    BARS,
    BID,
    DEFINITION,
    DEPTH,
    MAGIC,
    ORDERS,
    QUOTES,
    TRADE,
    TRADES,
    UNDEFINED,
    DbnFile,
    Records,
    exact_prices,
    nanoseconds,
    no_price,
    read_dbn,
    utc_day_ns,
)
from engine.store.merging import Mask

_MAYBE_BAD: Final = 4
"""A record's flag."""

_TIMES: Final = "the venue's nanoseconds, UTC; received as Databento's clock says"
_OPENS: Final = "the openings of the bars in nanoseconds, UTC"
_NAMES_SHOWN: Final = 5


def matches(head: Head) -> bool:
    """Whether it begins as a DBN file of any version."""
    return head.data.startswith(MAGIC)


def decode(file: SourceFile) -> Decoded:
    """All rows of the instrument in one file; of a definition, the instrument itself.

    Raises
    ------
    Undecodable
        Damaged, of other instruments only, of kinds that are not read, or the books of several venues.
    """
    inside = [data for _, data in contents(file.path.name, file.data) if data.startswith(MAGIC)]
    if len(inside) != 1:
        raise Undecodable(f"the archive holds {len(inside)} DBN files; unpack it and import them one by one")
    dbn = read_dbn(inside[0])
    taken = _Taken(dbn, file.instrument.symbol)
    for rtype, reader in _READERS.items():
        if rtype in taken.records:
            reader(taken, rtype)
    defined = None
    if DEFINITION in taken.records:
        defined, notes = defined_by(taken.records[DEFINITION], file.instrument)
        taken.notes += notes
        if len(taken.records) == 1:
            taken.notes.append("A definition is stored with the rows that it defines; import both together.")
    if not taken.records:
        kinds = ", ".join(dbn.unread) or "no"
        raise Undecodable(f"it holds {kinds} records only, of which nothing is read")
    bars_only = taken.records.keys() <= BARS.keys()
    return Decoded(
        columns={kind: rows for kind, rows in taken.columns.items() if len(rows)},
        timestamps=_OPENS if bars_only else _TIMES,
        rejected=tuple(taken.rejected),
        notes=tuple(taken.notes),
        instrument=defined,
    )


class _Taken:
    """The instrument's records, and what has become of them so far.

    Attributes
    ----------
    records : mapping of record type to structured array
        Those of the instrument.
    columns : dict of kind to Columns
        What they say; of trades that two kinds of record tell, the first kind's.
    """

    def __init__(self, dbn: DbnFile, symbol: str) -> None:
        self.columns: dict[str, Columns] = {}
        self.rejected: list[Rejected] = []
        self.notes: list[str] = []
        mine = _chosen(dbn, symbol, self.notes)
        self.records = {
            rtype: each[rows] for rtype, each in dbn.records.items() if (rows := mine(each)).any()
        }
        if dbn.records and not self.records:
            raise Undecodable(f"none of its records is of {symbol} on the days that its header tells")
        if dbn.unread:
            count, kinds = sum(dbn.unread.values()), ", ".join(dbn.unread)
            self.notes.append(f"{count:,} records of other kinds ({kinds}) were not read.")
        doubtful = sum(
            int((each["flags"] & _MAYBE_BAD > 0).sum())
            for each in self.records.values()
            if "flags" in (each.dtype.names or ())
        )
        if doubtful:
            self.notes.append(f"Databento flags {doubtful:,} records as of a book that may be wrong.")

    def sieved(self, records: Records, *checks: tuple[Mask, str]) -> Records:
        """Records without those that fail a check; each counts once, for the first check that failed."""
        good = np.ones(len(records), np.bool_)
        for bad, reason in (*_time_checks(records), *checks):
            rows = np.flatnonzero(bad & good)
            if len(rows):
                self.rejected.append(Rejected(reason, len(rows), int(rows[0]) + 1))
                good[rows] = False
        return records if good.all() else records[good]

    def trades(self, records: Records) -> None:
        """Trades of records of action T, unless they are known already."""
        if "trades" in self.columns:
            return
        found = records[records["action"] == TRADE]
        found = self.sieved(
            found, no_price(found["price"], "price"), (found["size"] == 0, "the size is not above 0")
        )
        (price,), digits = exact_prices(found["price"])
        side = found["side"]
        self.columns["trades"] = Trades(
            ts_event=nanoseconds(found["ts_event"]),
            ts_init=nanoseconds(found["ts_recv"]),
            price=price,
            size=found["size"].astype(np.int64),
            aggressor=np.select(
                [side == BID, side == ASK], [Aggressor.BUYER, Aggressor.SELLER], Aggressor.NONE
            ).astype(np.uint8),
            trade_id=found["sequence"].astype(np.int64),
            price_precision=digits,
            size_precision=0,
        )


def _chosen(dbn: DbnFile, symbol: str, notes: list[str]) -> Callable[[Records], Mask]:
    """Tell which records are the instrument's.

    Raises
    ------
    Undecodable
        The header names other symbols only, or none while there are several instruments.
    """
    numbers = {
        number for each in dbn.records.values() for number in np.unique(each["instrument_id"]).tolist()
    }
    if not dbn.symbols:
        if len(numbers) > 1:
            raise Undecodable("its header does not say what its instruments' numbers stand for")
        notes.append(f"The file does not say of which symbol it is; it was taken as {symbol}.")
        return lambda records: np.ones(len(records), np.bool_)
    names = dict.fromkeys(each.symbol for each in dbn.symbols)
    days = [each for each in dbn.symbols if bare_symbol(each.symbol) == bare_symbol(symbol)]
    others = [name for name in names if bare_symbol(name) != bare_symbol(symbol)]
    shown = ", ".join(others[:_NAMES_SHOWN]) + (", …" if len(others) > _NAMES_SHOWN else "")
    if not days:
        raise Undecodable(f"it holds {shown}, not {symbol}; give the symbol that you want as --instrument")
    if others:
        notes.append(f"The file holds {shown} too; import it again for those.")

    def mine(records: Records) -> Mask:
        clock = _clock(records)
        rows = np.zeros(len(records), np.bool_)
        for each in days:
            start, end = np.uint64(utc_day_ns(each.start)), np.uint64(utc_day_ns(each.end))
            rows |= (records["instrument_id"] == each.number) & (clock >= start) & (clock < end)
        return rows

    return mine


def _clock(records: Records) -> npt.NDArray[np.uint64]:
    """Time that a record is filed under: when it was received, of a bar when it opened."""
    name = "ts_recv" if "ts_recv" in (records.dtype.names or ()) else "ts_event"
    return records[name]


def _time_checks(records: Records) -> list[tuple[Mask, str]]:
    names = ("ts_event", "ts_recv") if "ts_recv" in (records.dtype.names or ()) else ("ts_event",)
    bad = np.zeros(len(records), np.bool_)
    for name in names:
        bad |= (records[name] < np.uint64(EARLIEST_NS)) | (records[name] >= np.uint64(LATEST_NS))
    return [(bad, "the time is missing or outside 1980 to 2199")]


def _read_trades(taken: _Taken, rtype: int) -> None:
    taken.trades(taken.records[rtype])


def _read_quotes(taken: _Taken, rtype: int) -> None:
    """MBP-1 and TBBO: a trade's record repeats the quote that it found, so MBP-1's are left out of quotes."""
    records = taken.records[rtype]
    taken.trades(records)
    changes = records[records["action"] != TRADE]
    found = changes if len(changes) else records
    level = found["levels"][:, 0]
    found = taken.sieved(found, no_price(level["bid"], "bid"), no_price(level["ask"], "ask"))
    level = found["levels"][:, 0]
    (bid, ask), digits = exact_prices(level["bid"], level["ask"])
    taken.columns["quotes"] = Quotes(
        ts_event=nanoseconds(found["ts_event"]),
        ts_init=nanoseconds(found["ts_recv"]),
        bid=bid,
        ask=ask,
        bid_size=level["bid_size"].astype(np.int64),
        ask_size=level["ask_size"].astype(np.int64),
        sequence=found["sequence"].astype(np.int64),
        price_precision=digits,
        size_precision=0,
    )


def _read_depth(taken: _Taken, rtype: int) -> None:
    records = taken.records[rtype]
    taken.trades(records)
    low = (records["levels"]["bid"] <= 0) | (records["levels"]["ask"] <= 0)
    found = taken.sieved(records, (np.logical_or.reduce(low, axis=1), "a price is not above 0"))
    levels = found["levels"]
    there = {name: levels[name] != UNDEFINED for name in ("bid", "ask")}
    (bid, ask), digits = exact_prices(*(np.where(there[name], levels[name], 0) for name in ("bid", "ask")))
    taken.columns["depth"] = Snapshots(
        ts_event=nanoseconds(found["ts_event"]),
        ts_init=nanoseconds(found["ts_recv"]),
        bid=bid,
        ask=ask,
        bid_size=np.where(there["bid"], levels["bid_size"], 0).astype(np.int64),
        ask_size=np.where(there["ask"], levels["ask_size"], 0).astype(np.int64),
        price_precision=digits,
        size_precision=0,
    )


def _read_orders(taken: _Taken, rtype: int) -> None:
    """MBO: single orders become price levels; trades stand beside them."""
    records = taken.records[rtype]
    taken.trades(records)
    found = taken.sieved(records, *order_checks(records))
    if len(found):
        taken.columns["deltas"], notes = book_of(found)
        taken.notes += notes


def _read_bars(taken: _Taken, rtype: int) -> None:
    records = taken.records[rtype]
    prices = {name: records[name] for name in ("open", "high", "low", "close")}
    top, bottom = np.maximum(prices["open"], prices["close"]), np.minimum(prices["open"], prices["close"])
    found = taken.sieved(
        records,
        *(no_price(values, name) for name, values in prices.items()),
        (prices["high"] < top, "the high is below the open or the close"),
        (prices["low"] > bottom, "the low is above the open or the close"),
        (records["volume"] >= np.uint64(10**18), "the volume has more than 18 digits"),
    )
    (opened, high, low, close), digits = exact_prices(*(found[name] for name in prices))
    opens = nanoseconds(found["ts_event"])
    spec = f"{BARS[rtype]}-LAST"
    taken.columns[bars_kind(spec)] = VendorBars(
        ts_event=opens,
        ts_init=opens + (BarSpec.parse(spec).interval_ns or 0),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=found["volume"].astype(np.int64),
        price_precision=digits,
        size_precision=0,
    )


_READERS: Final = {
    TRADES: _read_trades,
    ORDERS: _read_orders,
    **dict.fromkeys(QUOTES, _read_quotes),
    DEPTH: _read_depth,
    **dict.fromkeys(BARS, _read_bars),
}
