"""What the name of a file says of its instrument, where its rows say nothing.

Most formats do not name their symbol inside; a file of dollar-yen imported as euro-dollar would be stored
without a word. A name that anyone may have given proves nothing, so it is told of; one that the vendor gave
is refused where it contradicts, and so is the path of a Dukascopy file, whose prices are points of its
symbol.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from engine.errors import UserError
from engine.feeds.instruments import KnownInstruments

_WORD: Final = re.compile(r"[A-Z0-9]+")
_PERPETUAL: Final = re.compile(r"[-_]?(PERP|SWAP)$")
"""Names a perpetual's instrument, but seldom its files."""

_FOLDERS: Final = 4
"""Folders above a file that are looked at: Dukascopy's are SYMBOL/YYYY/MM/DD."""


_POINTS: Final = ".bi5"
_VENDOR_NAMES: Final = (
    re.compile(r"(?:DAT|HISTDATA_COM)_[A-Z]+_([A-Z]+)_"),
    re.compile(r"([A-Z0-9]+)[^_]*_(?:(?:MN|[MHDW])\d{1,2}|DAILY|WEEKLY|MONTHLY|\d{12}_\d{12})[_.]"),
    re.compile(r"([A-Z]{6})(?:1|5|15|30|60|240|1440|10080|43200)\."),
)
"""HistData's, MetaTrader 5's and MetaTrader 4's; the group is the symbol."""


def check_names(files: Sequence[Path], symbol: str, known: KnownInstruments) -> None:
    """Refuse files that their vendor named after another known symbol.

    Raises
    ------
    UserError
        There is one; the sentence names it and its symbol.
    """
    for file in files:
        found = next((each for form in _VENDOR_NAMES if (each := form.match(file.name.upper()))), None)
        told = _parts(file) if file.suffix.lower() == _POINTS else [found[1]] if found else []
        other = _other_symbol(told, symbol, known)
        if other is not None:
            raise UserError(
                f"{file} cannot be imported: its name or folder says {other}, not {symbol}; import it "
                f"as that instrument, or rename it if it is of {symbol}."
            )


def named_otherwise(files: Sequence[Path], symbol: str, known: KnownInstruments) -> list[str]:
    """A sentence for each other known symbol that names one of `files`; none where `symbol` does, too."""
    found: dict[str, list[Path]] = {}
    for file in files:
        other = _other_symbol(_parts(file), symbol, known)
        if other is not None:
            found.setdefault(other, []).append(file)
    return [
        f"Warning: {_names(paths)} {other}, not {symbol}; if it is of {other}, delete this import from the "
        f"store and import it as {other}."
        for other, paths in found.items()
    ]


def _parts(file: Path) -> list[str]:
    """Name of the file and of the folders above it, from the inmost one on."""
    path = file.absolute()
    return [path.name, *(folder.name for folder in list(path.parents)[:_FOLDERS])]


def _other_symbol(parts: Iterable[str], symbol: str, known: KnownInstruments) -> str | None:
    """Known symbol that the first telling one of `parts` says; None where it says `symbol`, or none tells."""
    ours = "".join(_WORD.findall(_PERPETUAL.sub("", symbol.upper())))
    for part in parts:
        words: list[str] = _WORD.findall(part.upper())
        if ours in words:
            return None
        other = next((word for word in words if known.is_symbol(word)), None)
        if other is not None:
            return other
    return None


def _names(paths: list[Path]) -> str:
    if len(paths) == 1:
        return f"the name or folder of {paths[0].name} says"
    return f"the names or folders of {len(paths)} files ({paths[0].name} first) say"
