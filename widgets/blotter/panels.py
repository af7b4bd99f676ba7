"""The tables of a session: orders, fills, positions, account, log."""

from collections.abc import Callable
from typing import Final, override

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from engine.messages.commands import Cancel, CancelAll, Flatten, Reverse
from engine.messages.events import Denied, Filled, Logged, OrderChanged, PositionChanged
from engine.messages.orders import ENDED
from widgets.blotter.columns import (
    AccountRow,
    account_columns,
    denial_columns,
    fill_columns,
    log_columns,
    order_columns,
    position_columns,
)
from widgets.blotter.state import Growing, LogLines, Money, Refusals, Replacing, Sliding
from widgets.blotter.table import EventTable
from widgets.numbers import size_text
from widgets.order_words import origin_text, rule_text, status_text
from widgets.own_orders import can_move
from widgets.theme import Theme

_LEVELS: Final = ("debug", "info", "warning", "error")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Blotter", text)


def _switch(text: str, tip: str, toggled: Callable[[bool], None]) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.toggled.connect(toggled)
    return button


class OrdersPanel(EventTable[OrderChanged]):
    """Every order's latest state; working ones are cancelled and changed from here, whoever placed them.

    Signals
    -------
    command_asked(Cancel or CancelAll)
    change_asked(OrderChanged)
        The person wants to change the price or quantity of this working order.
    """

    command_asked = Signal(object)
    change_asked = Signal(object)
    explains = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            order_columns(_tr),
            lambda row: " ".join(
                (
                    row.order_id,
                    row.instrument,
                    row.strategy,
                    origin_text(row.strategy),
                    row.side,
                    row.type,
                    row.status,
                    status_text(row.status),
                    row.reason,
                    row.request,
                )
            ),
            "orders",
            (
                _tr("No orders"),
                _tr("They appear when you or the strategy trade: place one in the ticket, or press play."),
            ),
            parent,
        )
        self.cancel = self.add_deed(_tr("Cancel order"), "Del", self._on_cancel)
        self.change = self.add_deed(_tr("Change order…"), "F2", self._on_change)
        self.cancel_all = self.add_deed(_tr("Cancel all orders"), "Shift+Del", self._on_cancel_all)
        self.working = _switch(_tr("Working"), _tr("Show only orders that can still trade"), self._on_working)
        self.add_control(self.working)

    def bind(self, state: Money | None) -> None:
        """Show a session's orders; None empties the table."""
        self.follow(Replacing(state.orders) if state else None)

    @override
    def prepare_menu(self) -> None:
        working = [row for row in self.picked if row.status not in ENDED]
        self.cancel.setText(
            _tr("Cancel order")
            if len(working) < 2
            else _tr("Cancel %1 orders").replace("%1", str(len(working)))
        )
        self.cancel.setEnabled(bool(working))
        self.change.setEnabled(len(working) == 1 and can_move(working[0]))

    def _on_cancel(self) -> None:
        for row in self.picked:
            if row.status not in ENDED:
                self.command_asked.emit(Cancel(row.order_id))

    def _on_change(self) -> None:
        row = self.current_row
        if row is not None and can_move(row):
            self.change_asked.emit(row)

    def _on_cancel_all(self) -> None:
        row = self.current_row
        self.command_asked.emit(CancelAll("" if row is None else row.instrument))

    def _on_working(self, on: bool) -> None:  # noqa: FBT001 -- a Qt slot
        self.narrow((lambda row: row.status not in ENDED) if on else None)


class FillsPanel(EventTable[Filled]):
    """Every execution."""

    explains = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            fill_columns(_tr),
            lambda row: (
                f"{row.trade_id} {row.order_id} {row.instrument} {row.strategy} {row.side} {row.liquidity}"
            ),
            "fills",
            (_tr("No fills"), _tr("They appear when orders trade: press play, or step to the next fill.")),
            parent,
        )

    def bind(self, state: Money | None) -> None:
        """Show a session's fills; None empties the table."""
        self.follow(Growing(state.fills) if state else None)


