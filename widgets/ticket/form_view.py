"""The ticket's form: only the fields that an order of the chosen kind has, each with its own sentence."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.messages.instrument import Instrument
from engine.messages.orders import TimeInForce
from widgets.order_words import type_text
from widgets.ticket.fields import Row, StepEdit, choice, choose
from widgets.ticket.form import KINDS, Distance, FieldName, Form, Kind, SizeBy
from widgets.ticket.typed import plain

_PERCENT: Final = Decimal("0.1")

_SIZES: Final[dict[SizeBy, str]] = {"lots": "1", "notional": "1000", "equity": "1", "risk": "0.5"}
"""What a person begins with who gives a size in these; in units it is a lot."""


class FormView(QWidget):
    """Edits a `Form`.

    Parameters
    ----------
    starts : callable
        Price and trigger from which an order of a kind begins; None without a market.

    Signals
    -------
    changed()
        Something was typed or chosen.
    """

    changed = Signal()

    def __init__(self, starts: Callable[[Kind], tuple[Decimal, Decimal] | None]) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._starts = starts
        self._proposed: dict[StepEdit, str] = {}
        self._settled: Kind | None = None
        self._instrument: Instrument | None = None
        self._quiet = False
        self._make_fields()
        self._lay_out()
        self.amount_by.currentIndexChanged.connect(self._begin_size)
        for row in self.rows.values():
            row.changed.connect(self._on_changed)
        for box in (self.post_only, self.reduce_only, self.quote_quantity, self.bracket, self.twap):
            box.toggled.connect(self._on_changed)
        self._settle()

    def _make_fields(self) -> None:
        self.kind = choice([(type_text(kind), kind) for kind in KINDS], self.tr("Kind of order"))
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kind.setMinimumContentsLength(7)
        self.time = choice([], self.tr("How long it is at work"))
        self.time.setToolTip(
            self.tr(
                "GTC until cancelled · IOC what fills at once · FOK all at once or nothing · "
                "GTD until a time · DAY until the day ends"
            )
        )
        self.amount = StepEdit(self.tr("Size"))
        self.amount_by = choice([], self.tr("Size in"))
        self.price, self.trigger = StepEdit(self.tr("Price")), StepEdit(self.tr("Trigger"))
        self.price.start = lambda: self._start(0)
        self.trigger.start = lambda: self._start(1)
        self.trailing, self.trailing_by = StepEdit(self.tr("Distance")), _distances(self.tr("Distance in"))
        self.expiry = QLineEdit()
        self.expiry.setAccessibleName(self.tr("Until"))
        self.expiry.setPlaceholderText(self.tr("17:30, +15m (UTC)"))
        self.post_only = _check(self.tr("Post-only"), self.tr("Refused where it would take liquidity"))
        self.reduce_only = _check(self.tr("Reduce-only"), self.tr("May only make the position smaller"))
        self.quote_quantity = _check("", self.tr("The size is in the currency that is paid"))
        self.bracket = _check(
            self.tr("Stop loss"),
            self.tr(
                "Bracket: stop loss, target or both, which the entry's fill sets to work; "
                "cancelling one of them cancels the other"
            ),
        )
        self.stop, self.stop_by = StepEdit(self.tr("Stop loss")), _distances(self.tr("Stop loss in"))
        self.target, self.target_by = StepEdit(self.tr("Target")), _distances(self.tr("Target in"))
        self.twap = _check(self.tr("TWAP"), self.tr("Spread evenly over a time"))
        self.horizon, self.interval = StepEdit(self.tr("Minutes")), StepEdit(self.tr("Seconds"))
        self.horizon.setText("10")
        self.interval.setText("30")
        for edit in (self.horizon, self.interval):
            edit.step = Decimal(1)
            edit.setMaximumWidth(44)

    def _lay_out(self) -> None:
        unit = QLabel(self.tr("min, every"))
        seconds = QLabel(self.tr("s"))
        for label in (unit, seconds):
            label.setObjectName("quiet")
        self.rows: dict[str, Row] = {
            "kind": Row(self.tr("Order"), [self.kind, self.time]),
            "size": Row(self.tr("Size"), [self.amount, self.amount_by]),
            "price": Row(self.tr("Price"), [self.price]),
            "trigger": Row(self.tr("Trigger"), [self.trigger]),
            "trailing": Row(self.tr("Distance"), [self.trailing, self.trailing_by]),
            "expiry": Row(self.tr("Until"), [self.expiry]),
            "stop": Row(self.bracket, [self.stop, self.stop_by]),
            "target": Row(self.tr("Target"), [self.target, self.target_by]),
            "twap": Row(self.twap, [self.horizon, unit, self.interval, seconds]),
        }
        flags = QHBoxLayout()
        flags.setSpacing(12)
        for box in (self.post_only, self.reduce_only, self.quote_quantity):
            flags.addWidget(box)
        flags.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        for name, row in self.rows.items():
            column.addWidget(row)
            if name == "expiry":
                column.addLayout(flags)
        column.addStretch()

    # What it holds

    @property
    def form(self) -> Form:
        """What is typed and chosen."""
        return Form(
            kind=self._kind,
            size=self.amount.text(),
            size_by=cast("SizeBy", self.amount_by.currentData() or "quantity"),
            price=self.price.text(),
            trigger=self.trigger.text(),
            trailing=self.trailing.text(),
            trailing_by=_distance(self.trailing_by),
            time_in_force=cast("TimeInForce", self.time.currentData() or "GTC"),
            expiry=self.expiry.text(),
            post_only=self.post_only.isChecked(),
            reduce_only=self.reduce_only.isChecked(),
            quote_quantity=self.quote_quantity.isChecked(),
            bracket=self.bracket.isChecked(),
            stop=self.stop.text(),
            stop_by=_distance(self.stop_by),
            target=self.target.text(),
            target_by=_distance(self.target_by),
            twap=self.twap.isChecked(),
            horizon=self.horizon.text(),
            interval=self.interval.text(),
        )

    @property
    def _kind(self) -> Kind:
        return cast("Kind", self.kind.currentData())

    def set_instrument(self, instrument: Instrument) -> None:
        """Take an instrument's grid and units; what was typed for another one is no longer meant."""
        self._quiet = True
        self._instrument = instrument
        base = instrument.quote if instrument.inverse else instrument.base
        before = self.amount_by.currentData()
        self.amount_by.clear()
        for text, by in (
            (base, "quantity"),
            (self.tr("lots"), "lots"),
            (self.tr("%1 value").replace("%1", instrument.quote), "notional"),
            (self.tr("% equity"), "equity"),
            (self.tr("% at risk"), "risk"),
        ):
            self.amount_by.addItem(text, by)
        choose(self.amount_by, before)
        self.quote_quantity.setText(self.tr("In %1").replace("%1", instrument.quote))
        for edit in (self.amount, self.price, self.trigger, self.stop, self.target, self.trailing):
            edit.clear()
        self.amount_by.setCurrentIndex(0)
        self.amount.setText(plain(instrument.lot_size))
        self._settled = None
        self._quiet = False
        self._settle()

    def show_faults(self, faults: dict[FieldName, str]) -> None:
        """Say beside each field what is wrong with it."""
        names: tuple[FieldName, ...] = ("size", "price", "trigger", "trailing", "expiry", "stop", "target")
        for name in names:
            self.rows[name].show_fault(faults.get(name, ""))
        editor = self.horizon if "horizon" in faults else self.interval
        self.rows["twap"].show_fault(faults.get("horizon") or faults.get("interval", ""), editor)

    def turn(self) -> None:
        """Take over that another side is chosen."""
        self._settled = None
        self._settle()

    # Which fields there are

    def _settle(self) -> None:
        """Show what belongs to the kind, and give every field its grid."""
        self._quiet = True
        facts = KINDS[self._kind]
        self._offer_times()
        for name, shown in (
            ("price", facts.price),
            ("trigger", facts.trigger),
            ("trailing", facts.trailing),
            ("expiry", self.time.currentData() == "GTD"),
            ("stop", facts.bracket),
            ("target", facts.bracket and self.bracket.isChecked()),
            ("twap", facts.twap and not self.bracket.isChecked()),
        ):
            self.rows[name].setVisible(shown)
        for edit in (self.stop, self.stop_by):
            edit.setVisible(self.bracket.isChecked())
        self.post_only.setVisible(facts.post_only)
        self.quote_quantity.setVisible(facts.quote_quantity)
        self.reduce_only.setVisible(not (facts.bracket and self.bracket.isChecked()))
        for field in (self.horizon, self.interval):
            field.setEnabled(self.twap.isChecked())
        self._set_steps()
        if self._kind != self._settled:  # not while typing: who empties a field does not want it filled
            self._settled = self._kind
            self._propose()
        self._quiet = False

    def _offer_times(self) -> None:
        facts, before = KINDS[self._kind], self.time.currentData()
        if [self.time.itemData(at) for at in range(self.time.count())] != list(facts.times):
            self.time.clear()
            for each in facts.times:
                self.time.addItem(each, each)
            choose(self.time, before)

    def _set_steps(self) -> None:
        instrument = self._instrument
        if instrument is None:
            return
        tick = instrument.tick_size
        self.price.step = self.trigger.step = tick
        steps = {"quantity": instrument.lot_size, "notional": Decimal(1_000)}
        by = self.amount_by.currentData()
        self.amount.step = steps.get(by, _PERCENT if by in ("equity", "risk") else Decimal(1))
        for edit, unit in (
            (self.trailing, self.trailing_by),
            (self.stop, self.stop_by),
            (self.target, self.target_by),
        ):
            by_unit = {"price": tick, "ticks": Decimal(1), "percent": _PERCENT}
            edit.step = by_unit[_distance(unit)]
            edit.start = self.price.start if _distance(unit) == "price" else (lambda: Decimal(10))

    def _start(self, which: int) -> Decimal | None:
        starts = self._starts(self._kind)
        return None if starts is None else starts[which]

    def _propose(self) -> None:
        """Begin with prices that make sense for kind and side, where the person has not typed any."""
        for edit in (self.price, self.trigger):
            if edit.text() in ("", self._proposed.get(edit)) and (start := edit.start()) is not None:
                self._proposed[edit] = plain(start)
                edit.setText(self._proposed[edit])

    def _begin_size(self) -> None:
        """Begin with a size of the unit that was chosen: who typed 5 for BTC does not mean 5 %."""
        if self._instrument is not None and not self._quiet:
            by = cast("SizeBy", self.amount_by.currentData())
            self.amount.setText(_SIZES.get(by) or plain(self._instrument.lot_size))

    def _on_changed(self) -> None:
        if not self._quiet:
            self._settle()
            self.changed.emit()


def _check(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    return box


def _distances(name: str) -> QComboBox:
    return choice([("ticks", "ticks"), ("%", "percent"), ("price", "price")], name)


def _distance(box: QComboBox) -> Distance:
    return cast("Distance", box.currentData())
