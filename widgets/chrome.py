"""What the panels beside the chart have in common to look at: dense controls and their empty state."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from widgets.theme import Theme

_SHEET = """
* {{ font-size: 11px; }}
QToolButton {{ color: {quiet}; padding: 1px 6px; min-height: 16px; }}
QToolButton:hover, QToolButton:checked {{ color: {text}; }}
QComboBox, QLineEdit {{ padding: 0 4px; min-height: 18px; }}
QHeaderView::section {{ padding: 0 8px; }}
QScrollArea {{ border: 0; background: {panel}; }}
QLabel#warning {{ color: {warning}; }}
QPushButton#hot {{ padding: 0 2px; min-height: 18px; }}
QPushButton#back_to_now {{
    background: {raised}; border: 1px solid {signal}; color: {signal}; border-radius: 9px; padding: 1px 10px;
}}
QPushButton#back_to_now:hover {{ background: {selection}; color: {text}; }}
"""
"""What differs from the window's own style sheet: everything here is small and dense."""


def panel_sheet(theme: Theme) -> str:
    """Qt style sheet for a panel's controls, over the window's."""
    tokens = ("text", "quiet", "raised", "panel", "selection", "signal", "warning")
    return _SHEET.format(**{token: getattr(theme, token) for token in tokens})


def dress(panel: QWidget, theme: Theme) -> None:
    """Give a panel the theme's background and controls."""
    # A palette would not do: where the program has a style sheet, that brings the first theme's back.
    panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    own_background = f"{type(panel).__name__} {{ background: {theme.panel}; }}"
    panel.setStyleSheet(own_background + panel_sheet(theme))


def paint_empty(painter: QPainter, area: QRect, theme: Theme, title: str, hint: str) -> None:
    """Say what would be here and how it gets here, in the middle of `area`."""
    painter.fillRect(area, theme.colour("panel"))
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    inner = area.adjusted(16, 0, -16, 0)
    middle = inner.center().y()
    painter.setPen(theme.colour("text"))
    above = QRect(inner.left(), middle - 24, inner.width(), 20)
    painter.drawText(above, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, title)
    font.setPixelSize(11)
    painter.setFont(font)
    painter.setPen(theme.colour("quiet"))
    below = QRect(inner.left(), middle + 2, inner.width(), max(20, inner.bottom() - middle))
    wrapped = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    painter.drawText(below, wrapped, hint)
