"""A model dropped on the window: its card at each stage, and what arming it does to the session."""

import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QProcess, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from ai.loading.inspection import Inspection, Latency
from ai.passport import Passport, Ranges, Span
from ai.registry import Entry, Registry
from ai.runtime.choosing import Choice, Measured
from ai.runtime.isolation_messages import Declared
from app import model_messages as messages
from app.model_messages import (
    Broke,
    Failed,
    Look,
    Looked,
    Propose,
    Proposed,
    Reply,
    Request,
    UseMapping,
    Working,
)
from app.state.model_card import ModelCard
from app.windows.import_dialog import ImportDialog
from app.windows.model_card import ModelCardDialog
from app.windows.model_passport_text import verdict_on
from app.windows.model_text import card_of, size_of
from app.windows.model_work import ModelWork
from engine.link.protocols import LinkDown
from engine.link.scripted import frame
from engine.messages.commands import Play, Seek, SetArming, SetSpeed
from engine.messages.events import ArmingChanged, Numbered
from engine.messages.run import Inference, ModelUse, Run
from tests.ai.inference.models import feature_set, mlp, passport
from tests.engine.session.markets import FX
from tests.gui.conftest import RUN, Desk
from widgets.model.card_mapping import MappingForm
from widgets.model.shelf import ModelsPanel

SHA = "5" * 64
SOURCE = Path("/models/tested.onnx")
START, END = 1_000, 9_000


class ScriptedWork(ModelWork):
    """Answers when it is told to."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.asked: list[Request] = []

    def ask(self, request: Request) -> None:
        self.asked.append(request)

    def answer(self, *replies: Reply) -> None:
        for reply in replies:
            self.told.emit(reply)


def drop(desk: Desk, *paths: Path) -> list[ModelCardDialog]:
    """Drag files onto the window and let go; the cards that are open then."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where, copy = QPoint(400, 300), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where, copy, data, buttons, keys)
    desk.window.dragEnterEvent(enter)
    assert enter.isAccepted()
    desk.window.dropEvent(QDropEvent(where, copy, data, buttons, keys))
    return desk.window.deeds.cards


def scripted(desk: Desk, path: Path = SOURCE) -> tuple[ModelCardDialog, ScriptedWork]:
    """Card of a dropped file whose inspection is up to the test."""
    works: list[ScriptedWork] = []

    def make(parent: QWidget) -> ModelWork:
        works.append(ScriptedWork(parent))
        return works[-1]

    desk.window.deeds.make_work = make
    (card,) = drop(desk, path)
    return card, works[-1]


def found(told: Passport | None, **changes: Any) -> Inspection:
    facts: dict[str, Any] = {
        "path": str(SOURCE),
        "format": "onnx",
        "accepted": True,
        "reason": "",
        "sha256": SHA,
        "content_sha256": SHA,
        "size_bytes": 12_345,
        "inputs": (Declared("x", "float32", ("batch", 1, 6)),),
        "outputs": (Declared("y", "float32", ("batch", 3)),),
        "passport": told,
        "passport_from": None if told is None else "inside",
        "runtime": "onnxruntime-cpu",
        "latency_us": Latency(6.2, 9.9),
    }
    return Inspection(**facts | changes)


def looked(told: Passport | None = None, **changes: Any) -> Looked:
    """A model that is accepted and kept."""
    entry = Entry(
        name="tested",
        version=1,
        sha256=SHA,
        file_name=SOURCE.name,
        format="onnx",
        size_bytes=12_345,
        added_ns=1,
        has_passport=True,
    )
    return Looked(found(told or passport(feature_set()), **changes), entry)


def ready(desk: Desk) -> tuple[ModelCardDialog, ScriptedWork]:
    """Card of an accepted model."""
    card, work = scripted(desk)
    work.answer(looked())
    return card, work


# -- looking ----------------------------------------------------------------------------------------------


def test_the_card_is_there_at_once_and_the_window_goes_on_while_the_file_is_looked_at(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk)
    work.answer(Working("Checking its bytes"))
    version = desk.state.version
    for number in range(60, 90):
        desk.link.push(frame(number, now=desk.clock.now))
        desk.tick()
    assert desk.state.version == version + 30
    assert card.isVisible()
    assert not card.isModal()
    assert card.view.card.verdict == "LOOKING"
    assert card.view.card.working == "Checking its bytes"
    assert not card.view.buttons["armed"].isEnabled()
    assert work.asked == [Look(str(SOURCE))]


