"""The models that a strategy acts on: one, or several as an ensemble, each with its weight."""

import math
from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.model.shelf import KeptModel

_WEIGHT_PX = 52


class ChosenModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a run; `id` is what it is opened by."""

    id: str
    name: str
    sha256: str = ""
    trusted: bool = False
    weight: float = 1.0


class WeightError(ValueError):
    """A weight that cannot be; the text is one sentence for the person."""


class ModelChooser(QWidget):
    """A list of models with a button that adds one.

    Parameters
    ----------
    read : callable
        Gives the kept models; asked each time that one is to be added.

    Signals
    -------
    changed()
        Another list, or another weight.
    card_asked(str)
        The person wants to see the model of this id.
    load_asked()
        The person wants a model that is not kept.
    """

    changed = Signal()
    card_asked = Signal(str)
    load_asked = Signal()

    def __init__(self, read: Callable[[], Sequence[KeptModel]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._read = read
        self._models: list[ChosenModel] = []
        self._weights: list[QLineEdit] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.add = QPushButton()
        self.add.setMenu(self.menu)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._grid)
        column.addLayout(row)
        self._rebuild()

    @property
    def models(self) -> list[ChosenModel]:
        """The models chosen, with the weights as typed.

        Raises
        ------
        WeightError
            A weight is no number above 0.
        """
        return [
            msgspec.structs.replace(model, weight=self._weight(place))
            for place, model in enumerate(self._models)
        ]

    def set_models(self, models: Sequence[ChosenModel]) -> None:
        """Show these."""
        self._models = list(models)
        self._rebuild()

    def add_model(self, kept: KeptModel) -> None:
        """Add a kept model, as the menu does; one that is there already stays as it is."""
        if all(kept.id != model.id for model in self._models):
            added = ChosenModel(id=kept.id, name=f"{kept.name} {kept.version}", sha256=kept.sha256)
            self._keep_weights()
            self._models.append(added)
            self._rebuild()
            self.changed.emit()

    def remove(self, place: int) -> None:
        """Take a model out."""
        self._keep_weights()
        del self._models[place]
        self._rebuild()
        self.changed.emit()

    def set_weight(self, place: int, text: str) -> None:
        """Type a weight, as a person would."""
        self._weights[place].setText(text)

    def _weight(self, place: int) -> float:
        if len(self._models) == 1:
            return 1.0
        text = self._weights[place].text().strip()
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            sentence = QCoreApplication.translate(
                "ModelChooser", "The weight of %1 must be a number above 0."
            )
            raise WeightError(sentence.replace("%1", self._models[place].name))
        return weight

    def _keep_weights(self) -> None:
        for place, model in enumerate(self._models):
            try:
                self._models[place] = msgspec.structs.replace(model, weight=self._weight(place))
            except WeightError:
                continue  # a weight that is none yet begins anew with the row

    def _rebuild(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._weights = []
        several = len(self._models) > 1
        for place, model in enumerate(self._models):
            name = QToolButton()
            name.setText(model.name)
            name.setToolTip(self.tr("Open the card of %1").replace("%1", model.id))
            name.clicked.connect(lambda _=False, asked=model.id: self.card_asked.emit(asked))
            weight = QLineEdit(f"{model.weight:g}")
            weight.setFixedWidth(_WEIGHT_PX)
            weight.setAccessibleName(self.tr("Weight"))
            weight.setToolTip(self.tr("Weight in the ensemble, where that is weighted"))
            weight.textChanged.connect(self.changed)
            out = QToolButton()
            out.setText("✕")
            out.setToolTip(self.tr("Take this model out"))
            out.clicked.connect(lambda _=False, at=place: self.remove(at))
            for column, widget in enumerate((name, weight, out)):
                self._grid.addWidget(widget, place, column, Qt.AlignmentFlag.AlignLeft)
            weight.setVisible(several)
            self._weights.append(weight)
        self.add.setText(self.tr("Add a model") if self._models else self.tr("Choose a model"))

    def _fill_menu(self) -> None:
        self.menu.clear()
        for kept in self._read():
            action = self.menu.addAction(f"{kept.name} {kept.version}")
            action.triggered.connect(lambda _=False, chosen=kept: self.add_model(chosen))
        self.menu.addSeparator()
        self.menu.addAction(self.tr("Load a model file…")).triggered.connect(self.load_asked)
