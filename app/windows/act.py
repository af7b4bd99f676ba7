"""What one action is: a line of the actions' table."""

from typing import Final

import msgspec
from PySide6.QtCore import QCoreApplication

CONTEXT: Final = "actions"
"""Translation context of the texts of actions and menus."""


class Act(msgspec.Struct, frozen=True):
    """One action.

    Attributes
    ----------
    id : str
        Its name in settings and tests.
    text : str
        In English; `label` is the translation.
    keys : str
        Portable key sequences, separated by `; `; the first is the one that is shown.
    slot : str
        Method of the main window that does it.
    menu : str
        Menu it stands in, in English.
    icon : str
        Name in `resources/icons`, or nothing.
    checkable : bool
        Whether it is a state rather than a deed.
    """

    id: str
    text: str
    keys: str
    slot: str
    menu: str
    icon: str = ""
    checkable: bool = False

    @property
    def label(self) -> str:
        """Text in the person's language."""
        return QCoreApplication.translate(CONTEXT, self.text)


def menu_label(menu: str) -> str:
    """Menu's name in the person's language."""
    return QCoreApplication.translate(CONTEXT, menu)
