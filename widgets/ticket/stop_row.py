"""The row that has the held position's stop moved with the market: by which rule, and Set."""

from decimal import Decimal
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.messages.commands import SetStop
from widgets.ticket.fields import Row, StepEdit, choice
from widgets.ticket.typed import FieldError, decimal_of

_NARROW: Final = 36


class StopRow(QWidget):
    """Kind of rule with its figures; the rule in force stands below.

    Signals
    -------
    asked(SetStop)
        The rule is to be in force.
    """

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._instrument = ""
        kinds = [
            (self.tr("ATR"), "atr"),
            (self.tr("Chandelier"), "chandelier"),
            (self.tr("Break-even"), "break-even"),
            (self.tr("Stays"), "none"),
        ]
        self.kind = choice(kinds, self.tr("What moves the stop"))
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kind.setMinimumContentsLength(6)
        self.kind.setToolTip(
            self.tr(
                "ATR: average true ranges from each bar's close · Chandelier: from the best price since the "
                "entry · Break-even: to where nothing is lost, from so many bps of profit on"
            )
        )
        self.period = self._edit(self.tr("Bars of the average"), "14", Decimal(1))
        self.multiple = self._edit(self.tr("Average true ranges"), "3", Decimal("0.5"))
        self.distance = self._edit(self.tr("Profit in bps"), "20", Decimal(1))
        self.set = QPushButton(self.tr("Set"))
        self.set.setToolTip(self.tr("Have the stop of your position moved by this rule as bars close"))
        self.set.clicked.connect(self._on_set)
        self.row = Row(self.tr("Stop"), [self.kind, self.period, self.multiple, self.distance, self.set])
        self.row.changed.connect(self._on_edited)
        self._in_force = QLabel()
        self._in_force.setObjectName("quiet")
        self._in_force.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        column.addWidget(self.row)
        column.addWidget(self._in_force)
        self._on_edited()

    def show_position(self, instrument: str, rule: str) -> None:
        """Offer rules for the position in this instrument, and say which is in force; empty is none."""
        self._instrument = instrument
        self.setVisible(bool(instrument))
        self._in_force.setText(self.tr("In force: {rule}").format(rule=rule) if rule else "")
        self._in_force.setVisible(bool(rule))

    def _edit(self, name: str, text: str, step: Decimal) -> StepEdit:
        edit = StepEdit(name)
        edit.step = step
        edit.setText(text)
        edit.setToolTip(name)
        edit.setFixedWidth(_NARROW)
        return edit

    def _read(self) -> SetStop:
        kind = self.kind.currentData()
        if kind in ("atr", "chandelier"):
            period = decimal_of(self.period.text(), self.tr("Bars"))
            if period != int(period):
                raise FieldError(self.tr("The average is of whole bars; leave the fraction out."))
            multiple = decimal_of(self.multiple.text(), self.tr("Multiple"))
            return SetStop(instrument=self._instrument, kind=kind, period=int(period), multiple=multiple)
        if kind == "break-even":
            distance = decimal_of(self.distance.text(), self.tr("Profit"))
            return SetStop(instrument=self._instrument, kind=kind, distance_bps=distance)
        return SetStop(instrument=self._instrument, kind=kind)

    # Slots

    def _on_edited(self) -> None:
        kind = self.kind.currentData()
        for edit in (self.period, self.multiple):
            edit.setVisible(kind in ("atr", "chandelier"))
        self.distance.setVisible(kind == "break-even")
        fault = ""
        try:
            self._read()
        except FieldError as error:
            fault = str(error)
        self.row.show_fault(fault)
        self.set.setEnabled(not fault)

    def _on_set(self) -> None:
        self.asked.emit(self._read())
