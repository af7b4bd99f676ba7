"""The audit log as a reader finds it: is it whole, what does it say."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.errors import UserError
from engine.recording.audit import GENESIS, Line, chained

_OPENING: Final = b'{"hash":"'
_HASH: Final = 64
_CLOSING: Final = b'",'
_UNSEALED: Final = "It ends without a seal: its session was killed, still runs, or lines are cut off."
_COLUMNS: Final = ("number", "at_ns", "ts", "what", "kind", "cause", "body", "hash")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a log since it was written.

    Attributes
    ----------
    lines : int
        Whole lines before the first that is broken.
    broken : int or None
        The first line that is not as it was written, counted from 1; None where all are.
    sealed : bool
        Its session ended and sealed it.
    problem : str
        What is wrong, one sentence; empty where nothing is.
    last_hash : str
        Of the last whole line: stands for the whole log up to there.
    """

    lines: int
    broken: int | None
    sealed: bool
    problem: str
    last_hash: str


def verify(path: Path) -> Verified:
    """Follow the chain through the file.

    Raises
    ------
    UserError
        There is no such file, or it cannot be read.
    """
    before, number, sealed = GENESIS, 0, False
    for number, text in enumerate(_texts(path), start=1):
        problem = f"Line {number} is not as it was written." if not _fits(text, before) else ""
        if sealed:
            problem = f"Line {number} was added after the seal."
        elif not text.endswith(b"\n"):
            problem = f"Line {number} is cut off."
        if problem:
            return Verified(lines=number - 1, broken=number, sealed=sealed, problem=problem, last_hash=before)
        before = _hash(text)
        sealed = b'"what":"seal"' in text and _line(text).what == "seal"
    problem = "" if sealed else _UNSEALED
    return Verified(lines=number, broken=None, sealed=sealed, problem=problem, last_hash=before)


def lines(path: Path) -> Iterator[tuple[Line, str]]:
    """Lines and their hashes up to the first that cannot be read; `verify` tells whether they are true."""
    for text in _texts(path):
        try:
            yield _line(text), _hash(text)
        except msgspec.MsgspecError:
            return


def export(path: Path, to: Path) -> int:
    """Write the lines as a table (`.csv`) or as one JSON array (`.json`); how many there are.

    Raises
    ------
    UserError
        The name has another ending, or it cannot be written.
    """
    if to.suffix not in (".csv", ".json"):
        raise UserError(f"{to} does not say how to write; end it with .csv or .json.")
    rows = [{**msgspec.to_builtins(line), "hash": text} for line, text in lines(path)]
    text = _table(rows) if to.suffix == ".csv" else msgspec.json.format(msgspec.json.encode(rows)).decode()
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{to} could not be written: {error.strerror or error}; choose another.") from error
    return len(rows)


def _table(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({**row, "body": msgspec.json.encode(row["body"]).decode()})
    return out.getvalue()


def _texts(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError as error:
        raise UserError(f"There is no audit log {path}.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _hash(text: bytes) -> str:
    return text[len(_OPENING) : len(_OPENING) + _HASH].decode("ascii", errors="replace")


def _fits(text: bytes, before: str) -> bool:
    rest = len(_OPENING) + _HASH
    if not text.startswith(_OPENING) or text[rest : rest + len(_CLOSING)] != _CLOSING:
        return False
    said = b"{" + text[rest + len(_CLOSING) :].removesuffix(b"\n")
    return chained(before, said) == _hash(text)


def _line(text: bytes) -> Line:
    return _decoder.decode(text)


_decoder = msgspec.json.Decoder(Line)
