"""The one kind of failure that is the user's to mend; all others are bugs and keep their traceback."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches


class UserError(Exception):
    """One plain sentence: what is wrong and the next step; exit code 2, or a banner in the window."""


_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number in quotation marks",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_PLAIN: tuple[tuple[str, Callable[[str, list[str]], str]], ...] = (
    (r"Object missing required field `(.+?)`", lambda at, found: f"it has no {_under(at, found[0])}"),
    (
        r"Object contains unknown field `(.+?)`",
        lambda at, found: f"{_under(at, found[0])} is nothing that belongs there",
    ),
    (r"Invalid enum value (.+)", lambda at, found: f"{at} = {found[0]} is none of the values it can have"),
    (r"Expected `(.+?)`, got `(.+?)`", lambda at, found: f"{at} is {_type(found[1])}, not {_type(found[0])}"),
)
"""How msgspec says what is wrong with a value, and how a person would."""

_ALL_OF = 24
_FIRST = 8


def unknown_name(what: str, given: str, valid: Iterable[str]) -> UserError:
    """Say that `given` is no known `what`, with the nearest valid choices; with all where none is near.

    Near is what differs in few letters, or begins with what was given. Of more than 24 only some are named.
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


def in_words(error: Exception) -> str:
    """What msgspec found wrong with a file's values, in words; what it says otherwise stays."""
    said, _, place = str(error).partition(" - at `$")
    said = said.removesuffix(".")  # ours are sentences, and this one goes on
    where = place.removesuffix("`").removeprefix(".")
    for pattern, words in _PLAIN:
        found = re.fullmatch(pattern, said)
        if found is not None:
            return words(where or "it", list(found.groups()))
    return f"{where}: {said[:1].lower()}{said[1:]}" if where else said


def _under(where: str, name: str) -> str:
    return name if where == "it" else f"{where}.{name}"


def _type(names: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in names.split(" | "))
