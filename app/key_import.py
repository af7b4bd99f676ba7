"""Keys as other programs leave them: in environment variables, and in files; read and left where they are."""

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from app.secrets import Profile
from engine.errors import UserError

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_LARGEST_BYTES: Final = 1 << 20
_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH


def from_environment(profile: Profile, prefix: str) -> tuple[dict[str, str], str]:
    """Fields from variables like `PREFIX_API_KEY`, and a warning of what still holds them.

    Raises
    ------
    UserError
        A variable is missing.
    """
    names = {field: f"{prefix.rstrip('_')}_{field}".upper() for field in profile.fields}
    missing = [name for name in names.values() if not os.environ.get(name)]
    if missing:
        raise UserError(
            f"The environment has no {' and no '.join(missing)}; set what is missing, or the prefix."
        )
    fields = {field: os.environ[name] for field, name in names.items()}
    return fields, (
        f"The environment still holds {' and '.join(names.values())}, as does whatever sets it; remove it "
        "there, or every program that you start can read the key."
    )


def from_file(profile: Profile, path: Path) -> tuple[dict[str, str], str]:
    """Fields from a JSON object, or from lines like `BINANCE_API_KEY=…`, and a warning.

    Raises
    ------
    UserError
        The file cannot be read, or lacks a field.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError(f"{path} is too large to be a file of keys; choose another.")
        text = path.read_text(encoding="utf-8-sig")
        others = bool(path.stat().st_mode & _OTHERS) and sys.platform != "win32"
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text; choose a file of keys.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); choose another.") from error
    found = _found(text)
    fields = {field: _ending_in(field, found, path) for field in profile.fields}
    whose = ", which others on this machine can read too" if others else ""
    return fields, f"{path} still holds the key{whose}; delete it, and what backups have of it."


def _found(text: str) -> Mapping[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.MsgspecError:
        pass
    matches = (_ASSIGNMENT.fullmatch(line.strip()) for line in text.splitlines())
    return {match[1]: match[2].strip().strip("\"'") for match in matches if match is not None}


def _ending_in(field: str, found: Mapping[str, str], path: Path) -> str:
    """Value of the one name that is the field's or ends in it; of several nobody knows which is meant."""
    named = [name for name in found if name.lower() == field or name.lower().endswith(f"_{field}")]
    if len(named) == 1:
        return found[named[0]]
    if not named:
        raise UserError(f"{path} has no {field}, neither in JSON nor as a line {field.upper()}=…; add it.")
    raise UserError(
        f"{path} has {' and '.join(sorted(named))}; leave only that of this profile, and try again."
    )
