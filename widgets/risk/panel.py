"""Risk at a glance: limits with their headroom, the account, and a card per instrument with its equity."""

from typing import Final, override

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QToolTip, QVBoxLayout, QWidget

from engine.messages.columns import Rows
from engine.messages.limits import AccountRisk
from widgets.chrome import dress, paint_empty
from widgets.curve import Scale, paint_curve
from widgets.glyphs import Glyphs
from widgets.numbers import mono_font
from widgets.page import Page
from widgets.risk.figures import Card, Figure, card_of, total_cards
from widgets.risk.headroom import lines_of
from widgets.risk.state import RiskFigures, RiskSession
from widgets.theme import Theme

_PAD: Final = 8
_LINE: Final = 18
_HEAD: Final = 24
_CURVE: Final = 56
_GAP: Final = 8


class RiskPanel(QWidget):
    """Limits and the account as a whole; position, exposure, profit, drawdown and fees of each instrument.

    Signals
    -------
    limits_asked()
        The person wants to edit the limits.
    """

    limits_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._account: AccountRisk | None = None
        self._session: RiskSession | None = None
        self._figures: RiskFigures | None = None
        self._version = -1
        self.cards = RiskCards(theme)
        self.account = Page(theme)
        self.account.hide()
        self.edit = QPushButton(self.tr("Edit limits…"))
        self.edit.setAutoDefault(True)
        self.edit.clicked.connect(self.limits_asked)
        self.edit.hide()
        column = QWidget()
        lines = QVBoxLayout(column)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        lines.addWidget(self.edit, 0, Qt.AlignmentFlag.AlignRight)
        lines.addWidget(self.account)
        lines.addWidget(self.cards, 1)
        area = QScrollArea()
        area.setWidget(column)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(area)
        self.set_theme(theme)

    def bind(self, session: RiskSession | None) -> None:
        """Show a session's risk; None empties the panel."""
        self._session = session
        self._version = -1
        if session is None:
            self.cards.show_cards([], {}, bound=False)
            self._show_account(None)
        self.refresh()

    def refresh(self) -> None:
        """Show what changed since the last call; costs nothing where nothing did."""
        session = self._session
        if session is None:
            return
        self._show_account(session.account_risk)
        figures = session.risk
        if figures is self._figures and figures.version == self._version:
            return
        self._figures, self._version = figures, figures.version
        cards = total_cards(figures.latest.values(), self.tr)
        for name, risk in figures.latest.items():
            market = session.markets.get(name)
            cards.append(card_of(risk, market.instrument if market else None, self.tr))
        curves = {name: history.rows for name, history in figures.history.items()}
        self.cards.show_cards(cards, curves, bound=True)

    def _show_account(self, risk: AccountRisk | None) -> None:
        if risk == self._account:
            return
        self._account = risk
        self.account.setVisible(risk is not None)
        self.edit.setVisible(risk is not None)
        if risk is not None:
            self.account.show_lines(lines_of(risk, self.tr))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.account.set_theme(theme)
        self.cards.set_theme(theme)


