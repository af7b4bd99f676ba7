"""What is asked before a live session ends that would leave orders or positions at its venue, unwatched."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout

from widgets.numbers import signed_text

if TYPE_CHECKING:
    from app.session import StationSession
    from app.windows.main_window import MainWindow


def _tr(text: str) -> str:
    return QCoreApplication.translate("Parting", text)


def left_behind(session: "StationSession | None") -> str:
    """What a live session holds and has at work, in words; empty where nothing would be left at a venue."""
    if session is None or session.run.mode != "live" or session.down is not None:
        return ""
    state = session.state
    held: defaultdict[str, Decimal] = defaultdict(
        Decimal
    )  # at the venue positions of several strategies are one
    for each in state.orders.positions.rows:
        held[each.instrument] += each.quantity
    parts = []
    for name, quantity in held.items():
        market = state.markets.get(name)
        if quantity:
            digits = 8 if market is None else market.instrument.size_precision
            parts.append(f"{signed_text(quantity, digits)} {name}")
    if working := sum(len(state.orders.working(name)) for name in state.markets):
        parts.append(
            _tr("1 working order") if working == 1 else _tr("%1 working orders").replace("%1", f"{working:,}")
        )
    return ", ".join(parts)


class Parting:
    """Asks one window's person whether a live session may end.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._let_go: StationSession | None = None

    def asks(self, go_on: Callable[[], object]) -> bool:
        """Ask where something would be left behind, and go on after a yes; False where nothing is asked."""
        session = self._window.station.session
        left = left_behind(session)
        if session is None or not left or session is self._let_go:
            return False
        if any(each.isVisible() for each in self._window.findChildren(PartingDialog)):
            return True

        def end() -> None:
            self._let_go = session
            go_on()

        PartingDialog(session, left, end, self._window).open()
        return True


class PartingDialog(QDialog):
    """Says what a session would leave behind; to stay is what Enter and Esc do."""

    def __init__(
        self, session: "StationSession", left: str, end: Callable[[], object], parent: "MainWindow"
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_tr("End the live session"))
        self.setMinimumWidth(420)
        self._session, self._end = session, end
        told = QLabel(
            _tr(
                "The live session ends with this, and leaves at the venue: %1. Nothing watches them from "
                "then on; flatten first, or end it and look after them at the venue."
            ).replace("%1", left)
        )
        told.setWordWrap(True)
        told.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QDialogButtonBox()
        stay = buttons.addButton(_tr("Stay"), QDialogButtonBox.ButtonRole.RejectRole)
        self.flatten = buttons.addButton(_tr("Stay and flatten"), QDialogButtonBox.ButtonRole.ActionRole)
        self.end = buttons.addButton(_tr("End it"), QDialogButtonBox.ButtonRole.DestructiveRole)
        self.end.setObjectName("danger")
        for button in (self.flatten, self.end):
            button.setAutoDefault(False)
        stay.setDefault(True)
        stay.setFocus()
        buttons.rejected.connect(self.reject)
        self.flatten.clicked.connect(self._on_flatten)
        self.end.clicked.connect(self._on_end)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(told)
        column.addWidget(buttons)

    def _on_flatten(self) -> None:
        for name in self._session.state.markets:
            self._session.flatten(name)
        self.accept()

    def _on_end(self) -> None:
        self.accept()
        self._end()
