"""The session's one clock as controls."""

from widgets.transport.bar import TransportBar

__all__ = ["TransportBar"]
