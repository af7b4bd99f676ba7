"""What the actions do with stored data: check it, show the place of a finding, repair it, correlate it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from app.windows.background import Background
from app.windows.replay_deeds import ReplayDeeds
from engine.errors import UserError
from engine.messages.data import Correlations, Finding, LeadLagCurve, Repair, StoredDay
from engine.messages.events import Phase
from engine.messages.run import Run
from widgets.correlation.panel import CorrelationPanel, Question
from widgets.data.panel import DataPanel

if TYPE_CHECKING:
    from app.jobs import Lane
    from app.library import Work

_BEFORE_NS: Final = 300_000_000_000
"""Market time that a replay of a finding starts before it, so that the chart shows how it came."""

_DAY_NS: Final = 86_400_000_000_000
_REPAIRED: Final = "repaired"


class DataDeeds(ReplayDeeds):
    """Deeds of one window with stored data."""

    # Panels

    def serve_data(self, panel: DataPanel) -> None:
        """Show the library in this panel, and do what is asked there."""
        panel.set_library(self._station.library)
        panel.import_asked.connect(self.import_files)
        panel.download_asked.connect(self.download_data)
        panel.check_asked.connect(self.check_stored)
        panel.place_asked.connect(self.show_place)
        panel.repair_asked.connect(self.repair_stored)
        panel.undo_asked.connect(self.undo_repair)
        panel.replay_asked.connect(self.replay_day)
        panel.cancel_asked.connect(self._station.library.queue.cancel)
        panel.clear_asked.connect(self._station.library.queue.clear_finished)
        panel.export_asked.connect(self.save_export)

    def serve_correlation(self, panel: CorrelationPanel) -> None:
        """Answer what this panel asks of stored instruments."""
        work = Background(panel)
        work.answered.connect(_show_answer)
        panel.matrix_asked.connect(
            lambda asked: work.ask(panel.show_matrix, lambda: self._correlations(asked))
        )
        panel.curve_asked.connect(lambda asked: work.ask(panel.show_curve, lambda: self._lead_lag(asked)))
        panel.show_instruments(self._window.deeds_stored())

    # Deeds that others do

    def import_files(self) -> None:
        """Ask for data files; the window's deeds know how."""
        raise NotImplementedError

    def open_run(self, run: Run, speed: float | None = None) -> bool:
        """Start a run, and tell where it cannot be; the window's deeds know how."""
        raise NotImplementedError

    def save_export(self, name: str, text: str) -> None:
        """Save a table; the window's deeds know how."""
        raise NotImplementedError

    # The queue

    def add_job(self, title: str, work: "Work", lane: "Lane" = "store") -> None:
        """Put a job into the queue, show it there, and look at the store again when it is done."""
        library = self._station.library

        def then_look(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
            try:
                return work(progress, cancelled)
            finally:
                library.make_old()

        library.queue.add(title, then_look, lane)
        self._window.show_queue()

    def check_all(self) -> None:
        """Check every stored instrument."""
        self.check_stored("")

    def check_stored(self, instrument: str) -> None:
        """Check an instrument in the background; all that are stored where none is named."""
        names = [instrument] if instrument else self._window.deeds_stored()
        if not names:
            self._say(self.tr("Nothing is stored yet; import a data file first (Ctrl+I)."))
        jobs = self._station.library.queue.jobs
        waiting = {job.title for job in jobs if job.state == "waiting"}
        for name in names:
            title = self.tr("Check %1").replace("%1", name)
            if title not in waiting:
                self.add_job(title, self._checking(name))

    def _checking(self, instrument: str) -> "Work":
        store = self._station.store

        def work(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
            from app.paths import CONFIGS  # noqa: PLC0415 - with what it is for
            from engine.quality import Calendars, check  # noqa: PLC0415
            from engine.store import Store  # noqa: PLC0415

            calendars = Calendars.load(CONFIGS / "calendars.toml")
            found = check(Store(store), instrument, calendars, progress=progress, cancelled=cancelled)
            score = "" if found.score is None else f"quality {found.score:.0f} of 100, "
            count = "1 finding" if found.found == 1 else f"{found.found:,} findings"
            return f"{found.rows:,} rows: {score}{count}."

        return work

    def download_data(self) -> None:
        """Ask what to download, and put it into the queue."""
        from app.windows.download_dialog import DownloadDialog  # noqa: PLC0415 - loads the downloaders

        dialog = DownloadDialog(self._station.store, self._window)
        dialog.asked.connect(lambda title, work: self.add_job(title, work, "network"))
        dialog.open()

    # Places

    def show_place(self, finding: Finding) -> None:
        """Show a finding on the chart: in the session where that covers it, else in a replay of its day."""
        session = self._session
        if session is not None and self._covers(finding):
            session.seek(finding.start_ns)
            return
        run = Run(
            instrument=finding.instrument,
            store=str(self._station.store),
            start_ns=finding.start_ns - _BEFORE_NS,
            end_ns=finding.end_ns + _BEFORE_NS,
        )
        self._open_beside(run, finding.start_ns)

    def replay_day(self, day: StoredDay) -> None:
        """Replay one stored day."""
        from datetime import UTC, datetime  # noqa: PLC0415

        start = int(datetime.fromisoformat(day.day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000
        run = Run(
            instrument=day.instrument,
            store=str(self._station.store),
            start_ns=start,
            end_ns=start + _DAY_NS - 1,
        )
        self._open_beside(run, None)

    def _covers(self, finding: Finding) -> bool:
        session = self._session
        if session is None or session.down is not None or session.run.recording:
            return False
        if session.run.store != str(self._station.store):
            return False
        transport = session.state.transport
        within = transport is not None and transport.start <= finding.start_ns <= transport.end
        return within and session.run.instrument == finding.instrument

    def _open_beside(self, run: Run, ts: int | None) -> None:
        """Open a replay; in place of a session that plays or has orders only after the person said so."""

        def open_it() -> None:
            if self.open_run(run) and ts is not None and self._session is not None:
                self._session.seek(ts)

        if self._is_idle():
            open_it()
            return
        sentence = self.tr("%1 is open; a replay of %2 would take its place.")
        text = sentence.replace("%1", self._window.top.session_name).replace("%2", run.instrument)
        self._window.top.banner.say(text, severity="info", key="deed", action=(self.tr("Replay it"), open_it))

    def _is_idle(self) -> bool:
        """Whether nothing is lost where another session takes the place of this one."""
        session = self._session
        if session is None or session.down is not None:
            return True
        phase = None if session.state.transport is None else session.state.transport.phase
        paused_without_orders = phase is Phase.PAUSED and not session.state.orders.orders
        return paused_without_orders or phase in {Phase.FINISHED, Phase.FAILED}

    # Repairs

    def repair_stored(self, found: Sequence[Finding], day: StoredDay | None = None) -> None:
        """Ask what to do about findings, or about the rows of a day, and do it."""
        from app.windows.repair_dialog import RepairDialog  # noqa: PLC0415 - loads the store

        what = found[0] if found else day
        if what is None:
            self._say(self.tr("Choose a day in the calendar, or findings, to be repaired."))
            return
        try:
            dialog = RepairDialog(
                self._station.store, what.instrument, what.kind, found, what.day, self._window
            )
        except UserError as error:
            self._say(str(error))
            return
        dialog.repaired.connect(self._on_repaired)
        dialog.open()

    def undo_repair(self, repair: Repair) -> None:
        """Put the rows of a repair back as they were."""

        def work(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:  # noqa: ARG001
            from engine.store import Store  # noqa: PLC0415
            from engine.store.repairs import undo  # noqa: PLC0415

            undone = undo(Store(self._station.store), repair.instrument, repair.number, progress)
            return f"{undone.rows_restored:,} rows put back, {undone.rows_taken:,} taken away."

        self._window.top.banner.clear(_REPAIRED)
        title = self.tr("Undo repair %1 of %2").replace("%1", str(repair.number))
        self.add_job(title.replace("%2", repair.instrument), work)

    def _on_repaired(self, repair: Repair) -> None:
        self._station.store_changed.emit()
        sentence = self.tr("Repair %1 of %2: %3 rows out, %4 in; undo it under Repairs.")
        for place, text in (
            ("%1", str(repair.number)),
            ("%2", repair.instrument),
            ("%3", f"{repair.rows_removed:,}"),
            ("%4", f"{repair.rows_added:,}"),
        ):
            sentence = sentence.replace(place, text)
        self._window.top.banner.say(sentence, key=_REPAIRED)

    # Correlations

    def _correlations(self, asked: Question) -> Correlations:
        from engine.cross_asset.stored import Asked, correlations  # noqa: PLC0415 - loads the store
        from engine.store import Store  # noqa: PLC0415

        return correlations(
            Store(self._station.store),
            asked.instruments,
            Asked(kind=asked.kind, by=asked.by),
            sampling=asked.sampling,
            step_ns=asked.step_ns,
        )

    def _lead_lag(self, asked: Question) -> LeadLagCurve:
        from engine.cross_asset.stored import Asked, lead_lag_of  # noqa: PLC0415
        from engine.store import Store  # noqa: PLC0415

        return lead_lag_of(
            Store(self._station.store),
            (asked.instruments[0], asked.instruments[1]),
            Asked(kind=asked.kind, by=asked.by),
            largest_ns=asked.reach_ns,
            step_ns=asked.shift_ns,
        )


def _show_answer(show: Callable[..., None], answer: object) -> None:
    if isinstance(answer, UserError):
        show(None, str(answer))
    else:
        show(answer)
