"""What is said between the window and the process that looks at models, as plain structs."""

from typing import Final

import msgspec

from ai.loading.inspection import Inspection
from ai.passport import Meaning
from ai.registry import Entry
from ai.runtime.choosing import Choice

MEASURED: Final = "p50_us"
"""Metric of a kept model: one prediction on this machine in its fastest runtime, microseconds."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """Inspect a file; `trust` is its sha256 where its own code may run. Keep it where it can be armed."""

    path: str
    trust: str = ""


class Measure(msgspec.Struct, frozen=True, tag=True):
    """Measure every runtime on an accepted model."""

    found: Inspection
    entry: Entry | None = None
    device: str = "auto"


class Propose(msgspec.Struct, frozen=True, tag=True):
    """Guess what a model without a passport reads and tells.

    Feature sets that read no more than these `kinds` of market data are tried first.
    """

    found: Inspection
    kinds: tuple[str, ...] = ()


class UseMapping(msgspec.Struct, frozen=True, tag=True):
    """Write the passport that a person's words make, and keep the model with it.

    Attributes
    ----------
    features : str
        Name of a feature set; what else is left empty is guessed again.
    window : int or None
        None where the file's shape tells it.
    fit_on, store : str
        Instrument of that tick store whose first rows scale the inputs; empty gives them as they are.
    """

    found: Inspection
    features: str
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""
    trust: str = ""
    fit_on: str = ""
    store: str = ""


class Convert(msgspec.Struct, frozen=True, tag=True):
    """Write a trusted model or weights as ONNX and keep that."""

    found: Inspection
    trust: str = ""


type Request = Look | Measure | Propose | UseMapping | Convert


class Looked(msgspec.Struct, frozen=True, tag=True):
    """What a file is; `entry` where it is kept, and `found.path` is then the kept file's."""

    found: Inspection
    entry: Entry | None = None


class Measured(msgspec.Struct, frozen=True, tag=True):
    """Figures of every runtime, and what came of `device = auto` in words.

    `is_flat` tells that the model answered the same whatever it was given, as one without training does.
    """

    choice: Choice
    device: str
    is_flat: bool = False


class Proposed(msgspec.Struct, frozen=True, tag=True):
    """A guess at what a model reads and tells.

    Attributes
    ----------
    sets : dict
        Titles of the feature sets that would fit, by name; `features` is the one proposed.
    window : int or None
        Set where the file leaves it free.
    assumed : tuple of str
        What the file does not tell and was guessed.
    problem : str
        Why nothing fits; the rest is then empty, but for `sets`.
    """

    sets: dict[str, str]
    features: str = ""
    output: str = ""
    meaning: Meaning | None = None
    classes: tuple[str, ...] = ()
    window: int | None = None
    horizon: str = ""
    assumed: tuple[str, ...] = ()
    problem: str = ""


type Answer = Looked | Measured | Proposed


class Working(msgspec.Struct, frozen=True, tag=True):
    """What is being done now."""

    text: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It cannot be done; one sentence with the next step."""

    text: str


class Broke(msgspec.Struct, frozen=True, tag=True):
    """A fault of the program."""

    report: str


type Reply = Looked | Measured | Proposed | Working | Failed | Broke
