"""What the name of a file says of its instrument, where its rows say nothing.

Most formats do not name their symbol inside; a file of dollar-yen imported as euro-dollar would be stored
without a word. A name proves nothing, so this is told and never refused.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.feeds.instruments import KnownInstruments

_WORD: Final = re.compile(r"[A-Z0-9]+")
_PERPETUAL: Final = re.compile(r"[-_]?(PERP|SWAP)$")
"""Names a perpetual's instrument, but seldom its files."""

_FOLDERS: Final = 4
"""Folders above a file that are looked at: Dukascopy's are SYMBOL/YYYY/MM/DD."""


def named_otherwise(files: Sequence[Path], symbol: str, known: KnownInstruments) -> list[str]:
    """A sentence for each other known symbol that names one of `files`; none where `symbol` does, too."""
    ours = "".join(_WORD.findall(_PERPETUAL.sub("", symbol.upper())))
    found: dict[str, list[Path]] = {}
    for file in files:
        path = file.absolute()
        for part in (path.name, *(folder.name for folder in list(path.parents)[:_FOLDERS])):
            words = _WORD.findall(part.upper())
            if ours in words:
                break
            other = next((word for word in words if known.is_symbol(word)), None)
            if other is not None:
                found.setdefault(other, []).append(file)
                break
    return [
        f"Warning: {_names(paths)} {other}, not {symbol}; if it is of {other}, delete this import from the "
        f"store and import it as {other}."
        for other, paths in found.items()
    ]


def _names(paths: list[Path]) -> str:
    if len(paths) == 1:
        return f"the name or folder of {paths[0].name} says"
    return f"the names or folders of {len(paths)} files ({paths[0].name} first) say"
