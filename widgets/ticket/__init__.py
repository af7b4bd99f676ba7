"""The order ticket: what is typed, what would come of it, and what became of what was sent."""