def test_an_accepted_model_tells_what_it_is_and_is_measured(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk)
    told = passport(
        feature_set(),
        metrics={"accuracy": 0.61, "logistic_accuracy": 0.55, "majority_accuracy": 0.5},
        simulated=True,
    )
    work.answer(looked(told))
    shown = card.view.card
    assert (shown.title, shown.verdict) == ("tested", "ACCEPTED")
    assert "kept as tested, version 1" in shown.explanation
    assert any("Trained on simulated data" in text for text in shown.warnings)
    facts = {fact.label: fact.text for section in shown.sections for fact in section.facts}
    assert facts["Tells"] == "direction, 100 ticks ahead, beyond 1 bp"
    assert facts["Task"] == "classification: down, flat, up"
    metrics = shown.sections[-1].table
    assert metrics.columns == ("Metric", "Model", "logistic", "majority")
    assert metrics.lines[0].cells == ("accuracy", "0.6100", "0.5500", "0.5000")
    assert isinstance(work.asked[-1], messages.Measure)
    absent = Measured("onnxruntime-cuda", "", None, "No CUDA device was found.")
    cpu = Measured("onnxruntime-cpu", "cpu", True, "", 6.24, 9.9, 4096, 1_234_567.0, 13_000_000)
    work.answer(messages.Measured(Choice("onnxruntime-cpu", (cpu, absent)), "On the CPU."))
    first, second = card.view.card.measured.lines
    assert first.cells == ("onnxruntime-cpu", "6.2", "9.9", "1,230,000", "13 MB")
    assert first.best
    assert second.note == "No CUDA device was found."
    assert not any("whatever it is given" in text for text in card.view.card.warnings)
    work.answer(messages.Measured(Choice("onnxruntime-cpu", (cpu, absent)), "", is_flat=True))
    assert any("whatever it is given" in text for text in card.view.card.warnings)


def test_a_step_that_fails_says_so_and_the_card_lives_on(desk: Desk) -> None:
    card, work = ready(desk)
    work.answer(Failed("The runtime is not here; install it."))
    assert card.view.card.problem == "The runtime is not here; install it."
    assert card.view.card.working == ""
    assert card.view.card.verdict == "ACCEPTED"


def test_a_fault_of_the_station_is_reported_and_the_card_lives_on(desk: Desk) -> None:
    card, work = ready(desk)
    with desk.qtbot.capture_exceptions() as faults:
        work.answer(Broke("Traceback: a fault"))
    assert [str(fault[1]) for fault in faults] == ["Traceback: a fault"]
    assert "fault in the station" in card.view.card.problem
    assert card.view.buttons["armed"].isEnabled() is (desk.station.session is not None)


