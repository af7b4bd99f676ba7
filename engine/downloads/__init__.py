"""Files of vendors, fetched into a cache from which they are imported.

A source is a pure plan: an order (instrument, kind, days) becomes a list of remote files. One engine fetches
them all: politely, several at a time, with resume, retries and checks, and never a file that is not whole.
"""
