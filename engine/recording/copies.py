"""Copies of a recording's files in another folder or an S3 bucket, through Arrow's file systems.

Keys of a bucket are handed in, or come from where AWS's own programs look for them; never from the address,
which stands in the settings.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from engine.errors import UserError
from engine.recording.manifest import Manifest

_TIMEOUT_S: Final = 10
_OPTIONS: Final = frozenset({"endpoint_override", "region", "scheme"})


class Copies:
    """A folder (its path or `file://`), or `s3://BUCKET/PREFIX`.

    An address of a bucket may go on with `?endpoint_override=HOST:PORT&scheme=http&region=NAME`.

    Parameters
    ----------
    address : str
    keys : callable
        `access_key` and `secret_key` of the bucket, asked for when it is first needed; None for those that
        AWS's own programs would use.
    """

    def __init__(self, address: str, keys: Callable[[], Mapping[str, str] | None] = lambda: None) -> None:
        self._keys = keys
        self.name = address.partition("?")[0]
        self._address = address
        self._opened: tuple[Any, str] | None = None

    def send(self, path: Path, manifest: Manifest) -> None:  # noqa: ARG002 - a copy is of any file
        """Copy a file into the folder of its recording.

        Raises
        ------
        UserError
            The address is neither a folder nor a bucket, or holds keys.
        OSError
            The file did not arrive, or not whole.
        """
        from pyarrow import fs  # noqa: PLC0415 - only who copies needs its 20 ms

        if self._opened is None:
            self._opened = _opened(self._address, self._keys)
        files, root = self._opened
        folder = f"{root}/{path.parent.name}"
        files.create_dir(folder)
        target = f"{folder}/{path.name}"
        size = path.stat().st_size
        fs.copy_files(
            str(path),
            target,
            source_filesystem=fs.LocalFileSystem(),
            destination_filesystem=files,
            use_threads=False,
        )
        if files.get_file_info(target).size != size:
            raise OSError(f"{path.name} did not arrive whole")

    def close(self) -> None:
        """Let go of the connection."""
        self._opened = None


def _opened(address: str, keys: Callable[[], Mapping[str, str] | None]) -> tuple[Any, str]:
    from pyarrow import fs  # noqa: PLC0415

    parts = urlsplit(address)
    if parts.scheme in ("", "file"):
        return fs.LocalFileSystem(), str(Path(parts.path).expanduser())
    if parts.scheme != "s3":
        raise UserError(
            f"Recordings cannot be copied to {parts.scheme}://; give a folder or s3://BUCKET/PREFIX."
        )
    if parts.username or parts.password:
        raise UserError("Keys do not belong in an address; put them where AWS's own programs look for them.")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := options.keys() - _OPTIONS:
        takes = ", ".join(sorted(_OPTIONS))
        raise UserError(f"The address of copies does not take {min(unknown)!r}; it takes {takes}.")
    options |= keys() or {}
    files = fs.S3FileSystem(**options, connect_timeout=_TIMEOUT_S, request_timeout=_TIMEOUT_S)
    return files, f"{parts.netloc}{parts.path}".rstrip("/")
