"""The sources that files can be downloaded from, by name."""

from typing import Final

from engine.downloads import binance, databento, dukascopy, tardis, yahoo
from engine.downloads.source import Source
from engine.errors import unknown_name

SOURCES: Final = {
    source.name: source
    for source in (dukascopy.SOURCE, binance.SOURCE, yahoo.SOURCE, tardis.SOURCE, databento.SOURCE)
}


def source_named(name: str) -> Source:
    """Source of this name; raises UserError with the nearest ones."""
    if name not in SOURCES:
        raise unknown_name("source", name, SOURCES)
    return SOURCES[name]
