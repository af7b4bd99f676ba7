"""What a table's columns seem to mean, by its header and first rows: a proposal, its doubts in words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decimals import scaled
from engine.feeds.decoded import Undecodable
from engine.feeds.delimited import BOOK_CHANGES, HEADER_WORDS, ROLE_OF
from engine.feeds.mapping import KINDS, LEVEL, Kind, TableMapping, belongs
from engine.feeds.table_rows import BUYER_WORDS, SELLER_WORDS
from engine.feeds.tables import ARROW_FILE, ARROW_STREAM, PARQUET, Table, normalised, table_of
from engine.feeds.timestamps import TimeRule, has_zone, times
from engine.feeds.unpacking import contents, head_of
from engine.feeds.vendors.bar_rows import PRICES, spec_of

_SAMPLE_ROWS: Final = 200
_FORMS: Final = (
    "%m/%d/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S%.f %p",
    "%m/%d/%Y %I:%M %p",
    "%m-%d-%Y %H:%M:%S%.f",
    "%d-%m-%Y %H:%M:%S%.f",
    "%d-%b-%Y %H:%M:%S%.f",
    "%d %b %Y %H:%M:%S%.f",
    "%Y%m%d %H%M%S",
    "%Y%m%d%H%M%S",
    "%Y/%m/%d %H:%M",
    "%Y.%m.%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
)
"""Forms of times that are not read without a word, in the order in which they are proposed."""

_BAR_NAMES: Final = {
    **{name: name for name in PRICES},
    **dict(zip("ohlc", PRICES, strict=True)),
    **{f"{name}_price": name for name in PRICES},
    **dict.fromkeys(("volume", "vol", "v", "base_volume", "tick_volume"), "volume"),
}
_LEVEL_NAME: Final = re.compile(r"^(bid|ask)s?\D*?_?(\d{1,2})\D*$")
_SIZE_WORD: Final = re.compile(r"size|sz|qty|quantity|vol|amount")
_WHOLE_PRICE: Final = 100_000
"""A price as large as this without a decimal may be scaled."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping for a table, as far as it could be told.

    Attributes
    ----------
    table : Table
        The first rows.
    mapping : TableMapping
        May still lack columns: see its `missing`.
    sure, unsure : tuple of str
        Whole sentences: what the table itself says, and what a person should check.
    """

    table: Table
    mapping: TableMapping
    sure: tuple[str, ...]
    unsure: tuple[str, ...]


def propose_mapping(name: str, data: bytes, zone: str = "") -> Proposal:
    """Mapping that a table seems to need; of a plain text the first lines are enough.

    `zone` is that of its times, where it is known.

    Raises
    ------
    Undecodable
        It is no table, damaged, or has no rows.
    """
    return _Proposer(_first_rows(name, data), zone).proposal()


def first_bytes_are_enough(head: bytes) -> bool:
    """Whether a file that begins so is a plain text, whose first lines tell enough."""
    return not head.startswith((PARQUET, ARROW_FILE, ARROW_STREAM))


def _first_rows(name: str, data: bytes) -> Table:
    inner, head = head_of(name, data)
    if first_bytes_are_enough(head):
        whole = head[: head.rfind(b"\n") + 1] or head
        table = table_of(whole, HEADER_WORDS)
    else:
        table = table_of(contents(inner, data)[0][1], HEADER_WORDS)
    if not len(table.lines):
        raise Undecodable("it has a header but no rows")
    columns = [column.head(_SAMPLE_ROWS) for column in table.columns]
    return Table(columns, table.names, table.lines[:_SAMPLE_ROWS])


class _Proposer:
    def __init__(self, table: Table, zone: str) -> None:
        self._table, self._zone = table, zone
        self._sure: list[str] = []
        self._unsure: list[str] = []

    def proposal(self) -> Proposal:
        if self._table.names:
            columns = self._by_name()
        else:
            self._unsure.append("There is no header: the columns were told by what is in them.")
            columns = self._by_content()
        kind = _kind_of(columns)
        columns = {role: at for role, at in columns.items() if belongs(role, kind)}
        rule = self._time_rule(columns)
        mapping = TableMapping(
            kind=kind,
            header=list(self._table.names or []),
            columns={role: self._named(at) for role, at in columns.items()},
            bars=self._bars(columns) if kind == "bars" else "",
            time=rule,
        )
        if mapping.missing:
            self._unsure.append(f"Which column is {' and which is '.join(mapping.missing)} is not known.")
        self._doubt_prices(columns)
        changes = BOOK_CHANGES & {normalised(name) for name in self._table.names or ()}
        if kind == "trades" and changes:
            self._unsure.append(f"Its column {min(changes)} tells that rows may be book changes, not trades.")
        if "side" in columns:
            mapping = self._with_sides(mapping, columns["side"])
        return Proposal(self._table, mapping, tuple(self._sure), tuple(self._unsure))

    # Columns

    def _by_name(self) -> dict[str, int]:
        names = [normalised(name) for name in self._table.names or []]
        bars = {_BAR_NAMES[name]: at for at, name in reversed(list(enumerate(names))) if name in _BAR_NAMES}
        ticks = {ROLE_OF[name]: at for at, name in reversed(list(enumerate(names))) if name in ROLE_OF}
        found = {**_level_columns(names), **ticks}
        if set(PRICES) <= set(bars):
            shared = ("time", "date", "received", "symbol")
            found = {**{role: at for role, at in ticks.items() if role in shared}, **bars}
        if not found.keys() - {"time", "date", "received", "symbol"}:
            self._unsure.append(
                "The header's names are not known, so its columns must be named by hand: say in kind what a "
                f"row is ({', '.join(KINDS)}) and in [columns] which column is which."
            )
            return self._time_columns(taken=())
        found = dict(sorted(found.items(), key=lambda each: each[1]))
        self._sure.append(f"The header names {', '.join(found)}.")
        timed = {} if {"time", "date"} & set(found) else self._time_columns(taken=found.values())
        return timed | found

    def _by_content(self) -> dict[str, int]:
        """By what the rows look like; all of it is doubtful."""
        found = self._time_columns(taken=())
        numbers = [
            at for at in range(len(self._table.columns)) if at not in found.values() and self._is_number(at)
        ]
        found |= dict(zip(self._number_roles(numbers), numbers, strict=False))
        words = [at for at in range(len(self._table.columns)) if at not in (*found.values(), *numbers)]
        side = next((at for at in words if self._words(at) <= {*BUYER_WORDS, *SELLER_WORDS}), None)
        if side is not None and "price" in found:
            found["side"] = side
        return found

    def _time_columns(self, taken: Iterable[int]) -> dict[str, int]:
        free = [at for at in range(len(self._table.columns)) if at not in set(taken)]
        for day, clock in pairwise(free):
            both = {"date": day, "time": clock}
            joined = self._joined_times(both)
            if joined is not None and self._read_times(joined) is not None:
                return both
        alone = (at for at in free if self._read_times(self._table.columns[at]) is not None)
        first = next(alone, None)
        return {} if first is None else {"time": first}

    def _number_roles(self, numbers: Sequence[int]) -> tuple[str, ...]:
        values = [scaled(self._text(at)) for at in numbers[:4]]
        if len(values) < 2:
            return ()
        precision = max(each.precision for each in values)
        first = [each.at(precision) for each in values]
        if len(first) == 4:
            if (first[1] >= np.maximum(first[0], first[3])).all() and (
                first[2] <= np.minimum(first[0], first[3])
            ).all():
                return (*PRICES, "volume")
            return ("bid", "ask", "bid_size", "ask_size")
        near = (first[1] >= first[0]) & (first[1] - first[0] < first[0] // 10 + 1)
        return ("bid", "ask") if near.all() else ("price", "size", "id")

    def _named(self, at: int) -> str:
        return self._table.names[at] if self._table.names else str(at + 1)

    def _text(self, at: int) -> pl.Series:
        column = self._table.columns[at]
        return column if column.dtype.is_float() else column.cast(pl.String)

    def _is_number(self, at: int) -> bool:
        try:
            return bool(scaled(self._text(at)).valid.all())
        except Undecodable:
            return False

    def _words(self, at: int) -> set[str]:
        return {str(each).strip().lower() for each in self._table.columns[at].unique().drop_nulls().to_list()}

    # Times

    def _read_times(self, column: pl.Series) -> tuple[Int64, str, list[str]] | None:
        """Times, what is to be said of them, and which forms fit (none: they are read without a word)."""
        try:
            found = times(column, None)
        except Undecodable:
            pass
        else:
            return (found.ns, found.said, []) if found.valid.all() else None
        text = column.cast(pl.String).str.strip_chars()
        forms = [form for form in _FORMS if not text.str.to_datetime(form, strict=False).null_count()]
        if not forms:
            return None
        found = times(column, None, TimeRule(format=forms[0]))
        return (found.ns, found.said, forms) if found.valid.all() else None

    def _joined_times(self, columns: dict[str, int]) -> pl.Series | None:
        both = [self._table.columns[columns[role]] for role in ("date", "time") if role in columns]
        if not both:
            return None
        return both[0] if len(both) == 1 else both[0].cast(pl.String) + " " + both[1].cast(pl.String)

    def _time_rule(self, columns: dict[str, int]) -> TimeRule:
        column = self._joined_times(columns)
        found = None if column is None else self._read_times(column)
        if column is None:
            return TimeRule()
        if found is None:
            self._unsure.append(
                f"How times like {column[0]} are written is not known: say format (in strftime's letters) in "
                "[time], or --date where they count from midnight."
            )
            return TimeRule()
        _, said, forms = found
        form = forms[0] if forms else ""
        if len(forms) > 1:
            self._unsure.append(
                f"Times like {column[0]} may be {' or '.join(forms)}: check format in [time]."
            )
        elif form:
            self._sure.append(f"Times like {column[0]} are written as {form}.")
        else:
            self._sure.append(f"Times are {said}.")
        if not self._zone and "without a zone" in said and not has_zone(form):
            self._unsure.append("Times name no zone: UTC is taken unless a time zone is named.")
        return TimeRule(format=form, zone=self._zone)

    def _bars(self, columns: dict[str, int]) -> str:
        """Specification of the bars, by the shortest step between rows."""
        column = self._joined_times(columns)
        found = None if column is None else self._read_times(column)
        steps = np.diff(np.unique(found[0])) if found is not None else np.zeros(0, np.int64)
        try:
            spec = spec_of(int(steps.min()) if len(steps) else 0, "LAST")
        except Undecodable:
            spec = "1-MINUTE-LAST"
        self._unsure.append(
            f"Bars are taken as {spec} (the shortest step, made of trades), each named by its opening: check "
            "bars and stamped (open or close)."
        )
        return spec

    # Values

    def _doubt_prices(self, columns: dict[str, int]) -> None:
        prices = [columns[role] for role in ("bid", "ask", "price", "open", "bid_1") if role in columns]
        for at in prices[:1]:
            first = str(self._table.columns[at][0]).strip()
            if first.isdecimal() and int(first) >= _WHOLE_PRICE:
                self._unsure.append(
                    f"Prices like {first} may be scaled: say price_scale, for example 0.0001."
                )

    def _with_sides(self, mapping: TableMapping, at: int) -> TableMapping:
        words = self._words(at)
        if words <= {*BUYER_WORDS, *SELLER_WORDS}:
            self._sure.append(f"Sides are {', '.join(sorted(words))}.")
            return mapping
        buy = sorted(word for word in words if word[:1] in {"b", "l"})
        sell = sorted(word for word in words if word[:1] == "s")
        self._unsure.append(
            f"Sides are {', '.join(sorted(words))}: check which are a buyer's (buy) and a seller's (sell)."
        )
        return msgspec.structs.replace(mapping, buy=buy, sell=sell)


def _kind_of(columns: dict[str, int]) -> Kind:
    if "bid_1" in columns and "ask_1" in columns:
        return "depth"
    if set(PRICES) <= set(columns):
        return "bars"
    if {"price", "size"} & set(columns) and not {"bid", "ask"} <= set(columns):
        return "trades"
    return "quotes"


def _level_columns(names: Sequence[str]) -> dict[str, int]:
    """Columns of whole books; levels count from 0 or 1 in the header, and from 1 with us."""
    matched = [(at, name, found) for at, name in enumerate(names) if (found := _LEVEL_NAME.match(name))]
    if not matched:
        return {}
    first = min(int(found[2]) for _, _, found in matched)
    roles = {
        f"{found[1]}{'_size' if _SIZE_WORD.search(name) else ''}_{int(found[2]) - first + 1}": at
        for at, name, found in matched
    }
    return {role: at for role, at in roles.items() if LEVEL.fullmatch(role)}
