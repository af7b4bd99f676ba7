"""Text and Parquet tables as columns of text with line numbers; what a column means is decided elsewhere."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Int64
from engine.feeds.decoded import Rejected, Undecodable

_SEPARATORS = (b"\t", b";", b"|", b",")
_HEAD_LINES = 50
ARROW_FILE = b"ARROW1"
ARROW_STREAM = b"\xff\xff\xff\xff"
PARQUET = b"PAR1"
_SHOWN_LETTERS = 80
CUT_OFF = "the file ends in the middle of the line; fetch it again"
"""Why a last line is left out."""

_BLANK = -1
"""Fields of a line that has nothing but blanks."""

_QUOTED = re.compile(rb'(?<=[,;|\t])"(?:[^"]|"")*"(?=[,;|\t]|$)')
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns in the order of the file, `names` as its header gives them or None, and each row's line."""

    columns: list[pl.Series]
    names: list[str] | None
    lines: Int64
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()


def parquet_table(data: bytes) -> Table:
    """Table of a Parquet file; whole numbers and decimals become text, doubles and times stay.

    Raises
    ------
    Undecodable
        Damaged, cut off, or without rows.
    """
    # By Arrow, because polars panics where bytes are damaged.
    return _table_of(lambda: pq.read_table(pa.BufferReader(data), page_checksum_verification=True), "Parquet")


def arrow_table(data: bytes) -> Table:
    """Table of an Arrow file (Feather) or stream; as `parquet_table`.

    Raises
    ------
    Undecodable
        Damaged, cut off, or without rows.
    """
    opened = pa.ipc.open_file if data.startswith(ARROW_FILE) else pa.ipc.open_stream
    return _table_of(lambda: opened(pa.BufferReader(data)).read_all(), "Arrow")


def _table_of(read: Callable[[], pa.Table], form: str) -> Table:
    try:
        table = read()
        table.validate(full=True)
        frame = pl.DataFrame(table)
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise Undecodable(f"the {form} file is damaged or cut off; fetch it again") from error
    if frame.is_empty():
        raise Undecodable("it has no rows")
    floats = [column.name for column in frame if column.dtype.is_float()]
    notes = (
        (f"Floating-point columns ({', '.join(floats)}) were taken at their shortest decimal form.",)
        if floats
        else ()
    )
    kept = (pl.Datetime, pl.Float32, pl.Float64)
    columns = [
        column if isinstance(column.dtype, kept) else column.cast(pl.String, strict=False) for column in frame
    ]
    return Table(columns, frame.columns, np.arange(1, len(frame) + 1), notes=notes)


def table_of(
    data: bytes, header_words: frozenset[str], separator: str = "", *, is_whole: bool = False
) -> Table:
    """Table of a Parquet or Arrow file or of a text; see those for what is raised."""
    if data.startswith(PARQUET):
        return parquet_table(data)
    if data.startswith((ARROW_FILE, ARROW_STREAM)):
        return arrow_table(data)
    return text_table(data, header_words, separator, is_whole=is_whole)


def text_table(
    data: bytes, header_words: frozenset[str], separator: str = "", *, is_whole: bool = False
) -> Table:
    """Table of a delimited text; whether it has a header line, and its separator, are found out.

    Blank lines are passed over. Lines with too many or too few fields are rejected. A last line without an
    end is taken where it has all fields, but told: nobody can see whether it was cut off.

    Parameters
    ----------
    header_words : frozenset of str
        Normalised names; a first line with one of them is a header, as is one of words only.
    separator : str
        One character, where it need not be found out.
    is_whole : bool
        Whether it is known, as from a zip archive, that the text was not cut off.

    Raises
    ------
    Undecodable
        Empty, not UTF-8 (or UTF-16 with its mark), binary, or of one column only.
    """
    text = _as_utf8(data)
    head = [line for line in text[:65_536].splitlines()[:_HEAD_LINES] if line.strip()]
    if not head:
        raise Undecodable("it is empty")
    between, fields = _separator(head, separator)
    text, cut, notes = (text, (), ()) if is_whole else _ended(text, between, fields)
    frame, lines, rejected = _split(text, between, fields)
    rejected += cut
    blank = (
        pl.select(pl.all_horizontal([column.is_null() for column in frame.get_columns()]))
        .to_series()
        .to_numpy()
    )
    columns = [column.filter(pl.Series(~blank)) for column in frame.get_columns()]
    lines = lines[~blank]
    first = [column[0] or "" for column in columns] if len(lines) else []
    if not _is_header(first, header_words):
        return Table(columns, None, lines, rejected, notes)
    return Table([column.slice(1) for column in columns], first, lines[1:], rejected, notes)


