"""Choosing what to trade on now: a connection's live market, or stored data served as if they were live."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget

from app.profiles import Profiles
from app.windows.run_dialog import RunDialog
from engine.errors import UserError
from engine.messages.run import Run
from engine.nautilus.adapters import adapter_named
from engine.nautilus.adapters.clients import parameters_in
from engine.store import Store

type _Kind = Literal["connection", "stored", "generated"]

_GENERATED: Final = ("crypto", "fx")


class OpenLiveDialog(RunDialog):
    """Builds a `Run` in Paper or Live.

    Parameters
    ----------
    store : Path
        Folder of the tick store.
    profiles : Profiles
    live_trading : bool
        The person's setting of this name.
    """

    def __init__(
        self, store: Path, profiles: Profiles, *, live_trading: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(self.tr("Open paper or live"), self.tr("Open"), parent)
        self._store, self._profiles, self._live_trading = store, profiles, live_trading
        stored = Store(store).instruments() if store.is_dir() else []
        self._markets: list[tuple[_Kind, str]] = [
            *(("connection", name) for name in profiles.names()),
            *(("stored", name) for name in stored),
            *(("generated", name) for name in _GENERATED),
        ]
        self._market = QComboBox()
        self._market.addItems([self._title(kind, name) for kind, name in self._markets])
        self._market.setAccessibleName(self.tr("Market"))
        self._instrument = QComboBox()
        self._instrument.setEditable(True)
        self._instrument.setAccessibleName(self.tr("Instrument"))
        self._mode = QComboBox()
        self._mode.addItem(self.tr("Paper: fills are simulated, nothing is sent"), "paper")
        self._mode.addItem(self.tr("Live: orders go to the venue"), "live")
        self._note = QLabel()
        self._note.setObjectName("form_note")
        self._note.setWordWrap(True)
        form = QFormLayout()
        form.addRow(self.tr("Market"), self._market)
        form.addRow(self.tr("Instrument"), self._instrument)
        form.addRow(self.tr("Trade"), self._mode)
        form.addRow("", self._note)
        form.addRow(self.tr("Speed"), self.speed)
        self.add_venue_rows(form)
        self._market.currentIndexChanged.connect(self._on_market_chosen)
        self._mode.currentIndexChanged.connect(self._show_note)
        fields: Sequence[QWidget] = (self._market, self._instrument, self._mode, self.speed)
        self.begin(form, [*fields, *self.venue_fields()])
        self._on_market_chosen()

    def choose(self, market: str, *, mode: Literal["paper", "live"] = "paper", instrument: str = "") -> None:
        """Choose a market by its name, what to do there, and what to trade, as a person would."""
        self._market.setCurrentIndex([name for _, name in self._markets].index(market))
        self._mode.setCurrentIndex(self._mode.findData(mode))
        if instrument:
            self._instrument.setCurrentText(instrument)

    @property
    def note(self) -> str:
        """What is said of the choice."""
        return self._note.text()

    def run_asked(self) -> Run:
        """Run of the answers; raises `UserError` where one of them cannot be: the sentence says which."""
        kind, name = self._markets[self._market.currentIndex()]
        if kind == "connection":
            return self.with_strategy(self._connected(name))
        generated = kind == "generated"
        return self.with_strategy(
            Run(
                instrument="" if generated else name,
                simulate=name if generated else None,
                store="" if generated else str(self._store),
                mode="paper",
                speed=self.speed_asked,
                venue=self.venue_rules(),
            )
        )

    def _connected(self, name: str) -> Run:
        instrument = self._instrument.currentText().strip()
        if "." not in instrument:
            raise UserError(self.tr("Say what to trade at the venue, as SYMBOL.VENUE."))
        if self._mode.currentData() == "live":
            connection = self._profiles.tradable(name, live_trading=self._live_trading)
            return Run(instrument=instrument, mode="live", connection=connection)
        connection = self._profiles.get(name, live_trading=self._live_trading)
        return Run(instrument=instrument, mode="paper", connection=connection, venue=self.venue_rules())

    def _title(self, kind: _Kind, name: str) -> str:
        titles = {
            "connection": self.tr("Connection %1"),
            "stored": self.tr("Stored %1, served as if live"),
            "generated": self.tr("Generated %1 market"),
        }
        return titles[kind].replace("%1", name)

    def _on_market_chosen(self) -> None:
        kind, name = self._markets[self._market.currentIndex()]
        connected = kind == "connection"
        self._instrument.clear()
        self._instrument.setEnabled(connected)
        self._mode.setEnabled(connected)
        self.speed.setEnabled(not connected)
        if connected:
            self._show_instruments(name)
        else:
            self._mode.setCurrentIndex(0)
            self._instrument.setCurrentText(name if kind == "stored" else "")
        self._show_note()

    def _show_instruments(self, name: str) -> None:
        try:
            self._instrument.addItems(parameters_in(self._profiles.get(name)).instrument_ids())
        except UserError:
            return  # the note says why it cannot be used

    def _show_note(self) -> None:
        kind, name = self._markets[self._market.currentIndex()]
        for field in self.venue_fields():
            field.setEnabled(self._mode.currentData() == "paper")
        if kind != "connection":
            self._note.setText(self.tr("Real time or faster; it cannot be paused. A replay can."))
            return
        try:
            connection = self._profiles.get(name)
            parameters = parameters_in(connection)
        except UserError as error:
            self._note.setText(str(error))
            return
        where = self.tr("real money") if parameters.is_real_money else self.tr("a trial, no real money")
        said = self.tr("%1 · account %2 · %3. Live starts in View and is armed by typing the account's name.")
        title = adapter_named(connection.adapter).title
        for place, text in (("%1", title), ("%2", connection.account), ("%3", where)):
            said = said.replace(place, text)
        self._note.setText(said)
