"""The person's preferences, in one TOML file that they may edit by hand.

A file that cannot be read is set aside, never overwritten, and the window starts with its defaults and says
so in one sentence. A command, which shows no such banner, refuses it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from app.toml import encode, write_atomically
from engine.errors import UserError, in_words


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the station remembers of a person's choices.

    Attributes
    ----------
    theme : str
        `dark` or `light`.
    colour_blind : bool
        Blue and orange instead of green and red.
    engine : str
        Where a session runs: `process`, or `thread` for debugging.
    engine_when_window_closes : str
        `stop` ends the session with its last window; `keep` lets it run on, to be attached to later; `cancel`
        does so, too, once its working orders are cancelled.
    layout : str
        Name of the layout that a new window takes.
    store : str
        Folder of the tick store; empty is the default one.
    bookmarks : dict
        Market times in ns, ascending, by instrument.
    speed : float
        Last replay speed, market seconds per second; 0 is as fast as possible.
    record : str
        What is recorded of the sessions of a window: `all`, `events` without market data, or `off`.
    recordings : str
        Folder of all recordings; empty is the default one.
    recording_cap_mb, recordings_cap_mb : int
        Most megabytes of one recording, and of all together; 0 is no limit. The oldest market data make room.
    recording_copies : str
        Folder or `s3://BUCKET/PREFIX` that recordings are copied to; empty is none. Keys never stand here.
    recording_lake : str
        Folder of the Apache Iceberg warehouse that recordings are appended to; empty is none.
    trading_keys : dict
        Keys of the trading actions by their id, where they differ from the usual ones; empty is no key.
    ladder_sizes : dict
        Size of an order that is placed on the ladder, then the presets beside it, by instrument.
    hand_lots : int
        Size of an order that is placed by a key, in lots.
    kill_window : str
        `live` opens the kill window with every live session, `never` only when it is asked for.
    live_trading : bool
        Whether orders may cost real money. No window sets it: who wants that writes it here by hand, once a
        connection was tried on a test environment, so that a wrong click or a wrong profile costs nothing.
    """

    theme: Literal["dark", "light"] = "dark"
    colour_blind: bool = False
    engine: Literal["process", "thread"] = "process"
    engine_when_window_closes: Literal["stop", "cancel", "keep"] = "stop"
    layout: str = "desk"
    store: str = ""
    bookmarks: dict[str, list[int]] = {}
    speed: float = 1.0
    record: Literal["all", "events", "off"] = "all"
    recordings: str = ""
    recording_cap_mb: Annotated[int, msgspec.Meta(ge=0)] = 2_048
    recordings_cap_mb: Annotated[int, msgspec.Meta(ge=0)] = 20_480
    recording_copies: str = ""
    recording_lake: str = ""
    trading_keys: dict[str, str] = {}
    ladder_sizes: dict[str, list[str]] = {}
    hand_lots: Annotated[int, msgspec.Meta(ge=1)] = 1
    kill_window: Literal["live", "never"] = "live"
    live_trading: bool = False


class SettingsFile:
    """Settings and the file they live in.

    Attributes
    ----------
    settings : Settings
        The current ones.
    problem : str
        One sentence on a file that could not be read, for the banner; empty where all is well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.settings = self._read()

    def update(self, **changes: Any) -> Settings:
        """Change some settings and write them."""
        self.settings = msgspec.structs.replace(self.settings, **changes)
        write_atomically(self.path, encode(self.settings))
        return self.settings

    def _read(self) -> Settings:
        try:
            return read(self.path)
        except UserError as error:
            kept = self.path.with_suffix(f".broken-{datetime.now(UTC):%Y%m%d-%H%M%S}.toml")
            try:
                self.path.replace(kept)
                where = f"it was kept as {kept.name}"
            except OSError:
                where = "it was left where it is"
            said = error.__cause__
            self.problem = f"The settings could not be read ({said}); {where} and the defaults are used."
            return Settings()


def read(path: Path) -> Settings:
    """Settings of a file, or the defaults where there is none.

    Raises
    ------
    UserError
        It cannot be read.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be used: {in_words(error)}; correct it or remove it.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check its permissions.") from error
