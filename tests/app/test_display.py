"""A machine that cannot show a window is told so in one sentence, before Qt ends the process."""

import os
import subprocess
import sys

import pytest

from app import display
from engine.errors import UserError


def test_missing_libraries_name_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":1")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    missing = {"libxcb-cursor.so.0", "libEGL.so.1"}
    monkeypatch.setattr(display, "_loads", lambda library: library not in missing)
    with pytest.raises(UserError) as caught:
        display.check_libraries(offscreen=False)
    text = str(caught.value)
    assert "sudo apt install libegl1 libxcb-cursor0'" in text
    assert "sudo dnf install mesa-libEGL xcb-util-cursor'" in text


def test_offscreen_needs_no_x_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":1")
    monkeypatch.setattr(display, "_loads", lambda library: "xcb" not in library)
    display.check_libraries(offscreen=True)


def test_the_libraries_of_this_machine_are_found() -> None:
    display.check_libraries(offscreen=True)


@pytest.mark.parametrize("command", [["gui"], ["demo"]])
def test_without_a_display_the_command_says_what_to_do(command: list[str]) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can be without a display")
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "app", *command], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert "--offscreen" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
