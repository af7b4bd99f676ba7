"""Says above all panels that a rule disarmed the model: it must not go by behind a tab."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication

from app.state.session import SessionState
from app.windows.banner import Banner
from engine.messages.events import ArmingChanged

_KEY: Final = "disarmed"


class DisarmNotice:
    """Tells each disarming once; `show_strip` brings the model strip to the front."""

    def __init__(self, banner: Banner, show_strip: Callable[[], None]) -> None:
        self._banner, self._show_strip = banner, show_strip
        self._told: ArmingChanged | None = None

    def refresh(self, state: SessionState) -> None:
        """Tell a new disarming, or take the words back where the model is armed again."""
        changed = state.signals.arming_changed
        if changed is self._told:
            return
        self._told = changed
        if changed is None or changed.by != "rule":
            self._banner.clear(_KEY)
            return
        text = QCoreApplication.translate("DisarmNotice", "A rule disarmed the model. %1")
        action = QCoreApplication.translate("DisarmNotice", "Show the model"), self._show_strip
        self._banner.say(text.replace("%1", changed.reason), severity="danger", key=_KEY, action=action)
