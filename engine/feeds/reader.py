"""Reads the files of one import, one after another: finds, opens, detects and decodes each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import msgspec

from engine.columns import Columns, Deltas
from engine.errors import UserError
from engine.feeds.decoded import ColumnsUnknown, Damaged, Decoded, Rejected, Undecodable
from engine.feeds.formats import DATA_SUFFIXES, Format, Head, SourceFile, detect, format_named
from engine.feeds.mapping import NO_MAPPINGS, Mappings
from engine.feeds.pieces import PIECE_BYTES, Text, opened_text
from engine.feeds.report import CrossedPolicy
from engine.messages.instrument import Instrument

_LARGEST_BYTES = 4 << 30
"""Of a file that is read whole; a larger one is told to be split."""

_SMALL_BYTES = 4 << 20
"""A file that is no larger is read whole; packed, it hardly holds more than a piece."""


_ONE_DAY = timedelta(days=1)
_SAID_SPAN = "dukascopy-candles"
"""Any day of a file's month or year may be said for it, also one without rows; it compares them itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a user says of the files: everything that they cannot tell themselves.

    `columns` maps our names (time, bid, ask, price …) to the file's column names or numbers from 1; `zone` is
    that of times without one; a mapping that the user says makes any file a table.
    """

    format: str = "auto"
    day: date | None = None
    columns: tuple[tuple[str, str], ...] = ()
    zone: str = ""
    mappings: Mappings = NO_MAPPINGS
    crossed: CrossedPolicy = "fail"


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One decoded file, or a piece of it; `file_bytes` of the file had been read by then."""

    path: Path
    format: str
    decoded: Decoded
    file_bytes: int


class UnnamedColumns(UserError):  # noqa: N818 - it reads as what is said of a file
    """A table whose columns a person can name."""


class DamagedFile(UserError):  # noqa: N818 - it reads as what is said of a file
    """Bytes of a file are missing or wrong.

    Attributes
    ----------
    path : Path
    what : str
        What is wrong, without the next step.
    """

    def __init__(self, path: Path, reason: Damaged) -> None:
        super().__init__(f"{path} cannot be imported: {reason}.")
        self.path, self.what = path, reason.what


