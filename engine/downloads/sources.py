"""The sources that files can be downloaded from, by name."""

from typing import Final

from engine.downloads import dukascopy
from engine.downloads.plan import Source
from engine.errors import unknown_name

SOURCES: Final = {each.name: each for each in (dukascopy.SOURCE,)}


def source_named(name: str) -> Source:
    """Source of this name; raises UserError with the nearest ones."""
    if name not in SOURCES:
        raise unknown_name("source", name, SOURCES)
    return SOURCES[name]
