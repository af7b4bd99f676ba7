"""How the window looks: themes from their tokens, one style sheet made of them, icons in their colours."""

from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app.paths import RESOURCES, home
from app.toml import write_atomically
from widgets.theme import Theme, load_themes

_UI_FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans"]


@cache
def themes(*, colour_blind: bool = False) -> dict[str, Theme]:
    """Themes by name; read once."""
    return load_themes((RESOURCES / "themes.toml").read_bytes(), colour_blind=colour_blind)


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Dress every window of the program."""
    application.setPalette(_palette(theme))
    application.setStyleSheet(style_sheet(theme, home() / "cache"))


def style_sheet(theme: Theme, cache: Path) -> str:
    """Style sheet of `resources/style.qss` with the theme's tokens put in.

    A style sheet takes images only from files, so the coloured ones are written to `cache`.

    Raises
    ------
    KeyError
        The sheet names a token that the theme does not have.
    """
    tokens = {name: getattr(theme, name) for name in theme.__struct_fields__ if name != "heat"}
    chevron = cache / f"chevron-{theme.name}.svg"
    write_atomically(chevron, _svg("chevron").replace("currentColor", theme.quiet))
    sheet = Template((RESOURCES / "style.qss").read_text(encoding="utf-8"))
    return sheet.substitute(tokens, chevron=chevron.as_posix())


def ui_font() -> QFont:
    """Font of texts, 12 logical pixels."""
    font = QFont(_UI_FAMILIES)
    font.setPixelSize(12)
    return font


def icon(name: str, theme: Theme, token: str = "text") -> QIcon:  # noqa: S107 - a colour's name, no secret
    """Icon from `resources/icons` in a token's colour; sharp on any screen."""
    made = QIcon()
    source = _svg(name)
    for mode, colour in (
        (QIcon.Mode.Normal, getattr(theme, token)),
        (QIcon.Mode.Disabled, theme.line),
    ):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
        for scale in (1, 2, 3):
            pixmap = QPixmap(QSize(16, 16) * scale)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter)
            painter.end()
            pixmap.setDevicePixelRatio(scale)
            made.addPixmap(pixmap, mode)
    return made


@cache
def _svg(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def _palette(theme: Theme) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.raised,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.quiet,
        QPalette.ColorRole.Highlight: theme.selection,
        QPalette.ColorRole.HighlightedText: theme.text,
        QPalette.ColorRole.Link: theme.signal,
    }
    palette = QGuiApplication.palette()
    for role, colour in roles.items():
        palette.setColor(role, colour)
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.quiet)
    return palette
