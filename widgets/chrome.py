"""What the panels beside the chart have in common to look at: their small controls and their empty state."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import QWidget

from widgets.theme import Theme

_SHEET = """
* {{ font-size: 11px; color: {text}; }}
QToolButton, QPushButton {{
    background: transparent; border: 1px solid transparent; border-radius: 3px; padding: 1px 6px;
    color: {quiet}; min-height: 16px;
}}
QToolButton:hover, QPushButton:hover {{ border-color: {line}; color: {text}; }}
QToolButton:checked, QPushButton:checked {{ background: {selection}; color: {text}; }}
QPushButton#back_to_now {{
    background: {raised}; border: 1px solid {signal}; color: {signal}; border-radius: 9px; padding: 1px 10px;
}}
QPushButton#back_to_now:hover {{ background: {selection}; color: {text}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QComboBox, QLineEdit {{
    background: {raised}; border: 1px solid {line}; border-radius: 3px; padding: 0 4px; min-height: 18px;
    selection-background-color: {selection}; selection-color: {text};
}}
QComboBox:focus, QLineEdit:focus {{ border-color: {signal}; }}
QComboBox QAbstractItemView {{
    background: {raised}; border: 1px solid {line}; selection-background-color: {selection};
    selection-color: {text}; outline: 0;
}}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: 4px 0; }}
QMenu::item {{ padding: 3px 20px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 0; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 2px; }}
QTableView {{
    background: {panel}; border: 0; gridline-color: {line}; outline: 0;
    selection-background-color: {selection}; selection-color: {text};
}}
QHeaderView {{ background: {panel}; border: 0; }}
QHeaderView::section {{
    background: {panel}; color: {quiet}; border: 0; border-bottom: 1px solid {line}; padding: 0 8px;
    min-height: 20px;
}}
QLabel#quiet {{ color: {quiet}; }}
QLabel#warning {{ color: {warning}; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle {{
    background: {line}; border-radius: 3px; min-height: 24px; min-width: 24px; margin: 1px;
}}
QScrollBar::handle:hover {{ background: {quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QTableCornerButton::section, QAbstractScrollArea::corner {{ background: {panel}; border: 0; }}
QScrollArea {{ border: 0; background: {panel}; }}
"""


def panel_sheet(theme: Theme) -> str:
    """Qt style sheet for a panel's controls and tables."""
    tokens = ("text", "quiet", "line", "raised", "panel", "selection", "signal", "warning")
    return _SHEET.format(**{token: getattr(theme, token) for token in tokens})


def dress(panel: QWidget, theme: Theme) -> None:
    """Give a panel the theme's background and controls."""
    palette = panel.palette()
    palette.setColor(QPalette.ColorRole.Window, theme.colour("panel"))
    panel.setPalette(palette)
    panel.setAutoFillBackground(True)
    panel.setStyleSheet(panel_sheet(theme))


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
