"""How instruments move together: a matrix of correlations, and which of a pair moves first."""
