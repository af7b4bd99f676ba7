"""What can be asked of a venue, in words, for people who are about to connect to it."""

from PySide6.QtCore import QCoreApplication

from engine.nautilus.adapters import Adapter, Capabilities

_CONTEXT = "connection_text"


def _tr(text: str) -> str:
    return QCoreApplication.translate(_CONTEXT, text)


def capability_rows(adapter: Adapter) -> list[tuple[str, str]]:
    """Labels and what stands beside them."""
    can = adapter.capabilities
    return [
        (_tr("Environments"), ", ".join(adapter.environments)),
        (_tr("Orders"), ", ".join(_words(name) for name in can.orders)),
        (_tr("Time in force"), ", ".join(can.time_in_force)),
        (_tr("Can"), ", ".join(name for name, is_so in _abilities(can) if is_so) or _tr("nothing besides")),
        (_tr("Cannot"), ", ".join(name for name, is_so in _abilities(can) if not is_so) or _tr("nothing")),
        *([(_tr("Held here"), held)] if (held := _held(can)) else []),
        *([(_tr("Note"), can.notes)] if can.notes else []),
    ]


def _abilities(can: Capabilities) -> tuple[tuple[str, bool], ...]:
    return (
        (_tr("post-only"), can.post_only),
        (_tr("reduce-only"), can.reduce_only),
        (_tr("modify"), can.modify),
        (_tr("quote quantity"), can.quote_quantity),
        (_tr("OCO at the venue"), can.oco),
        (_tr("bracket at the venue"), can.bracket),
        (_tr("hedge mode"), can.hedge),
    )


def _held(can: Capabilities) -> str:
    """What the station does in the venue's place."""
    kinds = (
        (_tr("brackets"), not can.bracket and can.reduce_only),
        (_tr("OCO"), not can.oco),
        (_tr("trailing stops by price"), not can.trails_by_price),
        (_tr("moving stops"), not can.moves_stops),
    )
    held = ", ".join(name for name, is_so in kinds if is_so)
    return _tr("%1; only while the station runs").replace("%1", held) if held else ""


def _words(name: str) -> str:
    return name.replace("_", " ").lower()