class RiskCards(QWidget):
    """The cards, one below the other."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.cards: list[Card] = []
        self._curves: dict[str, Rows] = {}
        self._bound = False
        self._theme = theme
        self._numbers = Glyphs(mono_font(11))
        font = QFont(self.font())
        font.setPixelSize(11)
        self._words = Glyphs(font)
        bold = QFont(font)
        bold.setBold(True)
        self._bold = Glyphs(bold)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self.update()

    def show_cards(self, cards: list[Card], curves: dict[str, Rows], *, bound: bool) -> None:
        """Show these cards; `curves` holds equity by instrument, dtype `EQUITY`."""
        if [len(card.figures) for card in cards] != [len(card.figures) for card in self.cards]:
            self.updateGeometry()
            self.setMinimumHeight(sum(_height(card) + _GAP for card in cards))
        self.cards, self._curves, self._bound = cards, curves, bound
        self.update()

    def tip_at(self, y: int) -> str:
        """How the figure at a height is made; nothing where that needs no words."""
        for card in self.cards:
            line = (y - _HEAD - 2) // _LINE
            if y >= 0 and 0 <= line < len(card.figures):
                return card.figures[line].tip
            y -= _height(card) + _GAP
        return ""

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().y()), self)
            return True
        return super().event(event)

    @override
    def sizeHint(self) -> QSize:
        return QSize(240, max(160, sum(_height(card) + _GAP for card in self.cards)))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self.cards:
            self._paint_nothing(painter)
            return
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        top = 0
        for card in self.cards:
            area = QRect(0, top, self.width(), _height(card))
            if event.rect().intersects(area):
                self._paint_card(painter, card, area)
            top += area.height() + _GAP

    def _paint_nothing(self, painter: QPainter) -> None:
        title = self.tr("No risk")
        if self._bound:
            hint = self.tr("Nothing is held and nothing was traded yet; figures come with the first frame.")
        else:
            hint = self.tr("Start a replay or the demo: position, exposure, profit and drawdown appear here.")
        paint_empty(painter, self.rect(), self._theme, title, hint)

    def _paint_card(self, painter: QPainter, card: Card, area: QRect) -> None:
        theme = self._theme
        painter.setFont(self._bold.font)
        painter.setPen(theme.colour("text"))
        self._bold.left(painter, _PAD, area.top(), _HEAD, card.title)
        painter.setPen(theme.colour(card.badge_tone))
        self._bold.right(painter, area.right() - _PAD, area.top(), _HEAD, card.badge)
        painter.fillRect(_PAD, area.top() + _HEAD - 1, area.width() - 2 * _PAD, 1, theme.colour("line"))
        top = area.top() + _HEAD + 2
        for figure in card.figures:
            self._paint_figure(painter, figure, top, area.width())
            top += _LINE
        if card.curve is not None:
            place = QRectF(_PAD, top + 4, area.width() - 2 * _PAD, _CURVE - 8)
            self._paint_curve(painter, self._curves.get(card.curve), place)

    def _paint_figure(self, painter: QPainter, figure: Figure, top: int, width: int) -> None:
        painter.setFont(self._words.font)
        painter.setPen(self._theme.colour("quiet"))
        end = self._words.left(painter, _PAD, top, _LINE, figure.label)
        painter.setFont(self._numbers.font)
        painter.setPen(self._theme.colour(figure.tone))
        right = width - _PAD
        self._numbers.right(painter, right, top, _LINE, figure.text)
        note_right = right - self._numbers.width(figure.text) - 8
        # Where the whole note does not fit its last part does: the word that explains the colour.
        for note in (figure.note, figure.note.rpartition(" · ")[2]):
            if note and note_right - self._words.width(note) > end + 4:
                painter.setFont(self._words.font)
                painter.setPen(self._theme.colour("warning" if figure.tone == "warning" else "quiet"))
                self._words.right(painter, note_right, top, _LINE, note)
                break

    def _paint_curve(self, painter: QPainter, rows: Rows | None, area: QRectF) -> None:
        if rows is None or len(rows) < 2:
            return
        times = (int(rows["ts"][0]), int(rows["ts"][-1]))
        equity = np.ascontiguousarray(rows["equity"])
        drawdown = np.ascontiguousarray(rows["drawdown"])
        upper = QRectF(area.left(), area.top(), area.width(), area.height() * 0.62)
        lower = QRectF(area.left(), upper.bottom() + 3, area.width(), area.height() - upper.height() - 3)
        scale = Scale(upper, times, (float(equity.min()), float(equity.max())))
        stamps = np.ascontiguousarray(rows["ts"])
        paint_curve(painter, scale, stamps, equity, self._theme.colour("signal"))
        if (deepest := float(drawdown.min())) < 0:
            scale = Scale(lower, times, (deepest, 0.0))
            paint_curve(painter, scale, stamps, drawdown, self._theme.colour("ask"), fill_to=0.0)


def _height(card: Card) -> int:
    return _HEAD + 2 + len(card.figures) * _LINE + (_CURVE if card.curve is not None else 4)
