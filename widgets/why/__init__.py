"""Why the model said what it said at a moment, and what came of it."""

from widgets.why.panel import WhyPanel

__all__ = ["WhyPanel"]
