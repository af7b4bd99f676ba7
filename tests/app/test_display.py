"""A machine that cannot show a window is told so in one sentence, before Qt ends the process."""

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has display servers to reach")
@pytest.mark.parametrize(
    "screen",
    [
        {"DISPLAY": ":4711"},
        {"WAYLAND_DISPLAY": "wayland-4711"},
        {"DISPLAY": ":4711", "QT_QPA_PLATFORM": "xcb"},
        {"QT_QPA_PLATFORM": "wayland"},
    ],
)
def test_a_display_that_does_not_answer_is_said_instead_of_ending_the_process(
    screen: dict[str, str], tmp_path: Path
) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "app", "gui"],
        capture_output=True,
        text=True,
        env={**kept, "XDG_RUNTIME_DIR": str(tmp_path), **screen},
        check=False,
    )
    if "system libraries" in done.stderr:
        pytest.skip("Qt's X libraries are not installed here")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert all(f"{name}={value}" in line for name, value in screen.items())


def test_a_chosen_platform_without_a_screen_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("DISPLAY", ":4711")
    assert display.has_display()
