"""What a model card shows, as plain words and figures, made by whoever looked at the model."""

from typing import Literal

import msgspec

from engine.messages.run import Arming

type Tone = Literal["text", "quiet", "signal", "warning", "danger", "bid"]
"""A colour's name in the theme."""


class Fact(msgspec.Struct, frozen=True):
    """One line: what it is, and what it says."""

    label: str
    text: str
    tone: Tone = "text"
    tip: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of figures; with a `note` the words stand in place of the figures."""

    cells: tuple[str, ...]
    note: str = ""
    best: bool = False


class Table(msgspec.Struct, frozen=True):
    """Figures in columns; the first column is the name."""

    columns: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """Facts under one heading, a table below them; what the model achieved stands at the right."""

    title: str
    facts: tuple[Fact, ...] = ()
    table: Table = Table()
    is_result: bool = False


class Tick(msgspec.Struct, frozen=True):
    """One thing that was verified; `ok` is None where it could not be."""

    label: str
    ok: bool | None
    text: str


class Deed(msgspec.Struct, frozen=True):
    """A button: its words, whether it can be pressed, and why not (or what it does)."""

    text: str = ""
    enabled: bool = False
    tip: str = ""


class Choice(msgspec.Struct, frozen=True):
    """One entry of a list to choose from."""

    id: str
    text: str


class MappingAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a model without a passport.

    Attributes
    ----------
    window : int or None
        Rows of one prediction; None where the file's shape tells it.
    fit_on : str
        Stored instrument whose days scale the inputs; empty gives them as they are.
    """

    features: str = ""
    output: str = ""
    meaning: str = ""
    classes: str = ""
    window: int | None = None
    horizon: str = ""
    fit_on: str = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed mapping, to be confirmed or corrected.

    Attributes
    ----------
    answers : MappingAnswers
        What the form is filled with.
    assumed : tuple of str
        Sentences on what the file does not tell and was guessed.
    problem : str
        Why it cannot be used as it stands; empty where it can.
    """

    answers: MappingAnswers
    features: tuple[Choice, ...] = ()
    outputs: tuple[Choice, ...] = ()
    meanings: tuple[Choice, ...] = ()
    fits: tuple[Choice, ...] = ()
    assumed: tuple[str, ...] = ()
    problem: str = ""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on one card.

    Attributes
    ----------
    verdict, verdict_tone : str
        One word, and its colour.
    explanation : str
        The verdict in a sentence, with the next step.
    working : str
        What is being done in the background; empty where nothing is.
    problem : str
        Why the last step failed; empty where none did.
    warnings : tuple of str
        What nobody may overlook.
    trust : str
        What trusting this file means, in plain words; empty where trust is not the question.
    convert, measure : Deed
        Without words there is no such button.
    arming : Arming or None
        What the model does in the session; None where it is not in it.
    session : str
        One sentence on the model and the session.
    needs_session : bool
        Whether to offer the demo and the stored data.
    """

    title: str = ""
    file: str = ""
    verdict: str = ""
    verdict_tone: Tone = "quiet"
    explanation: str = ""
    working: str = ""
    problem: str = ""
    warnings: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    ticks: tuple[Tick, ...] = ()
    measured: Table = Table()
    measured_note: str = ""
    trust: str = ""
    mapping: Mapping | None = None
    convert: Deed = Deed()
    measure: Deed = Deed()
    arming: Arming | None = None
    arm: Deed = Deed()
    shadow: Deed = Deed()
    disarm: Deed = Deed()
    session: str = ""
    needs_session: bool = False
