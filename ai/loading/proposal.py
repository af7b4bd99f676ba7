"""What the user has said of a stranger's model, and the guess at the rest that comes back."""

import msgspec

from ai.loading.mapping import Mapped
from ai.passport import Meaning


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the user has said already; the rest is guessed.

    Attributes
    ----------
    features : str
        Name of the feature set.
    output : str
        Name of the output that is the prediction.
    horizon : str
        How far ahead the model looks: rows of its clock (`100`) or a time (`10s`).
    """

    features: str = ""
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A guess at the whole mapping, for the user to confirm.

    Attributes
    ----------
    mapped : Mapped or None
        None where nothing fits.
    features : str
        Name of the proposed feature set.
    fitting : tuple of str
        Names of all sets that would fit.
    assumptions : tuple of str
        What the file does not tell and was guessed; one sentence each.
    reasons : tuple of str
        Why nothing fits, each with the next step; empty where `mapped` is given.
    """

    mapped: Mapped | None = None
    features: str = ""
    fitting: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class MisfitError(Exception):
    """The file cannot be mapped; the text is the reason with the next step."""
