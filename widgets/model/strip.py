"""The run's models at a glance: whether they trade, how fast and fresh they are, and what they eat."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.messages.run import Arming
from widgets.chrome import dress
from widgets.model.strip_figures import model_lines, reason_of, state_line
from widgets.model.strip_state import StripSession
from widgets.page import Line, Page, Sentence, scrolled, switch
from widgets.rate import Rate
from widgets.stale import StaleVeil
from widgets.theme import Theme

_MODES: Final[tuple[Arming, ...]] = ("armed", "shadow", "off")


class ModelPanel(QWidget):
    """Strip of the run's models, with the three buttons that arm and disarm them.

    Signals
    -------
    arming_asked(str)
        The person wants them `armed`, in `shadow` or `off`.
    """

    arming_asked = Signal(str)

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._session: StripSession | None = None
        self._rates: dict[str, Rate] = {}
        self.page = Page(theme)
        self.buttons: dict[Arming, QPushButton] = {}
        self.all_inputs = switch(self.tr("All inputs"), self.tr("Show every input, not only the worst"))
        self.all_inputs.toggled.connect(self.refresh)
        area = scrolled(self.page)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(self._make_buttons())
        box.addWidget(area, 1)
        self._stale = StaleVeil(area, theme)
        self.set_theme(theme)
        self.bind(None)

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        texts = (
            (self.tr("Arm"), self.tr("Turn its signals into orders, from now on")),
            (self.tr("Shadow"), self.tr("Show its signals without trading them")),
            (self.tr("Disarm"), self.tr("Make no signals")),
        )
        for mode, (text, tip) in zip(_MODES, texts, strict=True):
            button = switch(text, tip)
            button.clicked.connect(lambda _checked=False, wanted=mode: self._on_clicked(wanted))
            self.buttons[mode] = button
            row.addWidget(button)
        row.addStretch()
        row.addWidget(self.all_inputs)
        return row

    def bind(self, session: StripSession | None) -> None:
        """Show a session's models; None shows what would fill the strip."""
        self._session = session
        self._rates = {}
        self.refresh()

    def refresh(self) -> None:
        """Show what changed since the last call."""
        signals = None if self._session is None else self._session.signals
        has_models = signals is not None and bool(signals.models)
        self.all_inputs.setEnabled(has_models)
        for mode, button in self.buttons.items():
            button.setEnabled(has_models)
            button.setChecked(signals is not None and has_models and signals.arming == mode)
        if has_models:
            self.page.show_lines(self._lines())
            return
        self.page.show_empty(
            self.tr("No model"),
            self.tr(
                "Drop a model file on the window, or choose the strategy “AI signal” with one: whether it "
                "trades, its speed, its freshness and the health of its inputs appear here."
            ),
        )

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        dress(self, theme)
        self.page.set_theme(theme)
        self._stale.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Grey out what is shown and count its age, in s; None while the session answers."""
        self._stale.set_age(age_s)

    def _lines(self) -> list[Line]:
        assert self._session is not None  # noqa: S101 -- asked by `refresh`
        signals, transport, now_s = self._session.signals, self._session.transport, self._clock()
        reason = reason_of(signals.arming_changed, signals.models)
        lines: list[Line] = [state_line(signals.arming, reason, self.tr)]
        if reason:
            lines.append(Sentence(reason, "danger"))
        for model in signals.models:
            rate = self._rates.setdefault(model.sha256, Rate())
            per_s = rate.over(model.predictions, now_s)
            lines += model_lines(model, transport, per_s, self.tr, all_inputs=self.all_inputs.isChecked())
        return lines

    def _on_clicked(self, mode: Arming) -> None:
        self.refresh()  # the button shows what is, not what was asked for
        self.arming_asked.emit(mode)
