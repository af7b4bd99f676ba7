"""Keys in one encrypted file, for machines whose system has no keyring.

The file is a magic line, the length of a header, the header (JSON: version, cost and salt of the key
derivation, nonce), the entries as AES-256-GCM made them of JSON, and a SHA-256 of all before. The key is made
of the passphrase by Argon2id (RFC 9106). Magic and header are authenticated with the entries. The checksum
needs no passphrase, so a damaged file is told from a wrong passphrase; who changes the file on purpose can
mend the checksum, but not what AES-GCM holds.
"""

import hashlib
import os
import secrets
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from app.passphrase import VARIABLE, checked
from engine.errors import UserError

_MAGIC: Final = b"NextTick vault of keys\n"
_VERSION: Final = 1
_LENGTH: Final = struct.Struct(">I")
_CHECKSUM_BYTES: Final = hashlib.sha256().digest_size
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_PATIENCE_S: Final = 10.0


class Cost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What making the key costs whoever guesses passphrases; a file with more than the most is refused."""

    memory_kib: Annotated[int, msgspec.Meta(ge=8, le=1 << 20)] = 65_536
    passes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 3
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    kdf: str
    cost: Cost
    salt: bytes
    nonce: bytes


class _Read(msgspec.Struct, frozen=True):
    """A file taken apart."""

    header: _Header
    authenticated: bytes
    sealed: bytes


class Vault:
    """Entries by service and name; has the methods of a keyring's backend that the station uses.

    Parameters
    ----------
    path : Path
        The file; its folder is the vault's own.
    passphrase : callable
        Told whether the vault is new; gives the passphrase, or None where nobody can be asked.
    """

    def __init__(
        self, path: Path, passphrase: Callable[[bool], str | None], cost: Cost | None = None
    ) -> None:
        self.path = path
        self._passphrase = passphrase
        self._cost = cost or Cost()
        self._key: tuple[bytes, Cost, bytes] | None = None

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept in it."""
        return self.path.exists()

    def get_password(self, service: str, username: str) -> str | None:
        """Entry; None where there is none. Raises UserError where the vault stays shut."""
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry; raises UserError where the vault stays shut or cannot be written."""
        self._change(lambda entries: {**entries, f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry."""
        gone = f"{service}/{username}"
        self._change(lambda entries: {name: text for name, text in entries.items() if name != gone})

    def unlock(self) -> None:
        """Raise UserError where the passphrase does not open it."""
        self._entries()

    def _entries(self) -> dict[str, str]:
        if not self.exists:
            return {}
        found = self._read()
        key = self._key_for(found.header.salt, found.header.cost, is_new=False)
        try:
            text = AESGCM(key).decrypt(found.header.nonce, found.sealed, found.authenticated)
        except InvalidTag:
            self._key = None
            raise UserError(
                f"The passphrase does not open the vault of keys at {self.path} (or somebody changed the "
                "file); try again with the one that it was made with."
            ) from None
        return msgspec.json.decode(text, type=dict[str, str])

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        from engine.store.locking import exclusive  # noqa: PLC0415 - loads the store

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        with exclusive(self.path.parent, "the vault of keys", _patience()):
            self._write(change(self._entries()))

    def _write(self, entries: dict[str, str]) -> None:
        salt, cost = secrets.token_bytes(_SALT_BYTES), self._cost
        if self._key is not None and self._key[1] == cost:
            salt = self._key[0]
        key = self._key_for(salt, cost, is_new=not self.exists)
        header = _Header(
            version=_VERSION, kdf="argon2id", cost=cost, salt=salt, nonce=secrets.token_bytes(_NONCE_BYTES)
        )
        text = msgspec.json.encode(header)
        authenticated = _MAGIC + _LENGTH.pack(len(text)) + text
        sealed = AESGCM(key).encrypt(header.nonce, msgspec.json.encode(entries), authenticated)
        body = authenticated + sealed
        _put(self.path, body + hashlib.sha256(body).digest())

    def _read(self) -> _Read:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise UserError(
                f"The vault of keys at {self.path} cannot be read ({error.strerror}); make it readable."
            ) from error
        body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        start = len(_MAGIC) + _LENGTH.size
        if len(body) < start or hashlib.sha256(body).digest() != checksum or not body.startswith(_MAGIC):
            raise self._damaged()
        end = start + _LENGTH.unpack(body[len(_MAGIC) : start])[0]
        try:
            version = msgspec.json.decode(body[start:end], type=dict[str, object]).get("version")
            if isinstance(version, int) and version > _VERSION:
                raise UserError(f"The vault of keys at {self.path} is of a newer station; update this one.")
            header = msgspec.json.decode(body[start:end], type=_Header)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise self._damaged() from None
        if header.kdf != "argon2id" or len(header.nonce) != _NONCE_BYTES or len(header.salt) != _SALT_BYTES:
            raise self._damaged()
        return _Read(header, body[:end], body[end:])

    def _damaged(self) -> UserError:
        return UserError(
            f"The vault of keys at {self.path} is damaged, so no key in it can be read; put a copy of it "
            "back, or delete it and set the keys again."
        )

    def _key_for(self, salt: bytes, cost: Cost, *, is_new: bool) -> bytes:
        if self._key is not None and self._key[:2] == (salt, cost):
            return self._key[2]
        passphrase = self._passphrase(is_new)
        if passphrase is None:
            raise UserError(
                "This machine offers no keyring to keep keys in, so they lie in an encrypted vault at "
                f"{self.path}, whose passphrase is missing; unlock it in "
                f"the window's Connections… (Ctrl+Alt+C), be at a terminal, or set {VARIABLE}."
            )
        try:
            derivation = Argon2id(
                salt=salt,
                length=_KEY_BYTES,
                iterations=cost.passes,
                lanes=cost.lanes,
                memory_cost=cost.memory_kib,
            )
        except ValueError:
            raise self._damaged() from None  # less memory than lanes need
        # One from the environment may hold bytes that are no text.
        text = checked(passphrase) if is_new else passphrase
        key = derivation.derive(text.encode(errors="surrogateescape"))
        self._key = salt, cost, key
        return key


def _put(path: Path, data: bytes) -> None:
    """Put a whole file in place of the old one, readable by its owner only."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")  # made with 0600
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"The vault of keys at {path} cannot be written ({error.strerror}), and is as it was; make room, or "
        "make its folder writable for you."
    )


def _patience() -> Callable[[], None]:
    """Wait for another process for a while."""
    end = time.monotonic() + _PATIENCE_S

    def waiting() -> None:
        if time.monotonic() > end:
            raise UserError("Another program is writing the vault of keys; try again when it is done.")

    return waiting
