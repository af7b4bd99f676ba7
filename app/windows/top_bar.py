"""The window's head: menus, session, model, mode in a word, arming, kill switch, transport and banners."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenuBar, QToolButton, QVBoxLayout, QWidget

from app.windows.arm_switch import ArmSwitch
from app.windows.banner import Banner
from widgets.elided import ElidedLabel
from widgets.theme import Theme
from widgets.transport import TransportBar


class TopBar(QWidget):
    """Everything above the docks."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("top_bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.menus = QMenuBar()
        self.menus.setNativeMenuBar(False)
        self.transport = TransportBar(theme)
        self.halt = Banner(self, stays=True)
        self.banner = Banner(self)
        self.arm = ArmSwitch()
        self.kill = QToolButton()
        self.kill.setObjectName("kill")
        self.kill.setText(self.tr("KILL"))
        self.kill.setToolTip(
            self.tr("Cancel all, block what is new, close every position, at once and unasked (Ctrl+Shift+K)")
        )
        self.kill.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._name = QLabel()
        self._name.setObjectName("session_name")
        self._detail = ElidedLabel()
        self._detail.setObjectName("quiet")
        self._mode = QLabel()
        self._mode.setObjectName("mode")
        self.card = QToolButton()
        self.card.setText(self.tr("Model card"))
        self.card.setToolTip(self.tr("What the model of this session is, and how far it was verified (F4)"))
        self.card.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.card.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.menus)
        row.addStretch(1)
        for widget in (self._name, self._detail, self.card, self._mode, self.arm, self.kill):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.transport)
        column.addWidget(self.halt)
        column.addWidget(self.banner)

    @property
    def session_name(self) -> str:
        """Name shown."""
        return self._name.text()

    @property
    def mode(self) -> str:
        """Mode shown, in one word."""
        return self._mode.text()

    def show_session(self, name: str, detail: str, *, has_model: bool = False) -> None:
        """Name the session, and offer the card of its model."""
        self.card.setVisible(has_model)
        self._name.setText(name)
        self._detail.setText(detail)

    def show_mode(self, word: str, token: str) -> None:
        """Say in a word and a colour what the session is; an empty word is none."""
        self._mode.setText(word)
        self._mode.setVisible(bool(word))
        if self._mode.property("token") != token:
            self._mode.setProperty("token", token)
            self._mode.style().unpolish(self._mode)
            self._mode.style().polish(self._mode)
