"""Imports, downloads and checks: what waits, what runs and how far it is, what came of it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.messages.data import Job
from widgets.chrome import paint_empty
from widgets.theme import Theme

_STEPS: Final = 1000
_BAR_PX: Final = 5
_LIVE: Final = frozenset({"waiting", "running"})
_TOKENS: Final = {"done": "text", "failed": "danger", "cancelled": "quiet", "waiting": "quiet"}


class _JobRow(QWidget):
    """One job."""

    cancel_asked = Signal(int)

    def __init__(self, number: int, theme: Theme) -> None:
        super().__init__()
        self._number = number
        self.title, self.told = QLabel(), QLabel()
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_PX)
        self.cancel = QToolButton()
        self.cancel.setText(self.tr("Cancel"))
        self.cancel.clicked.connect(lambda: self.cancel_asked.emit(self._number))
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.told)
        self._theme = theme
        self._job: Job | None = None

    def show_job(self, job: Job, theme: Theme) -> None:
        if (job, theme) == (self._job, self._theme):
            return
        self._job, self._theme = job, theme
        self.title.setText(job.title)
        self.told.setText(job.text or job.what or self.tr("waiting"))
        colour = getattr(theme, _TOKENS.get(job.state, "quiet"))
        self.told.setStyleSheet(f"color: {colour};")
        self.bar.setVisible(job.state == "running")
        self.bar.setValue(round(job.fraction * _STEPS))
        self.cancel.setVisible(job.state in _LIVE)


class QueueView(QScrollArea):
    """The jobs, those under way first.

    Signals
    -------
    cancel_asked(int)
        Number of a job.
    """

    cancel_asked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[int, _JobRow] = {}
        self._jobs: list[Job] = []
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self.setWidget(self._page)
        self._page.setAutoFillBackground(False)  # which Qt set: the panel's colour shows through
        self.viewport().setAutoFillBackground(False)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._page.hide()

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """Take the jobs as they are now."""
        ranks = {"running": 0, "waiting": 1}
        self._jobs = sorted(jobs, key=lambda job: (ranks.get(job.state, 2), -job.number))
        known = {job.number for job in self._jobs}
        for number in [number for number in self._rows if number not in known]:
            self._rows.pop(number).deleteLater()
        for place, job in enumerate(self._jobs):
            row = self._rows.get(job.number)
            if row is None:
                row = self._rows[job.number] = _JobRow(job.number, self._theme)
                row.cancel_asked.connect(self.cancel_asked)
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
            row.show_job(job, self._theme)
        self._page.setVisible(bool(self._jobs))
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.show_jobs(self._jobs)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say what would be here."""
        if self._jobs:
            super().paintEvent(event)
            return
        with QPainter(self.viewport()) as painter:
            title, hint = self.tr("Nothing is under way"), self.tr("Imports, downloads and checks show here.")
            paint_empty(painter, self.viewport().rect(), self._theme, title, hint)