def _ended(text: bytes, separator: bytes, fields: int) -> tuple[bytes, tuple[Rejected, ...], tuple[str, ...]]:
    """Text without a last line that was cut off, that line, and a note of one that may have been."""
    before = text[: text.rfind(b"\n") + 1]
    last = text[len(before) :]
    if text.endswith(b"\r") or not last.strip():
        return text, (), ()
    if before.strip() and _fields_in(last, separator) < fields:
        return before, (Rejected(CUT_OFF, 1, before.count(b"\n") + 1),), ()
    shown = last.strip().decode()[:_SHOWN_LETTERS]
    return (
        text,
        (),
        (f"The last line ({shown}) has no line end; if the file was cut off there, its last row is wrong.",),
    )


def header_line(head: bytes, header_words: frozenset[str]) -> bytes:
    """Header of a delimited text that begins so, as `text_table` would find it; empty where there is none.

    Raises
    ------
    Undecodable
        It is of one column only.
    """
    lines = [line for line in head.removeprefix(_MARK).splitlines()[:_HEAD_LINES] if line.strip()]
    separator, fields = _separator(lines)
    first = next(line for line in lines if line.count(separator) == fields - 1)
    names = [name or "" for name in _parse(first, separator).row(0)]
    return first + b"\n" if _is_header(names, header_words) else b""


def _is_header(first: list[str], header_words: frozenset[str]) -> bool:
    names = [field.strip('"< #') for field in first]  # the index of a saved frame has no name
    named = any(names) and all(name[:1].isalpha() for name in names if name)
    return named or not header_words.isdisjoint(map(normalised, first))


def normalised(name: str) -> str:
    """Name of a column in lower case, words joined by an underscore, without decoration."""
    return "_".join(name.strip().strip('<>"#').lower().replace("-", " ").split())


def _as_utf8(data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise Undecodable("its UTF-16 text is damaged; fetch it again") from error
    data = data.removeprefix(_MARK)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Undecodable(f"line {line} is not UTF-8 text") from error
    if b"\x00" in data:
        raise Undecodable("it is no text; the bytes of a binary file begin where lines should")
    return data


def _separator(head: list[bytes], said: str = "") -> tuple[bytes, int]:
    """Separator that most lines agree on (or that was `said`), and into how many fields it cuts them."""
    choices = (said.encode(),) if said else _SEPARATORS
    counts = {each: Counter(line.count(each) for line in head).most_common(1)[0] for each in choices}
    usable = {each: (lines, count) for each, (count, lines) in counts.items() if count}
    if not usable:
        raise Undecodable("it has one column only, or a separator other than comma, semicolon, tab and bar")
    best = max(usable, key=lambda each: usable[each])
    return best, usable[best][1] + 1


def _split(text: bytes, separator: bytes, fields: int) -> tuple[pl.DataFrame, Int64, tuple[Rejected, ...]]:
    """Fields as text, the line number of each row, and rows with another number of fields."""
    try:
        frame = _parse(text, separator)
        if frame.width == fields and not _joins_lines(text, len(frame)):
            return frame, np.arange(1, len(frame) + 1), ()
    except pl.exceptions.ComputeError:
        pass  # a line has more fields than the first; they are told apart below
    lines = text.splitlines()
    found = np.array([_fields_in(line, separator) if line.strip() else _BLANK for line in lines])
    good = found == fields
    if not good.any():
        raise Undecodable("its lines do not agree on a number of fields")
    frame = _parse(b"\n".join(line for line, kept in zip(lines, good, strict=True) if kept), separator)
    rejected = tuple(
        Rejected(reason, int(bad.sum()), int(bad.argmax()) + 1)
        for reason, bad in (
            ("a quotation mark in it is not one of two around a field", found == 0),
            (f"it has not {fields} fields", (found > 0) & ~good),
        )
        if bad.any()
    )
    return frame, np.flatnonzero(good) + 1, rejected


def _fields_in(line: bytes, separator: bytes) -> int:
    """How many fields a line has; 0 where a quotation mark is not one of two around a whole field."""
    if b'"' in line:
        line = _QUOTED.sub(b"", separator + line.strip()).removeprefix(separator)
    return 0 if b'"' in line else line.count(separator) + 1


def _joins_lines(text: bytes, rows: int) -> bool:
    """Whether a quotation mark that does not close in its line has made one row of several lines."""
    return b'"' in text and rows < text.count(b"\n") + (not text.endswith(b"\n"))


def _parse(text: bytes, separator: bytes) -> pl.DataFrame:
    return pl.read_csv(
        text,
        has_header=False,
        infer_schema=False,
        separator=separator.decode(),
        quote_char='"' if b'"' in text[:65_536] else None,
    )
