"""The order ticket bound to a session: form, preview, the gate's verdict, and what became of the order."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final, override

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, Side
from widgets.chrome import dress
from widgets.numbers import mono_font, price_text
from widgets.own_orders import side_text
from widgets.page import Page, Sentence
from widgets.theme import Theme
from widgets.ticket.dealing import Dealing, touch_of
from widgets.ticket.form import Form, Kind, starts
from widgets.ticket.form_view import FormView
from widgets.ticket.order import Wanted, orders_of
from widgets.ticket.state import TicketMarket, TicketSession
from widgets.ticket.stop_row import StopRow
from widgets.ticket.words import deed_text, preview_lines

_SHEET: Final = """
FormView, StopRow {{ background: {panel}; }}
QPushButton#ticket_side {{ border: 1px solid {line}; padding: 3px 4px; font-size: 12px; color: {quiet}; }}
QPushButton#ticket_side[side="BUY"]:checked {{ border-color: {bid}; color: {bid}; background: {raised}; }}
QPushButton#ticket_side[side="SELL"]:checked {{ border-color: {ask}; color: {ask}; background: {raised}; }}
QPushButton#ticket_send {{ font-size: 12px; font-weight: bold; min-height: 22px; padding: 3px 6px; }}
QPushButton#ticket_send {{ border: 1px solid {panel}; }}
QPushButton#ticket_send[side="BUY"] {{ background: {bid}; color: {panel}; }}
QPushButton#ticket_send[side="SELL"] {{ background: {ask}; color: {panel}; }}
QPushButton#ticket_send:disabled {{ background: {raised}; color: {quiet}; border-color: {line}; }}
QPushButton#ticket_send:focus {{ border: 1px solid {text}; }}
QCheckBox {{ spacing: 4px; }}
QLabel#ticket_reason {{ color: {warning}; }}
"""


class _Lines(Page):
    """Lines that take no more room than they need."""

    @override
    def sizeHint(self) -> QSize:
        return QSize(240, self.minimumHeight())


class _FormArea(QScrollArea):
    """Scrolls a form up and down only, and so is never narrower than it."""

    def __init__(self, form: QWidget) -> None:
        super().__init__()
        self._form = form
        self.setWidget(form)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @override
    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._form.minimumSizeHint().width() + bar, super().minimumSizeHint().height())


class TicketPanel(QWidget):
    """Places orders; asks the engine beforehand what they would come to.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.

    Signals
    -------
    command_asked(Submit, Preview or SetStop)
    """

    command_asked = Signal(object)

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._dealing = Dealing(clock)
        self._instrument: Instrument | None = None
        self._wanted_instrument: str | None = None
        self.sides: dict[Side, QPushButton] = {"SELL": self._side("SELL"), "BUY": self._side("BUY")}
        self.sides["BUY"].setChecked(True)
        self.view = FormView(self._starts)
        self.preview, self.life = _Lines(theme), _Lines(theme)
        self.send = QPushButton()
        self.send.setObjectName("ticket_send")
        self.send.setToolTip(self.tr("Place the order (Ctrl+Enter in the ticket)"))
        self.send.clicked.connect(self.place)
        self.reason = QLabel()
        self.reason.setObjectName("ticket_reason")
        self.reason.setWordWrap(True)
        self.stop = StopRow()
        self.stop.asked.connect(self.command_asked)
        self._lay_out()
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.send.click)
        self.view.changed.connect(self._on_edited)
        self.sides["BUY"].toggled.connect(self._on_side_chosen)
        self.set_theme(theme)
        self.refresh()

    def _side(self, side: Side) -> QPushButton:
        button = QPushButton()
        button.setObjectName("ticket_side")
        button.setProperty("side", side)
        button.setCheckable(True)
        button.setAutoExclusive(True)
        button.setFont(mono_font(12))
        button.setAccessibleName(side_text(side))
        return button

    def _lay_out(self) -> None:
        sides = QHBoxLayout()
        sides.setContentsMargins(8, 8, 8, 4)
        sides.setSpacing(4)
        for button in self.sides.values():
            sides.addWidget(button, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 4, 8, 8)
        foot.setSpacing(4)
        foot.addWidget(self.reason)
        foot.addWidget(self.send)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(sides)
        column.addWidget(_FormArea(self.view), 1)
        column.addWidget(self.stop)
        column.addWidget(self.life)
        column.addWidget(self.preview)
        column.addLayout(foot)  # at the bottom: what comes and goes above never moves the button
        for page in (self.preview, self.life):
            page.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            page.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    # What others ask of it

    @property
    def side(self) -> Side:
        """Side chosen."""
        return "BUY" if self.sides["BUY"].isChecked() else "SELL"

    def show_instrument(self, instrument: str | None) -> None:
        """Trade this instrument of the session; None is its first."""
        self._wanted_instrument = instrument
        self.refresh()

    def bind(self, session: TicketSession | None) -> None:
        """Trade in a session; None is none."""
        self._dealing.bind(session)
        self.refresh()

    def set_stale(self, age_s: float | None) -> None:
        """Send nothing while the session is silent for so many seconds; None is not at all."""
        self._dealing.stale = age_s is not None
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        tokens = ("line", "quiet", "bid", "ask", "raised", "panel", "text", "warning")
        self.setStyleSheet(self.styleSheet() + _SHEET.format(**{t: getattr(theme, t) for t in tokens}))
        for page in (self.preview, self.life):
            page.set_theme(theme)

    def place(self) -> None:
        """Send what stands there, where nothing is in its way."""
        self.refresh()
        submit = self._dealing.submit()
        if submit is not None:
            self.command_asked.emit(submit)
            self.refresh()

    def refresh(self) -> None:
        """Take over what changed: the touch, the answer to the preview, and what became of the order."""
        dealing, market = self._dealing, self._market()
        dealing.touch = None if market is None else touch_of(market)
        if market is not None and market.instrument != self._instrument:
            self._instrument = market.instrument
            self.view.set_instrument(market.instrument)
        form = self.view.form
        dealing.typed, dealing.wanted = (form, self.side), self._read(form)
        question = dealing.question()
        if question is not None:
            self.command_asked.emit(question)
        self._show()

    def _market(self) -> TicketMarket | None:
        session = self._dealing.session
        if session is None:
            return None
        if self._wanted_instrument is not None:
            return session.markets.get(self._wanted_instrument)
        return next(iter(session.markets.values()), None)

    def _starts(self, kind: Kind) -> tuple[Decimal, Decimal] | None:
        touch, instrument = self._dealing.touch, self._instrument
        if touch is None or instrument is None:
            return None
        return starts(kind, self.side, touch, instrument.tick_size)

    def _read(self, form: Form) -> Wanted:
        session = self._dealing.session
        if session is None or session.transport is None or self._instrument is None:
            return Wanted()
        now = session.transport.now
        return orders_of(form, self.side, self._instrument, self._dealing.touch, now)

    # On screen

    def _show(self) -> None:
        dealing, instrument = self._dealing, self._instrument
        self._show_sides()
        self.view.show_faults(dealing.wanted.faults)
        self._show_preview()
        self._show_stop()
        lines = [] if instrument is None else dealing.life(instrument)
        self.life.show_lines(lines)
        self.life.setVisible(bool(lines))
        reason = dealing.obstacle()
        self.send.setEnabled(not reason)
        # A fault stands beside its field already, a denial in the preview, what was sent below.
        told = (
            *dealing.wanted.faults.values(),
            *self.preview.text.splitlines(),
            *self.life.text.splitlines(),
        )
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason) and reason not in told)
        self._show_deed()

    def _show_sides(self) -> None:
        touch = self._dealing.touch
        precision = self._instrument.price_precision if self._instrument is not None else 0
        for side, button in self.sides.items():
            price = None if touch is None else (touch.ask if side == "BUY" else touch.bid)
            text = f"{side_text(side)}\n{price_text(price, precision)}"
            if button.text() != text:
                button.setText(text)

    def _show_stop(self) -> None:
        session = self._dealing.session
        rule = "" if session is None else session.control.stop
        self.stop.show_position(self._held_by_hand(session), rule)

    def _held_by_hand(self, session: TicketSession | None) -> str:
        """The instrument, where the hand has a position in it."""
        if session is None or self._instrument is None:
            return ""
        name = self._instrument.id
        mine = (each for each in session.orders.positions.values() if each.instrument == name)
        return name if any(each.strategy == HAND and each.quantity for each in mine) else ""

    def _show_deed(self) -> None:
        wanted = self._dealing.final()
        text = side_text(self.side)
        if wanted is not None and self._instrument is not None:
            text = deed_text(wanted.intents, wanted.contingency, self._instrument)
        self.send.setText(text)
        if self.send.property("side") != self.side:
            self.send.setProperty("side", self.side)
            self.send.style().unpolish(self.send)
            self.send.style().polish(self.send)

    def _show_preview(self) -> None:
        answer = self._dealing.answer
        if not self._dealing.wanted.intents or self._dealing.touch is None:
            self.preview.show_lines([])
        elif answer is not None and self._instrument is not None:
            self.preview.show_lines(preview_lines(answer, self._instrument))
        elif not self.preview.lines:
            self.preview.show_lines([Sentence(self.tr("Asking what it would come to…"), "quiet")])
        self.preview.setVisible(bool(self.preview.lines))

    # Slots

    def _on_side_chosen(self) -> None:
        self.view.turn()
        self._on_edited()

    def _on_edited(self) -> None:
        self._dealing.edited()
        self.refresh()
