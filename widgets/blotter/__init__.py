"""Tables of orders, fills, positions, balances and log lines."""

from widgets.blotter.panels import AccountPanel, FillsPanel, LogPanel, OrdersPanel, PositionsPanel

__all__ = ["AccountPanel", "FillsPanel", "LogPanel", "OrdersPanel", "PositionsPanel"]
