"""What the actions do with models: load, look at, arm, shadow and disarm them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QFileDialog, QWidget

from app.windows.drops import MODEL_SUFFIXES, sort_out
from app.windows.replay_deeds import ReplayDeeds
from engine.messages.run import Arming, Run
from widgets.palette import Entry

if TYPE_CHECKING:
    from app.state.model_card import ModelCard
    from app.windows.model_card import ModelCardDialog
    from app.windows.model_work import ModelWork

MODEL_ENTRY: Final = "model:"
_MOST_CARDS: Final = 4


class ModelDeeds(ReplayDeeds):
    """Deeds of one window with models.

    Attributes
    ----------
    make_work : callable or None
        Makes what looks at models in the background; None is a process.
    """

    make_work: "Callable[[QWidget], ModelWork] | None" = None

    @property
    def cards(self) -> "list[ModelCardDialog]":
        """Cards of this window that are open."""
        from app.windows.model_card import ModelCardDialog  # noqa: PLC0415 - with the first card

        return [card for card in self._window.findChildren(ModelCardDialog) if card.isVisible()]

    # Loading

    def take_dropped(self, paths: Sequence[str]) -> None:
        """Look at models, import data; where both came, the models, and say so."""
        dropped = sort_out(paths)
        if dropped.models:
            self.open_cards(dropped.models)
            if dropped.data:
                sentence = self.tr(
                    "The models are open; drop the %1 data files by themselves to import them."
                )
                self._say(sentence.replace("%1", str(len(dropped.data))))
        elif dropped.data:
            self.import_paths([str(path) for path in dropped.data])
        else:
            self._say(
                self.tr("This is a model's passport; drop the model file, and it is read from beside it.")
            )

    def import_paths(self, paths: Sequence[str]) -> None:
        """Import data files; the window's deeds know how."""
        raise NotImplementedError

    def load_model(self) -> None:
        """Ask for a model file and look at it."""
        dialog = QFileDialog(self._window, self.tr("Load a model"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        patterns = " ".join(f"*{suffix}" for suffix in sorted(MODEL_SUFFIXES))
        dialog.setNameFilters([f"{self.tr('Models')} ({patterns})", self.tr("All files (*)")])
        dialog.filesSelected.connect(lambda paths: self.open_cards([Path(path) for path in paths]))
        dialog.open()

    def open_cards(self, paths: Sequence[Path]) -> None:
        """Open a card for each file, which is looked at in the background."""
        for path in paths[:_MOST_CARDS]:
            self.open_card(path)
        if len(paths) > _MOST_CARDS:
            sentence = self.tr("Only the first %1 models are open; load the others after them.")
            self._say(sentence.replace("%1", str(_MOST_CARDS)))

    def open_card(self, path: Path) -> "ModelCardDialog":
        """Open the card of a model file; one that is open already is looked at anew."""
        from app.windows.model_card import ModelCardDialog  # noqa: PLC0415 - loads what knows models
        from app.windows.model_work import ModelWork  # noqa: PLC0415

        card = next((each for each in self.cards if each.is_of(path)), None)
        if card is None:
            card = ModelCardDialog(path, self._station, self._window, make_work=self.make_work or ModelWork)
            card.arming_asked.connect(self.use_model)
            card.kept.connect(self._window.show_models)
            card.demo_asked.connect(self.watch_demo)
            card.replay_asked.connect(self.open_replay)
            self._window.closed.connect(card.close)
            card.show()
        card.look()
        card.raise_()
        card.activateWindow()
        return card

    def watch_demo(self) -> None:
        """Start the demo market; the window's deeds know how."""
        raise NotImplementedError

    def open_replay(self) -> None:
        """Ask what to replay; the window's deeds know how."""
        raise NotImplementedError

    # The session's models

    def arm(self) -> None:
        """Trade what the session's models say."""
        self.set_arming("armed")

    def shadow(self) -> None:
        """Show what the session's models say and trade none of it."""
        self.set_arming("shadow")

    def disarm(self) -> None:
        """Let the session's models make no signals."""
        self.set_arming("off")

    def set_arming(self, mode: Arming) -> None:
        """Arm, shadow or disarm the models of the session."""
        if self._session is None or self._session.run.inference is None:
            self._say(self.tr("No model runs in this session; load one (Ctrl+M) and arm it on its card."))
        else:
            self._session.set_arming(mode)

    def use_model(self, card: "ModelCard", mode: Arming) -> None:
        """Let this model trade in the session, only show its signals, or neither.

        A session that does not have it runs again with it, up to the present market time.
        """
        from app.state.model_card import holds, inference_with, run_with  # noqa: PLC0415 - known by then

        session = self._session
        if session is None or card.found is None:
            return
        if holds(session.run, card.found.sha256) and session.down is None:
            session.set_arming(mode)
        elif mode != "off" and card.stage == "ready":
            inference = inference_with(session.run.inference, (card.use(),), mode)
            self._run_on(run_with(session.run, inference, card.passport))

    def _run_on(self, run: Run) -> None:
        """Run this in place of the session's run; a replay up to the market time at which it stands."""
        session = self._session
        if session is None or self.parting.asks(lambda: self._run_on(run)):
            return
        moment = session.moment
        self._station.restart(run)
        if run.mode != "replay":
            return
        if moment is not None:
            session.resume(moment)
        else:
            session.play()  # as every run that is opened

    # Kept models

    def choose_model(self) -> None:
        """Choose among the kept models and open a card."""
        if entries := self.model_entries():
            self._window.palette_.open_with(entries)
        else:
            self._say(self.tr("No model is kept yet; drop a model file on the window, or press Ctrl+M."))

    def model_entries(self) -> list[Entry]:
        """One palette entry for each kept model."""
        from app.windows.kept_models import kept_models  # noqa: PLC0415

        group = self.tr("Model card")
        return [
            Entry(f"{MODEL_ENTRY}{model.id}", f"{model.name} {model.version}", group)
            for model in kept_models()
        ]

    def open_kept(self, path: str) -> None:
        """Open the card of a kept model."""
        self.open_card(Path(path))

    def arm_kept(self, path: str) -> None:
        """Open the card of a kept model, and arm it as soon as it is verified."""
        self.open_card(Path(path)).use_when_ready("armed")

    def shadow_kept(self, path: str) -> None:
        """Open the card of a kept model, and only show its signals as soon as it is verified."""
        self.open_card(Path(path)).use_when_ready("shadow")

    def show_session_model(self) -> None:
        """Open the card of the session's model, or choose one."""
        inference = self._session.run.inference if self._session is not None else None
        if inference is not None and inference.models:
            self.open_cards([Path(model.file) for model in inference.models])
        else:
            self.choose_model()
