"""The one kind of failure that is the user's to mend; all others are bugs and keep their traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """One plain sentence: what is wrong and the next step; exit code 2, or a banner in the window."""


def unknown_name(what: str, given: str, valid: Iterable[str]) -> UserError:
    """Say that `given` is no known `what`, with the nearest valid choices (all of them when few)."""
    names = sorted(valid)
    if not names:
        return UserError(f"There is no {what} yet, so {given!r} cannot be used.")
    near = get_close_matches(given, names, n=3, cutoff=0.4) or names[:8]
    return UserError(f"Unknown {what} {given!r}; choose {' or '.join(near)}.")
