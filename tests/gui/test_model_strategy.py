"""A strategy that acts on models asks for one, takes several with weights, and lets them go again."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.windows import kept_models
from app.windows.open_replay import OpenReplayDialog
from app.windows.strategy import StrategyPanel
from engine.messages.run import Inference, ModelUse, Run
from tests.gui.conftest import RUN, Desk
from widgets.model.shelf import KeptModel

ONE = KeptModel(id="/kept/one.onnx", sha256="1" * 64, name="one", version=1, format="onnx")
TWO = KeptModel(id="/kept/two.onnx", sha256="2" * 64, name="two", version=3, format="onnx")
ARMED = Inference(models=(ModelUse(file=ONE.id, sha256=ONE.sha256),), arming="shadow", device="cpu")


def panel(desk: Desk) -> StrategyPanel:
    desk.play()
    found = desk.panel("strategy", StrategyPanel)
    found.form.show_strategy("ai_signal", {})
    return found


def test_running_without_a_model_asks_for_one(desk: Desk) -> None:
    shown = panel(desk)
    assert shown.form.lack == (
        "AI signal acts on a model: choose one here, or drop a model file on the window."
    )
    shown.run_again()
    assert desk.runs == [RUN]
    shown.form.models.add_model(ONE)
    assert shown.form.lack == ""
    shown.run_again()
    run = desk.runs[-1]
    assert run.strategy == "ai_signal"
    assert run.inference == Inference(models=(ModelUse(file=ONE.id, sha256=ONE.sha256),))


def test_several_models_are_an_ensemble_with_weights(desk: Desk) -> None:
    shown = panel(desk)
    chooser = shown.form.models
    chooser.add_model(ONE)
    chooser.add_model(TWO)
    chooser.add_model(ONE)
    chooser.set_weight(1, "a third")
    shown.run_again()
    assert shown.form.lack == "The weight of two 3 must be a number above 0."
    assert desk.runs == [RUN]
    chooser.set_weight(1, "0.5")
    shown.run_again()
    inference = desk.runs[-1].inference
    assert inference is not None
    assert [(use.file, use.weight) for use in inference.models] == [(ONE.id, 1.0), (TWO.id, 0.5)]
    chooser.remove(0)
    shown.run_again()
    inference = desk.runs[-1].inference
    assert inference is not None
    assert [(use.file, use.weight) for use in inference.models] == [(TWO.id, 1.0)]


def test_the_sessions_models_stand_in_the_form_and_keep_how_they_are_asked(desk: Desk) -> None:
    run = Run(instrument=RUN.instrument, simulate="fx", strategy="ai_signal", inference=ARMED)
    desk.station.open_run(run)
    shown = desk.panel("strategy", StrategyPanel)
    assert [model.name for model in shown.form.models.models] == ["one"]
    shown.form.form.set_value("enter", "0.7")
    shown.run_again()
    assert desk.runs[-1].inference == ARMED
    assert desk.runs[-1].parameters["enter"] == 0.7
    shown.form.show_strategy("ema_cross", {})
    shown.run_again()
    assert desk.runs[-1].inference is None


def test_the_demos_model_shows_its_card_by_one_click(desk: Desk) -> None:
    desk.play()
    assert not desk.window.top.card.isVisible()
    desk.window.deeds.watch_demo()
    assert desk.runs[-1].strategy == "ai_signal"
    desk.click(desk.window.top.card)
    (card,) = desk.window.deeds.cards
    desk.qtbot.waitUntil(lambda: card.view.card.verdict == "ACCEPTED", timeout=30_000)
    assert "comes with the station" in card.view.card.explanation
    assert [model.name for model in kept_models.kept_models()] == ["demo-mlp"]
    assert any("Trained on simulated data" in text for text in card.view.card.warnings)
    assert card.view.session_text == "Armed in BTCUSDT.SIM: its signals are traded."
    assert not card.view.buttons["armed"].isEnabled()


def test_kept_models_are_offered_when_one_is_added(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = panel(desk)
    monkeypatch.setattr(kept_models, "kept_models", lambda: [ONE, TWO])
    menu = shown.form.models.menu
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["one 1", "two 3", "Load a model file…"]
    menu.actions()[0].trigger()
    assert [model.id for model in shown.form.models.models] == [ONE.id]


def test_a_replay_with_a_model_is_opened_from_the_dialog(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "EURUSD.X"
    folder.mkdir()
    (folder / "instrument.json").write_text(
        '{"id":"EURUSD.X","kind":"fx","base":"EUR","quote":"USD","price_precision":5,"size_precision":0,'
        '"tick_size":"0.00001","lot_size":"1"}'
    )
    dialog = OpenReplayDialog(tmp_path, "EURUSD.X")
    qtbot.addWidget(dialog)
    dialog.strategy.show_strategy("ai_signal", {})
    dialog.ask()
    assert "acts on a model" in dialog.fault
    dialog.strategy.models.add_model(TWO)
    assert dialog.run_asked().inference == Inference(models=(ModelUse(file=TWO.id, sha256=TWO.sha256),))
