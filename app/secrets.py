"""Keys of vendors and of connections in the operating system's keyring, or else in an encrypted vault.

Each profile is one entry: service "NextTick Station", user its name, value a JSON object of its fields. The
vault (`app.vault`) is for machines whose system has no keyring. Backends of other makers, some of which write
plain files, are never used.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec
from keyring.backend import KeyringBackend, get_all_keyring
from keyring.errors import KeyringError

from app import passphrase
from app.paths import home
from engine.errors import UserError, unknown_name

SERVICE: Final = "NextTick Station"

_SYSTEM_BACKENDS: Final = {
    f"keyring.backends.{name}": title
    for name, title in (
        ("macOS", "Keychain"),
        ("Windows", "Windows Credential Manager"),
        ("SecretService", "Secret Service"),
        ("libsecret", "Secret Service"),
        ("kwallet", "KWallet"),
    )
}
"""Modules of the system's own keyrings, and how people call them."""

_PEM: Final = re.compile(r"(-----BEGIN [A-Z ]+-----)(.*)(-----END [A-Z ]+-----)", re.DOTALL)
HIDDEN: Final = "••••"
_SHOWN: Final = 4
_SHORTEST_SHOWN: Final = 12
"""A key that is shorter shows none of its characters."""


class Profile(msgspec.Struct, frozen=True):
    """What is kept under one name: the names of its fields, and whose they are.

    `texts` are those of the fields that may hold blanks and line ends, as passwords and PEM files do.
    """

    name: str
    title: str
    fields: tuple[str, ...]
    texts: tuple[str, ...] = ()


class Fields(Mapping[str, str]):
    """Fields of a profile, which show in no text of this object."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Fields({', '.join(f'{name}={HIDDEN}' for name in self)})"


class Keep(Protocol):
    """What is used of a keyring's backend; the vault has it too."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Entry of this service and user; None where there is none."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep an entry."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Remove an entry."""


class NoKeyring(UserError):  # noqa: N818 - a sentence for the person, not an error of the program
    """The system has no keyring, or none that answers."""


PROFILES: Final = {
    each.name: each
    for each in (
        Profile("tardis", "Tardis.dev", ("key",)),
        Profile("databento", "Databento", ("key",)),
        Profile("s3", "S3 storage of recordings", ("access_key", "secret_key")),
    )
}


def profile_named(name: str) -> Profile:
    """Profile of this name; raises UserError with the nearest ones."""
    if name not in PROFILES:
        raise unknown_name("profile", name, PROFILES)
    return PROFILES[name]


def system_keyring() -> KeyringBackend:
    """The operating system's keyring.

    Raises
    ------
    NoKeyring
        It has none, or none that answers.
    """
    found = [each for each in get_all_keyring() if type(each).__module__ in _SYSTEM_BACKENDS]
    if not found:
        raise NoKeyring(
            "This machine offers no keyring to keep keys in (on Linux that is GNOME Keyring or KWallet, in a "
            "desktop session); start one, or use the encrypted vault."
        )
    return max(found, key=lambda each: each.priority)


def vault_path() -> Path:
    """File of the vault, in a folder of its own."""
    return home() / "vault" / "keys.vault"


def vault_at_terminal() -> Keep:
    """Vault that asks at the terminal for its passphrase where the program does not know it yet."""
    from app.vault import Vault  # noqa: PLC0415 - loads cryptography

    return Vault(vault_path(), passphrase.known_or_typed)


def quiet_vault() -> Keep:
    """Vault that nobody is asked for, as in a window or a process without a terminal."""
    from app.vault import Vault  # noqa: PLC0415

    return Vault(vault_path(), lambda _: passphrase.known())


class Secrets:
    """Fields of profiles; the keyring, or else the vault, is opened when it is first needed.

    Parameters
    ----------
    backend : Keep, optional
        Where they are kept; by default the system's keyring, or the vault where the system has none.
    asks : bool
        Whether the vault's passphrase may be asked for at the terminal.
    """

    def __init__(self, backend: Keep | None = None, *, asks: bool = False) -> None:
        self._backend = backend
        self._asks = asks

    @property
    def place(self) -> str:
        """Where keys are kept, in words."""
        backend = type(self._opened())
        if self.is_vault:
            return f"encrypted vault at {vault_path()}"
        return _SYSTEM_BACKENDS.get(backend.__module__, backend.__name__)

    @property
    def is_vault(self) -> bool:
        """Whether they are kept in the vault, which a passphrase opens."""
        return not isinstance(self._opened(), KeyringBackend)

    def get(self, profile: Profile) -> Fields | None:
        """Fields of the profile; None where none are kept.

        Raises
        ------
        UserError
            The keyring or the vault stays locked, or what it holds is not the station's.
        """
        try:
            text = self._opened().get_password(SERVICE, profile.name)
        except KeyringError as error:
            raise _unusable(error) from error
        if text is None:
            return None
        try:
            return Fields(msgspec.json.decode(text, type=dict[str, str]))
        except msgspec.DecodeError:
            raise UserError(
                f"What is kept for {profile.name} cannot be read; set it again with: "
                f"nexttick keys set {profile.name}"
            ) from None  # the error would quote what it could not read

    def set(self, profile: Profile, fields: Mapping[str, str]) -> None:
        """Keep `fields` in place of what is there; raises UserError where they are not the profile's."""
        checked = _checked(profile, fields)
        try:
            self._opened().set_password(SERVICE, profile.name, json.dumps(checked))
        except KeyringError as error:
            raise _unusable(error) from error

    def delete(self, profile: Profile) -> None:
        """Remove the profile; raises UserError where there is nothing to remove."""
        if self.get(profile) is None:
            raise UserError(f"No key is kept for {profile.name}; nexttick keys list shows what is.")
        try:
            self._opened().delete_password(SERVICE, profile.name)
        except KeyringError as error:
            raise _unusable(error) from error

    def _opened(self) -> Keep:
        if self._backend is None:
            try:
                self._backend = system_keyring()
            except NoKeyring:
                self._backend = vault_at_terminal() if self._asks else quiet_vault()
        return self._backend


def masked(value: str) -> str:
    """`value` with all but its last four characters hidden, and without a hint of its length."""
    return f"{HIDDEN}{value[-_SHOWN:] if len(value) >= _SHORTEST_SHOWN else ''}"


def _checked(profile: Profile, fields: Mapping[str, str]) -> dict[str, str]:
    """Fields without blanks around them; the sentences of its errors show none of them."""
    if set(fields) != set(profile.fields):
        raise UserError(f"{profile.title} needs exactly the fields {', '.join(profile.fields)}; give those.")
    stripped = {name: fields[name].strip() for name in profile.fields}
    for name, value in stripped.items():
        is_text = name in profile.texts
        if is_text:
            value = stripped[name] = _with_lines(value)  # noqa: PLW2901 - what is kept is what is looked at
        plain = value.replace("\n", "").replace("\r", "") if is_text else value
        if not plain.isprintable() or not value or not (is_text or (value.isascii() and " " not in value)):
            raise UserError(
                f"The {name} of {profile.title} is empty, or has blanks or signs that no key has; "
                "copy it again."
            )
    return stripped


def _unusable(error: KeyringError) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return UserError(f"The keyring cannot be used ({reason}); unlock it and try again.")


def _with_lines(value: str) -> str:
    """Return a PEM file with its line ends, which JSON writes as two signs and a form's line as a blank."""
    found = _PEM.fullmatch(value.replace("\\n", "\n"))
    return value if found is None else "\n".join((found[1], *found[2].split(), found[3]))
