"""How fast the market runs: a logarithmic slider from a tenth to a thousand times, and full speed."""

import math
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from widgets.numbers import mono_font

SLOWEST: Final = 0.1
FASTEST: Final = 1000.0
LADDER: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Speeds that the keys step through and the slider snaps to."""

_STEPS: Final = 400
_SNAP: Final = 4


def slider_position(factor: float) -> int:
    """Place of a speed on the slider, 0 to 400."""
    decades = math.log10(FASTEST / SLOWEST)
    return round(_STEPS * math.log10(min(max(factor, SLOWEST), FASTEST) / SLOWEST) / decades)


def speed_at(position: int) -> float:
    """Speed at a place of the slider: a step of the ladder where one is near, two digits otherwise."""
    for step in LADDER:
        if abs(slider_position(step) - position) <= _SNAP:
            return step
    raw = SLOWEST * (FASTEST / SLOWEST) ** (position / _STEPS)
    return float(f"{raw:.2g}")


def next_speed(factor: float, direction: int) -> float:
    """Next step of the ladder, up (1) or down (-1); above the fastest comes 0, as fast as possible."""
    if factor == 0:
        return 0.0 if direction > 0 else FASTEST
    if direction > 0:
        return next((step for step in LADDER if step > factor * 1.001), 0.0)
    return next((step for step in reversed(LADDER) if step < factor * 0.999), SLOWEST)


class SpeedControl(QWidget):
    """Shows and chooses the speed; 0 is as fast as possible.

    Signals
    -------
    chosen(float)
        The person chose this speed.
    """

    chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._factor = -1.0
        self._label = QLabel()
        self._label.setFont(mono_font(12))
        self._label.setFixedWidth(56)
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _STEPS)
        self._slider.setFixedWidth(120)
        self._slider.setToolTip(self.tr("Speed: market seconds per second"))
        self._slider.setAccessibleName(self.tr("Speed"))
        self._slider.valueChanged.connect(self._on_slider_moved)
        self._max = QToolButton()
        self._max.setText(self.tr("Max"))
        self._max.setCheckable(True)
        self._max.setToolTip(self.tr("As fast as possible"))
        self._max.clicked.connect(self._on_max_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (self._label, self._slider, self._max):
            row.addWidget(widget)
        self.show_speed(1.0)

    @property
    def factor(self) -> float:
        """Speed shown."""
        return self._factor

    def show_speed(self, factor: float) -> None:
        """Show the session's speed; chooses nothing."""
        if factor == self._factor or self._slider.isSliderDown():
            return
        self._factor = factor
        self._label.setText(self.tr("max") if factor == 0 else f"{factor:g}×")
        with QSignalBlocker(self._slider), QSignalBlocker(self._max):
            self._max.setChecked(factor == 0)
            if factor:
                self._slider.setValue(slider_position(factor))

    def _on_slider_moved(self, position: int) -> None:
        self._factor = speed_at(position)
        self._label.setText(f"{self._factor:g}×")
        with QSignalBlocker(self._max):
            self._max.setChecked(False)
        self.chosen.emit(self._factor)

    def _on_max_clicked(self, checked: bool) -> None:  # noqa: FBT001 - Qt's signature
        self.chosen.emit(0.0 if checked else speed_at(self._slider.value()))
