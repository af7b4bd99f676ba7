"""The button that floats over a panel while the user looks at the past, and takes no room from it."""

from typing import Final, override

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QPushButton, QWidget

from widgets.numbers import size_text

_MARGIN: Final = 8


class BackToNow(QPushButton):
    """Hidden until `appear`; sits at the lower middle of `over`, `lift` pixels above its edge."""

    def __init__(self, over: QWidget, lift: int = 0) -> None:
        super().__init__(over)
        self.setObjectName("back_to_now")
        self._over = over
        self._lift = lift
        over.installEventFilter(self)
        self.appear(on=False)

    def appear(self, *, on: bool, newer: int = 0) -> None:
        """Show or hide it, with the number of rows that came meanwhile."""
        text = self.tr("Back to now")
        self.setText(f"{text} · {size_text(newer, 0)}" if newer else text)
        self.setVisible(on)
        if on:
            self._place()

    def _place(self) -> None:
        self.adjustSize()
        x = (self._over.width() - self.width()) // 2
        self.move(max(0, x), self._over.height() - self._lift - self.height() - _MARGIN)
        self.raise_()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)
