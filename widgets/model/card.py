"""A model card: what the file is, whether it holds, what it costs here, and what it does in the session."""

from typing import Final, override

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from widgets.model.card_head import CardHead
from widgets.model.card_mapping import MappingForm
from widgets.model.card_parts import dress_button, group, section_view, table_view, ticks_view, words
from widgets.model.card_state import Card
from widgets.theme import Theme

_SIZE: Final = QSize(960, 680)
_MODES: Final = ("off", "shadow", "armed")
_PAGE: Final = ("sections", "ticks", "measured", "measured_note", "mapping", "measure")

_SHEET: Final = """
#card_title {{ font-size: 16px; }}
#card_heading, #card_column {{ color: {quiet}; font-size: 11px; }}
#card_head, #card_foot {{ background: {raised}; }}
#card_head {{ border-bottom: 1px solid {line}; }}
#card_foot {{ border-top: 1px solid {line}; }}
#card_warning {{ border-left: 3px solid {warning}; padding: 2px 8px; color: {text}; background: {panel}; }}
#card_page, QScrollArea {{ background: {panel}; }}
"""


class ModelCardView(QWidget):
    """Shows one `Card`; owns nothing but what was ticked and typed.

    Signals
    -------
    trusted()
        The person lets exactly this file run its code.
    arming_asked(str)
        `armed`, `shadow` or `off`.
    mapping_used(MappingAnswers)
    convert_asked(), measure_asked(), demo_asked(), replay_asked()
    """

    trusted = Signal()
    arming_asked = Signal(str)
    mapping_used = Signal(object)
    convert_asked = Signal()
    measure_asked = Signal()
    demo_asked = Signal()
    replay_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = Card()
        self._theme = theme
        self._form: MappingForm | None = None
        self.head = CardHead()
        self.head.trusted.connect(self.trusted)
        self.head.convert_asked.connect(self.convert_asked)
        self.demo_button = QPushButton(self.tr("Watch the demo"))
        self.replay_button = QPushButton(self.tr("Open a replay…"))
        self.measure_button = QPushButton()
        self.buttons = {mode: QPushButton() for mode in _MODES}
        self._session = QLabel()
        self._session.setWordWrap(True)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self._area, 1)
        column.addWidget(self._foot())
        self.demo_button.clicked.connect(self.demo_asked)
        self.replay_button.clicked.connect(self.replay_asked)
        self.measure_button.clicked.connect(self.measure_asked)
        for mode, button in self.buttons.items():
            button.clicked.connect(lambda _=False, asked=mode: self.arming_asked.emit(asked))
        self.set_theme(theme)

    def _foot(self) -> QWidget:
        foot = QWidget()
        foot.setObjectName("card_foot")
        row = QHBoxLayout(foot)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._session, 1)
        for button in (self.demo_button, self.replay_button, *self.buttons.values()):
            row.addWidget(button)
        return foot

    @property
    def form(self) -> MappingForm | None:
        """The form for the mapping; None while none is asked for."""
        return self._form

    @property
    def session_text(self) -> str:
        """The sentence on the model and the session."""
        return self._session.text()

    def set_card(self, card: Card) -> None:
        """Show this; a form that is being filled in stays as it is while the proposal does."""
        if card == self.card:
            return
        before, self.card = self.card, card
        self.head.show_card(card, self._theme)
        self._show_foot()
        if any(getattr(before, part) != getattr(card, part) for part in _PAGE):
            self._show_page(keep_form=before.mapping == card.mapping)
        self._show_busy()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        tokens = ("text", "quiet", "raised", "panel", "line", "warning")
        self.setStyleSheet(_SHEET.format(**{token: getattr(theme, token) for token in tokens}))
        self.head.show_card(self.card, theme)
        self._show_foot()
        self._show_page(keep_form=False)
        self._show_busy()

    def _show_foot(self) -> None:
        card = self.card
        self._session.setText(card.session)
        for button in (self.demo_button, self.replay_button):
            button.setVisible(card.needs_session)
        for mode, deed in zip(_MODES, (card.disarm, card.shadow, card.arm), strict=True):
            dress_button(self.buttons[mode], deed)
        self.buttons["armed"].setDefault(card.arm.enabled)

    def _show_busy(self) -> None:
        if self._form is not None:
            self._form.set_busy(busy=bool(self.card.working))

    def _show_page(self, *, keep_form: bool) -> None:
        # What outlives the page must leave it before it is deleted.
        for kept in (self.measure_button, self._form):
            if kept is not None:
                kept.setParent(None)
        self._form = self._form if keep_form else self._new_form()
        page = QWidget()
        page.setObjectName("card_page")
        row = QHBoxLayout(page)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(24)
        for widgets in (self._left(), self._right()):
            column = QVBoxLayout()
            column.setSpacing(12)
            for widget in widgets:
                left = Qt.AlignmentFlag.AlignLeft if widget is self.measure_button else Qt.AlignmentFlag(0)
                column.addWidget(widget, 0, left)
            column.addStretch(1)
            row.addLayout(column, 1)
        self._area.setWidget(page)
        # Only now, as a button without a parent would be shown as a window.
        if self.measure_button.parent() is not None:
            dress_button(self.measure_button, self.card.measure)

    def _new_form(self) -> MappingForm | None:
        if self.card.mapping is None:
            return None
        form = MappingForm(self.card.mapping, self._theme)
        form.used.connect(self.mapping_used)
        return form

    def _left(self) -> list[QWidget]:
        sections = [section_view(each, self._theme) for each in self.card.sections if not each.is_result]
        return sections if self._form is None else [*sections, self._form]

    def _right(self) -> list[QWidget]:
        card, theme = self.card, self._theme
        found = []
        if card.ticks:
            found.append(group(self.tr("Verified here"), ticks_view(card.ticks, theme)))
        found += [section_view(each, theme) for each in card.sections if each.is_result]
        if card.measured.lines or card.measure.text:
            note = [words(card.measured_note, theme, "quiet")] if card.measured_note else []
            found.append(group(self.tr("Measured here"), table_view(card.measured, theme), *note))
            found.append(self.measure_button)
        return found

    @override
    def sizeHint(self) -> QSize:
        return _SIZE
