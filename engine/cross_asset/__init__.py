"""Several instruments at once: merged, sampled at common times, converted, correlated; pure rules."""