class Reader:
    """Decodes one file after another, each knowing where the books of the ones before it ended.

    Parameters
    ----------
    instrument : Instrument
        Its symbol must be the file's where the file names one; its precision is Dukascopy's point.
    is_stored : callable
        Tells whether a book update with this number is stored, so that a recording may continue it.
    files : sequence of Path
        All that are imported together.
    """

    def __init__(
        self,
        instrument: Instrument,
        source: Source,
        is_stored: Callable[[int], bool],
        files: Sequence[Path] = (),
    ) -> None:
        self._instrument, self._source, self._is_stored = instrument, source, is_stored
        self._files = frozenset(files)
        self._book_ends: set[int] = set()
        self._not_stored: set[int] = set()

    def read(self, path: Path) -> Iterator[ReadPart]:
        """Decode `path`: whole, or piece by piece where it is large and its format can be cut.

        Raises
        ------
        UserError
            It cannot be read or decoded (`DamagedFile` where another copy may be whole), or none of its rows
            can be taken; the sentence names it.
        """
        rejected: list[Rejected] = []
        days: list[date] = []
        is_empty = True
        try:
            for part in self._parts(path):
                decoded = part.decoded
                rejected += decoded.rejected
                if part.format != _SAID_SPAN:
                    days += [_day_of(ns) for rows in decoded.columns.values() for ns in _ends(rows)]
                is_empty = is_empty and not decoded.columns and not decoded.series
                deltas = decoded.columns.get("deltas")
                if isinstance(deltas, Deltas):
                    self._book_ends.add(int(deltas.sequence[-1]))
                yield part
        except Damaged as reason:
            raise DamagedFile(path, reason) from reason
        except ColumnsUnknown as reason:
            raise UnnamedColumns(f"{path} cannot be imported: {reason}.") from reason
        except Undecodable as reason:
            raise UserError(f"{path} cannot be imported: {reason}.") from reason
        self._check_day(path, days)
        if rejected and is_empty:
            worst = max(rejected, key=lambda each: each.count)
            raise UserError(
                f"{path} cannot be imported: no row can be taken, because {worst.reason} "
                f"(first in line {worst.first_line})."
            )

    def _check_day(self, path: Path, found: list[date]) -> None:
        """Refuse a said day that is none of the file's, wherever on earth its clock stood."""
        said = self._source.day
        if said is None or not found:
            return
        first, last = min(found), max(found)
        if not first - _ONE_DAY <= said <= last + _ONE_DAY:
            raise UserError(
                f"{path} cannot be imported: its rows are of {first}{'' if first == last else f' to {last}'} "
                f"but --date says {said}; leave --date out."
            )

    def _parts(self, path: Path) -> Iterator[ReadPart]:
        is_whole = True
        if file_size(path) > _SMALL_BYTES:
            try:
                with opened_text(path) as text:
                    for part in self._pieces(path, text) if text is not None else ():
                        is_whole = False
                        yield part
            except OSError as error:
                raise _unreadable(path, error) from error
        if is_whole:
            data = self._bytes(path)
            found = self._format(path, data)
            decoded = found.decode(self._source_file(path, data, found.name))
            yield ReadPart(path, _name(found, decoded), decoded, len(data))

    def _pieces(self, path: Path, text: Text) -> Iterator[ReadPart]:
        """Decode a text piece by piece; nothing where its format cannot be cut."""
        found = self._format(text.path, text.head)
        header = found.header(Head(text.path, text.path.name, text.head))
        if header is None:
            return
        for piece in text.pieces(header, PIECE_BYTES):
            try:
                decoded = found.decode(self._source_file(text.path, piece.data, found.name))
            except Undecodable as reason:
                if piece.lines_before <= 0:
                    raise
                raise Undecodable(
                    f"{reason} (lines counted from line {piece.lines_before + 1:,} on)"
                ) from reason
            rejected = tuple(
                msgspec.structs.replace(each, first_line=each.first_line + piece.lines_before)
                for each in decoded.rejected
            )
            yield ReadPart(path, _name(found, decoded), replace(decoded, rejected=rejected), piece.file_bytes)

    def _format(self, path: Path, data: bytes) -> Format:
        said = self._source.format
        if self._source.mappings.said is not None:
            return format_named("delimited")
        return detect(path, data) if said == "auto" else format_named(said)

    def is_outdated(self) -> bool:
        """Whether a book that a file did not continue, because it was not stored, is stored by now."""
        return any(self._is_stored(sequence) for sequence in self._not_stored)

    def _bytes(self, path: Path) -> bytes:
        if file_size(path) > _LARGEST_BYTES:
            raise UserError(
                f"{path} is larger than {_LARGEST_BYTES >> 30} GiB; split it and import the parts."
            )
        try:
            return path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error

    def _source_file(self, path: Path, data: bytes, format_name: str) -> SourceFile:
        def sibling(name: str) -> bytes | None:
            beside = path.with_name(name)
            return self._bytes(beside) if beside.is_file() else None

        return SourceFile(
            path=path,
            data=data,
            instrument=self._instrument,
            format=format_name,
            day=self._source.day,
            columns=self._source.columns,
            zone=self._source.zone,
            mappings=self._source.mappings,
            book_continues=self._continues,
            sibling=sibling,
            is_imported=lambda name: path.with_name(name) in self._files,
        )

    def _continues(self, sequence: int) -> bool:
        if sequence in self._book_ends or self._is_stored(sequence):
            return True
        self._not_stored.add(sequence)
        return False


def _ends(rows: Columns) -> tuple[int, ...]:
    return (int(rows.ts_event.min()), int(rows.ts_event.max())) if len(rows) else ()


def _day_of(ns: int) -> date:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).date()


def _name(found: Format, decoded: Decoded) -> str:
    return "/".join(decoded.columns) if found.name == "delimited" else found.name


def data_files(path: Path) -> list[Path]:
    """The file itself; of a folder the hour files in it or, where it has none, its other data files.

    Raises
    ------
    UserError
        There is no such path, it cannot be read, or the folder holds no data file.
    """
    if not path.exists():
        names = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        near = get_close_matches(path.name, names, n=1)
        raise UserError(f"{path} does not exist; {f'did you mean {near[0]}?' if near else 'check the path.'}")
    if not path.is_dir():
        return [path]
    try:
        inside = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
    except OSError as error:
        raise _unreadable(path, error) from error
    hours = [each for each in inside if each.name.lower().endswith("h_ticks.bi5")]
    found = hours or [each for each in inside if each.suffix.lower() in DATA_SUFFIXES]
    if not found:
        raise UserError(f"Folder {path} holds no data file; name the file to import.")
    return found


def file_size(path: Path) -> int:
    """Bytes of the file; raises UserError where it cannot be asked."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read ({(error.strerror or str(error)).lower()}); check the path.")
