"""The panels of the window, as data: what each is called, where it starts, and what of a session it shows."""

import importlib
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, cast

import msgspec
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtWidgets import QWidget

from app.state.session import SessionState
from widgets.theme import Theme

type Area = Literal["centre", "left", "right", "bottom"]


class Panel(Protocol):
    """What every panel can do; each is a `QWidget` besides."""

    def bind(self, state: Any, /) -> None:
        """Show this part of a session; None is none."""

    def refresh(self) -> None:
        """Take over what changed."""

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""


class PanelSpec(msgspec.Struct, frozen=True):
    """One panel.

    Attributes
    ----------
    factory : str
        `module:Class`, imported when the panel is first made.
    part : callable
        Part of a session that it is bound to; None where the session has none yet.
    key : str
        Shows or hides it.
    rate_hz : float
        Refreshes per second at most; numbers that change faster cannot be read.
    """

    id: str
    title: str
    factory: str
    part: Callable[[SessionState], object | None]
    area: Area
    key: str
    rate_hz: float = 60.0

    @property
    def label(self) -> str:
        """Title in the person's language."""
        return QCoreApplication.translate("panels", self.title)

    def make(self, theme: Theme) -> tuple[QWidget, Panel]:
        """Make the panel: the same object as a widget and as a panel."""
        module, _, name = self.factory.partition(":")
        widget = getattr(importlib.import_module(module), name)(theme)
        return widget, cast("Panel", widget)


def first_market(state: SessionState) -> object | None:
    """Market of the session's (first) instrument."""
    return next(iter(state.markets.values()), None)


def _whole(state: SessionState) -> object:
    return state


_T = QT_TRANSLATE_NOOP

PANELS: Final[tuple[PanelSpec, ...]] = (
    PanelSpec("chart", _T("panels", "Chart"), "widgets.chart:ChartPanel", first_market, "centre", "Ctrl+1"),
    PanelSpec(
        "ladder", _T("panels", "Ladder"), "widgets.book:LadderPanel", first_market, "right", "Ctrl+2", 30
    ),
    PanelSpec(
        "tape", _T("panels", "Time and sales"), "widgets.tape:TimeAndSalesPanel", first_market, "right", "Ctrl+3", 30
    ),
    PanelSpec(
        "watchlist", _T("panels", "Watchlist"), "widgets.watchlist:WatchlistPanel", _whole, "left", "Ctrl+4", 5
    ),
    PanelSpec("risk", _T("panels", "Risk"), "widgets.risk:RiskPanel", lambda s: s.risk, "left", "Ctrl+5", 10),
    PanelSpec(
        "strategy", _T("panels", "Strategy"), "app.windows.strategy:StrategyPanel", _whole, "left", "Ctrl+6", 2
    ),
    PanelSpec(
        "orders", _T("panels", "Orders"), "widgets.blotter:OrdersPanel", lambda s: s.orders, "bottom", "Ctrl+7", 10
    ),
    PanelSpec(
        "fills", _T("panels", "Fills"), "widgets.blotter:FillsPanel", lambda s: s.orders, "bottom", "Ctrl+8", 10
    ),
    PanelSpec(
        "positions",
        _T("panels", "Positions"),
        "widgets.blotter:PositionsPanel",
        lambda s: s.orders,
        "bottom",
        "Ctrl+9",
        10,
    ),
    PanelSpec(
        "account",
        _T("panels", "Account"),
        "widgets.blotter:AccountPanel",
        lambda s: s.orders,
        "bottom",
        "Ctrl+0",
        10,
    ),
    PanelSpec("log", _T("panels", "Log"), "widgets.blotter:LogPanel", lambda s: s.log, "bottom", "Alt+1", 10),
    PanelSpec(
        "results",
        _T("panels", "Results"),
        "widgets.results:ResultsPanel",
        lambda s: s.results,
        "bottom",
        "Alt+2",
        5,
    ),
)