class PositionsPanel(EventTable[PositionChanged]):
    """Positions, open and closed; open ones are closed and turned round from here.

    Signals
    -------
    command_asked(Flatten or Reverse)
    """

    command_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            position_columns(_tr),
            lambda row: f"{row.position_id} {row.instrument} {row.strategy}",
            "positions",
            (_tr("No positions"), _tr("One appears with the first fill.")),
            parent,
        )
        self.flatten = self.add_deed(_tr("Flatten, and cancel its orders"), "Del", self._on_flatten)
        self.reverse = self.add_deed(_tr("Reverse"), "", self._on_reverse)
        self.open = _switch(_tr("Open"), _tr("Show only positions that are not closed"), self._on_open)
        self.add_control(self.open)

    def bind(self, state: Money | None) -> None:
        """Show a session's positions; None empties the table."""
        self.follow(Replacing(state.positions) if state else None)

    @override
    def prepare_menu(self) -> None:
        open_ = any(row.quantity for row in self.picked)
        self.flatten.setEnabled(open_)
        self.reverse.setEnabled(open_ and len(self.picked) == 1)

    def _on_flatten(self) -> None:
        for instrument in dict.fromkeys(row.instrument for row in self.picked if row.quantity):
            self.command_asked.emit(Flatten(instrument))

    def _on_reverse(self) -> None:
        row = self.current_row
        if row is not None and row.quantity:
            self.command_asked.emit(Reverse(row.instrument))

    def _on_open(self, on: bool) -> None:  # noqa: FBT001 -- a Qt slot
        self.narrow((lambda row: row.closed_ns is None) if on else None)


class DenialsPanel(EventTable[Denied]):
    """Orders and changes that the gate did not let pass, each with its rule, value and limit."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            denial_columns(_tr),
            lambda row: " ".join(
                (
                    row.order_id,
                    row.intent.instrument,
                    row.intent.strategy,
                    origin_text(row.intent.strategy),
                    row.intent.side,
                    row.denial.rule,
                    rule_text(row.denial.rule),
                    row.denial.text,
                )
            ),
            "denials",
            (
                _tr("Nothing was denied"),
                _tr("What a limit does not let pass appears here, with its rule, value and limit."),
            ),
            parent,
        )

    def bind(self, state: Refusals | None) -> None:
        """Show a session's denials; None empties the table."""
        self.follow(Growing(state.denials) if state else None)


class AccountPanel(EventTable[AccountRow]):
    """Balances by account and currency."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            account_columns(_tr),
            lambda row: f"{row[0].account_id} {row[1].currency}",
            "account",
            (_tr("No balances"), _tr("They appear when the session starts.")),
            parent,
        )

    def bind(self, state: Money | None) -> None:
        """Show a session's balances; None empties the table."""
        self.follow(Replacing(state.balances) if state else None)


class LogPanel(EventTable[Logged]):
    """What the session and the strategy said."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._lines: LogLines | None = None
        super().__init__(
            theme,
            log_columns(_tr),
            lambda row: f"{row.source} {row.text}",
            "log",
            (_tr("Nothing logged"), _tr("Lines of the session and of the strategy appear here.")),
            parent,
        )
        self.level = QComboBox()
        for text in (_tr("All levels"), _tr("Info and above"), _tr("Warnings and errors"), _tr("Errors")):
            self.level.addItem(text)
        self.level.currentIndexChanged.connect(self._on_level_chosen)
        self.add_control(self.level)

    def bind(self, state: LogLines | None) -> None:
        """Show a session's log; None empties the table."""
        self._lines = state
        self.follow(Sliding(state) if state else None)

    def _on_level_chosen(self, lowest: int) -> None:
        levels = frozenset(_LEVELS[lowest:])
        self.narrow((lambda row: row.level in levels) if lowest else None)

    @override
    def _count_text(self, count: str) -> str:
        if self._lines is None or not self._lines.dropped:
            return count
        return _tr("{count} · {dropped} older dropped").format(
            count=count, dropped=size_text(self._lines.dropped, 0)
        )
