"""What a download tells when it is done."""

import msgspec


class FetchReport(msgspec.Struct, frozen=True, kw_only=True):
    """A finished download.

    Attributes
    ----------
    files : int
        Of the whole order; `fetched`, `from_cache` and `missing` are its parts.
    missing : list of str
        Files that the source does not have and others of its kind it has, by their path in the cache.
    absent : int
        Files that the source does not have, which means that nothing happened in their time.
    verified : int
        Fetched files that have the checksum which the source publishes.
    size_bytes : int
        What came over the network, failed attempts included.
    repeated : int
        Requests that had to be made again.
    folder : str
        Where the files lie.
    notes : list of str
        Whole sentences about what a person should know.
    """

    source: str
    instrument: str
    kind: str
    first: str
    last: str
    files: int
    fetched: int
    from_cache: int
    absent: int
    verified: int
    size_bytes: int
    repeated: int
    folder: str
    missing: list[str] = []
    notes: list[str] = []
