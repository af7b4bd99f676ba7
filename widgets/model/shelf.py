"""The models that are kept: what each is, how well it did, what it costs here; each opens its card."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from widgets.blotter.column import Column, words
from widgets.blotter.state import Growing
from widgets.blotter.table import EventTable
from widgets.chrome import dress
from widgets.numbers import DASH
from widgets.theme import Theme


class KeptModel(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one model.

    Attributes
    ----------
    id, sha256 : str
        What it is opened by, and the hash of its file.
    can_be_chosen : bool
        Whether a run may be given it unasked: not a program of its maker.
    metric : str
        Its headline out of sample, with its name; empty where it has none.
    cost_us : float or None
        One prediction on this machine, where it was measured.
    added_ns : int
        UTC; 0 of one that came with the station.
    """

    id: str
    sha256: str = ""
    name: str
    version: int
    format: str
    task: str = ""
    metric: str = ""
    cost_us: float | None = None
    added_ns: int = 0
    notes: str = ""
    can_be_chosen: bool = True


class ModelsPanel(QWidget):
    """Table of kept models.

    Signals
    -------
    card_asked(str), armed_asked(str), shadow_asked(str)
        The person wants the model of this id.
    load_asked()
    export_asked(str, str)
        Suggested file name, and the text to save.
    """

    card_asked = Signal(str)
    armed_asked = Signal(str)
    shadow_asked = Signal(str)
    load_asked = Signal()
    export_asked = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._read: Callable[[], Sequence[KeptModel]] = list
        self._is_old = False
        self.table = EventTable(
            theme,
            self._columns(),
            lambda row: f"{row.name} {row.format} {row.task} {row.notes}",
            "models",
            (
                self.tr("No models are kept"),
                self.tr("Drop a model file on the window, or press Ctrl+M; what is accepted is kept here."),
            ),
        )
        self.table.export_asked.connect(self.export_asked)
        self.table.view.doubleClicked.connect(self._on_double_clicked)
        load = QToolButton()
        load.setText(self.tr("Load…"))
        load.clicked.connect(self.load_asked)
        self.table.add_control(load)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, signal in (
            ("card", self.tr("Card"), self.card_asked),
            ("arm", self.tr("Arm"), self.armed_asked),
            ("shadow", self.tr("Shadow"), self.shadow_asked),
        ):
            button = QToolButton()
            button.setText(text)
            button.clicked.connect(lambda _=False, asked=signal: self._ask(asked))
            self.buttons[name] = button
            self.table.add_control(button)
        self.table.view.selectionModel().selectionChanged.connect(self._show_buttons)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.table)
        self.set_theme(theme)
        self._show_buttons()

    def _columns(self) -> list[Column[KeptModel]]:
        return [
            words("name", self.tr("Model"), lambda row: row.name, 160),
            Column(
                "version",
                self.tr("Version"),
                lambda row: row.version,
                lambda row: str(row.version),
                numeric=True,
                width=60,
            ),
            words("task", self.tr("Task"), lambda row: row.task, 110),
            words("metric", self.tr("Out of sample"), lambda row: row.metric, 150),
            Column(
                "p50_us",
                self.tr("µs here"),
                lambda row: None if row.cost_us is None else Decimal(str(row.cost_us)),
                lambda row: DASH if row.cost_us is None else f"{row.cost_us:,.1f}",
                numeric=True,
                width=70,
            ),
            words("format", self.tr("Format"), lambda row: row.format, 90),
            words("added", self.tr("Added (UTC)"), _added, 130),
            words("notes", self.tr("Notes"), lambda row: row.notes, 220),
        ]

    def set_source(self, read: Callable[[], Sequence[KeptModel]]) -> None:
        """Take the models from here, oldest first; asked when the panel is on screen."""
        self._read = read
        self.make_old()

    def make_old(self) -> None:
        """Let the models be read anew with the next refresh."""
        self._is_old = True

    def bind(self, state: object) -> None:
        """Nothing here follows a session."""

    def refresh(self) -> None:
        """Read the models anew where that is due."""
        if self._is_old:
            self._is_old = False
            self.table.follow(Growing(list(self._read())))
            self._show_buttons()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.table.set_theme(theme)

    def choose(self, row: int) -> None:
        """Select a row, counted from the top."""
        self.table.view.selectRow(row)

    def _chosen(self) -> KeptModel | None:
        rows = self.table.view.selectionModel().selectedRows()
        return self.table.model.row(rows[0].row()) if len(rows) == 1 else None

    def _ask(self, signal: "Signal") -> None:
        if (chosen := self._chosen()) is not None:
            signal.emit(chosen.id)  # type: ignore[attr-defined]

    def _show_buttons(self) -> None:
        for button in self.buttons.values():
            button.setEnabled(self._chosen() is not None)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.card_asked.emit(self.table.model.row(index.row()).id)


def _added(row: KeptModel) -> str:
    if not row.added_ns:
        return DASH
    return datetime.fromtimestamp(row.added_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
