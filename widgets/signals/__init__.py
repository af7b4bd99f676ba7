"""What the run's models say: probabilities over time, signals, and what came of them."""
