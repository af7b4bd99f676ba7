"""What the tables show can be saved, by button or by key, whole or not at all; columns go with layouts."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from engine.link.scripted import scripted_session
from tests.gui.conftest import RUN, Desk
from widgets.blotter.table import EventTable
from widgets.results import ResultsPanel


def _table(desk: Desk, name: str) -> EventTable[object]:
    table = desk.window.hosts[name].widget
    assert isinstance(table, EventTable)
    return table


def _save_dialog(desk: Desk) -> QFileDialog:
    (dialog,) = [child for child in desk.window.findChildren(QFileDialog) if child.isVisible()]
    return dialog


def _answer(desk: Desk, path: Path) -> None:
    dialog = _save_dialog(desk)
    dialog.fileSelected.emit(str(path))
    dialog.reject()


@pytest.mark.parametrize("name", ["orders", "fills", "positions", "account", "log"])
def test_ctrl_e_saves_the_table_in_front(desk: Desk, name: str, tmp_path: Path) -> None:
    desk.play()
    desk.window.docks[name].raise_()
    desk.tick_later()
    desk.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert _save_dialog(desk).selectedFiles()[0].endswith(f"{name}.csv")
    path = tmp_path / "out.csv"
    _answer(desk, path)
    assert path.read_text(encoding="utf-8") == _table(desk, name).csv_text()
    assert desk.window.top.banner.text == ""


def test_a_tables_own_button_asks_where_to_save(desk: Desk, tmp_path: Path) -> None:
    desk.play()
    _table(desk, "fills").export()
    _answer(desk, tmp_path / "fills.csv")
    assert (tmp_path / "fills.csv").read_text().startswith("ts_ns,")


def test_results_are_exported(desk: Desk, tmp_path: Path) -> None:
    desk.station.open_run(RUN)
    desk.link.push(*scripted_session(3, 30))
    desk.tick_later()
    desk.tick_later()
    desk.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    _answer(desk, tmp_path / "statistics.csv")
    assert (tmp_path / "statistics.csv").stat().st_size > 0
    desk.panel("results", ResultsPanel).export_json()
    _answer(desk, tmp_path / "results.json")
    assert (tmp_path / "results.json").read_text().startswith("{")


def test_without_a_table_ctrl_e_says_so(desk: Desk) -> None:
    for name in ("orders", "fills", "positions", "account", "log", "results"):
        desk.window.docks[name].hide()
    desk.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert "No table is shown" in desk.window.top.banner.text


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.play()
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    _table(desk, "fills").export()
    _answer(desk, blocked / "fills.csv")
    assert "could not be written" in desk.window.top.banner.text
    assert blocked.read_text() == "not a folder"


def test_a_layout_remembers_the_columns(desk: Desk) -> None:
    header = _table(desk, "fills").view.horizontalHeader()
    header.resizeSection(1, 123)
    header.setSectionHidden(2, True)
    desk.window.deeds.save_layout_as("mine")
    header.resizeSection(1, 60)
    header.setSectionHidden(2, False)
    desk.window.deeds.load_layout_named("mine")
    assert header.sectionSize(1) == 123
    assert header.isSectionHidden(2)
