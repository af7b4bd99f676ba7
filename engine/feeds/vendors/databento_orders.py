"""Databento's single orders (MBO): which records concern the book, and the book's levels that they make."""

from typing import Final

import numpy as np

from engine.columns import Deltas, Int64, Side
from engine.feeds.decoded import Undecodable
from engine.feeds.vendors.dbn import ASK, BID, Records, exact_prices, nanoseconds, no_price
from engine.feeds.vendors.order_levels import OrderMessages, level_deltas
from engine.store.merging import Mask

_ADD, _CANCEL, _MODIFY, _CLEAR = b"ACMR"
_PLACED: Final = (_ADD, _CANCEL, _MODIFY)
"""A trade, or the fill of a resting order, does not itself change the book: the cancel after it does."""

_LAST, _TOP_OF_BOOK, _SNAPSHOT, _BY_PRICE = 128, 64, 32, 16
"""A record's flags."""


def order_checks(records: Records) -> list[tuple[Mask, str]]:
    """What would make an order's record unusable, each with its reason.

    Raises
    ------
    Undecodable
        The records are of several venues, whose books cannot be one.
    """
    if len(np.unique(records["publisher_id"])) > 1:
        raise Undecodable("it holds the books of several venues at once; ask Databento for one venue")
    placed = np.isin(records["action"], _PLACED)
    by_price = records["flags"] & (_TOP_OF_BOOK | _BY_PRICE) > 0
    missing, reason = no_price(records["price"], "price")
    return [
        (by_price & placed, "it is a price level among single orders"),
        (missing & placed, reason),
        (~np.isin(records["side"], (BID, ASK)) & placed, "the side is missing"),
    ]


def book_of(records: Records) -> tuple[Deltas, list[str]]:
    """Deltas of the book's levels, and what a user should know of it.

    A book that begins without a snapshot begins empty.
    """
    notes = []
    concern = np.flatnonzero(np.isin(records["action"], (*_PLACED, _CLEAR)))[:1]
    records = records[int(concern[0]) if len(concern) else len(records) :]
    if len(records) and records["action"][0] != _CLEAR:
        clear = records[:1].copy()
        clear["action"], clear["flags"] = _CLEAR, 0
        records = np.concatenate([clear, records])
        notes.append(
            "The file begins in the middle of a session, without a snapshot: its book holds only orders "
            "placed since then."
        )
    price, digits = _prices(records)
    deltas, unknown = level_deltas(_messages(records, price), digits)
    if unknown:
        notes.append(f"{unknown:,} cancels are of orders from before the file began.")
    return deltas, notes


def _prices(records: Records) -> tuple[Int64, int]:
    placed = np.isin(records["action"], _PLACED)
    (price,), digits = exact_prices(np.where(placed, records["price"], 0))
    return price, digits


def _messages(records: Records, price: Int64) -> OrderMessages:
    """What the records say of the book.

    Orders of a snapshot have times of long ago: their update has the time at which it was received, or that
    of a later update where the venue's clock is behind.
    """
    action, side, flags = records["action"], records["side"], records["flags"]
    ends = flags & _LAST > 0
    update: Int64 = np.cumsum(ends) - ends
    last = np.flatnonzero(np.diff(update, append=-1))
    snapshot = flags & _SNAPSHOT > 0
    received, event = (nanoseconds(records[name])[last] for name in ("ts_recv", "ts_event"))
    whole = snapshot[last]
    event[whole] = received[whole]
    event[whole] = np.minimum.accumulate(event[::-1])[::-1][whole]
    return OrderMessages(
        sets=np.isin(action, (_ADD, _MODIFY)),
        cancels=action == _CANCEL,
        clears=action == _CLEAR,
        order_id=records["order_id"],
        side=np.select([side == BID, side == ASK], [Side.BUY, Side.SELL], Side.NONE).astype(np.uint8),
        price=price,
        size=records["size"].astype(np.int64),
        snapshot=snapshot,
        update=update,
        ts_event=event[update],
        ts_init=received[update],
        sequence=records["sequence"].astype(np.int64)[last][update],
    )
