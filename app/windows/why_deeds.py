"""What the actions do with the why inspector: explain what is picked in a table, or the newest row."""

from PySide6.QtWidgets import QApplication, QWidget

from app.windows.exports import table_of
from app.windows.replay_deeds import ReplayDeeds
from engine.messages.commands import Explain
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
            table = table_of(host)
            if (
                table is not None
                and table.explains
                and focus is not None
                and table.isAncestorOf(focus)
                and (row := table.current_row) is not None
            ):
                self.explain_row(row)  # type: ignore[arg-type]
                return
        panel = self._show_why()
        if panel is not None:
            panel.follow_crosshair()

    def explain_newest(self) -> None:
        """Explain the model's newest row, again with each step."""
        panel = self._show_why()
        if panel is not None:
            panel.explain_newest()

    def show_model_strip(self) -> None:
        """Bring the model strip to the front."""
        self._show("model_strip")

    def _show_why(self) -> WhyPanel | None:
        panel = self._show("why")
        return panel if isinstance(panel, WhyPanel) else None

    def _show(self, name: str) -> QWidget | None:
        dock = self._window.docks[name]
        dock.show()
        dock.raise_()
        return dock.host.widget
