"""The passphrase of the vault of keys, while the program runs.

It may come from the environment, from where it is taken at once, so that no child process inherits it. The
program remembers it here, as whoever asks for a key may be far from who knew the passphrase.
"""

import getpass
import os
import sys
from typing import Final

from engine.errors import UserError

VARIABLE: Final = "NEXTTICK_VAULT_PASSPHRASE"
SHORTEST: Final = 8

_remembered: Final[list[str]] = []


def take_from_environment() -> None:
    """Move the passphrase out of the environment."""
    if passphrase := os.environ.pop(VARIABLE, ""):
        remember(passphrase)


def remember(passphrase: str) -> None:
    """Keep it until the program ends."""
    _remembered[:] = [passphrase]


def forget() -> None:
    """Drop it, as one that does not fit."""
    _remembered.clear()


def known() -> str | None:
    """The passphrase, if the program has it."""
    take_from_environment()
    return _remembered[0] if _remembered else None


def typed(*, is_new: bool) -> str | None:
    """The passphrase as typed at the terminal, where nobody sees it; None where there is no terminal.

    Raises
    ------
    UserError
        A new one that is too short, or not typed the same twice.
    """
    if not sys.stdin.isatty():
        return None
    if not is_new:
        return getpass.getpass("Passphrase of the vault of keys: ")
    passphrase = getpass.getpass("New passphrase for the vault of keys: ")
    if getpass.getpass("The same again: ") != passphrase:
        raise UserError("The two passphrases differ; run this again.")
    return checked(passphrase)


def known_or_typed(is_new: bool) -> str | None:  # noqa: FBT001 - as the vault asks
    """The passphrase, asked for at the terminal where the program does not have it."""
    found = known() or typed(is_new=is_new)
    if found:
        remember(found)
    return found


def checked(passphrase: str) -> str:
    """A new passphrase; raises UserError where it is too short to protect anything."""
    if len(passphrase) < SHORTEST:
        raise UserError(f"The passphrase is shorter than {SHORTEST} signs; choose a longer one.")
    return passphrase
