"""The size of the ladder's next order: typed, or taken from presets, and remembered for each instrument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, override

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from engine.messages.instrument import Instrument
from widgets.own_orders import short_size
from widgets.ticket.typed import FieldError, check_grid, decimal_of, plain

_LOTS: Final = (1, 10, 100)
"""Presets of an instrument that has none of its own, in lots; the first is the size to begin with."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a person trades of one instrument: the size in the box, and the presets beside it."""

    size: Decimal
    presets: tuple[Decimal, ...]

    @classmethod
    def of(cls, texts: Sequence[str], lot: Decimal) -> "Sizes | None":
        """Sizes from their texts; None where they are not as many whole lots as there must be."""
        try:
            size, *presets = (check_grid(decimal_of(text, "-"), lot, "-") for text in texts)
        except ValueError:
            return None
        return cls(size, tuple(presets)) if len(presets) == len(_LOTS) else None


class SizeBox(QWidget):
    """Size of the next order with presets; a right click on a preset gives it the size in the box.

    Signals
    -------
    changed()
        `size_now` or `problem` is another one.
    kept(str, list of str)
        What to remember of an instrument is another: its size, then its presets.

    Attributes
    ----------
    size_now : Decimal or None
        None while what is typed is no size of this instrument; `problem` says why.
    """

    changed = Signal()
    kept = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.size_now: Decimal | None = None
        self.problem = ""
        self._instrument: Instrument | None = None
        self._kept: dict[str, Sequence[str]] = {}
        self.field = QLineEdit()
        self.field.setMinimumWidth(48)
        self.field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.textEdited.connect(self._on_edited)
        self.field.editingFinished.connect(self._on_finished)
        self.presets = [self._preset(number) for number in range(len(_LOTS))]
        label = QLabel(self.tr("Size"))
        label.setObjectName("quiet")
        label.setBuddy(self.field)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(label)
        row.addWidget(self.field, 1)
        for button in self.presets:
            row.addWidget(button)
        self.setEnabled(False)

    def _preset(self, number: int) -> QToolButton:
        button = QToolButton()
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._on_preset(number))
        button.installEventFilter(self)
        return button

    def show_instrument(self, instrument: Instrument | None) -> None:
        """Take the size and presets of this instrument."""
        if instrument == self._instrument:
            return
        self._instrument = instrument
        self.setEnabled(instrument is not None)
        self._fill()

    def set_size(self, size: Decimal) -> None:
        """Put this size into the box, as if it were typed."""
        self.field.setText(plain(size))
        self._on_edited()

    def remember(self, kept: Mapping[str, Sequence[str]]) -> None:
        """Take sizes by instrument as `kept` told them; those that no longer fit are passed over."""
        self._kept = dict(kept)
        self._fill()

    def _sizes(self, instrument: Instrument) -> Sizes:
        lot = instrument.lot_size
        lots = tuple(lot * many for many in _LOTS)
        return Sizes.of(self._kept.get(instrument.id, ()), lot) or Sizes(lots[0], lots)

    def _fill(self) -> None:
        instrument = self._instrument
        if instrument is None:
            self.field.clear()
        else:
            sizes = self._sizes(instrument)
            self.field.setText(plain(sizes.size))
            for button, size in zip(self.presets, sizes.presets, strict=True):
                button.setText(short_size(size, instrument.size_precision, 5))
                button.setToolTip(
                    self.tr("{size}; right click to put the size of the box here").format(size=plain(size))
                )
        self._read()

    def _read(self) -> None:
        instrument = self._instrument
        self.size_now, self.problem = None, ""
        if instrument is not None:
            try:
                typed = decimal_of(self.field.text(), self.tr("Size"), scaled=True)
                self.size_now = check_grid(typed, instrument.lot_size, self.tr("Size"))
            except FieldError as error:
                self.problem = str(error)
        self.field.setProperty("invalid", bool(self.problem))
        self.field.setToolTip(self.problem or self.tr("Size of an order by a click; 10k is 10000"))
        self.field.style().unpolish(self.field)
        self.field.style().polish(self.field)
        self.changed.emit()

    def _keep(self, sizes: Sizes) -> None:
        if self._instrument is not None and sizes != self._sizes(self._instrument):
            texts = [plain(size) for size in (sizes.size, *sizes.presets)]
            self._kept[self._instrument.id] = texts
            self.kept.emit(self._instrument.id, texts)

    def _on_edited(self) -> None:
        self._read()
        if self.size_now is not None and self._instrument is not None:
            self._keep(Sizes(self.size_now, self._sizes(self._instrument).presets))

    def _on_finished(self) -> None:
        if self.size_now is not None:
            self.field.setText(plain(self.size_now))
            self.field.clearFocus()

    def _on_preset(self, number: int) -> None:
        if self._instrument is not None:
            self.set_size(self._sizes(self._instrument).presets[number])

    def _put_preset(self, number: int) -> None:
        if self._instrument is None or self.size_now is None:
            return
        presets = list(self._sizes(self._instrument).presets)
        presets[number] = self.size_now
        self._keep(Sizes(self.size_now, tuple(presets)))
        self._fill()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonPress
            and event.button() == Qt.MouseButton.RightButton
            and isinstance(watched, QToolButton)
            and watched in self.presets
        ):
            self._put_preset(self.presets.index(watched))
            return True
        return super().eventFilter(watched, event)
