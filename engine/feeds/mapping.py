"""What the columns of a table mean, as a user saved it: one TOML file for each kind of table.

A mapping with a header belongs to all tables with that header, and is used for them without being asked for.
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import polars as pl

from engine.bars import BarSpec
from engine.columns import ADJUSTED, bars_kind
from engine.errors import UserError, in_words, unknown_name
from engine.feeds.decoded import Undecodable
from engine.feeds.tables import Table
from engine.feeds.timestamps import TimeRule

type Kind = Literal["quotes", "trades", "bars", "depth"]

LEVEL: Final = re.compile(r"(bid|ask)(_size)?_([1-9]\d?)")
"""Role of a column of whole books: bid_1 and bid_size_1 are the best bid's."""

_TIMES: Final = ("time", "date", "received")
_ROLES: Final[dict[Kind, tuple[str, ...]]] = {
    "quotes": (*_TIMES, "bid", "ask", "bid_size", "ask_size", "symbol"),
    "trades": (*_TIMES, "price", "size", "side", "maker", "id", "symbol"),
    "bars": (*_TIMES, "open", "high", "low", "close", "volume", "symbol"),
    "depth": (*_TIMES, "symbol"),
}
_NEEDED: Final[dict[Kind, tuple[str, ...]]] = {
    "quotes": ("bid", "ask"),
    "trades": ("price", "size"),
    "bars": ("open", "high", "low", "close"),
    "depth": ("bid_1", "ask_1", "bid_size_1", "ask_size_1"),
}
KINDS: Final[tuple[Kind, ...]] = ("quotes", "trades", "bars", "depth")


class TableMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How a table is read.

    Attributes
    ----------
    kind : str
        What a row is.
    header : list of str
        Names in the header of the tables that this is for; empty where they have none.
    columns : dict of role to column
        Columns by name or by number from 1; `roles` tells which roles there are.
    bars : str
        Specification of the bars, for example 1-MINUTE-LAST; 1-DAY-LAST-ADJUSTED where their prices are
        adjusted for splits and dividends, as they are kept apart.
    stamped : str
        Whether a bar's time is its opening or its close.
    separator : str
        Character between the fields of a text; empty: found out.
    price_scale : str
        What a price's column is multiplied by: a power of ten, 0.0001 for prices in hundredths of a cent.
    buy, sell : list of str
        Words of the side column for a buyer's and a seller's trade, besides the usual ones.
    time : TimeRule
        How times are written.
    """

    kind: Kind
    header: list[str] = []
    columns: dict[str, str]
    bars: str = ""
    stamped: Literal["open", "close"] = "open"
    separator: str = ""
    price_scale: str = "1"
    buy: list[str] = []
    sell: list[str] = []
    time: TimeRule = TimeRule()

    def __post_init__(self) -> None:
        for role in self.columns:
            if not belongs(role, self.kind):
                raise unknown_name(f"role of a column of {self.kind}", role, roles(self.kind))
        if self.kind == "bars":
            _ = self.spec
        if len(self.separator.encode()) > 1:
            raise UserError(f"Separator {self.separator!r} is not one character; write for example ';'.")
        _ = self.price_shift

    @property
    def spec(self) -> BarSpec:
        """Specification of the bars; raises UserError where it is none."""
        return BarSpec.parse(self.bars.strip().upper().removesuffix(ADJUSTED))

    @property
    def bars_kind(self) -> str:
        """Kind that the bars are stored as."""
        return bars_kind(str(self.spec), adjusted=self.bars.strip().upper().endswith(ADJUSTED))

    @property
    def price_shift(self) -> int:
        """Decimal digits that prices are shifted by; raises UserError where the scale is no power of ten."""
        try:
            scale = Decimal(self.price_scale)
        except InvalidOperation:
            scale = Decimal(0)
        if scale <= 0 or scale != Decimal(1).scaleb(scale.adjusted()) or abs(scale.adjusted()) > _MOST_SHIFT:
            raise UserError(
                f"price_scale {self.price_scale!r} is no power of ten; write for example 0.0001 or 1."
            )
        return -scale.adjusted()

    @property
    def missing(self) -> list[str]:
        """Roles without a column that rows of this kind cannot be without."""
        needed = [role for role in _NEEDED[self.kind] if role not in self.columns]
        return needed if {"time", "date"} & set(self.columns) else ["time", *needed]

    @property
    def levels(self) -> int:
        """Levels of each side of whole books: as many as have both sides' prices and sizes."""
        level = 0
        while all(f"{role}_{level + 1}" in self.columns for role in ("bid", "ask", "bid_size", "ask_size")):
            level += 1
        return level

    def is_for(self, table: Table) -> bool:
        """Whether the table has the header that this was made for."""
        return bool(self.header) and self.header == table.names


class NamedMapping(msgspec.Struct, frozen=True):
    """A mapping and the name that it was saved under."""

    name: str
    mapping: TableMapping


class Mappings(msgspec.Struct, frozen=True):
    """The mapping that the user `said` to use, and those `saved` that a table's header may call for."""

    said: NamedMapping | None = None
    saved: tuple[NamedMapping, ...] = ()

    def separator(self) -> str:
        """Separator that the user's mapping says; empty where it is found out."""
        return "" if self.said is None else self.said.mapping.separator

    def chosen(self, table: Table) -> NamedMapping | None:
        """What this table is to be read with."""
        return self.said or next((each for each in self.saved if each.mapping.is_for(table)), None)


NO_MAPPINGS: Final = Mappings()
_MOST_SHIFT: Final = 12


def belongs(role: str, kind: Kind) -> bool:
    """Whether a column of such a table may have this role."""
    return role in roles(kind) or (kind == "depth" and LEVEL.fullmatch(role) is not None)


def roles(kind: Kind) -> tuple[str, ...]:
    """Roles that a column of such a table may have; of whole books only those of their first level."""
    return (*_ROLES[kind], *(_NEEDED[kind] if kind == "depth" else ()))


def mapping_of(data: Any, where: Path) -> TableMapping:
    """Mapping that a TOML file's contents are; `where` is the file.

    Raises
    ------
    UserError
        A value is wrong or missing; the sentence names the file and the value.
    """
    try:
        mapping = msgspec.convert(data, TableMapping)
    except (msgspec.ValidationError, UserError) as error:
        raise UserError(f"{where} cannot be used as a mapping: {in_words(error).rstrip('.')}.") from error
    if mapping.missing:
        raise UserError(
            f"{where} cannot be used as a mapping: it does not say which column is {mapping.missing[0]}; add "
            f'{mapping.missing[0]} = "…" to its [columns].'
        )
    return mapping


def mapped_columns(table: Table, columns: Sequence[tuple[str, str]]) -> dict[str, pl.Series]:
    """Columns of the table by role, named as the user did: by name or by number from 1.

    Raises
    ------
    UserError
        The table has no such column; the sentence names the nearest ones.
    Undecodable
        It has no header to find a name in.
    """
    return {role: _column(table, theirs) for role, theirs in columns}


def _column(table: Table, theirs: str) -> pl.Series:
    names = table.names or []
    if theirs in names:
        return table.columns[names.index(theirs)]
    if theirs.isdecimal() and 1 <= int(theirs) <= len(table.columns):
        return table.columns[int(theirs) - 1]
    if not theirs.isdecimal() and not names:
        raise Undecodable(f"it has no header to find column {theirs} in; give the column's number")
    raise unknown_name("column", theirs, [*names, *(str(n + 1) for n in range(len(table.columns)))])
