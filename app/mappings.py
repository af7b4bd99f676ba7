"""The mappings of tables' columns that the user saved: one TOML file each, in the station's own folder."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.paths import home
from app.toml import encode, write_atomically
from engine.errors import UserError, unknown_name
from engine.feeds.decoded import Undecodable
from engine.feeds.mapping import Mappings, NamedMapping, TableMapping, mapping_of
from engine.feeds.mapping_proposal import Proposal, first_bytes_are_enough, propose_mapping
from engine.feeds.reader import data_files

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TO_FILL_IN: Final = "…"
_HEAD_BYTES: Final = 1 << 20
_PACKED: Final = (b"PK", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def folder() -> Path:
    """Where mappings are saved."""
    return home() / "mappings"


def mappings(said: str = "") -> Mappings:
    """All saved mappings, and the one that the user `said`: its name or the path of a file.

    Raises
    ------
    UserError
        There is no such mapping, or a saved one cannot be used.
    """
    saved = tuple(_read(path) for path in sorted(folder().glob("*.toml")))
    if not said:
        return Mappings(saved=saved)
    named = next((each for each in saved if each.name == said), None)
    if named is not None:
        return Mappings(said=named)
    path = Path(said)
    if path.suffix != ".toml":
        raise unknown_name("mapping", said, [each.name for each in saved])
    return Mappings(said=_read(path))


def save_mapping(name: str, text: str) -> Path:
    """Save TOML text under a name; answers the file.

    Raises
    ------
    UserError
        The name is none, or the text is no mapping.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot name a mapping; use letters, digits, - and _ only, for example my-broker."
        )
    path = folder() / f"{name}.toml"
    mapping_of(tomllib.loads(text), path)
    write_atomically(path, text)
    return path


def proposal_for(path: Path, zone: str = "") -> Proposal:
    """Mapping that the table `path` (the first data file of a folder) seems to need.

    `zone` is that of its times, where it is known.

    Raises
    ------
    UserError
        It cannot be read, or is no table.
    """
    file = data_files(path)[0]
    try:
        with file.open("rb") as opened:
            data = opened.read(_HEAD_BYTES)
            if data.startswith(_PACKED) or not first_bytes_are_enough(data):
                data += opened.read()
        return propose_mapping(file.name, data, zone)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); check the path.") from error
    except Undecodable as reason:
        raise UserError(f"No mapping can be proposed for {file}: {reason}.") from reason


def mapping_text(mapping: TableMapping, sure: Sequence[str] = (), unsure: Sequence[str] = ()) -> str:
    """A mapping as TOML, what is sure and what is to be checked as comments above it.

    Columns that are still missing stand there to be filled in.
    """
    said = [*(f"sure:  {each}" for each in sure), *(f"check: {each}" for each in unsure)]
    lines = ["# " + "".join(letter for letter in each if letter.isprintable()) for each in said]
    open_roles = dict.fromkeys(mapping.missing, _TO_FILL_IN)
    shown = msgspec.structs.replace(mapping, columns={**mapping.columns, **open_roles})
    return "\n".join([*lines, ""] * bool(lines)) + encode(shown)


def _read(path: Path) -> NamedMapping:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; check the path of the mapping.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be used as a mapping: {error}; correct it or remove it.") from error
    return NamedMapping(path.stem, mapping_of(data, path))
