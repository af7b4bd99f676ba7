"""Layouts by name: the shipped ones are plain data, those that a person saves hold Qt's own state."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.toml import encode, write_atomically
from engine.errors import UserError, unknown_name

STANDARD: Final = "desk"


class DockPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one panel starts.

    Attributes
    ----------
    beside : bool
        To the right of the panel before it in the same area instead of below it.
    tabbed : bool
        On top of the panel before it in the same area, as a tab.
    width, height : int
        Wished size in logical pixels; 0 leaves it to Qt.
    """

    id: str
    area: Literal["left", "right", "bottom", "top"]
    beside: bool = False
    tabbed: bool = False
    width: int = 0
    height: int = 0


class WindowPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One window as Qt saved it, base64: docks, geometry, and the columns of each panel that has a table."""

    state: str
    geometry: str
    columns: dict[str, str] = {}


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Places of panels; `windows` (of a saved layout) win over `docks`, panels in neither are hidden."""

    title: str
    docks: list[DockPlace] = []
    windows: list[WindowPlace] = []


class Layouts:
    """The layouts of two folders, a person's own before those that come with the station."""

    def __init__(self, shipped: Path, own: Path) -> None:
        self._shipped = shipped
        self._own = own

    def names(self) -> list[str]:
        """Names that `load` knows, sorted."""
        return sorted({path.stem for folder in (self._shipped, self._own) for path in folder.glob("*.toml")})

    def load(self, name: str) -> Layout:
        """Layout of this name.

        Raises
        ------
        UserError
            There is none of this name, or its file is damaged.
        """
        for folder in (self._own, self._shipped):
            path = folder / f"{name}.toml"
            if _is_name(name) and path.is_file():
                try:
                    return msgspec.toml.decode(path.read_bytes(), type=Layout)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise UserError(
                        f"Layout {name!r} cannot be read ({error}); load another one or delete {path}."
                    ) from error
        raise unknown_name("layout", name, self.names())

    def save(self, name: str, windows: Sequence[WindowPlace]) -> None:
        """Save windows under a name of letters, digits, blanks, `-` and `_`; an older one is replaced.

        Raises
        ------
        UserError
            The name cannot be a file's.
        """
        if not _is_name(name):
            raise UserError(
                "A layout's name is made of letters, digits, blanks, - and _; choose another one."
            )
        layout = Layout(title=name, windows=list(windows))
        write_atomically(self._own / f"{name}.toml", encode(layout))


def _is_name(name: str) -> bool:
    return re.fullmatch(r"[\w -]{1,40}", name) is not None
