"""The panels of the window, as data: what each is called, where it starts and how often it is refreshed."""

import importlib
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, cast, runtime_checkable

import msgspec
from PySide6.QtCore import QCoreApplication, SignalInstance
from PySide6.QtWidgets import QWidget

from app.state.session import SessionState
from app.translation import QT_TRANSLATE_NOOP
from engine.messages.frames import Control
from widgets.theme import Theme

type Area = Literal["centre", "left", "right", "bottom"]


class Panel(Protocol):
    """What every panel can do; each is a `QWidget` besides."""

    def bind(self, *parts: Any) -> None:
        """Show these parts of a session; None is none."""

    def refresh(self) -> None:
        """Take over what changed."""

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""


@runtime_checkable
class Aging(Protocol):
    """A panel whose market grows old when the session is silent."""

    def set_stale(self, age_s: float | None) -> None:
        """Grey what is shown and count its age, seconds; None is new."""


@runtime_checkable
class Trading(Protocol):
    """A panel from which orders are placed, changed, cancelled or asked about.

    Its signal carries the command itself (`engine.messages.commands`: `Submit`, `Preview`, `Modify`,
    `Cancel`, `CancelAll`, `Flatten`, `Reverse`, `BreakEven`, `SetPolicy`), with a request of its own where it
    needs one. The window passes it on, or says why it does not.
    """

    command_asked: SignalInstance


@runtime_checkable
class Controlled(Protocol):
    """A panel that shows whether orders pass and is not bound to a whole session."""

    def set_control(self, control: Control) -> None:
        """Take over whether and where orders pass; called before a refresh where it changed."""


def whole(state: SessionState) -> tuple[object, ...]:
    """All of a session; the panel sees for itself which of its read models were replaced."""
    return (state,)


def market(state: SessionState) -> tuple[object, ...]:
    """Market of the session's first instrument."""
    return (next(iter(state.markets.values()), None),)


def orders(state: SessionState) -> tuple[object, ...]:
    """The session's orders, fills, positions and balances."""
    return (state.orders,)


def log(state: SessionState) -> tuple[object, ...]:
    """The session's log."""
    return (state.log,)


def chart_parts(state: SessionState) -> tuple[object, ...]:
    """Market of the session's first instrument, orders, signals in that market, news, and the session."""
    signals = next((state.signals.of(name) for name in state.markets), None)
    return (*market(state), state.orders, signals, state.news, state)


class PanelSpec(msgspec.Struct, frozen=True):
    """One panel.

    Attributes
    ----------
    factory : str
        `module:Class`, imported when the panel is first made.
    key : str
        Shows or hides it.
    rate_hz : float
        Refreshes per second at most; numbers that change faster cannot be read.
    weight : int
        What painting it costs beside the others (measured); the frame clock spreads them over frames.
    parts : callable
        What of a session it is bound to; bound again where one of them was replaced.
    clocked : bool
        Whether it is told the session's time before each refresh.
    """

    id: str
    title: str
    factory: str
    area: Area
    key: str
    rate_hz: float = 60.0
    weight: int = 1
    parts: Callable[[SessionState], tuple[object, ...]] = whole
    clocked: bool = False

    @property
    def label(self) -> str:
        """Title in the person's language."""
        return QCoreApplication.translate("panels", self.title)

    def make(self, theme: Theme) -> tuple[QWidget, Panel]:
        """Make the panel: the same object as a widget and as a panel."""
        module, _, name = self.factory.partition(":")
        widget = getattr(importlib.import_module(module), name)(theme)
        return widget, cast("Panel", widget)


