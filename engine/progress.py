"""How long work tells how far it is, and how it is stopped: one word for each, wherever it is done."""

from collections.abc import Callable

type Progress = Callable[[float, str], None]
"""Takes the fraction done, 0 to 1, and what is being done; what it raises stops the work, undone."""


class Cancelled(Exception):  # noqa: N818 - not an error
    """The person stopped the work; nothing was changed."""


def silent(_fraction: float, _what: str) -> None:
    """Progress that nobody watches."""
