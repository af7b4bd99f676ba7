"""What trades in the session: strategy and parameters, to be changed and run again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.windows.kept_models import models_to_choose, name_of
from engine.errors import UserError
from engine.messages.run import Inference, ModelUse, Run
from engine.strategies import STRATEGIES, parse_parameters
from widgets.form import FormError, ParameterForm, Value
from widgets.model.chooser import ChosenModel, ModelChooser, WeightError
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
        self._inference: Inference | None = None
        self._names = list(STRATEGIES)
        self._choice = QComboBox()
        self._choice.addItems([self.tr(STRATEGIES[name].title) for name in self._names])
        self._choice.setAccessibleName(self.tr("Strategy"))
        self._summary = QLabel()
        self._summary.setObjectName("form_note")
        self._summary.setWordWrap(True)
        self.form = ParameterForm(self._fault)
        self.form.changed.connect(self.changed)
        self.models = ModelChooser(models_to_choose)
        self.models.changed.connect(self._on_models_changed)
        self._lack = QLabel()
        self._lack.setObjectName("form_error")
        self._lack.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self._choice, self._summary, self.models, self._lack, self.form):
            column.addWidget(widget)
        self._choice.currentIndexChanged.connect(self._on_strategy_chosen)
        self.show_strategy(self._names[0], {})

    @property
    def strategy(self) -> str:
        """Name of the strategy chosen."""
        return self._names[self._choice.currentIndex()]

    def fields(self) -> list[QWidget]:
        """Choice and fields in the order in which the Tab key should reach them."""
        models = [self.models.add] if STRATEGIES[self.strategy].takes_model else []
        return [self._choice, *models, *self.form.editors]

    def show_strategy(self, name: str, values: dict[str, Value], inference: Inference | None = None) -> None:
        """Show this strategy with these parameters and models."""
        self._inference = inference
        self.models.set_models([_chosen(use) for use in inference.models] if inference is not None else [])
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

    def inference(self) -> Inference | None:
        """The strategy's models, checked; None for one that takes none.

        Raises
        ------
        FormError
            It acts on a model and has none, or a weight is none; the text says what to do.
        """
        if not STRATEGIES[self.strategy].takes_model:
            return None
        if fault := self.lack:
            raise FormError(fault)
        uses = tuple(
            ModelUse(file=model.id, sha256=model.sha256, trusted=model.trusted, weight=model.weight)
            for model in self.models.models
        )
        return msgspec.structs.replace(self._inference or Inference(models=()), models=uses)

    @property
    def lack(self) -> str:
        """What the strategy lacks of models, in one sentence; empty where nothing."""
        try:
            has_models = bool(self.models.models)
        except WeightError as error:
            return str(error)
        if has_models or not STRATEGIES[self.strategy].takes_model:
            return ""
        sentence = self.tr("%1 acts on a model: choose one here, or drop a model file on the window.")
        return sentence.replace("%1", self.tr(STRATEGIES[self.strategy].title))

    def _on_models_changed(self) -> None:
        self._show_lack()
        self.changed.emit()

    def _show_lack(self) -> None:
        lack = self.lack if STRATEGIES[self.strategy].takes_model else ""
        self._lack.setText(lack)
        self._lack.setVisible(bool(lack))

    def _show_form(self, values: dict[str, Value]) -> None:
        spec = STRATEGIES[self.strategy]
        self._summary.setText(self.tr(spec.summary))
        self.models.setVisible(spec.takes_model)
        self._show_lack()
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


def _chosen(use: ModelUse) -> ChosenModel:
    return ChosenModel(
        id=use.file, name=name_of(use.file), sha256=use.sha256, trusted=use.trusted, weight=use.weight
    )


class StrategyPanel(QWidget):
    """The running strategy; changed values start the run again.

    Signals
    -------
    run_asked(str, dict, Inference or None)
        Strategy, parameters and models to run again with.
    card_asked(str)
        The person wants to see the model of this file.
    load_asked()
        The person wants a model that is not kept.
    """

    run_asked = Signal(str, object, object)
    card_asked = Signal(str)
    load_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_theme(theme)
        self._run: Run | None = None
        self._form = StrategyForm()
        self._form.models.load_asked.connect(self.load_asked)
        self._form.models.card_asked.connect(self.card_asked)
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
            self._form.show_strategy(run.strategy, dict(run.parameters), run.inference)
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
            self.run_asked.emit(self._form.strategy, self._form.values(), self._form.inference())
        except FormError:
            return  # the form shows the sentence