PANELS: Final[tuple[PanelSpec, ...]] = (
    PanelSpec(
        "chart",
        QT_TRANSLATE_NOOP("panels", "Chart"),
        "widgets.chart.panel:ChartPanel",
        "centre",
        "Ctrl+1",
        weight=4,
        parts=chart_parts,
        clocked=True,
    ),
    PanelSpec(
        "ladder",
        QT_TRANSLATE_NOOP("panels", "Ladder"),
        "widgets.book:LadderPanel",
        "right",
        "Ctrl+2",
        30,
        weight=2,
    ),
    PanelSpec(
        "ticket",
        QT_TRANSLATE_NOOP("panels", "Order ticket"),
        "widgets.ticket.panel:TicketPanel",
        "right",
        "Alt+9",
        10,
    ),
    PanelSpec(
        "tape",
        QT_TRANSLATE_NOOP("panels", "Time and sales"),
        "widgets.tape:TimeAndSalesPanel",
        "right",
        "Ctrl+3",
        30,
        weight=2,
        parts=market,
    ),
    PanelSpec(
        "watchlist",
        QT_TRANSLATE_NOOP("panels", "Watchlist"),
        "widgets.watchlist:WatchlistPanel",
        "left",
        "Ctrl+4",
        5,
    ),
    PanelSpec("risk", QT_TRANSLATE_NOOP("panels", "Risk"), "widgets.risk:RiskPanel", "left", "Ctrl+5", 10),
    PanelSpec(
        "strategy",
        QT_TRANSLATE_NOOP("panels", "Strategy"),
        "app.windows.strategy:StrategyPanel",
        "left",
        "Ctrl+6",
        2,
    ),
    PanelSpec(
        "orders",
        QT_TRANSLATE_NOOP("panels", "Orders"),
        "widgets.blotter:OrdersPanel",
        "bottom",
        "Ctrl+7",
        30,
        parts=orders,
    ),
    PanelSpec(
        "fills",
        QT_TRANSLATE_NOOP("panels", "Fills"),
        "widgets.blotter:FillsPanel",
        "bottom",
        "Ctrl+8",
        30,
        parts=orders,
    ),
    PanelSpec(
        "positions",
        QT_TRANSLATE_NOOP("panels", "Positions"),
        "widgets.blotter:PositionsPanel",
        "bottom",
        "Ctrl+9",
        30,
        parts=orders,
    ),
    PanelSpec(
        "account",
        QT_TRANSLATE_NOOP("panels", "Account"),
        "widgets.blotter:AccountPanel",
        "bottom",
        "Ctrl+0",
        10,
        parts=orders,
    ),
    PanelSpec(
        "denials",
        QT_TRANSLATE_NOOP("panels", "Denied"),
        "widgets.blotter:DenialsPanel",
        "bottom",
        "Alt+0",
        10,
        parts=orders,
    ),
    PanelSpec(
        "log",
        QT_TRANSLATE_NOOP("panels", "Log"),
        "widgets.blotter:LogPanel",
        "bottom",
        "Alt+1",
        10,
        parts=log,
    ),
    PanelSpec(
        "signals",
        QT_TRANSLATE_NOOP("panels", "Signals"),
        "widgets.signals.panel:SignalsPanel",
        "bottom",
        "Alt+3",
        30,
        weight=2,
        clocked=True,
    ),
    PanelSpec(
        "results",
        QT_TRANSLATE_NOOP("panels", "Results"),
        "widgets.results:ResultsPanel",
        "bottom",
        "Alt+2",
        5,
    ),
    PanelSpec(
        "models",
        QT_TRANSLATE_NOOP("panels", "Kept models"),
        "widgets.model.shelf:ModelsPanel",
        "bottom",
        "Alt+6",
        2,
    ),
    PanelSpec(
        "model_strip",
        QT_TRANSLATE_NOOP("panels", "Model strip"),
        "widgets.model.strip:ModelPanel",
        "left",
        "Alt+4",
        5,
    ),
    PanelSpec(
        "data", QT_TRANSLATE_NOOP("panels", "Data"), "widgets.data.panel:DataPanel", "bottom", "Alt+7", 4
    ),
    PanelSpec(
        "correlation",
        QT_TRANSLATE_NOOP("panels", "Correlation"),
        "widgets.correlation.panel:CorrelationPanel",
        "bottom",
        "Alt+8",
        2,
    ),
    PanelSpec("why", QT_TRANSLATE_NOOP("panels", "Why"), "widgets.why:WhyPanel", "left", "Alt+5", 10),
)