def test_the_card_changes_its_colours_with_the_window(desk: Desk) -> None:
    card, _ = ready(desk)
    card.grab()
    desk.station.set_theme(theme="light")
    picture = card.grab().toImage()
    assert picture.pixelColor(2, 2) == desk.station.theme.colour("raised")
    assert picture.pixelColor(4, picture.height() // 2) == desk.station.theme.colour("panel")


def test_a_session_inside_the_training_range_is_called_in_sample(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk)
    now = desk.clock.now
    told = passport(feature_set(), ranges=Ranges(train=Span(start_ns=now - 10, end_ns=now + 10)))
    work.answer(looked(told))
    assert any(text.startswith("In sample") for text in card.view.card.warnings)
    before = Ranges(train=Span(start_ns=10, end_ns=20))
    work.answer(looked(passport(feature_set(), ranges=before)))
    assert not any(text.startswith("In sample") for text in card.view.card.warnings)


def test_a_model_that_is_dropped_again_is_looked_at_again_on_its_card(desk: Desk) -> None:
    card, work = ready(desk)
    assert drop(desk, SOURCE) == [card]
    assert isinstance(work.asked[-1], Look)
    assert card.view.card.verdict == "LOOKING"


# -- arming -----------------------------------------------------------------------------------------------


def test_arming_runs_the_session_again_with_the_model_up_to_the_present(desk: Desk) -> None:
    desk.play()
    card, _ = ready(desk)
    clock = desk.clock
    desk.click(card.view.buttons["armed"])
    assert len(desk.runs) == 2
    run = desk.runs[-1]
    assert (run.strategy, run.parameters, run.instrument) == ("ai_signal", {}, RUN.instrument)
    use = ModelUse(file=str(SOURCE), sha256=SHA)
    assert run.inference == Inference(models=(use,), arming="armed")
    assert desk.sent == [SetSpeed(clock.speed), Seek(clock.now), Play()]
    assert card.view.session_text.startswith("Armed in EURUSD.SIM")


def test_a_model_that_is_in_the_session_is_armed_by_a_command_alone(desk: Desk) -> None:
    desk.play()
    card, _ = ready(desk)
    desk.click(card.view.buttons["shadow"])
    runs = list(desk.runs)
    assert runs[-1].inference is not None
    assert runs[-1].inference.arming == "shadow"
    desk.link.sent.clear()
    desk.click(card.view.buttons["armed"])
    desk.click(card.view.buttons["off"])
    assert desk.sent == [SetArming("armed"), SetArming("off")]
    assert desk.runs == runs


def test_the_card_follows_a_rule_that_disarms(desk: Desk) -> None:
    desk.play()
    card, _ = ready(desk)
    desk.click(card.view.buttons["armed"])
    event = ArmingChanged(ts=5, mode="off", by="rule", reason="An input had no value.")
    desk.link.push(msgspec.structs.replace(frame(1, now=5), events=[Numbered(1, event)]))
    desk.tick()
    desk.tick()
    assert "An input had no value." in card.view.session_text
    assert card.view.buttons["armed"].isEnabled()
    assert not card.view.buttons["off"].isEnabled()


def test_a_session_that_stopped_is_begun_again_with_its_model(desk: Desk) -> None:
    desk.play()
    card, _ = ready(desk)
    desk.click(card.view.buttons["armed"])
    desk.link.break_with(LinkDown("The engine stopped: killed by signal 9.", [], expected=False))
    desk.tick()
    assert card.view.session_text.startswith("To arm it runs EURUSD.SIM again")
    desk.click(card.view.buttons["shadow"])
    assert len(desk.links) == 3
    assert desk.runs[-1].inference is not None
    assert desk.runs[-1].inference.arming == "shadow"
    assert desk.sent == [Play()]


def test_keys_arm_and_disarm_the_sessions_models(desk: Desk) -> None:
    desk.play()
    desk.key(Qt.Key.Key_F6)
    assert "load one (Ctrl+M)" in desk.window.top.banner.text
    card, _ = ready(desk)
    desk.click(card.view.buttons["armed"])
    desk.link.sent.clear()
    for key in (Qt.Key.Key_F8, Qt.Key.Key_F7, Qt.Key.Key_F6):
        desk.key(key)
    assert desk.sent == [SetArming("off"), SetArming("shadow"), SetArming("armed")]


def test_without_a_session_the_card_offers_one(desk: Desk) -> None:
    card, _ = ready(desk)
    assert "No session is open" in card.view.session_text
    assert not card.view.buttons["armed"].isEnabled()
    desk.click(card.view.demo_button)
    assert desk.runs[-1].simulate
    assert not card.view.demo_button.isVisible()
    assert card.view.buttons["armed"].isEnabled()


def test_a_session_without_what_the_model_reads_says_so_on_the_button(desk: Desk) -> None:
    folder = desk.station.store / "EURUSD.X"
    (folder / "quotes").mkdir(parents=True)
    facts = msgspec.structs.replace(FX, id="EURUSD.X")
    (folder / "instrument.json").write_bytes(msgspec.json.encode(facts))
    (folder / "quotes" / "2024-01-01.parquet").touch()
    desk.station.open_run(Run(instrument="EURUSD.X", store=str(desk.station.store)))
    card, work = scripted(desk)
    work.answer(looked(passport(feature_set("book", [{"name": "imbalance", "levels": 1}]))))
    sentence = "It reads the order book, and EURUSD.X has only quotes; open a replay that has it."
    assert card.view.session_text == sentence
    assert card.view.buttons["armed"].toolTip() == sentence
    assert not card.view.buttons["armed"].isEnabled()


def test_a_model_that_no_session_can_run_is_never_armed(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk)
    card.use_when_ready("armed")
    sentence = "The classes of tested are named a, b, c; name them down, flat and up."
    work.answer(looked(unfit=sentence))
    assert card.view.session_text == sentence
    assert card.view.buttons["armed"].toolTip() == sentence
    assert not card.view.buttons["armed"].isEnabled()
    assert not card.view.buttons["shadow"].isEnabled()
    assert len(desk.runs) == 1
    assert "no session can run it" in card.view.card.explanation


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (1.2, "It does NOT beat a baseline (logistic) in log loss."),
        (0.9, "It beats its baselines (logistic, majority) in log loss."),
    ],
)
def test_the_card_says_in_words_whether_the_model_beats_its_baselines(loss: float, told: str) -> None:
    metrics = {"log_loss": loss, "logistic_log_loss": 1.1, "majority_log_loss": 1.3}
    assert verdict_on(passport(feature_set(), metrics=metrics)) == told
    assert verdict_on(passport(feature_set(), metrics={"log_loss": loss})) == ""


