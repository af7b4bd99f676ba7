"""The fixtures that guard every other test catch what they promise to catch."""

import re
import subprocess
import sys

import pytest

_LEAKS = {
    "thread": (
        "import threading, time\ndef test_it():\n"
        "    threading.Thread(target=time.sleep, args=(4,), daemon=True).start()\n",
        "threads left running",
    ),
    "window": (
        "from PySide6.QtWidgets import QWidget\nkept = []\ndef test_it(qtbot):\n"
        "    window = QWidget()\n    kept.append(window)\n    window.show()\n",
        "windows left open: QWidget",
    ),
    "timer": (
        "from PySide6.QtCore import QTimer\nkept = []\ndef test_it(qtbot):\n"
        "    timer = QTimer()\n    kept.append(timer)\n    timer.start(50)\n",
        "timers left running",
    ),
    "log": (
        "import logging\ndef test_it():\n    logging.getLogger('x').warning('hm')\n",
        "unexpected log: hm",
    ),
    "qt_message": (
        "from PySide6.QtCore import qWarning\ndef test_it(qtbot):\n    qWarning('oh no')\n",
        "oh no",
    ),
}


@pytest.fixture(scope="module")
def guarded_run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """What pytest says of one leaking test each."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "conftest.py").write_text((request.config.rootpath / "tests" / "conftest.py").read_text())
    for name, (source, _) in _LEAKS.items():
        (folder / f"test_{name}.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False).stdout


@pytest.mark.parametrize("leak", _LEAKS)
def test_a_leaking_test_fails_and_says_why(guarded_run: str, leak: str) -> None:
    complaint = _LEAKS[leak][1]
    assert complaint in guarded_run
    assert re.search(rf"^(ERROR|FAILED) test_{leak}\.py", guarded_run, re.MULTILINE)
