"""A table that is not understood can be explained above its first rows, and the explanation kept."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.windows.import_dialog import ImportDialog
from app.windows.mapping_page import MappingPage
from engine.feeds.mapping_proposal import propose_mapping
from engine.store import Store

TABLE = "Trade Date;Clock;Desk;P1;P2;Qty\n" + "".join(
    f"02/{day}/2019;10:00:00;x;1.1{day};1.2;{day}\n" for day in (13, 14, 15)
)


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImportDialog:
    monkeypatch.setenv("NEXTTICK_HOME", str(tmp_path / "home"))
    path = tmp_path / "ticks.csv"
    path.write_text(TABLE)
    made = ImportDialog([path], tmp_path / "store")
    qtbot.addWidget(made)
    made.choose("AAPL.NASDAQ")
    made.show()
    return made


def test_a_table_that_is_not_understood_is_explained_and_imported(
    qtbot: QtBot, dialog: ImportDialog, tmp_path: Path
) -> None:
    dialog.start()
    qtbot.waitUntil(lambda: "cannot be imported" in dialog.fault, timeout=20_000)
    dialog.ask_for_columns()
    qtbot.waitUntil(dialog.mapping.isVisible, timeout=20_000)
    dialog.mapping.accept()
    assert dialog.mapping.fault == "Say which column is price."
    dialog.mapping.choose(3, "size")
    dialog.mapping.accept()
    assert "Two columns are size" in dialog.mapping.fault
    dialog.mapping.choose(3, "price")
    dialog.mapping.name("desk")
    with qtbot.waitSignal(dialog.imported, timeout=20_000):
        dialog.mapping.accept()
    assert "3 trades" in dialog.report_text
    assert "read by the mapping desk" in dialog.report_text
    assert Store(tmp_path / "store").info("AAPL.NASDAQ")["trades"].rows == 3
    assert 'price = "P1"' in (tmp_path / "home" / "mappings" / "desk.toml").read_text()


def test_other_rows_have_other_roles(qtbot: QtBot) -> None:
    page = MappingPage()
    qtbot.addWidget(page)
    page.show_proposal(propose_mapping("x.csv", b"time,bid,ask\n1549238400994,1,2\n"))
    assert page.mapping().columns == {"time": "time", "bid": "bid", "ask": "ask"}
    page._kind.setCurrentText("trades")
    page.accept()
    assert page.fault == "Say which column is price, size."
