"""Connection profiles: one TOML file each, which a person may write by hand; keys never stand in them.

Keys are kept under the profile's name (`app.secrets`). A file that cannot be read is told when it is asked
for, and keeps no other from being used.
"""

import re
from pathlib import Path
from typing import Final

import msgspec

from app.paths import home
from app.secrets import PROFILES, Profile
from app.toml import encode_table, write_atomically
from engine.errors import UserError, unknown_name
from engine.messages.connection import Connection, Value
from engine.nautilus.adapters import Adapter, ConnectionParameters, adapter_named, parameters_of
from engine.nautilus.adapters.clients import real_money_refused

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SUFFIX: Final = ".toml"


class ConnectionProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One connection as its file holds it."""

    name: str
    adapter: str
    parameters: dict[str, Value] = {}

    @property
    def spec(self) -> Adapter:
        """Its adapter; raises UserError where there is none of that name."""
        return adapter_named(self.adapter)

    def checked(self) -> ConnectionParameters:
        """Parameters; raises UserError where the adapter cannot have them."""
        return parameters_of(self.spec, self.parameters)

    @property
    def account(self) -> str:
        """Account name, which is typed to arm Live."""
        return str(self.parameters.get("account") or self.name)

    @property
    def kept(self) -> Profile:
        """What is kept of its keys."""
        return kept_of(Connection(name=self.name, adapter=self.adapter))


class Profiles:
    """Profiles in a folder; by default that of the station's settings."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "connections"

    def names(self) -> list[str]:
        """Names of all, in order."""
        files = self.folder.glob(f"*{_SUFFIX}") if self.folder.is_dir() else ()
        return sorted(path.stem for path in files if _NAME.fullmatch(path.stem))

    def get(self, name: str) -> ConnectionProfile:
        """Profile of this name.

        Raises
        ------
        UserError
            There is none (with the nearest ones), or its file cannot be used.
        """
        path = self._path(name)
        try:
            table = msgspec.toml.decode(path.read_bytes(), type=dict[str, Value])
        except FileNotFoundError:
            if not self.names():
                raise UserError(
                    f"There is no connection profile yet, so {name!r} cannot be used; make one in the window "
                    f"(Session, Connections…), or write {path}."
                ) from None
            raise unknown_name("connection profile", name, self.names()) from None
        except (msgspec.MsgspecError, UnicodeDecodeError, OSError):
            # Neither its text nor the error, which may quote it: a key may have been written there.
            raise UserError(
                f"{path} is not the TOML of a connection, or cannot be read; correct it, or delete it and "
                "make the connection anew."
            ) from None
        profile = ConnectionProfile(name=name, adapter=str(table.pop("adapter", "")), parameters=table)
        self._refuse_keys(profile, path)
        profile.checked()
        return profile

    def save(self, profile: ConnectionProfile) -> None:
        """Write a profile; raises UserError where it has no name, or its adapter cannot have what it says."""
        if not _NAME.fullmatch(profile.name):
            raise UserError(
                f"A connection cannot be called {profile.name!r}; take small letters, digits, - and _."
            )
        if profile.name in PROFILES:
            raise UserError(f"{profile.name} is the name of a vendor of data; call the connection otherwise.")
        profile.checked()
        table = {"adapter": profile.adapter, **profile.parameters}
        try:
            write_atomically(self._path(profile.name), encode_table(table))
        except OSError as error:
            raise UserError(
                f"{self.folder} cannot be written ({error.strerror}); make room there."
            ) from error

    def delete(self, name: str) -> None:
        """Remove a profile's file; its keys are another matter."""
        self._path(name).unlink(missing_ok=True)

    def connection(self, name: str, *, live_trading: bool) -> Connection:
        """Connection of a profile, as it goes to the engine.

        Parameters
        ----------
        live_trading : bool
            The person's setting of this name.
        """
        profile = self.get(name)
        return Connection(
            name=name,
            adapter=profile.adapter,
            parameters=profile.parameters,
            real_money_allowed=live_trading,
        )

    def tradable(self, name: str, *, live_trading: bool) -> Connection:
        """Connection that orders may be sent over; raises UserError for real money without leave."""
        profile = self.get(name)
        parameters = profile.checked()
        if parameters.is_real_money and not live_trading:
            raise real_money_refused(name, parameters)
        return self.connection(name, live_trading=live_trading)

    def _path(self, name: str) -> Path:
        return self.folder / f"{Path(name).name or '.'}{_SUFFIX}"

    def _refuse_keys(self, profile: ConnectionProfile, path: Path) -> None:
        found = {field.name for field in profile.spec.secrets} & set(profile.parameters)
        if found:
            raise UserError(
                f"{path} holds {' and '.join(sorted(found))}, and keys never stand in a file; remove that "
                f"line, and keep the key with: nexttick keys set {profile.name}"
            )


def kept_of(connection: Connection) -> Profile:
    """What is kept of a connection's keys."""
    adapter = adapter_named(connection.adapter)
    return Profile(
        connection.name,
        f"{adapter.title} ({connection.name})",
        tuple(field.name for field in adapter.secrets),
        tuple(field.name for field in adapter.secrets if field.kind == "text"),
    )


def kept_named(name: str, profiles: Profiles) -> Profile:
    """What is kept under a name, of a vendor or of a connection; raises UserError with the nearest ones."""
    if name in PROFILES:
        return PROFILES[name]
    if name not in profiles.names():
        raise unknown_name("profile", name, [*PROFILES, *profiles.names()])
    return profiles.get(name).kept
