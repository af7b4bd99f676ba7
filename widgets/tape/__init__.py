"""Time and sales: the trades as they come."""

from widgets.tape.panel import TimeAndSalesPanel

__all__ = ["TimeAndSalesPanel"]
