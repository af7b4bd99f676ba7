"""Reads the files of one import, one after another: finds, opens, detects and decodes each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from engine.columns import Deltas
from engine.errors import UserError
from engine.feeds import binance_raw, delimited, dukascopy
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.detection import detect
from engine.feeds.report import CrossedPolicy
from engine.messages.instrument import Instrument

_DATA_SUFFIXES = frozenset({".gz", ".csv", ".txt", ".tsv", ".zip", ".parquet", ".bi5"})
_LARGEST_BYTES = 4 << 30
"""A file is read whole; a larger one is told to be split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a user says of the files: everything that they cannot tell themselves.

    `columns` maps our names (time, bid, ask, price …) to the file's column names or numbers from 1.
    """

    format: str = "auto"
    day: date | None = None
    columns: tuple[tuple[str, str], ...] = ()
    crossed: CrossedPolicy = "fail"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One decoded file."""

    path: Path
    format: str
    decoded: Decoded


class Reader:
    """Decodes one file after another, each knowing where the books of the ones before it ended.

    Parameters
    ----------
    instrument : Instrument
        Its symbol must be the file's where the file names one; its precision is Dukascopy's point.
    is_stored : callable
        Tells whether a book update with this number is stored, so that a recording may continue it.
    """

    def __init__(self, instrument: Instrument, source: Source, is_stored: Callable[[int], bool]) -> None:
        self.files: list[ReadFile] = []
        self._instrument, self._source, self._is_stored = instrument, source, is_stored
        self._book_ends: set[int] = set()

    def read(self, path: Path) -> None:
        """Decode `path` and keep the result in `files`.

        Raises
        ------
        UserError
            It cannot be read or decoded, or none of its rows can be taken; the sentence names it.
        """
        data = self._bytes(path)
        try:
            name = self._source.format if self._source.format != "auto" else detect(path, data)
            decoded = self._decode(path, data, name)
        except Undecodable as reason:
            raise UserError(f"{path} cannot be imported: {reason}.") from reason
        if decoded.rejected and not decoded.columns:
            worst = max(decoded.rejected, key=lambda each: each.count)
            raise UserError(
                f"{path} cannot be imported: no row can be taken, because {worst.reason} "
                f"(first in line {worst.first_line})."
            )
        if name == "delimited":
            name = "/".join(decoded.columns)
        deltas = decoded.columns.get("deltas")
        if isinstance(deltas, Deltas):
            self._book_ends.add(int(deltas.sequence[-1]))
        self.files.append(ReadFile(path, name, decoded))

    def _bytes(self, path: Path) -> bytes:
        if file_size(path) > _LARGEST_BYTES:
            raise UserError(
                f"{path} is larger than {_LARGEST_BYTES >> 30} GiB; split it and import the parts."
            )
        try:
            return path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error

    def _decode(self, path: Path, data: bytes, format_name: str) -> Decoded:
        if format_name == "dukascopy":
            if "candle" in path.name.lower():
                raise Undecodable("it holds Dukascopy's candles, not ticks; import the files HHh_ticks.bi5")
            point = self._instrument.price_precision
            try:
                start_ns = dukascopy.hour_start_ns(path, self._source.day) if data else 0
            except Undecodable:
                dukascopy.decode_ticks(data, 0, point)  # that a file is damaged is worth saying first
                raise
            return dukascopy.decode_ticks(data, start_ns, point)
        if format_name == "binance-raw":
            return binance_raw.decode(data, self._instrument.symbol, self._continues)
        table = delimited.Described(
            name=path.name,
            format=format_name,
            day=self._source.day,
            columns=self._source.columns,
            symbol=self._instrument.symbol,
        )
        return delimited.decode(data, table)

    def _continues(self, sequence: int) -> bool:
        return sequence in self._book_ends or self._is_stored(sequence)


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
    found = hours or [each for each in inside if each.suffix.lower() in _DATA_SUFFIXES]
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
