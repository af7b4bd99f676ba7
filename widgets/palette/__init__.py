"""The command palette."""

from widgets.palette.palette import CommandPalette, Entry

__all__ = ["CommandPalette", "Entry"]
