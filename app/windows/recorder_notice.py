"""Says above all panels that the recorder stopped or reached its cap: no loss must go by unseen."""

from typing import Final

from app.state.session import SessionState
from app.windows.banner import Banner
from engine.messages.frames import Recorder

_KEY: Final = "recorder"


class RecorderNotice:
    """Tells each change of the recorder's state once."""

    def __init__(self, banner: Banner) -> None:
        self._banner = banner
        self._told = Recorder().state

    def refresh(self, state: SessionState) -> None:
        """Tell that it stopped in red and that it is capped in amber, or take the words back."""
        recorder = state.recorder
        if recorder.state == self._told:
            return
        self._told = recorder.state
        if recorder.state == "stopped":
            self._banner.say(recorder.text, severity="danger", key=_KEY)
        elif recorder.state == "capped":
            self._banner.say(recorder.text, severity="warning", key=_KEY)
        else:
            self._banner.clear(_KEY)
