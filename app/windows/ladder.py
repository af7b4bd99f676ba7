"""What a window does for the ladder: its sizes live in the settings, its buttons name the person's keys."""

from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from app.station import Station
from app.windows.trading_actions import HOTKEYS
from widgets.book import LadderPanel


def serve_ladder(ladder: LadderPanel, station: Station) -> None:
    """Give a new ladder what the settings hold, and keep there what the person changes in it."""

    def keep(instrument: str, sizes: list[str]) -> None:
        known = station.settings.settings.ladder_sizes
        station.settings.update(ladder_sizes={**known, instrument: sizes})

    ladder.remember_sizes(station.settings.settings.ladder_sizes)
    ladder.sizes_kept.connect(keep)
    name_keys(ladder, station.settings.settings.trading_keys)


def name_keys(ladder: LadderPanel, chosen: Mapping[str, str]) -> None:
    """Name the keys of the hot buttons' actions: those of the table, or those that the person chose."""
    keys = {act.id: chosen.get(act.id, act.keys).partition("; ")[0] for act in HOTKEYS}
    native = QKeySequence.SequenceFormat.NativeText
    ladder.show_keys({name: QKeySequence(key).toString(native) for name, key in keys.items()})
