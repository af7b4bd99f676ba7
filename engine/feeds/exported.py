"""CSV that the station itself exported (`engine.store.exporting`), read back exactly, told by its header."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bars import BarSpec
from engine.columns import ACTIONS, ADJUSTED, KINDS, Columns, Int64, bars_kind, bars_spec, columns_of, is_bars
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import text_table
from engine.feeds.timestamps import TimeRule
from engine.feeds.vendors.archives import archived_text
from engine.store.exporting import BARS_COLUMN, WORDS, csv_names
from engine.store.schema import PRICES, SIZES

_BARS: Final = "bars"
_LAST_LEVEL: Final = re.compile(r",ask_size_(\d{1,3})$")
_NANOSECONDS: Final = TimeRule(unit="ns")
_BYTE: Final = 255


def matches(head: Head) -> bool:
    """Whether it begins with the header of an export."""
    return _kind(head.data) is not None


def header(head: Head) -> bytes:
    """Line of names that pieces of the table begin with."""
    return head.data.partition(b"\n")[0] + b"\n"


def decode(file: SourceFile) -> Decoded:
    """Rows as they were stored.

    Raises
    ------
    Undecodable
        Damaged, no export, bars of no known specification, or a book with a change that cannot be read.
    """
    text = archived_text(file)
    kind = _kind(text.data)
    if kind is None:
        raise Undecodable("its header is none that nexttick data export writes")
    table = text_table(text.data, frozenset(["ts_event"]))
    if not len(table.lines) or table.names is None:
        raise Undecodable("it has a header but no rows")
    rows = Rows(table, dict(zip(table.names, table.columns, strict=True)))
    rows.rejected += text.rejected
    if kind == _BARS:
        kind = _kind_of_bars(rows)
    columns = _columns(rows, kind)
    if kind == "deltas" and rows.rejected:
        first = min(rows.rejected, key=lambda each: each.first_line)
        raise Undecodable(
            f"line {first.first_line} cannot be taken ({first.reason}), and a book that lacks one of its "
            "changes is wrong; export it again"
        )
    return rows.decoded(kind, columns, "nanoseconds since 1970, UTC")


def _kind(data: bytes) -> str | None:
    """Kind whose header the text begins with, `bars` for bars of any specification; None for another text."""
    line = data.partition(b"\n")[0].rstrip(b"\r").decode("ascii", "replace")
    deepest = _LAST_LEVEL.search(line)
    levels = int(deepest[1]) + 1 if deepest else 0
    kinds = (*KINDS, ACTIONS, bars_kind("1-DAY-LAST"))
    found = next((kind for kind in kinds if line == ",".join(csv_names(kind, levels))), None)
    return _BARS if found is not None and is_bars(found) else found


def _kind_of_bars(rows: Rows) -> str:
    """Kind that the first row names; rows of another one are rejected."""
    named = rows.text(BARS_COLUMN).fill_null("")
    kind = str(named[0])
    try:
        spec = str(BarSpec.parse(bars_spec(kind)))
    except UserError as error:
        raise Undecodable(f"its bars are of no known kind ({kind or 'the first row has none'})") from error
    if kind != bars_kind(spec, adjusted=kind.endswith(ADJUSTED)):
        raise Undecodable(f"its bars are of no known kind ({kind})")
    rows.reject((named != kind).to_numpy(), f"the kind is not {kind}, as in the first row")
    return kind


def _columns(rows: Rows, kind: str) -> Columns:
    names = columns_of(kind).array_names()
    levels = sum(role.startswith("bid_size_") for role in rows.columns)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        name: rows.time(name, rule=_NANOSECONDS).ns for name in ("ts_event", "ts_init")
    }
    precisions = []
    for scaled_names, signed in ((PRICES, True), (SIZES, False)):
        mine = [name for name in names if name in scaled_names]
        found, precision = _scaled(rows, mine, levels, signed=signed)
        arrays |= found
        precisions.append(precision)
    for name in names:
        if name in WORDS.get(kind, {}):
            arrays[name] = _coded(rows, kind, name)
        elif name not in arrays:
            arrays[name] = _whole(rows, name)
    return columns_of(kind)(
        **{name: arrays[name] for name in names},  # type: ignore[arg-type]
        price_precision=precisions[0],
        size_precision=precisions[1],
    )


def _scaled(rows: Rows, names: Sequence[str], levels: int, *, signed: bool) -> tuple[dict[str, Int64], int]:
    """Decimal columns at the one precision that keeps all of them; those of books as `[rows, levels]`."""
    cells = {name: [f"{name}_{at}" for at in range(levels)] if levels else [name] for name in names}
    read = {
        role: rows.decimal(role) if signed else rows.number(role, positive=False)
        for roles in cells.values()
        for role in roles
    }
    precision = max((each.precision for each in read.values()), default=0)
    found = {name: [read[role].at(precision) for role in roles] for name, roles in cells.items()}
    return {name: np.stack(each, axis=1) if levels else each[0] for name, each in found.items()}, precision


def _coded(rows: Rows, kind: str, name: str) -> npt.NDArray[np.uint8]:
    """Column of words as the codes that they stand for; an empty one is written as two quotation marks."""
    rows.columns[name] = rows.text(name).fill_null("").str.strip_chars('"')
    return rows.words(name, {word: code for code, word in WORDS[kind][name].items()})


def _whole(rows: Rows, name: str) -> npt.NDArray[np.generic]:
    numbers = rows.whole(name)
    if name != "flags":
        return numbers
    rows.reject((numbers < 0) | (numbers > _BYTE), "the flags are no byte")
    return numbers.astype(np.uint8)
