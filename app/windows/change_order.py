"""A small dialog that changes a working order's price, trigger or quantity, each on its grid."""

from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from engine.messages.commands import Modify
from engine.messages.events import OrderChanged
from engine.messages.instrument import Instrument
from widgets.numbers import size_text
from widgets.order_words import type_text
from widgets.own_orders import side_text
from widgets.ticket.fields import Row, StepEdit
from widgets.ticket.typed import FieldError, check_grid, decimal_of, plain


class ChangeOrderDialog(QDialog):
    """Asks what an order is to be.

    Signals
    -------
    confirmed(Modify)
        What differs from the order as it was when the dialog opened.
    """

    confirmed = Signal(object)

    def __init__(self, order: OrderChanged, instrument: Instrument, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Change order"))
        self.setMinimumWidth(320)
        self._order, self._instrument = order, instrument
        text = (
            f"{type_text(order.type)} · {side_text(order.side)} "
            f"{size_text(order.quantity, instrument.size_precision)} {instrument.id}"
        )
        self.fields: dict[str, StepEdit] = {}
        self._rows: dict[str, Row] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(QLabel(text))
        for name, label, now, step in (
            ("price", self.tr("Price"), order.price, instrument.tick_size),
            ("trigger", self.tr("Trigger"), order.trigger, instrument.tick_size),
            ("quantity", self.tr("Quantity"), order.quantity, instrument.lot_size),
        ):
            if now is None or (name == "trigger" and order.status == "TRIGGERED"):
                continue
            field = StepEdit(label)
            field.step = step
            field.setText(plain(now))
            row = Row(label, [field])
            row.changed.connect(self._on_changed)
            column.addWidget(row)
            self.fields[name], self._rows[name] = field, row
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton(self.tr("Change order"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self._on_changed()

    def change(self) -> Modify | None:
        """What differs; None where nothing does, or a field is wrong."""
        values: dict[str, Decimal] = {}
        for name, field in self.fields.items():
            row = self._rows[name]
            try:
                value = self._value(name, field)
            except FieldError as error:
                row.show_fault(str(error))
                continue
            row.show_fault("")
            if value != getattr(self._order, name):
                values[name] = value
        if not values or any(row.fault for row in self._rows.values()):
            return None
        return Modify(order_id=self._order.order_id, **values)

    def _value(self, name: str, field: StepEdit) -> Decimal:
        label, step = field.accessibleName(), field.step
        assert step is not None  # noqa: S101 - given above
        value = check_grid(decimal_of(field.text(), label, scaled=name == "quantity"), step, label)
        if name == "quantity" and value <= self._order.filled:
            filled = size_text(self._order.filled, self._instrument.size_precision)
            raise FieldError(f"{filled} are filled already; the quantity must be above that.")
        return value

    def _on_changed(self) -> None:
        self.go.setEnabled(self.change() is not None)

    def _on_accepted(self) -> None:
        change = self.change()
        if change is not None:
            self.confirmed.emit(change)
            self.accept()
