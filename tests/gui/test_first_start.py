"""First start: a window at once, a market moving in it, nothing heavy on the way; the demo's figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui import demo_figures, make_station, open_on_demo

_HEAVY = ("torch", "onnxruntime", "polars", "pyarrow", "pandas", "nautilus_trader", "pyqtgraph", "duckdb")


def _python(*arguments: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )


def test_the_first_start_shows_a_moving_market_and_how_to_import(qtbot: QtBot, own_home: Path) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    station = make_station(application, hosting="process")
    window = open_on_demo(station)
    try:
        assert station.clock.figures.count == 0
        assert station.clock.first_paint_s is not None, "nothing was painted before the loop began"
        assert "Ctrl+I" in window.status.hint
        assert window.top.session_name == "BTCUSDT.SIM"
        station.clock.start()
        session = station.session
        assert session is not None
        qtbot.waitUntil(lambda: session.state.health.ticks > 0, timeout=30_000)
        first = session.now
        qtbot.waitUntil(lambda: session.now > first, timeout=5_000)
        figures = demo_figures(station)
        assert figures["events_lost"] == 0
        assert session.notice is None
        assert (own_home / "settings.toml").exists() is False, "nothing was chosen, so nothing is saved"
    finally:
        window.close()
        station.close()
        station.deleteLater()


def test_nothing_heavy_is_loaded_on_the_way_to_the_first_window() -> None:
    program = (
        "import sys\n"
        "from app.gui import make_application, make_station, open_on_demo\n"
        "from engine.link.scripted import ScriptedLink\n"
        "application = make_application(offscreen=True)\n"
        "station = make_station(application, lambda run: ScriptedLink())\n"
        "window = open_on_demo(station)\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])\n"
        "window.close()\n"
    )
    done = _python("-c", program)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_demo_command_makes_a_picture_and_figures(tmp_path: Path) -> None:
    picture, figures = tmp_path / "demo.png", tmp_path / "demo.json"
    done = _python(
        "-m",
        "app",
        "demo",
        "--offscreen",
        "--seconds",
        "3",
        "--screenshot",
        str(picture),
        "--json",
        str(figures),
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(figures.read_text())
    assert set(told) == {
        "frames",
        "fps",
        "events",
        "ticks",
        "conflated",
        "events_lost",
        "seconds_to_first_paint",
        "screenshot",
    }
    assert told["frames"] > 10
    assert told["events_lost"] == 0
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1600, 900)
    assert len({image.pixel(x, y) for x in range(0, 1600, 40) for y in range(0, 900, 40)}) > 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seconds", "0"], "above 0"),
        (["--screenshot", "x.png"], "--seconds"),
        (["--offscreen", "--screenshot", "no/such/folder/x.png"], "folder"),
    ],
)
def test_impossible_demos_are_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = _python("-m", "app", "demo", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_layout_names_those_there_are() -> None:
    done = _python("-m", "app", "gui", "--layout", "dsk")
    assert done.returncode == 2
    assert "desk" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
