"""The only importer of nautilus_trader: instruments, data, the simulated venue, strategies."""
