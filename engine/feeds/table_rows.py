"""Rows of a table whose columns are known: quotes, trades, bars or whole books, as a mapping says."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

from engine.columns import Aggressor, Int64, Quotes, Snapshots, Trades, UInt8, VendorBars
from engine.feeds.decimals import Scaled, fewest_decimals
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.mapping import TableMapping
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table
from engine.feeds.timestamps import TimeRule
from engine.feeds.vendors.bar_rows import PRICES, bars, decoded

BUYER_WORDS, SELLER_WORDS = (
    ("b", "buy", "buyer", "bid", "1"),
    ("s", "sell", "seller", "ask", "offer", "2", "-1"),
)
_DIGITS = 18
_TRUE = ("true", "1", "t")


class TableRows(Rows):
    """What a table's columns say once it is known which is which.

    Parameters
    ----------
    columns : mapping of role to polars.Series
        `date` must be joined to `time` already.
    symbol : str
        The instrument's; rows of another one are rejected.
    day : date or None
        Day that times since midnight belong to.
    mapping : TableMapping
        How times, prices, sides and bars are written.
    """

    def __init__(
        self,
        table: Table,
        columns: Mapping[str, pl.Series],
        symbol: str,
        day: date | None,
        mapping: TableMapping,
    ) -> None:
        super().__init__(table, columns)
        self._day, self._mapping = day, mapping
        self._check_symbols(bare_symbol(symbol))
        self._times = self.time("time", day, mapping.time)

    def read(self) -> Decoded:
        """Rows of the mapping's kind."""
        readers = {"quotes": self._quotes, "trades": self._trades, "bars": self._bars, "depth": self._depth}
        rows = readers[self._mapping.kind]()
        kind = self._mapping.bars_kind if self._mapping.kind == "bars" else self._mapping.kind
        return decoded(self, {kind: rows}, self._times.said)

    def _quotes(self) -> Quotes:
        """Rows as quotes; sizes of 0 where there are none."""
        (bid, ask), price_precision = self._prices("bid", "ask")
        if {"bid_size", "ask_size"} <= set(self.columns):
            (bid_size, ask_size), size_precision = self.numbers("bid_size", "ask_size", positive=False)
        else:
            bid_size = ask_size = np.zeros(len(bid), np.int64)
            size_precision = 0
            self.notes.append("The quotes have no sizes; they are stored with size 0.")
        found = Quotes(
            ts_event=self._times.ns,
            ts_init=self._received(),
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            price_precision=price_precision,
            size_precision=size_precision,
        )
        return self.taken(found)

    def _trades(self) -> Trades:
        """Rows as trades; aggressor unknown and number 0 where the table tells none."""
        (price,), price_precision = self._prices("price")
        size = self.number("size", positive=True)
        found = Trades(
            ts_event=self._times.ns,
            ts_init=self._received(),
            price=price,
            size=size.integers,
            aggressor=self._aggressor(),
            trade_id=self._trade_id(),
            price_precision=price_precision,
            size_precision=size.precision,
        )
        return self.taken(found)

    def _bars(self) -> VendorBars:
        values, precision = self._prices(*PRICES)
        prices = {name: Scaled(each, self.good, precision) for name, each in zip(PRICES, values, strict=True)}
        interval_ns = self._mapping.spec.interval_ns
        if interval_ns is None:
            raise Undecodable(
                f"bars of {self._mapping.bars} have no length in time, so when they close is unknown"
            )
        volume = self.number("volume", positive=False) if "volume" in self.columns else None
        opens = self._times.ns - (interval_ns if self._mapping.stamped == "close" else 0)
        self.reject(opens % interval_ns != 0, "the time lies between two bars")
        return bars(self, opens, opens + interval_ns, prices, volume)

    def _depth(self) -> Snapshots:
        """Whole books; an empty cell is no level."""
        levels = range(1, self._mapping.levels + 1)
        for role in [name for name in self.columns if name.rpartition("_")[2].isdecimal()]:
            column = self.columns[role].cast(pl.String)
            self.columns[role] = pl.select(
                pl.when(column.str.strip_chars() == "").then(None).otherwise(column).fill_null("0")
            ).to_series()
        prices = [f"{side}_{level}" for side in ("bid", "ask") for level in levels]
        sizes = [f"{side}_size_{level}" for side in ("bid", "ask") for level in levels]
        price, price_precision = self._prices(*prices, positive=False)
        size, size_precision = self.numbers(*sizes, positive=False)
        for bid, bid_size in zip(price, size, strict=True):
            self.reject((bid == 0) & (bid_size > 0), "a level has a size but no price")
        count = len(levels)
        arrays = [
            np.stack(each, axis=1) for each in (price[:count], price[count:], size[:count], size[count:])
        ]
        found = Snapshots(
            ts_event=self._times.ns,
            ts_init=self._received(),
            bid=arrays[0],
            ask=arrays[1],
            bid_size=arrays[2],
            ask_size=arrays[3],
            price_precision=price_precision,
            size_precision=size_precision,
        )
        return self.taken(found)

    def _check_symbols(self, mine: str) -> None:
        column = self.columns.get("symbol")
        if column is None:
            return
        others = [each for each in column.unique().to_list() if each is None or bare_symbol(each) != mine]
        if others:
            known = [each for each in others if each is not None]
            said = f"the symbol is {known[0]}, not {mine}" if known else "the symbol is missing"
            self.reject(column.is_in(known).fill_null(value=True).to_numpy(), said)

    def _prices(self, *roles: str, positive: bool = True) -> tuple[list[Int64], int]:
        """Prices at the mapping's scale, at one precision."""
        values, precision = self.numbers(*roles, positive=positive)
        shift = self._mapping.price_shift
        if not shift:
            return values, precision
        grown = max(-(precision + shift), 0)
        if grown and max(int(np.abs(each).max()) for each in values) >= 10 ** (_DIGITS - grown):
            raise Undecodable(
                f"a price has more than {_DIGITS} digits at the scale {self._mapping.price_scale}"
            )
        return fewest_decimals(*(each * 10**grown for each in values), decimals=max(precision + shift, 0))

    def _received(self) -> Int64:
        if "received" not in self.columns:
            return self._times.ns
        return self.time("received", self._day, TimeRule(zone=self._mapping.time.zone)).ns

    def _aggressor(self) -> UInt8:
        unknown = np.full(len(self.good), Aggressor.NONE, np.uint8)
        if "maker" in self.columns:
            maker = self.text("maker").str.to_lowercase().is_in(_TRUE).fill_null(value=False)
            return np.where(maker.to_numpy(), Aggressor.SELLER, Aggressor.BUYER).astype(np.uint8)
        if "side" not in self.columns:
            self.notes.append("The trades do not tell who took liquidity; that is stored as unknown.")
            return unknown
        side = self.text("side").str.to_lowercase()
        buyers, sellers = (
            self._words_of(self._mapping.buy, BUYER_WORDS),
            self._words_of(self._mapping.sell, SELLER_WORDS),
        )
        bought = side.is_in(buyers).fill_null(value=False).to_numpy()
        sold = side.is_in(sellers).fill_null(value=False).to_numpy()
        return np.select([bought, sold], [Aggressor.BUYER, Aggressor.SELLER], unknown).astype(np.uint8)

    def _words_of(self, said: list[str], usual: tuple[str, ...]) -> list[str]:
        """Words of one side: as the mapping says where it says any of the two."""
        return [word.lower() for word in said] if self._mapping.buy or self._mapping.sell else list(usual)

    def _trade_id(self) -> Int64:
        none = np.zeros(len(self.good), np.int64)
        if "id" not in self.columns:
            return none
        numbers = self.text("id").str.to_integer(strict=False)
        if numbers.null_count():
            self.notes.append("The trades' ids are no numbers; they are stored without.")
            return none
        return numbers.cast(pl.Int64).to_numpy()