def test_small_files_are_told_in_bytes_and_what_was_not_read_is_not_refused() -> None:
    assert [size_of(size) for size in (0, 1, 12_345)] == ["0 bytes", "1 byte", "12 kB"]
    gone = card_of(ModelCard(SOURCE, problem="It cannot be read."), None)
    assert (gone.verdict, "could not be read" in gone.session) == ("NOT READ", True)
    weights = (Declared("w", "float32", (2, 2)),)
    bare = card_of(ModelCard(SOURCE, found=found(None, weights=weights)), None)
    assert "export it to ONNX" in bare.session
    assert bare.mapping is None


# -- trust and conversion ---------------------------------------------------------------------------------


def test_code_of_a_maker_runs_only_when_exactly_this_file_is_trusted(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk, Path("/models/traced.pt"))
    untrusted = found(None, format="torchscript", accepted=False, needs_trust=True, reason="It runs code.")
    work.answer(Looked(untrusted))
    assert card.view.card.verdict == "NOT TRUSTED"
    assert not card.view.head.trust_button.isEnabled()
    assert not card.view.buttons["armed"].isEnabled()
    desk.click(card.view.head.trust_button)
    assert len(work.asked) == 1
    assert SHA[:12] in card.view.card.trust
    card.view.head.trust_box.click()
    desk.click(card.view.head.trust_button)
    assert work.asked[-1] == Look("/models/traced.pt", trust=SHA)
    work.answer(looked(format="torchscript", path="/kept/traced.pt"))
    desk.click(card.view.buttons["armed"])
    inference = desk.runs[-1].inference
    assert inference is not None
    assert inference.models == (ModelUse(file="/kept/traced.pt", sha256=SHA, trusted=True),)


def test_a_trusted_program_is_converted_to_data(desk: Desk) -> None:
    card, work = scripted(desk, Path("/models/traced.pt"))
    card.state.trust = SHA
    work.answer(looked(format="torchscript"), messages.Measured(Choice(None, ()), ""))
    desk.click(card.view.head.convert_button)
    assert isinstance(work.asked[-1], messages.Convert)
    work.answer(looked(sha256="7" * 64))
    assert not card.view.head.convert_button.isVisible()
    assert "ONNX" in card.view.card.file


# -- mapping ----------------------------------------------------------------------------------------------

PROPOSED = Proposed(
    {"deeplob": "DeepLOB's 40 columns"},
    features="deeplob",
    output="y",
    meaning="logits",
    classes=("down", "flat", "up"),
    horizon="100",
    assumed=("It looks 100 rows ahead.",),
)


def test_a_model_without_a_passport_is_mapped_by_one_button(desk: Desk) -> None:
    desk.play()
    card, work = scripted(desk)
    work.answer(Looked(found(None)))
    assert work.asked[-1] == Propose(found(None), ("deltas", "quotes", "trades"))
    work.answer(PROPOSED)
    form = card.view.form
    assert form is not None
    assert (form.features.currentData(), form.classes.text(), form.horizon.text()) == (
        "deeplob",
        "down, flat, up",
        "100",
    )
    assert card.view.card.mapping is not None
    assert card.view.card.mapping.assumed == ("It looks 100 rows ahead.",)
    assert not card.view.buttons["armed"].isEnabled()
    form.horizon.setText("10s")
    desk.click(form.use)
    asked = work.asked[-1]
    assert isinstance(asked, UseMapping)
    assert (asked.features, asked.meaning, asked.classes, asked.horizon, asked.fit_on) == (
        "deeplob",
        "logits",
        ("down", "flat", "up"),
        "10s",
        "",
    )
    assert not form.use.isEnabled()
    work.answer(Failed("It tells 3 classes and 2 are named; name each, in order."))
    assert card.view.form is form
    assert form.horizon.text() == "10s"
    assert form.use.isEnabled()
    work.answer(looked())
    assert not card.view.findChildren(MappingForm)
    assert card.view.buttons["armed"].isEnabled()


def test_what_cannot_be_mapped_says_why_and_what_to_do(desk: Desk) -> None:
    card, work = scripted(desk)
    work.answer(Looked(found(None)), Proposed({}, problem="It takes 7 numbers per row; write a set."))
    form = card.view.form
    assert form is not None
    assert not form.use.isEnabled()
    assert card.view.card.mapping is not None
    assert card.view.card.mapping.problem == "It takes 7 numbers per row; write a set."


# -- drops ------------------------------------------------------------------------------------------------


