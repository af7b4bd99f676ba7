"""A hash of market data: the same for the same rows, however they are cut into chunks."""

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np

from ai.features.pieces import Piece
from engine.columns import Columns

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": ("bid", "ask", "bid_size", "ask_size"),
    "trades": ("price", "size", "aggressor"),
    "deltas": ("action", "side", "price", "size", "flags"),
}


class MarketHash:
    """Of all that features read.

    Parameters
    ----------
    streams : frozenset of str
        Streams that are read.
    bars_of : str
        Kind of ticks that bars are made of, by the venue's times; empty without bars.
    news : Piece
        Headlines that are read.
    """

    def __init__(self, streams: frozenset[str], bars_of: str, news: Piece) -> None:
        kinds = streams & {"quotes", "trades"} | ({"deltas"} if "book" in streams else set())
        read = {(kind, name) for kind in kinds | {bars_of} - {""} for name in ("ts_init", *_NAMES[kind])}
        if bars_of:
            read.add((bars_of, "ts_event"))
        self._hashes = {each: hashlib.sha256() for each in sorted(read)}
        ts, columns = news
        self._news = hashlib.sha256(b"".join(each.tobytes() for each in (ts, *columns.values())))
        self._precisions: set[tuple[str, int, int]] = set()

    def take(self, chunk: Mapping[str, Columns]) -> None:
        """Take in the rows of one chunk."""
        for (kind, name), digest in self._hashes.items():
            if kind in chunk:
                columns = chunk[kind]
                self._precisions.add((kind, columns.price_precision, columns.size_precision))
                digest.update(np.ascontiguousarray(getattr(columns, name)))

    def told(self) -> str:
        """Hash of all rows so far, in hexadecimal."""
        whole = hashlib.sha256(repr(sorted(self._precisions)).encode())
        for digest in (*self._hashes.values(), self._news):
            whole.update(digest.digest())
        return whole.hexdigest()
