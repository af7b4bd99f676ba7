"""What the dialogs share that open a session: venue, strategy with its form, faults, layout."""

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.windows.strategy import StrategyForm, order_tabs
from engine.errors import UserError
from engine.messages.run import Run, VenueRules
from widgets.form import FormError
from widgets.transport.speed import LADDER

_MAX_SPEED: Final = 0.0
_MOST_OF_SCREEN: Final = 0.75


class RunDialog(QDialog):
    """Builds a `Run`.

    A subclass makes its own fields, calls `begin`, and says what they come to in `run_asked`.

    Signals
    -------
    accepted_run(Run, float)
        The person wants this run, at this speed (0 is as fast as possible).
    """

    accepted_run = Signal(object, float)

    def __init__(self, title: str, accept: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(560)
        self.balance = QLineEdit("1000000")
        self.leverage = QLineEdit("20")
        self.latency = QLineEdit("0")
        self.speed = QComboBox()
        for factor in (*LADDER, _MAX_SPEED):
            self.speed.addItem(f"{factor:g}×" if factor else self.tr("as fast as possible"), factor)
        self.speed.setCurrentIndex(LADDER.index(1.0))
        self.strategy = StrategyForm()
        self._fault = QLabel()
        self._fault.setObjectName("form_error")
        self._fault.setWordWrap(True)
        self._fault.hide()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button = self._buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = self._buttons.button(QDialogButtonBox.StandardButton.Cancel)
        # Return opens the session or does nothing, wherever the focus is.
        self.accept_button.setDefault(True)
        self._cancel.setAutoDefault(False)
        self._page = QWidget()
        self._area = QScrollArea()
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self.fit)
        self._fields: list[QWidget] = []

    def begin(self, form: QFormLayout, fields: list[QWidget]) -> None:
        """Lay the subclass' rows out, above the strategy's; `fields` in the order of the Tab key."""
        self._fields = fields
        form.addRow(self.tr("Strategy"), self.strategy)
        form.setContentsMargins(0, 0, 8, 0)
        self._page.setLayout(form)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._page)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.addWidget(self._area, 1)
        column.addWidget(self._fault)
        column.addWidget(self._buttons)
        self._buttons.accepted.connect(self.ask)
        self._buttons.rejected.connect(self.reject)
        self.strategy.changed.connect(self._on_edited)
        self.strategy.rebuilt.connect(self._on_rebuilt)
        for field in fields:
            if isinstance(field, QLineEdit):
                field.textChanged.connect(self._on_edited)
            elif isinstance(field, QComboBox):
                field.currentTextChanged.connect(self._on_edited)
        self._on_rebuilt()

    def add_venue_rows(self, form: QFormLayout) -> None:
        """Add the rows of a simulated venue."""
        form.addRow(self.tr("Starting balance"), self.balance)
        form.addRow(self.tr("Leverage"), self.leverage)
        form.addRow(self.tr("Order latency, ms"), self.latency)

    def venue_fields(self) -> list[QWidget]:
        """Fields of a simulated venue in the order of their rows."""
        return [self.balance, self.leverage, self.latency]

    def run_asked(self) -> Run:
        """Run of the answers; raises `UserError` where one of them cannot be: the sentence says which."""
        raise NotImplementedError

    def with_strategy(self, run: Run) -> Run:
        """`run` with the chosen strategy, its parameters and models; raises `UserError` for wrong ones."""
        try:
            parameters = self.strategy.values()
            inference = self.strategy.inference()
        except FormError as error:
            raise UserError(str(error)) from error
        return msgspec.structs.replace(
            run, strategy=self.strategy.strategy, parameters=parameters, inference=inference
        )

    def venue_rules(self) -> VenueRules:
        """Rules of the simulated venue; raises `UserError` for impossible ones."""
        return VenueRules(
            balance=self._number(self.balance, self.tr("The starting balance"), above=Decimal(0)),
            leverage=self._number(self.leverage, self.tr("The leverage"), above=Decimal(0)),
            latency_ms=float(self._number(self.latency, self.tr("The latency"), least=Decimal(0))),
        )

    def set_venue(self, *, balance: str) -> None:
        """Type the starting balance, as a person would."""
        self.balance.setText(balance)

    @property
    def speed_asked(self) -> float:
        """Market seconds per second; 0 is as fast as possible."""
        return float(self.speed.currentData(Qt.ItemDataRole.UserRole))

    @property
    def fault(self) -> str:
        """What is wrong with the answers; empty where nothing is."""
        return self._fault.text()

    def fit(self) -> None:
        """Be as high as all fields need, or as the screen allows; then they scroll."""
        form = self._page.layout()
        assert form is not None  # noqa: S101 - set when the dialog was made
        form.activate()
        width = max(self._page.width(), self.minimumWidth() - 2 * self._fault.fontMetrics().height())
        wanted = form.totalHeightForWidth(width) if form.hasHeightForWidth() else form.sizeHint().height()
        most = round(self.screen().availableGeometry().height() * _MOST_OF_SCREEN)
        self._area.setMinimumHeight(min(wanted, most))
        self.adjustSize()

    def ask(self) -> None:
        """Ask for the run, or say what is wrong with it."""
        try:
            run = self.run_asked()
        except UserError as error:
            self._fault.setText(str(error))
            self._fault.show()
            return
        self.accepted_run.emit(run, self.speed_asked)
        self.accept()

    def _number(
        self, field: QLineEdit, name: str, *, above: Decimal | None = None, least: Decimal | None = None
    ) -> Decimal:
        try:
            value = Decimal(field.text().strip())
        except InvalidOperation:
            value = Decimal("NaN")
        fits = value.is_finite() and (above is None or value > above) and (least is None or value >= least)
        if not fits:
            limit = self.tr("above %1").replace("%1", str(above)) if above is not None else f"≥ {least}"
            sentence = self.tr("%1 must be a number %2, not %3.")
            for place, text in (("%1", name), ("%2", limit), ("%3", repr(field.text()))):
                sentence = sentence.replace(place, text)
            raise UserError(sentence)
        return value

    def _on_rebuilt(self) -> None:
        order_tabs([*self._fields, *self.strategy.fields(), self.accept_button, self._cancel])
        self._fitting.start()

    def _on_edited(self) -> None:
        """What was wrong may be right now; the next try says."""
        self._fault.clear()
        self._fault.hide()
        self._fitting.start()
