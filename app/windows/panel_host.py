"""Where a panel lives: binds it to the session, refreshes it when it is seen, and takes its failures.

A panel that raises is stopped and says so in its own place; the others live on.
"""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import cast

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from app.state.session import SessionState
from app.windows.panels import Aging, Controlled, Panel, PanelSpec
from engine.messages.frames import Control
from widgets.theme import Theme

_log = logging.getLogger(__name__)


class PanelHost(QWidget):
    """One panel, or the message that stands in for it.

    Parameters
    ----------
    session : callable
        Gives the state to show; None is none.
    on_made : callable
        Told of the panel whenever it is made (anew), to connect what it signals.

    Signals
    -------
    failed(BaseException)
        The panel raised and was stopped; sent once until it is started again.
    """

    failed = Signal(object)

    def __init__(
        self,
        spec: PanelSpec,
        theme: Theme,
        session: Callable[[], SessionState | None],
        on_made: Callable[[QWidget], None] = lambda _: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("panel_host")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.spec = spec
        self.refreshes = 0
        self._theme = theme
        self._session = session
        self._on_made = on_made
        self._stale_s: float | None = None
        self._bound: tuple[object, ...] = ()
        self._control: Control | None = None
        self._panel: Panel | None = None
        self._widget: QWidget | None = None
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._message())
        self.start()

    def _message(self) -> QWidget:
        page = QWidget()
        self._text = QLabel()
        self._text.setObjectName("panel_failed")
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        again = QPushButton(self.tr("Start this panel again"))
        again.clicked.connect(self.start)
        column = QVBoxLayout(page)
        column.addStretch(1)
        column.addWidget(self._text)
        column.addWidget(again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return page

    @property
    def widget(self) -> QWidget | None:
        """The panel; None while it is stopped."""
        return self._widget

    @property
    def is_stopped(self) -> bool:
        """Whether the panel failed."""
        return self._panel is None

    def start(self) -> None:
        """Make the panel (anew) and show the session in it."""
        try:
            widget, panel = self.spec.make(self._theme)
            self._on_made(widget)
        except Exception as error:  # noqa: BLE001 - one panel's fault must not take the window
            self.stop(error)
            return
        self.replace(widget, panel)

    def replace(self, widget: QWidget, panel: Panel | None = None) -> None:
        """Put another panel in this one's place."""
        if self._widget is not None:
            self._put_away(self._widget)
        self._widget, self._panel = widget, panel or cast("Panel", widget)
        self._bound = ()
        self._control = None
        self._stale_s = None
        self._stack.addWidget(widget)
        self._stack.setCurrentWidget(widget)

    def _put_away(self, widget: QWidget) -> None:
        self._stack.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def stop(self, error: BaseException) -> None:
        """Put the panel away and say why."""
        if self._widget is not None:
            self._put_away(self._widget)
        self._panel = self._widget = None
        self._stack.setCurrentIndex(0)
        text = self.tr("This panel stopped because of a fault in it: %1. Everything else goes on.")
        self._text.setText(text.replace("%1", f"{type(error).__name__}: {error}"))
        self.failed.emit(error)

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        if self._panel is not None:
            self._panel.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Let a panel that shows the market say for how long it is out of date; None is not at all."""
        panel: object = self._panel
        if isinstance(panel, Aging) and age_s != self._stale_s:
            self._stale_s = age_s
            panel.set_stale(age_s)

    # What the frame clock asks

    @property
    def rate_hz(self) -> float:
        """Refreshes per second at most."""
        return self.spec.rate_hz

    @property
    def weight(self) -> int:
        """What painting it costs beside other panels."""
        return self.spec.weight

    def is_seen(self) -> bool:
        """Whether the panel is on screen."""
        window = self.window()
        if self._panel is None or not self.isVisible() or window.isMinimized():
            return False
        # To Qt a dock behind other tabs is visible; it only lies outside of the window.
        return self.rect().translated(self.mapTo(window, QPoint())).intersects(window.rect())

    def refresh(self) -> None:
        """Bind where a part of the session was replaced, then let the panel take over what changed."""
        if self._panel is None:
            return
        self.refreshes += 1
        try:
            self._rebind()
            self._panel.refresh()
        except Exception as error:  # noqa: BLE001 - one panel's fault must not take the window
            self.stop(error)

    def _rebind(self) -> None:
        assert self._panel is not None  # noqa: S101 - asked by `refresh`
        state = self._session()
        parts = (None,) if state is None else self.spec.parts(state)
        if len(parts) != len(self._bound) or any(a is not b for a, b in zip(parts, self._bound, strict=True)):
            self._bound = parts
            self._panel.bind(*parts)
        control = Control() if state is None else state.control
        if control != self._control:
            self._control = control
            panel: object = self._panel
            if isinstance(panel, Controlled):
                panel.set_control(control)
        if self.spec.clocked and state is not None and state.transport is not None:
            self._panel.set_clock(state.transport.now)  # type: ignore[attr-defined]


def host_of(traceback: TracebackType | None) -> PanelHost | None:
    """Host of the panel in whose painting or slot an exception arose; None where it was elsewhere."""
    while traceback is not None:
        owner = traceback.tb_frame.f_locals.get("self")
        widget = owner if isinstance(owner, QWidget) else None
        while widget is not None:
            if isinstance(widget, PanelHost):
                return widget
            widget = widget.parentWidget()
        traceback = traceback.tb_next
    return None
