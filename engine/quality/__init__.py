"""What is doubtful about stored rows: one pure rule per check, the venues' calendars, and a score."""
