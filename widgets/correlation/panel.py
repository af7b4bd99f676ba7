"""The correlation panel: which stored instruments, at which common times, and what came of it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.messages.data import Clock, Correlations, LeadLagCurve, Sampling
from widgets.chrome import dress
from widgets.correlation.curve import LeadLagView
from widgets.correlation.matrix import MatrixView
from widgets.theme import Theme

_SECOND: Final = 1_000_000_000
_STEPS: Final = {
    "100 ms": _SECOND // 10,
    "1 s": _SECOND,
    "10 s": 10 * _SECOND,
    "1 min": 60 * _SECOND,
    "5 min": 300 * _SECOND,
    "1 h": 3_600 * _SECOND,
}
_REACHES: Final = {"1 s": _SECOND, "10 s": 10 * _SECOND, "1 min": 60 * _SECOND}
_SHIFTS_A_SIDE: Final = 50
_FEW_RETURNS: Final = 30
"""With fewer returns a correlation is mostly chance: its standard error is near 1 / sqrt(30), about 0.2."""

_INDICATOR: Final = """
QListWidget::indicator {{ width: 10px; height: 10px; border: 1px solid {quiet}; border-radius: 2px; }}
QListWidget::indicator:checked {{ background: {signal}; border-color: {signal}; }}
"""
"""Without it an unticked box is not to be seen on a dark ground."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of stored instruments.

    `reach_ns` and `shift_ns` are the largest shift of a lead-lag curve and its step.
    """

    instruments: tuple[str, ...]
    kind: str
    by: Clock
    sampling: Sampling
    step_ns: int
    reach_ns: int
    shift_ns: int


class CorrelationPanel(QWidget):
    """Matrix and lead-lag curve of stored instruments.

    Signals
    -------
    matrix_asked(object)
        A `Question`; the answer comes by `show_matrix`.
    curve_asked(object)
        A `Question` of two instruments; the answer comes by `show_curve`.
    """

    matrix_asked = Signal(object)
    curve_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.matrix, self.curve = MatrixView(theme), LeadLagView(theme)
        self.instruments = QListWidget()
        self.instruments.setFrameShape(QFrame.Shape.NoFrame)
        self.instruments.setMinimumWidth(190)
        self.kind, self.sampling, self.step, self.by, self.reach = (QComboBox() for _ in range(5))
        self.go = QToolButton()
        self.go.setText(self.tr("Correlate"))
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setContentsMargins(8, 0, 8, 2)
        self.told.setObjectName("quiet")
        self._lay_out()
        self.go.clicked.connect(self._ask)
        self.matrix.pair_chosen.connect(self._ask_curve)
        self.instruments.itemChanged.connect(self._show_button)
        self.sampling.currentIndexChanged.connect(self._show_button)
        self.set_theme(theme)
        self._show_button()

    def _lay_out(self) -> None:
        self.kind.addItems(["quotes", "trades"])
        for text, sampling in (
            (self.tr("last prices every"), "previous-tick"),
            (self.tr("whenever all changed"), "refresh-time"),
            (self.tr("all ticks (Hayashi–Yoshida)"), "hayashi-yoshida"),
        ):
            self.sampling.addItem(text, sampling)
        for text, ns in _STEPS.items():
            self.step.addItem(text, ns)
        self.step.setCurrentText("1 min")
        for text, clock in ((self.tr("venue's time"), "event"), (self.tr("received time"), "received")):
            self.by.addItem(text, clock)
        for text, ns in _REACHES.items():
            self.reach.addItem(self.tr("shifts to %1").replace("%1", text), ns)
        self.reach.setCurrentIndex(1)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 2, 6, 2)
        for control in (self.kind, self.sampling, self.step, self.by, self.reach, self.go):
            bar.addWidget(control)
        bar.addStretch(1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        for widget, share in ((self.instruments, 1), (self.matrix, 3), (self.curve, 3)):
            parts.addWidget(widget)
            parts.setStretchFactor(parts.count() - 1, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.told)
        column.addWidget(parts, 1)
        self.told.hide()

    # What is shown

    def show_instruments(self, names: Sequence[str]) -> None:
        """Offer these; those that were ticked stay so."""
        ticked = set(self.chosen)
        if [self.instruments.item(row).text() for row in range(self.instruments.count())] == list(names):
            return
        self.instruments.clear()
        for name in names:
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if name in ticked else Qt.CheckState.Unchecked)
            self.instruments.addItem(item)
        self._show_button()

    def show_matrix(self, found: Correlations | None, problem: str = "") -> None:
        """Take an answer, or why there is none."""
        self.go.setEnabled(len(self.chosen) > 1)
        self.matrix.show_matrix(found)
        self.curve.show_curve(None)
        if found is None:
            self._tell(problem, is_warning=True)
            return
        few = self.tr("so few that chance shows; take a smaller step or more data")
        count = self.tr("1 return") if found.returns == 1 else self.tr("%1 returns")
        told = [count.replace("%1", f"{found.returns:,}")]
        told += [few] if found.returns < _FEW_RETURNS else []
        told += [found.doubt] if found.doubt else []
        self._tell("  ·  ".join(told), is_warning=len(told) > 1)

    def show_curve(self, found: LeadLagCurve | None, problem: str = "") -> None:
        """Take an answer, or why there is none."""
        self.curve.show_curve(found, problem)

    def bind(self, state: object) -> None:
        """Nothing here follows a session."""

    def refresh(self) -> None:
        """Nothing changes by itself."""

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.instruments.setStyleSheet(_INDICATOR.format(quiet=theme.quiet, signal=theme.signal))
        self.matrix.set_theme(theme)
        self.curve.set_theme(theme)

    # What a person does

    @property
    def chosen(self) -> list[str]:
        """Instruments that are ticked."""
        items = (self.instruments.item(row) for row in range(self.instruments.count()))
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def choose(self, *names: str) -> None:
        """Tick these instruments and no other."""
        for row in range(self.instruments.count()):
            item = self.instruments.item(row)
            ticked = item.text() in names
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def question(self, *instruments: str) -> Question:
        """What the controls ask of these instruments."""
        reach = int(self.reach.currentData())
        return Question(
            instruments=instruments,
            kind=self.kind.currentText(),
            by=self.by.currentData(),
            sampling=self.sampling.currentData(),
            step_ns=int(self.step.currentData()),
            reach_ns=reach,
            shift_ns=reach // _SHIFTS_A_SIDE,
        )

    def _ask(self) -> None:
        self.go.setEnabled(False)
        self.matrix.show_matrix(None)
        self.curve.show_curve(None)
        self._tell(self.tr("Reading prices…"))
        self.matrix_asked.emit(self.question(*self.chosen))

    def _ask_curve(self, first: str, second: str) -> None:
        self.curve.show_curve(None, self.tr("Shifting one against the other…"))
        self.curve_asked.emit(self.question(first, second))

    def _tell(self, text: str, *, is_warning: bool = False) -> None:
        self.told.setObjectName("warning" if is_warning else "quiet")
        self.told.style().polish(self.told)
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def _show_button(self) -> None:
        self.go.setEnabled(len(self.chosen) > 1)
        self.step.setEnabled(self.sampling.currentData() == "previous-tick")
