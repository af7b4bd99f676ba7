"""What was seen and done in a session, written once as it happens: market data, events, decisions."""
