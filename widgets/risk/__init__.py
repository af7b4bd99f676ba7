"""What is at stake now, per instrument."""
