"""Time and sales: the trades as they come."""
