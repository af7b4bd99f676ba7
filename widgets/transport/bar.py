"""The session's one clock as controls: play, step, speed, timeline, market time, and a seek's progress."""

from collections.abc import Sequence
from typing import Final, Protocol, override

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QIcon, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from engine.messages.commands import Step
from engine.messages.events import Filled, Phase
from engine.messages.executions import standing
from engine.messages.frames import Transport
from widgets.numbers import date_text, mono_font, time_text
from widgets.theme import Theme
from widgets.transport.speed import SpeedControl
from widgets.transport.timeline import Timeline

_RUNNING: Final = (Phase.PLAYING, Phase.SEEKING, Phase.LOADING)


class OrdersView(Protocol):
    """What the timeline needs of the orders."""

    @property
    def fills(self) -> Sequence[Filled]: ...  # noqa: D102


class TransportView(Protocol):
    """What the bar shows of a session."""

    @property
    def transport(self) -> Transport | None: ...  # noqa: D102

    @property
    def orders(self) -> OrdersView: ...  # noqa: D102


class ClockText(QWidget):
    """Market time, painted: at sixty changes a second a label would lay the whole bar out each time."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ("", "")
        self._stale = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(self.tr("Market time"))

    @property
    def text(self) -> str:
        """Date and time shown."""
        return " ".join(self._text).strip()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    def show_time(self, ts: int | None, precision: int) -> None:
        """Show a market time, ns UTC; None is none yet."""
        text = ("", "–") if ts is None else (date_text(ts), time_text(ts, precision))
        if text != self._text:
            self._text = text
            self.update()

    def set_stale(self, *, stale: bool) -> None:
        """Grey a time that runs no longer."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(176, 36)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        box = self.rect().adjusted(0, 3, -8, -3)
        painter.setFont(mono_font(15))
        painter.setPen(self._theme.colour("quiet" if self._stale else "text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, self._text[1])
        painter.setFont(mono_font(10))
        painter.setPen(self._theme.colour("quiet"))
        low = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(box, low, self.tr("%1 UTC").replace("%1", self._text[0]))


class TransportBar(QWidget):
    """Transport controls; shows a session's clock and asks for what the person wants of it.

    Signals
    -------
    start_asked(), back_asked(), play_toggled(), step_asked(), seek_cancelled()
    step_unit_chosen(Step), speed_chosen(float), sought(int)
    """

    start_asked = Signal()
    back_asked = Signal()
    play_toggled = Signal()
    step_asked = Signal()
    finish_asked = Signal()
    seek_cancelled = Signal()
    step_unit_chosen = Signal(object)
    speed_chosen = Signal(float)
    sought = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._view: TransportView | None = None
        self._icons: dict[str, QIcon] = {}
        self._shown: tuple[Phase | None, float] | None = None  # None: nothing painted yet
        self._down = False
        self._fills_shown: tuple[object, int] = (None, 0)
        self._precision = 3
        self._loop_start: int | None = None
        self._unit = Step.TICK
        self._start = self._button("start", self.tr("Jump to start"), self.start_asked)
        self._back = self._button("back", self.tr("Back one step"), self.back_asked)
        self._play = self._button("play", self.tr("Play"), self.play_toggled)
        self._step = self._button("step", self.tr("Step"), self.step_asked)
        self._finish = self._button("finish", self.tr("Run to the end"), self.finish_asked)
        self._add_step_menu()
        self._speed = SpeedControl()
        self._speed.chosen.connect(self.speed_chosen)
        self._timeline = Timeline(theme)
        self._timeline.sought.connect(self.sought)
        self._room = QWidget()  # keeps the clock at the right where there is no timeline
        self._room.hide()
        self._clock = ClockText(theme)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.clicked.connect(self.seek_cancelled)
        self._lay_out()
        self.bind(None)

    def _button(self, name: str, tip: str, signal: object) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"transport_{name}")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(signal)
        return button

    def _add_step_menu(self) -> None:
        names = {
            Step.TICK: self.tr("Tick"),
            Step.BOOK: self.tr("Book update"),
            Step.BAR: self.tr("Bar"),
            Step.ORDER: self.tr("Order event"),
            Step.FILL: self.tr("Fill"),
        }
        menu = QMenu(self)
        group = QActionGroup(menu)
        for unit, text in names.items():
            action = QAction(text, menu, checkable=True, checked=unit is self._unit)
            action.setData(unit)
            group.addAction(action)
            menu.addAction(action)
        group.triggered.connect(self._on_step_unit_chosen)
        self._unit_names = names
        self._unit_button = QToolButton()
        self._unit_button.setObjectName("transport_unit")
        self._unit_button.setText(f"{names[self._unit]} ▾")
        self._unit_button.setToolTip(self.tr("What one step advances to"))
        self._unit_button.setMenu(menu)
        self._unit_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 0, 2)
        row.setSpacing(2)
        for button in (self._start, self._back, self._play, self._step, self._unit_button, self._finish):
            row.addWidget(button)
        row.addSpacing(4)
        row.addWidget(self._speed_or_progress())
        row.addSpacing(8)
        row.addWidget(self._timeline, 1)
        row.addWidget(self._room, 1)
        row.addWidget(self._clock)
        self.setFixedHeight(41)

    def _speed_or_progress(self) -> QWidget:
        """Both in one place: a seek must not push the timeline away under the mouse that asked for it."""
        working = QWidget()
        row = QHBoxLayout(working)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._progress, 1)
        row.addWidget(self._cancel)
        self._place = QStackedWidget()
        self._place.addWidget(self._speed)
        self._place.addWidget(working)
        self._place.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        return self._place

    def _fix_unit_width(self) -> None:
        """Give the step's button the width of its longest text, so that nothing moves when it changes."""
        widest = 0
        for text in self._unit_names.values():
            self._unit_button.setText(f"{text} ▾")
            widest = max(widest, self._unit_button.sizeHint().width())
        self._unit_button.setMinimumWidth(widest)
        self.set_step_unit(self._unit)

    @property
    def timeline(self) -> Timeline:
        """The line to drag on."""
        return self._timeline

    @property
    def time_text(self) -> str:
        """Market time shown."""
        return self._clock.text

    @property
    def step_unit(self) -> Step:
        """What the step key advances to."""
        return self._unit

    @property
    def speed(self) -> float:
        """Speed shown; 0 is as fast as possible."""
        return self._speed.factor

    @property
    def is_seeking(self) -> bool:
        """Whether a seek's progress and its cancel button are shown."""
        return self._cancel.isVisibleTo(self)

    def set_icons(self, icons: dict[str, QIcon]) -> None:
        """Give icons by name: start, back, play, pause, step, finish."""
        self._icons = icons
        for name, button in (
            ("start", self._start),
            ("back", self._back),
            ("step", self._step),
            ("finish", self._finish),
        ):
            button.setIcon(icons[name])
        self._shown = None
        self.refresh()

    def set_replays(self, *, replays: bool, has_speed: bool = True) -> None:
        """Offer what a replay can do, or what a live market leaves of it: its end, and maybe a speed."""
        for part in (self._start, self._back, self._play, self._step, self._unit_button, self._timeline):
            part.setVisible(replays)
        self._place.setVisible(has_speed)
        self._room.setVisible(not replays)

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._timeline.set_theme(theme)
        self._clock.set_theme(theme)

    def set_bookmarks(self, bookmarks: Sequence[int]) -> None:
        """Flag these market times."""
        self._timeline.set_bookmarks(bookmarks)

    def set_loop_start(self, ts: int | None) -> None:
        """Show the first loop mark while the second is not set."""
        self._loop_start = ts
        self.refresh()

    def set_time_precision(self, digits: int) -> None:
        """Digits of the second that the data has."""
        self._precision = digits
        self._timeline.set_time_precision(digits)
        self.refresh()

    def set_down(self, *, down: bool) -> None:
        """Show that the session answers no longer: nothing runs or can be asked for, and the time is old."""
        if down != self._down:
            self._down = down
            self._shown = None
            self._clock.set_stale(stale=down)
            self.refresh()

    def set_step_unit(self, unit: Step) -> None:
        """Let the step key advance to this."""
        self._unit = unit
        self._unit_button.setText(f"{self._unit_names[unit]} ▾")

    def bind(self, view: TransportView | None) -> None:
        """Show this session; None is none."""
        self._view = view
        self._shown = None
        self._fills_shown = (None, 0)
        self.refresh()

    def refresh(self) -> None:
        """Take over what changed."""
        transport = self._view.transport if self._view else None
        if transport is None or self._view is None:
            self._timeline.set_span(0, 0, 0)
            self._clock.show_time(None, 0)
            self._show_phase(None, 0.0)
            return
        self._timeline.set_span(transport.start, transport.end, transport.now)
        self._timeline.set_loop(transport.loop, self._loop_start)
        self._clock.show_time(transport.now, self._precision)
        self._speed.show_speed(transport.speed)
        self._show_phase(transport.phase, transport.progress)
        fills = self._view.orders.fills
        if fills is not self._fills_shown[0] or len(fills) != self._fills_shown[1]:
            self._fills_shown = fills, len(fills)
            fills = standing(fills)
            buys = np.array([fill.ts for fill in fills if fill.side == "BUY"], np.int64)
            sells = np.array([fill.ts for fill in fills if fill.side == "SELL"], np.int64)
            self._timeline.set_fills(buys, sells)

    def _show_phase(self, phase: Phase | None, progress: float) -> None:
        if self._shown == (phase, progress):
            return
        changed = self._shown is None or self._shown[0] is not phase
        self._shown = (phase, progress)
        self._progress.setValue(round(progress * 1000))
        if not changed:
            return
        working = phase in (Phase.SEEKING, Phase.LOADING) and not self._down
        self._place.setCurrentIndex(1 if working else 0)
        self._cancel.setVisible(working and phase is Phase.SEEKING)
        running = phase in _RUNNING and not self._down
        if self._icons:
            self._play.setIcon(self._icons["pause" if running else "play"])
        self._play.setToolTip(self.tr("Pause") if running else self.tr("Play"))
        for button in (self._start, self._back, self._play, self._step, self._finish):
            button.setEnabled(phase is not None and phase is not Phase.FAILED and not self._down)

    def _on_step_unit_chosen(self, action: QAction) -> None:
        self.set_step_unit(action.data())
        self.step_unit_chosen.emit(self._unit)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fix_unit_width()  # the style sheet's font is known only now
