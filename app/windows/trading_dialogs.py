"""What is asked before orders cost money, and before they pass again after a halt."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from app.windows.confirm_name import ConfirmName
from app.windows.session_text import describe
from engine.nautilus.adapters.clients import parameters_in
from widgets.numbers import price_text

if TYPE_CHECKING:
    from app.session import StationSession
    from app.state.session import SessionState


def _tr(text: str) -> str:
    return QCoreApplication.translate("TradingDialogs", text)


def ask_for_live(session: "StationSession", parent: QWidget) -> ConfirmName:
    """Dialog that says what will be live and takes the account's name."""
    state, account = session.state, session.state.control.account
    name, detail = describe(session.run)
    facts = [
        (_tr("Account"), account),
        (_tr("Session"), f"{name} · {detail}"),
        *_held(state),
        (_tr("Limits"), _limits(state)),
        (_tr("Ends"), _tr("after 30 minutes without an order by hand, or with F9")),
    ]
    connection = session.run.connection
    trial = connection is not None and not parameters_in(connection).is_real_money
    return ConfirmName(
        _tr("Arm Live"),
        _tr("From now on orders, yours and the strategy's, go to the venue; this is a trial, no real money.")
        if trial
        else _tr("From now on orders, yours and the strategy's, go to a real venue and cost real money."),
        facts,
        account,
        _tr("Arm Live"),
        parent,
    )


def ask_to_rearm(session: "StationSession", parent: QWidget) -> ConfirmName:
    """Dialog that says what the halt left and takes the account's name."""
    state, account = session.state, session.state.control.account
    halt = state.halt
    cause = halt.reason if halt is not None and halt.reason else _tr("not told")
    facts = [(_tr("Account"), account), (_tr("Cause of the halt"), cause), *_held(state)]
    return ConfirmName(
        _tr("Re-arm"),
        _tr("The halt ends, and orders can be armed again. See first that its cause is gone."),
        facts,
        account,
        _tr("Re-arm"),
        parent,
    )


def _held(state: "SessionState") -> list[tuple[str, str]]:
    positions = [
        f"{price_text(each.quantity, _digits(state, each.instrument))} {each.instrument}"
        for each in state.orders.positions.rows
        if each.quantity
    ]
    working = sum(len(state.orders.working(name)) for name in state.markets)
    return [
        (_tr("Positions"), ", ".join(positions) or _tr("none")),
        (_tr("Working orders"), f"{working:,}"),
    ]


def _digits(state: "SessionState", instrument: str) -> int:
    market = state.markets.get(instrument)
    return market.instrument.size_precision if market is not None else 8


def _limits(state: "SessionState") -> str:
    uses = state.account_risk.uses if state.account_risk is not None else []
    if not uses:
        return _tr("none is set")
    return _tr("%1 in force").replace("%1", f"{len(uses):,}")
