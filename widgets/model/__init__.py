"""What a model is, what it costs and what it does: its card, and the list of those that are kept."""
