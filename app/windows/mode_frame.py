"""The frame around a window, whose colour says what the session's orders do."""

from typing import Final

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.theme import Theme

FRAME_PX: Final = 3
_FRAME_OF: Final = {"quiet": 1, "signal": 2}
"""Width of the frame by its colour; what trades has all of it."""


def paint_frame(window: QWidget, event: QPaintEvent, theme: Theme, token: str) -> None:
    """Paint it in this colour, where the event touches it."""
    inner = window.rect().adjusted(FRAME_PX, FRAME_PX, -FRAME_PX, -FRAME_PX)
    # Nearly every repaint is one of the panels' and stays clear of the frame.
    if inner.contains(event.rect()):
        return
    painter = QPainter(window)
    width, height = window.width(), window.height()
    wide = _FRAME_OF.get(token, FRAME_PX)
    for box in (
        (0, 0, width, wide),
        (0, height - wide, width, wide),
        (0, 0, wide, height),
        (width - wide, 0, wide, height),
    ):
        painter.fillRect(*box, theme.colour(token))
