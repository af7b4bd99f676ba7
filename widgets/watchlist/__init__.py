"""The list of instruments."""

from widgets.watchlist.panel import WatchlistPanel

__all__ = ["WatchlistPanel"]