def test_models_and_data_dropped_together_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    desk.window.deeds.make_work = ScriptedWork
    cards = drop(desk, SOURCE, tmp_path / "a.csv", tmp_path / "b.bi5")
    assert [card.state.source for card in cards] == [SOURCE]
    assert "the 2 data files" in desk.window.top.banner.text
    assert not [each for each in desk.window.findChildren(ImportDialog) if each.isVisible()]


def test_a_passport_alone_asks_for_its_model_and_a_training_folder_is_one(desk: Desk, tmp_path: Path) -> None:
    desk.window.deeds.make_work = ScriptedWork
    (tmp_path / "model.json").write_text("{}")
    (tmp_path / "lstm.onnx").touch()
    (tmp_path / "log.csv").touch()
    assert drop(desk, tmp_path / "model.json") == []
    assert "drop the model file" in desk.window.top.banner.text
    (card,) = drop(desk, tmp_path)
    assert card.state.source == tmp_path / "lstm.onnx"


# -- in its own process -----------------------------------------------------------------------------------


class Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _write, (str(self.marker),)


def _write(path: str) -> None:
    Path(path).write_text("ran")


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.onnx"])
def test_a_pickle_is_refused_never_runs_and_never_arms(
    desk: Desk, tmp_path: Path, own_home: Path, name: str
) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Hostile(marker)))
    desk.play()
    (card,) = drop(desk, path)
    desk.qtbot.waitUntil(lambda: card.view.card.verdict == "REFUSED", timeout=30_000)
    assert "runs code of its maker" in card.view.card.explanation
    assert "export" in card.view.card.explanation
    assert card.view.buttons["armed"].toolTip() == "It is refused, so it cannot be armed."
    desk.window.deeds.use_model(card.state, "armed")
    assert desk.runs == [RUN]
    assert not marker.exists()
    assert not (own_home / "models").exists()


def test_a_model_is_kept_listed_and_armed_from_the_list(desk: Desk, tmp_path: Path, own_home: Path) -> None:
    features = feature_set()
    path = tmp_path / "tested.onnx"
    path.write_bytes(mlp(1, len(features.outputs)))
    (tmp_path / "model.json").write_bytes(passport(features, metrics={"accuracy": 0.61}).to_json())
    desk.play()
    (card,) = drop(desk, path)
    desk.qtbot.waitUntil(lambda: card.state.measured is not None, timeout=30_000)
    assert card.view.card.verdict == "ACCEPTED"
    (entry,) = Registry(own_home / "models").entries()
    kept = str(Registry(own_home / "models").path(entry))
    assert card.state.use().file == kept
    card.close()
    path.unlink()
    desk.window.docks["models"].raise_()
    desk.tick_later()
    panel = desk.panel("models", ModelsPanel)
    shown = [row for row in panel.table.model.rows() if row.id == kept]
    assert [(row.name, row.metric) for row in shown] == [("tested", "accuracy 0.61")]
    assert shown[0].cost_us is not None
    assert any(entry.text == "tested 1" for entry in desk.window.deeds.model_entries())
    panel.choose([row.id for row in panel.table.model.rows()].index(kept))
    panel.buttons["arm"].click()
    desk.qtbot.waitUntil(lambda: len(desk.runs) == 2, timeout=30_000)
    inference = desk.runs[-1].inference
    assert inference is not None
    assert inference.models == (ModelUse(file=kept, sha256=entry.sha256),)


def test_closing_a_card_ends_what_looks_at_the_file(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "tested.onnx"
    path.write_bytes(mlp(1, 6))
    (card,) = drop(desk, path)
    desk.qtbot.waitUntil(lambda: card.view.card.working.startswith("Checking"), timeout=30_000)
    card.close()
    assert desk.window.deeds.cards == []


def test_a_process_that_dies_says_so(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "tested.onnx"
    path.write_bytes(mlp(1, 6))
    (card,) = drop(desk, path)
    desk.qtbot.waitUntil(lambda: card.view.card.working.startswith("Checking"), timeout=30_000)
    for process in card.findChildren(QProcess):
        process.kill()
    desk.qtbot.waitUntil(lambda: card.view.card.verdict == "NOT READ", timeout=30_000)
    assert "ended before it answered" in card.view.card.problem


def test_a_file_that_cannot_be_read_says_so(desk: Desk, tmp_path: Path) -> None:
    (card,) = drop(desk, tmp_path / "gone.onnx")
    desk.qtbot.waitUntil(lambda: card.view.card.verdict == "NOT READ", timeout=30_000)
    assert "cannot be read" in card.view.card.problem
