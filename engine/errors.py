"""The one kind of failure that is the user's to mend; all others are bugs and keep their traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """One plain sentence: what is wrong and the next step; exit code 2, or a banner in the window."""


_ALL_OF = 16
_FIRST = 8


def unknown_name(what: str, given: str, valid: Iterable[str]) -> UserError:
    """Say that `given` is no known `what`, with the nearest valid choices; with all where none is near.

    Near is what differs in few letters, or begins with what was given. Of more than 16 only some are named.
    """
    names = sorted(valid)
    if not names:
        return UserError(f"There is no {what} yet, so {given!r} cannot be used.")
    begin = [name for name in names if given and name.lower().startswith(given.lower())]
    near = get_close_matches(given, names, n=3, cutoff=0.6) or begin[:3]
    if near:
        return UserError(f"Unknown {what} {given!r}; choose {' or '.join(near)}.")
    if len(names) > _ALL_OF:
        shown = ", ".join(names[:_FIRST])
        return UserError(f"Unknown {what} {given!r}; choose {shown} or one of {len(names) - _FIRST} more.")
    shown = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return UserError(f"Unknown {what} {given!r}; choose {shown}.")
