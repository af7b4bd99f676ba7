"""What a recording says of itself: written when it begins and once more when it ends."""

import os
from pathlib import Path
from typing import Final

import msgspec

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Run

SCHEMA: Final = 1
"""Grows when older programs could no longer read what is written."""

NAME: Final = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded session.

    Attributes
    ----------
    schema : int
        See `SCHEMA`.
    program : str
        Version of the program that recorded.
    kinds : tuple of str
        Kinds of market data that the session had.
    market : bool
        Whether market data are recorded; events always are.
    started_ns : int
        Wall clock, ns UTC.
    ended_ns : int or None
        Wall clock at the session's end; None while it runs, and for ever if it was killed.
    problem : str
        Why the recording ended before its session; empty where it did not.
    rows_received : int
        Rows of market data that the session received until its end.
    """

    schema: int = SCHEMA
    program: str
    run: Run
    instrument: Instrument
    kinds: tuple[str, ...]
    market: bool
    started_ns: int
    ended_ns: int | None = None
    problem: str = ""
    rows_received: int = 0


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place whole; raises OSError where it cannot be written."""
    beside = folder / f".{NAME}.part"
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / NAME)


def read_manifest(folder: Path) -> Manifest:
    """Manifest of a recording.

    Raises
    ------
    UserError
        The folder is no recording, or one that this program cannot read.
    """
    path = folder / NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{folder} is no recording (it has no {NAME}); 'nexttick recordings list' names them."
        ) from error
    try:
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema > SCHEMA:
            raise UserError(f"The recording {folder.name} was made by a newer program; update this one.")
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise UserError(
            f"The recording's {path} is damaged ({error}); its other files can be read with polars."
        ) from error


class _Schema(msgspec.Struct):
    schema: int
