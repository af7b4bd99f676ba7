"""The ladder: the order book by price, with own orders and what was traded where."""

from widgets.book.panel import LadderPanel, PriceRows

__all__ = ["LadderPanel", "PriceRows"]
