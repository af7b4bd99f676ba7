"""What trades in the session: strategy and parameters, to be changed and run again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.errors import UserError
from engine.messages.run import Run
from engine.strategies import STRATEGIES, parse_parameters
from widgets.form import FormError, ParameterForm, Value
from widgets.theme import Theme


class StrategyForm(QWidget):
    """Chooses a strategy and its parameters.

    Signals
    -------
    changed()
        The person changed something.
    rebuilt()
        Another strategy's fields took the place of the last ones.
    """

    changed = Signal()
    rebuilt = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = list(STRATEGIES)
        self._choice = QComboBox()
        self._choice.addItems([self.tr(STRATEGIES[name].title) for name in self._names])
        self._choice.setAccessibleName(self.tr("Strategy"))
        self._summary = QLabel()
        self._summary.setObjectName("form_note")
        self._summary.setWordWrap(True)
        self.form = ParameterForm(self._fault)
        self.form.changed.connect(self.changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self._choice, self._summary, self.form):
            column.addWidget(widget)
        self._choice.currentIndexChanged.connect(self._on_strategy_chosen)
        self.show_strategy(self._names[0], {})

    @property
    def strategy(self) -> str:
        """Name of the strategy chosen."""
        return self._names[self._choice.currentIndex()]

    def fields(self) -> list[QWidget]:
        """Choice and fields in the order in which the Tab key should reach them."""
        return [self._choice, *self.form.editors]

    def show_strategy(self, name: str, values: dict[str, Value]) -> None:
        """Show this strategy with these parameters."""
        self._choice.setCurrentIndex(self._names.index(name))
        self._show_form(values)

    def values(self) -> dict[str, Value]:
        """Parameters, checked.

        Raises
        ------
        FormError
            They are not valid; the text says what to do.
        """
        return self.form.values()

    def _show_form(self, values: dict[str, Value]) -> None:
        spec = STRATEGIES[self.strategy]
        self._summary.setText(self.tr(spec.summary))
        self.form.set_schema(msgspec.json.schema(spec.parameters), values)
        self.changed.emit()
        self.rebuilt.emit()

    def _fault(self, values: dict[str, Value]) -> str:
        try:
            parse_parameters(self.strategy, values)
        except UserError as error:
            return str(error)
        return ""

    def _on_strategy_chosen(self, _: int) -> None:
        self._show_form({})


def order_tabs(widgets: Sequence[QWidget]) -> None:
    """Let the Tab key go through these widgets in this order; fields made late would else come last."""
    for one, after in pairwise(widgets):
        QWidget.setTabOrder(one, after)


class StrategyPanel(QWidget):
    """The running strategy; changed values start the run again.

    Signals
    -------
    run_asked(str, dict)
        Strategy and parameters to run again with.
    """

    run_asked = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_theme(theme)
        self._run: Run | None = None
        self._form = StrategyForm()
        self._again = QPushButton(self.tr("Run again with these"))
        self._again.setToolTip(self.tr("Start the session from its beginning with this strategy"))
        self._again.clicked.connect(self.run_again)
        self._form.changed.connect(self._on_changed)
        page = QWidget()
        page.setObjectName("panel_host")
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self._form)
        column.addWidget(self._again)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        area.setWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self._form.rebuilt.connect(self._on_rebuilt)
        self._on_rebuilt()

    @property
    def form(self) -> StrategyForm:
        """The form in it."""
        return self._form

    def show_run(self, run: Run | None) -> None:
        """Show what this run trades with."""
        self._run = run
        if run is not None:
            self._form.show_strategy(run.strategy, dict(run.parameters))
        self._on_changed()

    def set_theme(self, theme: Theme) -> None:
        """Nothing here is painted by hand."""

    def bind(self, state: Any) -> None:
        """Nothing here follows the session's frames."""

    def refresh(self) -> None:
        """Nothing here follows the session's frames."""

    def _on_changed(self) -> None:
        self._again.setEnabled(self._run is not None and not self._form.form.error)

    def _on_rebuilt(self) -> None:
        order_tabs([*self._form.fields(), self._again])

    def run_again(self) -> None:
        """Ask for the run again, where the values are valid."""
        try:
            self.run_asked.emit(self._form.strategy, self._form.values())
        except FormError:
            return  # the form shows the sentence
