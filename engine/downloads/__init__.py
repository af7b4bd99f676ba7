"""Fetches vendors' files into an offline cache: one file per source, which knows their addresses."""
