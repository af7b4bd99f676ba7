"""What the actions do with the why inspector: explain what is picked in a table, or the newest row."""

from PySide6.QtWidgets import QApplication

from app.windows.replay_deeds import ReplayDeeds
from engine.messages.commands import Explain
from widgets.blotter.table import EventTable
from widgets.why import WhyPanel
from widgets.why.subject import Pick


class WhyDeeds(ReplayDeeds):
    """Deeds of one window's inspector; without a session they only show it."""

    def explain_at(self, ts: int) -> None:
        """Ask the engine about the model's newest row at or before a market time."""
        if self._session is not None:
            self._session.send(Explain(ts))

    def explain_row(self, row: Pick) -> None:
        """Show how a fill, an order or a signal came about."""
        panel = self._show_why()
        if panel is not None:
            panel.explain(row)

    def explain_picked(self) -> None:
        """Explain the row picked in the table that has the focus; the crosshair where there is none."""
        focus = QApplication.focusWidget()
        for host in self._window.hosts.values():
            table = host.widget
            if (
                isinstance(table, EventTable)
                and table.explains
                and focus is not None
                and table.isAncestorOf(focus)
                and (row := table.current_row) is not None
            ):
                self.explain_row(row)
                return
        panel = self._show_why()
        if panel is not None:
            panel.follow_crosshair()

    def explain_newest(self) -> None:
        """Explain the model's newest row, again with each step."""
        panel = self._show_why()
        if panel is not None:
            panel.explain_newest()

    def _show_why(self) -> WhyPanel | None:
        dock = self._window.docks["why"]
        dock.show()
        dock.raise_()
        panel = dock.host.widget
        return panel if isinstance(panel, WhyPanel) else None
