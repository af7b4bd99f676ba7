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
from engine.nautilus.adapters import adapter_named
from engine.nautilus.adapters.clients import parameters_in, real_money_refused

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SUFFIX: Final = ".toml"


class Profiles:
    """Profiles in a folder; by default that of the station's settings."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "connections"

    def names(self) -> list[str]:
        """Names of all, in order."""
        files = self.folder.glob(f"*{_SUFFIX}") if self.folder.is_dir() else ()
        return sorted(path.stem for path in files if _NAME.fullmatch(path.stem))

    def get(self, name: str, *, live_trading: bool = False) -> Connection:
        """Connection of this name.

        Parameters
        ----------
        live_trading : bool
            The person's setting of this name; it says whether real money is allowed.

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
        adapter = str(table.pop("adapter", ""))
        connection = Connection(name=name, adapter=adapter, parameters=table, real_money_allowed=live_trading)
        _refuse_keys(connection, path)
        parameters_in(connection)
        return connection

    def save(self, connection: Connection) -> None:
        """Write a profile; raises UserError where it has no name, or its adapter cannot have what it says."""
        if not _NAME.fullmatch(connection.name):
            raise UserError(
                f"A connection cannot be called {connection.name!r}; take small letters, digits, - and _."
            )
        if connection.name in PROFILES:
            raise UserError(f"{connection.name} is the name of a vendor of data; call it otherwise.")
        parameters_in(connection)
        table = {"adapter": connection.adapter, **connection.parameters}
        try:
            write_atomically(self._path(connection.name), encode_table(table))
        except OSError as error:
            raise UserError(
                f"{self.folder} cannot be written ({error.strerror}); make room there."
            ) from error

    def delete(self, name: str) -> None:
        """Remove a profile's file; its keys are another matter."""
        self._path(name).unlink(missing_ok=True)

    def tradable(self, name: str, *, live_trading: bool) -> Connection:
        """Connection that orders may be sent over; raises UserError for real money without leave."""
        connection = self.get(name, live_trading=live_trading)
        parameters = parameters_in(connection)
        if parameters.is_real_money and not live_trading:
            raise real_money_refused(name, parameters)
        return connection

    def _path(self, name: str) -> Path:
        return self.folder / f"{Path(name).name or '.'}{_SUFFIX}"


def _refuse_keys(connection: Connection, path: Path) -> None:
    found = set(kept_of(connection).fields) & set(connection.parameters)
    if found:
        raise UserError(
            f"{path} holds {' and '.join(sorted(found))}, and keys never stand in a file; remove that "
            f"line, and keep the key with: nexttick keys set {connection.name}"
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
    return kept_of(profiles.get(name))
