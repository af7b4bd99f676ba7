"""What a finished run amounts to."""

from widgets.results.panel import ResultsPanel

__all__ = ["ResultsPanel"]
