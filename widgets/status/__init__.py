"""The status line."""

from widgets.status.strip import Cell, StatusStrip

__all__ = ["Cell", "StatusStrip"]
