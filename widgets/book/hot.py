"""The ladder's hot buttons: flatten, reverse, cancel all and break-even, each with its key in its tip."""

from collections.abc import Callable, Mapping
from typing import Final, override

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from engine.messages.commands import AnyCommand, BreakEven, CancelAll, Flatten, Reverse
from engine.messages.frames import Control
from widgets.own_orders import why_not

_NARROW: Final = 300

_COMMANDS: Final[Mapping[str, Callable[[str], AnyCommand]]] = {
    "flatten": Flatten,
    "reverse": Reverse,
    "cancel_all": CancelAll,
    "break_even": BreakEven,
}


def _tr(text: str) -> str:
    return QCoreApplication.translate("HotButtons", text)


def _words() -> dict[str, tuple[str, str, str]]:
    """Text, text for a narrow ladder, and what it does, by the command's name."""
    return {
        "flatten": (
            _tr("Flatten"),
            _tr("Flat"),
            _tr("Cancel the orders of this instrument and close its position at market"),
        ),
        "reverse": (
            _tr("Reverse"),
            _tr("Rev"),
            _tr("Cancel the orders of this instrument and turn its position round at market"),
        ),
        "cancel_all": (_tr("Cancel all"), _tr("Cxl"), _tr("Cancel all orders of this instrument")),
        "break_even": (
            _tr("Break-even"),
            _tr("B/E"),
            _tr("Move the stop of the position to where it loses nothing, fees included"),
        ),
    }


class HotButtons(QWidget):
    """Deeds on the whole of an instrument, one click each.

    Signals
    -------
    command_asked(AnyCommand)
    """

    command_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = ""
        self._off = ""
        self._keys: Mapping[str, str] = {}
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for name in _COMMANDS:
            button = QPushButton()
            button.setObjectName("hot")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _checked=False, asked=name: self._on_clicked(asked))
            self.buttons[name] = button
            row.addWidget(button, 1)
        self._settle()

    def show_instrument(self, instrument: str) -> None:
        """Work on this instrument; the empty name is none."""
        self._instrument = instrument
        self._settle()

    def set_control(self, control: Control) -> None:
        """Allow what may be done now: closing and cancelling always, turning round only where orders pass."""
        off = why_not(control)
        if off != self._off:
            self._off = off
            self._settle()

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys that do the same, by `flatten`, `reverse`, `cancel_all` and `break_even`."""
        self._keys = keys
        self._settle()

    def _settle(self) -> None:
        narrow = self.width() < _NARROW
        for name, (text, short, tip) in _words().items():
            button = self.buttons[name]
            button.setText(short if narrow else text)
            allowed = name != "reverse" or not self._off
            button.setEnabled(bool(self._instrument) and allowed)
            key = f" ({self._keys[name]})" if self._keys.get(name) else ""
            why = "" if allowed else f"\n{self._off}"
            button.setToolTip(f"{tip}{key}{why}")

    def _on_clicked(self, name: str) -> None:
        self.command_asked.emit(_COMMANDS[name](self._instrument))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()
