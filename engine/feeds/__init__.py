"""Decoders, one file per source format (pure: bytes in, columns out), and the importer that stores rows.

Market data that the station makes itself comes from `engine.feeds.simulated`.
"""
