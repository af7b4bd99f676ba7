"""Says above all panels where the kill switch is, from the first step until the session is armed again."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication

from app.state.session import SessionState
from app.windows.banner import Banner
from engine.messages.events import HaltChanged, HaltStep

_KEY: Final = "halt"


def _tr(text: str) -> str:
    return QCoreApplication.translate("HaltNotice", text)


def halt_text(step: HaltStep, told: HaltChanged | None) -> str:
    """Step in a sentence, with what the switch said of it and why it fired."""
    sentences = {
        HaltStep.CANCELLING: _tr("Kill switch: cancelling all orders (1 of 4). New orders are blocked."),
        HaltStep.FLATTENING: _tr("Kill switch: closing all positions (2 of 4). New orders are blocked."),
        HaltStep.VERIFYING: _tr("Kill switch: checking that all is flat (3 of 4). New orders are blocked."),
        HaltStep.HALTED: _tr("Halted by the kill switch (4 of 4); no order passes."),
    }
    parts = [sentences[step]]
    if told is not None and told.step is step and told.text:
        parts.append(told.text)
    if told is not None and told.reason:
        parts.append(_tr("Cause: %1").replace("%1", told.reason))
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


class HaltNotice:
    """Keeps a banner of its own, so that no other message takes its place."""

    def __init__(self, banner: Banner, rearm: Callable[[], None]) -> None:
        self._banner, self._rearm = banner, rearm
        self._told = ""

    def refresh(self, state: SessionState | None) -> None:
        """Tell the step, or take the words back where the session is armed again."""
        step = HaltStep.NONE if state is None else state.control.halt
        text = "" if state is None or step is HaltStep.NONE else halt_text(step, state.halt)
        if text == self._told:
            return
        self._told = text
        if not text:
            self._banner.clear()
            return
        action = (_tr("Re-arm…"), self._rearm) if step is HaltStep.HALTED else None
        self._banner.say(text, severity="danger", key=_KEY, action=action)
