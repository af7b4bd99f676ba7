"""Makes a model of the user's own data: labels, split, loop, baselines, and the passport at the end."""
