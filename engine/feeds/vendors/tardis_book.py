"""Tardis's books: changes by level after a snapshot, and whole books of 5 or 25 levels.

Rows with the same two times are one message. Changes before the first snapshot are left out, and a snapshot
that follows changes empties the book, as Tardis documents:
https://docs.tardis.dev/faq/order-books
"""

from itertools import count, takewhile
from typing import Final

import numpy as np
import polars as pl

from engine.columns import Int64, Side, Snapshots
from engine.feeds.decimals import scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.rows import Rows
from engine.feeds.vendors.book_updates import (
    AFTER_GAP,
    NO_SNAPSHOT,
    BookUpdates,
    follow_updates,
    held_back_note,
)
from engine.store.merging import Mask

_HEADER_LINE: Final = 1


def message_times(rows: Rows) -> tuple[Int64, Int64, str]:
    """When the messages happened and when Tardis received them, and what to say of that."""
    event, received = rows.time("timestamp"), rows.time("local_timestamp")
    early = int((received.ns < event.ns)[rows.good].sum())
    if early:
        rows.notes.append(
            f"{early} rows were received before the venue says that they happened, so one of the clocks was "
            "wrong; both times are stored as recorded."
        )
    return event.ns, received.ns, f"{event.said}; receive times as Tardis recorded them"


def changes(rows: Rows, *, lines_missing: bool, cut_off: bool) -> Decoded:
    """Book deltas of an incremental file; a row that cannot be taken breaks the book until a snapshot.

    Parameters
    ----------
    lines_missing : bool
        Some lines of the file are no rows at all; the messages after them are no longer the book's.
    cut_off : bool
        The file ends in the middle of a line, and so perhaps of a message, which is then left out whole.
    """
    snapshot = rows.flags("is_snapshot")
    side = rows.words("side", {"bid": Side.BUY, "ask": Side.SELL})
    price, amount = rows.number("price", positive=True), rows.number("amount", positive=False)
    event, received, said = message_times(rows)
    starts = _message_starts(event, received, snapshot)
    lengths = np.diff(np.append(starts, len(snapshot)))
    first = snapshot[starts]
    after_missing = (np.diff(rows.lines, prepend=_HEADER_LINE) > 1) & lines_missing
    broken = np.logical_or.reduceat(~rows.good | after_missing, starts)
    broken[-1] |= cut_off
    followed = follow_updates(
        BookUpdates(
            event_ns=event[starts],
            received_ns=received[starts],
            sequence=np.zeros(len(starts), np.int64),
            snapshot=first,
            begins=first & ~np.concatenate([[False], first[:-1]]),
            broken=broken,
            rows=lengths,
            side=side,
            price=price.integers,
            size=amount.integers,
            price_precision=price.precision,
            size_precision=amount.precision,
        )
    )
    rows.reject(np.repeat(followed.without_snapshot, lengths), NO_SNAPSHOT)
    rows.reject(np.repeat(followed.after_gap, lengths), AFTER_GAP)
    rows.notes.extend(held_back_note(followed.held_back))
    return Decoded(
        columns={} if followed.deltas is None else {"deltas": followed.deltas},
        timestamps=said,
        rejected=tuple(rows.rejected),
        gaps=followed.gaps,
        notes=tuple(rows.notes),
    )


def _message_starts(event: Int64, received: Int64, snapshot: Mask) -> Int64:
    """First row of each message."""
    changed = (np.diff(event) != 0) | (np.diff(received) != 0) | (snapshot[1:] != snapshot[:-1])
    return np.concatenate([[0], np.flatnonzero(changed) + 1])


def snapshots(rows: Rows, text: bytes) -> Decoded:
    """Whole books; a level that a side has not is empty in the file and has size 0."""
    rows.reject(_short(rows, text), "the line is cut off")
    levels = len(list(takewhile(lambda level: f"asks[{level}].price" in rows.columns, count())))
    sides = {
        f"{side}s[{level}].{part}": rows.columns.get(f"{side}s[{level}].{part}")
        for part in ("price", "amount")
        for side in ("bid", "ask")
        for level in range(levels)
    }
    missing = next((name for name, column in sides.items() if column is None), None)
    if missing is not None:
        raise Undecodable(f"its header has no {missing}, so its levels are not whole")
    prices, price_precision = _levels(rows, levels, "price")
    sizes, size_precision = _levels(rows, levels, "amount")
    half: Mask = np.asarray(((prices > 0) != (sizes > 0)).any(axis=(1, 2)))
    rows.reject(half, "a level has a price or an amount only")
    bid, ask = prices[:, 0], prices[:, 1]
    in_order = _ordered(-bid, sizes[:, 0]) & _ordered(ask, sizes[:, 1])
    rows.reject(~in_order, "its levels are not in order")
    event, received, said = message_times(rows)
    books = Snapshots(
        ts_event=event,
        ts_init=received,
        bid=bid,
        ask=ask,
        bid_size=sizes[:, 0],
        ask_size=sizes[:, 1],
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return rows.decoded("depth", books, said)


def _levels(rows: Rows, levels: int, part: str) -> tuple[Int64, int]:
    """Scaled int64 `[rows, 2, levels]` of bids and asks, 0 where a level is empty."""
    names = [f"{side}s[{level}].{part}" for side in ("bid", "ask") for level in range(levels)]
    text = pl.concat([rows.text(name).rename(part) for name in names])
    empty = text.is_null() | (text == "")
    found = scaled(pl.select(pl.when(empty).then(pl.lit("0")).otherwise(text)).to_series())
    table = found.integers.reshape(len(names), -1).T
    valid = found.valid.reshape(len(names), -1).T & (table >= 0)
    bad: Mask = np.asarray(~valid.all(axis=1))
    rows.reject(bad, f"a level's {part} is no number, or below 0")
    return table.reshape(-1, 2, levels), found.precision


def _ordered(price: Int64, size: Int64) -> Mask:
    """Rows whose levels get worse one by one, with no level after a missing one."""
    there = size > 0
    worse = np.diff(price, axis=1) > 0
    found: Mask = np.asarray((~there[:, 1:] | (there[:, :-1] & worse)).all(axis=1))
    return found


def _short(rows: Rows, text: bytes) -> Mask:
    """Rows whose line has fewer fields than the header: their levels are unknown, not missing."""
    columns = list(rows.columns.values())
    doubtful = np.flatnonzero(columns[-1].is_null().to_numpy())
    short = np.zeros(len(rows.lines), np.bool_)
    if len(doubtful):
        lines = text.splitlines()
        short[doubtful] = [
            lines[line - 1].count(b",") < len(columns) - 1 for line in rows.lines[doubtful].tolist()
        ]
    return short
