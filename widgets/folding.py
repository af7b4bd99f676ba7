"""Switches beside each other, which fold into one menu where there is no room for them."""

from collections.abc import Sequence
from typing import override

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget


class Folding(QWidget):
    """A row of checkable buttons, or a button named `title` with a menu of them.

    Parameters
    ----------
    title : str
    buttons : sequence of QToolButton
        They stay what is switched: the menu only shows and presses them.
    """

    def __init__(self, title: str, buttons: Sequence[QToolButton], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons = buttons
        self.folded = QToolButton(self)
        self.folded.setText(f"{title} ▾")
        self.folded.setAutoRaise(True)
        self.folded.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.folded.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.folded)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fill)
        self.folded.setMenu(menu)
        self.folded.hide()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        # Its own sizes count, not those of what it shows just now.
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        for button in (*buttons, self.folded):
            self._row.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _fill(self) -> None:
        menu = self.folded.menu()
        menu.clear()
        for button in self._buttons:
            action = QAction(button.text(), menu, checkable=True, checked=button.isChecked())
            action.setToolTip(button.toolTip())
            action.setEnabled(button.isEnabled())
            action.toggled.connect(button.setChecked)
            menu.addAction(action)

    @override
    def sizeHint(self) -> QSize:
        sizes = [button.sizeHint() for button in self._buttons]
        gaps = self._row.spacing() * (len(sizes) - 1)
        return QSize(sum(size.width() for size in sizes) + gaps, max(size.height() for size in sizes))

    @override
    def minimumSizeHint(self) -> QSize:
        return self.folded.sizeHint()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        folds = self.width() < self.sizeHint().width()
        for button in self._buttons:
            button.setVisible(not folds)
        self.folded.setVisible(folds)
