"""Whether and where orders pass, as a switch in the window's head: View, Paper or Live."""

import time
from typing import Final

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QToolButton, QWidget

from engine.messages.events import HaltStep
from engine.messages.frames import Control
from engine.messages.run import ArmState, Mode
from widgets.numbers import mono_font

_STATES: Final[tuple[ArmState, ...]] = ("view", "paper", "live")
_NS_PER_S: Final = 1_000_000_000


def _tr(text: str) -> str:
    return QCoreApplication.translate("ArmSwitch", text)


def why_not(state: ArmState, control: Control | None) -> str:
    """Why a session cannot be armed so, in one sentence; empty where it can."""
    if control is None:
        return _tr("Open a session first.")
    if state != "view" and control.halt is not HaltStep.NONE:
        return _tr("The kill switch has halted this session; re-arm it first.")
    reasons: dict[tuple[ArmState, Mode], str] = {
        ("live", "replay"): _tr("A replay cannot reach Live; open a live session for that."),
        ("live", "paper"): _tr("A paper session fills its orders itself; open a live session for real ones."),
        ("paper", "live"): _tr("This session's orders go to a real venue; open a paper session for Paper."),
    }
    return reasons.get((state, control.mode), "")


def time_left(control: Control, now_s: float) -> str:
    """How long Live lasts without an order by hand: `29:41`; empty where it is not armed or never ends."""
    if control.arm != "live" or control.expires_ns is None:
        return ""
    left = max(0, int(control.expires_ns / _NS_PER_S - now_s))
    return f"{left // 60}:{left % 60:02d}"


class ArmSwitch(QWidget):
    """Three buttons, one of them down; what cannot be chosen is grey and says why.

    Signals
    -------
    asked(str)
        The person wants this `ArmState`.
    """

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("arm_switch")
        self._shown: tuple[Control | None, str] = (None, "-")
        self.buttons: dict[ArmState, QToolButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        texts = {"view": _tr("VIEW"), "paper": _tr("PAPER"), "live": _tr("LIVE")}
        for state in _STATES:
            button = QToolButton()
            button.setText(texts[state])
            button.setProperty("arm", state)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _, wanted=state: self._on_clicked(wanted))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[state] = button
        self._left = QLabel()
        self._left.setObjectName("arm_left")
        self._left.setFont(mono_font(11))
        self._left.setToolTip(_tr("Live falls back to View after this long without an order by hand"))
        row.addWidget(self._left)
        self.show_control(None)

    @property
    def time_left(self) -> str:
        """Countdown shown."""
        return "" if self._left.isHidden() else self._left.text()

    def show_control(self, control: Control | None) -> None:
        """Show how a session is armed; None is no session."""
        left = "" if control is None else time_left(control, time.time())
        if (control, left) == self._shown:
            return
        self._shown = (control, left)
        for state, button in self.buttons.items():
            reason = why_not(state, control)
            button.setEnabled(not reason)
            button.setToolTip(reason or _tips()[state])
            button.setChecked(control is not None and control.arm == state)
        self._left.setText(left)
        self._left.setVisible(bool(left))

    def _on_clicked(self, state: ArmState) -> None:
        # The engine decides; until it did the switch stays where it was.
        control = self._shown[0]
        self._shown = (None, "-")
        self.show_control(control)
        self.asked.emit(state)


def _tips() -> dict[ArmState, str]:
    return {
        "view": _tr("No order is placed; cancelling and reducing still work (F9)"),
        "paper": _tr("Orders go to a simulated venue (F10)"),
        "live": _tr("Orders go to the venue and cost money (F12)"),
    }
