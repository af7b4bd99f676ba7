"""Tables of orders, fills, positions, balances and log lines."""
