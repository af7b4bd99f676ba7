"""Keys of vendors in the operating system's keyring, and nowhere else.

Each profile is one entry: service "NextTick Station", user its name, value a JSON object of its fields.
Backends of other makers, some of which write plain files, are never used.
"""

import json
from collections.abc import Mapping
from typing import Final

import msgspec
from keyring.backend import KeyringBackend, get_all_keyring
from keyring.errors import KeyringError

from engine.errors import UserError, unknown_name

SERVICE: Final = "NextTick Station"

_SYSTEM_BACKENDS: Final = frozenset(
    f"keyring.backends.{name}" for name in ("macOS", "Windows", "SecretService", "libsecret", "kwallet")
)
_SHOWN: Final = 4
_SHORTEST_SHOWN: Final = 12
"""A key that is shorter shows none of its characters."""


class Profile(msgspec.Struct, frozen=True):
    """What is kept of one vendor: the names of its fields, and whose they are."""

    name: str
    title: str
    fields: tuple[str, ...]


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
    UserError
        It has none, or none that answers.
    """
    found = [each for each in get_all_keyring() if type(each).__module__ in _SYSTEM_BACKENDS]
    if not found:
        raise UserError(
            "This machine offers no keyring to keep keys in (on Linux that is GNOME Keyring or KWallet, in a "
            "desktop session); start one, as the station writes keys into no file."
        )
    return max(found, key=lambda each: each.priority)


class Secrets:
    """Fields of profiles; the keyring is opened when the first one is asked for."""

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self._backend = backend

    def get(self, profile: Profile) -> dict[str, str] | None:
        """Fields of the profile; None where none are kept.

        Raises
        ------
        UserError
            There is no keyring, it stays locked, or what it holds is not the station's.
        """
        try:
            text = self._opened().get_password(SERVICE, profile.name)
        except KeyringError as error:
            raise _unusable(error) from error
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError:
            raise UserError(
                f"What the keyring holds for {profile.name} cannot be read; set it again with: "
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

    def _opened(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = system_keyring()
        return self._backend


def masked(value: str) -> str:
    """`value` with all but its last four characters hidden, and without a hint of its length."""
    return f"••••{value[-_SHOWN:] if len(value) >= _SHORTEST_SHOWN else ''}"


def _checked(profile: Profile, fields: Mapping[str, str]) -> dict[str, str]:
    """Fields without blanks around them; the sentences of its errors show none of them."""
    if set(fields) != set(profile.fields):
        raise UserError(f"{profile.title} needs exactly the fields {', '.join(profile.fields)}; give those.")
    stripped = {name: fields[name].strip() for name in profile.fields}
    for name, value in stripped.items():
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise UserError(
                f"The {name} of {profile.title} is empty, or has blanks or signs that no key has; "
                "copy it again."
            )
    return stripped


def _unusable(error: KeyringError) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return UserError(f"The keyring cannot be used ({reason}); unlock it and try again.")
