"""The signals as a panel: output over time, what came of it, and the list; as much as has room."""

from typing import Final, Literal, override

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.chart.view import TimeWindow
from widgets.chrome import dress, paint_empty
from widgets.page import Page
from widgets.signals.figures import diagram_lines, figure_lines, headline
from widgets.signals.headline import Headline
from widgets.signals.state import SignalsOfInstrument, SignalsSession
from widgets.signals.strip import OutputStrip
from widgets.signals.table import SignalTable
from widgets.stale import StaleVeil
from widgets.theme import Theme

type Part = Literal["output", "outcomes", "list"]

_ROOMY_PX: Final = 340
"""Height from which all parts are seen at once."""

_WIDE_PX: Final = 520
"""Width from which figures stand beside the list, not above it."""

_BROAD_PX: Final = 880
"""Width from which the diagram stands beside the figures, not below them."""

_ASIDE_PX: Final = 304
_BROAD_ASIDE_PX: Final = 440
_ANY_WIDTH: Final = 16_777_215


class SignalsPanel(QWidget):
    """What the run's models say.

    Signals
    -------
    time_hovered : object
        Market time under the mouse, ns, or None.
    export_asked : str, str
        Suggested file name, and the table as text.
    why_asked : object
        The person wants to know how a signal came about.
    """

    time_hovered = Signal(object)
    export_asked = Signal(str, str)
    why_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._session: SignalsSession | None = None
        self._now_ns = 0
        self.headline = Headline(theme)
        self.strip = OutputStrip(theme)
        self.strip.time_hovered.connect(self.time_hovered)
        self.page = Page(theme)
        self.diagram = Page(theme)
        self._outcomes = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self.table = SignalTable(theme)
        self.table.export_asked.connect(self.export_asked)
        self.table.why_asked.connect(self.why_asked)
        self._stale = StaleVeil(self.strip, theme)
        self._parts: dict[Part, QWidget] = {
            "output": self.strip,
            "outcomes": self._make_outcomes(),
            "list": self.table,
        }
        self._chosen: Part = "output"
        self._arranged = self._room
        self._all = QWidget()
        self._empty = _Empty(theme)
        self._lay_out()
        self.set_theme(theme)
        self.bind(None)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 2, 4, 2)
        bar.setSpacing(2)
        bar.addWidget(self.headline, 1)
        self.buttons: dict[Part, QToolButton] = {}
        self._choices = QButtonGroup(self)
        texts: tuple[tuple[Part, str, str], ...] = (
            ("output", self.tr("Output"), self.tr("What the model says over time")),
            ("outcomes", self.tr("Outcomes"), self.tr("Hit rate and calibration at the label's horizon")),
            ("list", self.tr("List"), self.tr("Every signal, what was done about it and what came of it")),
        )
        for part, text, tip in texts:
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, chosen=part: self.choose(chosen))
            self._choices.addButton(button)
            self.buttons[part] = button
            bar.addWidget(button)
        self.buttons[self._chosen].setChecked(True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        column = QVBoxLayout(self._all)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addLayout(self._grid, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        # The parts make way for each other, so the panel may become smaller than all of them need now.
        whole.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        whole.addWidget(self._all)
        whole.addWidget(self._empty)
        self._arrange()

    def _make_outcomes(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("plain")
        self._outcomes.setContentsMargins(0, 0, 0, 0)
        self._outcomes.setSpacing(0)
        self._outcomes.addWidget(self.page, 1)
        self._outcomes.addWidget(self.diagram, 1)
        inner.setLayout(self._outcomes)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def choose(self, part: Part) -> None:
        """Show this part where there is room for one only."""
        self._chosen = part
        self.buttons[part].setChecked(True)
        self._arrange()
        self.refresh()

    def bind(self, session: SignalsSession | None) -> None:
        """Show a session's signals; None shows what would fill the panel."""
        self._session = session
        self.refresh()

    def set_clock(self, now_ns: int) -> None:
        """Say what time it is in the session; call it before `refresh`."""
        self._now_ns = now_ns
        self.strip.set_now(now_ns)

    def set_window(self, window: TimeWindow | None) -> None:
        """Show the times that the chart shows; None follows the clock."""
        self.strip.set_window(window)

    def point_at(self, ts: int | None) -> None:
        """Show the crosshair at a market time, as the chart has it."""
        self.strip.point_at(ts)

    def refresh(self) -> None:
        """Show what changed since the last call."""
        signals = self._signals()
        self._all.setVisible(signals is not None)
        self._empty.setVisible(signals is None)
        self.strip.show_signals(signals)
        self.table.show_records(None if signals is None else signals.records)
        if signals is None or self._session is None:
            return
        is_score = self.strip.is_score
        told = self._session.signals
        parts = headline(signals, told.arming, self._now_ns, is_score=is_score, tr=self.tr)
        self.headline.show_parts(parts)
        if self._parts["outcomes"].isVisibleTo(self):
            self.page.show_lines(figure_lines(signals, told.models, is_score=is_score, tr=self.tr))
            diagram = diagram_lines(signals, self.tr)
            self.diagram.setVisible(bool(diagram))
            self.diagram.show_lines(diagram)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        dress(self, theme)
        for part in (
            self.headline,
            self.strip,
            self.page,
            self.diagram,
            self.table,
            self._stale,
            self._empty,
        ):
            part.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Grey out what is shown and count its age, in s; None while the session answers."""
        self._stale.set_age(age_s)

    def _signals(self) -> SignalsOfInstrument | None:
        """Signals of the session's first instrument; None where no model says anything."""
        session = self._session
        if session is None or not session.markets:
            return None
        signals = session.signals.of(next(iter(session.markets)))
        said = len(signals.predictions) or signals.records.rows
        return signals if said or session.signals.models else None

    @property
    def _room(self) -> tuple[bool, bool, bool]:
        """Whether it is high, wide and broad enough."""
        width = self.width()
        return self.height() >= _ROOMY_PX, width >= _WIDE_PX, width >= _BROAD_PX

    def _arrange(self) -> None:
        """Show all parts where there is room, else the chosen one."""
        roomy, wide, broad = self._room
        for part, widget in self._parts.items():
            self._grid.removeWidget(widget)
            widget.setVisible(roomy or part == self._chosen)
            self.buttons[part].setVisible(not roomy)
        for place in range(3):
            self._grid.setRowStretch(place, 0)
        figures = self._parts["outcomes"]
        aside = _BROAD_ASIDE_PX if broad else _ASIDE_PX
        figures.setMinimumWidth(aside if roomy and wide else 0)
        figures.setMaximumWidth(aside if roomy and wide else _ANY_WIDTH)
        side_by_side = broad if roomy else wide
        way = QBoxLayout.Direction.LeftToRight if side_by_side else QBoxLayout.Direction.TopToBottom
        self._outcomes.setDirection(way)
        self._outcomes.setStretch(0, int(side_by_side))
        if not roomy:
            self._grid.addWidget(self._parts[self._chosen], 0, 0, 1, 2)
            self._grid.setRowStretch(0, 1)
            return
        self._grid.addWidget(self.strip, 0, 0, 1, 2)
        if wide:
            self._grid.addWidget(self.table, 1, 0)
            self._grid.addWidget(figures, 1, 1)
        else:
            self._grid.addWidget(figures, 1, 0, 1, 2)
            self._grid.addWidget(self.table, 2, 0, 1, 2)
        for place, share in enumerate((2, 3) if wide else (2, 4, 3)):
            self._grid.setRowStretch(place, share)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, 100)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._room != self._arranged:
            self._arranged = self._room
            self._arrange()


class _Empty(QWidget):
    """What would be here, and what fills it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        title = self.tr("No signals")
        hint = self.tr(
            "Drop a model file on the window, or choose the strategy “AI signal” with one: what it says over "
            "time, its signals and what came of them appear here."
        )
        with QPainter(self) as painter:
            paint_empty(painter, self.rect(), self._theme, title, hint)
