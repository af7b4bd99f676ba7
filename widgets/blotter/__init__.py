"""Tables of orders, fills, positions, balances and log lines."""

from widgets.blotter.panels import (
    AccountPanel,
    DenialsPanel,
    FillsPanel,
    LogPanel,
    OrdersPanel,
    PositionsPanel,
)

__all__ = ["AccountPanel", "DenialsPanel", "FillsPanel", "LogPanel", "OrdersPanel", "PositionsPanel"]
