"""The window of one model card: asks what must be asked in the background and shows how far it is."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.model_messages import (
    Answer,
    Broke,
    Convert,
    Failed,
    Look,
    Looked,
    Measure,
    Measured,
    Propose,
    Proposed,
    Reply,
    Working,
)
from app.state.model_card import ModelCard, SessionFacts, holds, misfit
from app.windows.model_mapping_text import mapping_request
from app.windows.model_text import card_of
from app.windows.model_work import ModelWork
from app.windows.stored import stored_instruments, stored_kinds
from engine.messages.run import Arming
from widgets.model.card import ModelCardView
from widgets.model.card_state import MappingAnswers

if TYPE_CHECKING:
    from app.session import StationSession
    from app.station import Station

SIMULATED_KINDS = frozenset({"quotes", "trades", "deltas"})


class ModelCardDialog(QDialog):
    """One model on its card; stays beside the window and never in the way of the market.

    Parameters
    ----------
    path : Path
        Model file.
    station : Station
    make_work : callable
        Makes what looks at models in the background; a test puts a slow one in its place.

    Signals
    -------
    arming_asked(ModelCard, str)
        The person wants this model `armed`, in `shadow` or `off`.
    kept()
        A model was taken into the registry.
    demo_asked(), replay_asked()
    """

    arming_asked = Signal(object, str)
    kept = Signal()
    demo_asked = Signal()
    replay_asked = Signal()

    rate_hz = 4.0
    weight = 0

    def __init__(
        self,
        path: Path,
        station: "Station",
        parent: QWidget | None = None,
        *,
        make_work: Callable[[QWidget], ModelWork] = ModelWork,
    ) -> None:
        super().__init__(parent)
        self.state = ModelCard(path)
        self.view = ModelCardView(station.theme)
        self._station = station
        self._work = make_work(self)
        self._then: Arming | None = None
        self._facts: SessionFacts | None = None
        self._shown: tuple[Arming | None, str] | None = None
        self._work.told.connect(self._on_told)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.resize(self.view.sizeHint())
        for signal, slot in (
            (self.view.trusted, self.trust),
            (self.view.convert_asked, self.convert),
            (self.view.measure_asked, self.measure),
            (self.view.mapping_used, self.use_mapping),
            (self.view.arming_asked, self._on_arming_asked),
            (self.view.demo_asked, self.demo_asked),
            (self.view.replay_asked, self.replay_asked),
            (station.session_changed, self._on_session_changed),
            (station.theme_changed, self._on_theme_changed),
            (station.store_changed, self._show),
        ):
            signal.connect(slot)
        station.clock.add(self)
        self._on_session_changed()

    # What a person does

    def look(self) -> None:
        """Look at the file (again)."""
        self.state = ModelCard(self.state.source, trust=self.state.trust)
        self._ask_to_look()

    def is_of(self, path: Path) -> bool:
        """Whether this is the card of a file, as it was dropped or as it is kept."""
        return path == self.state.source or (
            self.state.found is not None and str(path) == self.state.found.path
        )

    def use_when_ready(self, mode: Arming) -> None:
        """Arm or shadow it as soon as it is verified; what stands in the way is on the card."""
        self._then = mode

    def trust(self) -> None:
        """Let exactly this file run its code, and look again."""
        if self.state.found is not None:
            self.state.trust = self.state.found.sha256
            self._ask_to_look()

    def convert(self) -> None:
        """Write it as ONNX and show that instead."""
        if self.state.found is not None:
            self._begin(self.tr("Converting"))
            self._work.ask(Convert(self.state.found, self.state.trust))

    def measure(self) -> None:
        """Time every runtime that is here."""
        if self.state.found is not None:
            self._begin(self.tr("Measuring"))
            self._work.ask(Measure(self.state.found, self.state.entry))

    def use_mapping(self, answers: MappingAnswers) -> None:
        """Make these answers the model's passport."""
        self._begin(self.tr("Writing its passport"))
        self._work.ask(mapping_request(self.state, answers, str(self._station.store)))

    def _ask_to_look(self) -> None:
        self._begin(self.tr("Reading"))
        self._work.ask(Look(str(self.state.source), self.state.trust))

    def _begin(self, text: str) -> None:
        self.state.working, self.state.problem = text, ""
        self._show()

    # What came of it

    def _on_told(self, reply: Reply) -> None:
        match reply:
            case Working(text):
                self.state.working = text
            case Failed(text):
                self.state.working, self.state.problem = "", text
            case Broke(report):
                self.state.working = ""
                self.state.problem = self.tr("A fault in the station stopped this; try again.")
                self._show()
                raise RuntimeError(report)
            case _:
                self._take(reply)
        self._show()

    def _take(self, answer: Answer) -> None:
        self.state.working = ""
        match answer:
            case Looked(found, entry):
                self.state.found, self.state.entry, self.state.measured = found, entry, None
                if entry is not None:
                    self.kept.emit()
                self._go_on()
            case Proposed():
                self.state.proposed = answer
            case Measured():
                self.state.measured = answer
                self.kept.emit()

    def _go_on(self) -> None:
        """Do the next step that needs nobody's word."""
        found = self.state.found
        if found is None:
            return
        if self.state.stage == "unmapped" and not found.weights:
            kinds = sorted(self._facts.kinds) if self._facts is not None else []
            self._work.ask(Propose(found, tuple(kinds)))
            self.state.working = self.tr("Guessing what it reads and tells")
        elif self.state.stage == "ready":
            self._use_now()
            self._work.ask(Measure(found, self.state.entry))
            self.state.working = self.tr("Measuring")

    def _use_now(self) -> None:
        wanted, self._then = self._then, None
        found = self.state.found
        fits = found is not None and self._facts is not None and not misfit(found, self._facts)
        if wanted is not None and fits:
            self.arming_asked.emit(self.state, wanted)

    # Showing

    def _show(self) -> None:
        self._shown = arming, reason = self._arming()
        stored = stored_instruments(self._station.store) if self.state.proposed is not None else []
        self.view.set_card(card_of(self.state, self._facts, arming, reason, stored))
        self.setWindowTitle(self.tr("%1 – model").replace("%1", self.state.name))

    def _on_session_changed(self) -> None:
        session = self._station.session
        self._facts = None if session is None else facts_of(session)
        self._show()

    def _arming(self) -> tuple[Arming | None, str]:
        """What this model does in the session, and why where a rule put it there."""
        session, found = self._station.session, self.state.found
        if session is None or session.down is not None or found is None:
            return None, ""
        if not holds(session.run, found.sha256):
            return None, ""
        return arming_of(session)

    def _on_theme_changed(self) -> None:
        self.view.set_theme(self._station.theme)

    def _on_arming_asked(self, mode: str) -> None:
        self.arming_asked.emit(self.state, mode)
        self._show()

    # What the frame clock asks

    def is_seen(self) -> bool:
        """Whether it is on screen."""
        return self.isVisible() and not self.isMinimized()

    def refresh(self) -> None:
        """Follow what the session says of its time and its models."""
        session = self._station.session
        is_new = self._facts is not None and self._facts.start_ns is None
        if session is not None and is_new and session.state.transport is not None:
            self._on_session_changed()
        elif self._arming() != self._shown:
            self._show()

    # Qt

    def done(self, result: int) -> None:
        """Drop what is under way; every way of closing leads here."""
        self._work.close()
        self._station.clock.remove(self)
        super().done(result)
        self.deleteLater()


def facts_of(session: "StationSession") -> SessionFacts:
    """What a model must know of a session."""
    run, transport = session.run, session.state.transport
    return SessionFacts(
        instrument=run.instrument,
        kinds=SIMULATED_KINDS if run.simulate else stored_kinds(Path(run.store), run.instrument),
        start_ns=run.start_ns if transport is None else transport.start,
        end_ns=run.end_ns if transport is None else transport.end,
        simulated=run.simulate is not None,
    )


def arming_of(session: "StationSession") -> tuple[Arming | None, str]:
    """What the session's models do, and why where a rule put them there."""
    signals = session.state.signals
    inference = session.run.inference
    arming = signals.arming or (inference.arming if inference is not None else None)
    changed = signals.arming_changed
    return arming, changed.reason if changed is not None and changed.by == "rule" else ""
