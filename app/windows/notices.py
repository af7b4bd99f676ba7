"""What a window says of its session above all panels: how it is connected, refusals, halts, its mode."""

from typing import TYPE_CHECKING, Final

from app.session import Notice
from app.windows.disarmed import DisarmNotice
from app.windows.halt_notice import HaltNotice
from app.windows.recorder_notice import RecorderNotice
from app.windows.session_text import mode_of

if TYPE_CHECKING:
    from app.windows.main_window import MainWindow

_CONNECTION: Final = "connection"
_REFUSAL: Final = "refusal"


class Notices:
    """Those of one window.

    Parameters
    ----------
    window : MainWindow

    Attributes
    ----------
    mode_colour : str
        Token of what the session is now, for the window's frame.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window, self._top = window, window.top
        self.mode_colour = "signal"
        self._refusals_seen = 0
        self._dismissed: str | None = None
        self._disarmed = DisarmNotice(self._top.banner, window.deeds.show_model_strip)
        self._recorder = RecorderNotice(self._top.banner)
        self._halt = HaltNotice(self._top.halt, window.deeds.rearm)
        self._top.banner.dismissed.connect(self._on_dismissed)

    def start_anew(self) -> None:
        """Forget what was said of another session."""
        self._refusals_seen = 0
        self._dismissed = None
        self._top.banner.clear(_CONNECTION)

    def refresh(self) -> None:
        """Say what is new."""
        session, banner = self._window.station.session, self._top.banner
        notice = session.notice if session is not None else None
        self.show_mode(notice)
        if notice is None:
            self._dismissed = None
            banner.clear(_CONNECTION)
        elif self._dismissed != notice.cause:
            banner.say(
                notice.text,
                severity="danger" if notice.cause != "end" else "info",
                key=_CONNECTION,
                details="\n".join(notice.details),
                action=(self._window.tr("Restart"), self._window.deeds.restart_session),
            )
        if session is None:
            return
        if session.state.refusals > self._refusals_seen and session.state.refusal is not None:
            banner.say(session.state.refusal.text, severity="warning", key=_REFUSAL)
        self._refusals_seen = session.state.refusals
        self._disarmed.refresh(session.state)
        self._recorder.refresh(session.state)

    def show_mode(self, notice: Notice | None) -> None:
        """Say in every place what the session is, and how old what it shows is."""
        station = self._window.station
        state, mode = station.state, mode_of(notice, station.state)
        self._top.show_mode(*mode)
        self._top.arm.show_control(state.control if state is not None else None)
        self._top.kill.setEnabled(state is not None)
        self._halt.refresh(state)
        stale_s = station.session.stale_s if station.session is not None else None
        for host in self._window.hosts.values():
            host.set_stale(stale_s)
        self._top.transport.set_down(down=notice is not None and notice.cause != "silence")
        if mode[1] != self.mode_colour:
            self.mode_colour = mode[1]
            self._window.update()

    def _on_dismissed(self, key: str) -> None:
        session = self._window.station.session
        if key == _CONNECTION and session is not None and session.notice is not None:
            self._dismissed = session.notice.cause
