"""What every test gets: no display needed, and a failure for whatever it leaves behind or says unasked.

A test fails that leaves a thread, a running timer or a window, that makes Qt print a message, or that logs
at WARNING or above; one that means to do so says it with the marker `expects_log`.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A machine that is busy is slow, which is no fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# Before any test module imports Qt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.fonts.warning=false")

_THREAD_GRACE_S = 2.0
_KEPT_THREADS = ("pytest_timeout", "asyncio_", "QDBusConnection", "Dummy-", "pydevd")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that lets a test log warnings or make Qt speak."""
    config.addinivalue_line("markers", "expects_log: the test makes warnings or Qt messages on purpose")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make an unexpected Qt message a failure of the test during which it came."""
    for item in items:
        if item.get_closest_marker("expects_log") is None:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            # The offscreen platform says what it cannot do: size hints, raising.
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home of its own, so that none touches the person's settings or tick store."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NEXTTICK_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test whose threads are still alive shortly after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _THREAD_GRACE_S
    while left := [thread for thread in threading.enumerate() if _counts(thread, before)]:
        if time.monotonic() > deadline:
            pytest.fail(f"threads left running: {', '.join(thread.name for thread in left)}")
        left[0].join(0.02)


def _counts(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    return thread not in before and thread.is_alive() and not thread.name.startswith(_KEPT_THREADS)


@pytest.fixture(autouse=True)
def no_key_held(request: pytest.FixtureRequest) -> None:
    """Let go of Ctrl and the like, which Qt holds for pressed after another test's click or key."""
    if not {"qtbot", "qapp"} & set(request.fixturenames):
        return
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QWidget

    request.getfixturevalue("qapp")
    if QGuiApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        QTest.keyRelease(QWidget(), Qt.Key.Key_Shift)


@pytest.fixture(autouse=True)
def no_window_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a visible window or a running timer; only where the test uses Qt."""
    if not {"qtbot", "qapp"} & set(request.fixturenames):
        yield
        return
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QWidget

    def shown() -> set[QWidget]:
        return {widget for widget in QApplication.topLevelWidgets() if widget.isVisible()}

    def running() -> set[QTimer]:
        # By type: `isinstance` asks an object for its class, and one of torch then warns of its age.
        return {thing for thing in gc.get_objects() if issubclass(type(thing), QTimer) and _is_active(thing)}

    windows, timers = shown(), running()
    yield
    # qtbot has closed by now what it was given.
    left = shown() - windows
    if left:
        names = ", ".join(f"{type(widget).__name__} {widget.windowTitle()!r}" for widget in left)
        for widget in left:
            widget.close()
        pytest.fail(f"windows left open: {names}")
    ticking = running() - timers
    if ticking:
        pytest.fail(f"timers left running: {', '.join(repr(timer.parent()) for timer in ticking)}")


def _is_active(timer: object) -> bool:
    try:
        return bool(timer.isActive())  # type: ignore[attr-defined]
    except RuntimeError:  # its C++ half is gone
        return False


@pytest.fixture(autouse=True)
def no_unasked_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which something logged a warning nobody expected."""
    if request.node.get_closest_marker("expects_log"):
        yield
        return
    caplog = request.getfixturevalue("caplog")
    yield
    said = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    if said:
        pytest.fail(f"unexpected log: {said[0]}")
