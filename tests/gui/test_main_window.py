"""The window as a whole: what it says of the connection, panels that are independent, actions in reach."""

import re
from collections import Counter
from pathlib import Path
from typing import override

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt, QTranslator
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMainWindow, QPlainTextEdit, QToolButton, QWidget

from app.state.session import SessionState
from app.style import themes
from app.windows.actions import ACTIONS
from app.windows.docks import saved_place
from app.windows.layouts import Layout
from app.windows.panels import PANELS
from app.windows.strategy import StrategyPanel
from engine.link.protocols import LinkDown
from engine.link.scripted import frame, log, scripted_session
from engine.messages.commands import Attach
from engine.messages.run import Run
from tests.gui.conftest import RUN, Desk
from widgets.theme import Theme
from widgets.transport.bar import ClockText


def test_the_head_names_the_session_and_its_mode(desk: Desk) -> None:
    assert desk.window.top.mode == ""
    desk.play()
    assert desk.window.top.session_name == "EURUSD.SIM"
    assert desk.window.top.mode == "REPLAY"


def test_the_frame_says_replay_in_colour(desk: Desk) -> None:
    desk.play()
    signal = desk.station.theme.colour("signal")
    picture = desk.window.grab().toImage()
    assert picture.pixelColor(0, picture.height() // 2) == signal
    assert picture.pixelColor(picture.width() // 2, picture.height() - 1) == signal


def test_an_engine_that_stopped_is_said_with_its_last_lines_and_can_be_restarted(desk: Desk) -> None:
    desk.play()
    lines = len(desk.state.log.lines)
    desk.link.break_with(
        LinkDown("The engine stopped: killed by signal 9.", ["last", "words"], expected=False)
    )
    desk.tick_later()
    banner = desk.window.top.banner
    assert "killed by signal 9" in banner.text
    assert banner.details == "last\nwords"
    desk.click(banner.more)
    assert any(box.isVisible() and box.toPlainText() == "last\nwords" for box in _boxes(desk))
    desk.click(banner.action)
    assert desk.runs == [RUN, RUN]
    assert desk.links[0].closed
    desk.tick_later()
    assert banner.text == ""
    assert len(desk.state.log.lines) == lines
    assert desk.state.transport is None


def _boxes(desk: Desk) -> list[QPlainTextEdit]:
    return desk.window.top.banner.findChildren(QPlainTextEdit)


def test_a_session_that_is_down_looks_down_and_nothing_of_it_can_be_pressed(desk: Desk) -> None:
    desk.play()
    play = desk.window.top.transport.findChild(QToolButton, "transport_play")
    assert play is not None
    assert play.isEnabled()
    assert play.toolTip() == "Pause"
    desk.link.break_with(LinkDown("The engine stopped: killed by signal 9.", [], expected=False))
    desk.tick_later()
    assert desk.window.top.mode == "STOPPED"
    assert not play.isEnabled()
    assert play.toolTip() == "Play"
    picture = desk.window.grab().toImage()
    assert picture.pixelColor(0, picture.height() // 2) == desk.station.theme.colour("danger")
    desk.station.restart()
    desk.link.push(*scripted_session(3, 3)[:-1])
    desk.tick_later()
    assert desk.window.top.mode == "REPLAY"
    assert play.isEnabled()


def test_an_engine_that_left_no_log_is_told_by_the_sessions_last_lines(desk: Desk) -> None:
    desk.play()
    desk.link.push(frame(9001, events=[log("the last thing said")], first_event=desk.state.last_event + 1))
    desk.tick()
    desk.link.break_with(LinkDown("The engine stopped: gone.", [], expected=False))
    desk.tick_later()
    assert desk.window.top.banner.details.endswith("the last thing said")


def test_the_time_greys_while_the_session_is_down(desk: Desk) -> None:
    desk.play()
    clock = desk.window.top.transport.findChild(ClockText)
    assert clock is not None
    colours = []
    for down in (None, LinkDown("The engine stopped: gone.", [], expected=False)):
        if down is not None:
            desk.link.break_with(down)
        desk.tick_later()
        picture = clock.grab().toImage()
        ink = desk.station.theme.colour("text")
        colours.append(
            any(
                picture.pixelColor(x, y) == ink
                for x in range(picture.width())
                for y in range(picture.height())
            )
        )
    assert colours == [True, False]


def test_a_dismissed_end_is_not_said_again_but_the_next_one_is(desk: Desk) -> None:
    desk.play()
    desk.link.break_with(LinkDown("The engine stopped: gone.", [], expected=False))
    desk.tick_later()
    desk.window.top.banner.dismiss()
    desk.tick_later()
    assert desk.window.top.banner.text == ""
    desk.station.restart()
    desk.link.break_with(LinkDown("The engine stopped: gone again.", [], expected=False))
    desk.tick_later()
    assert "gone again" in desk.window.top.banner.text


def test_a_silent_engine_is_said_with_the_time_since(desk: Desk) -> None:
    desk.play()
    desk.link.fall_silent(7.0)
    desk.tick_later()
    assert re.search(r"not answered since \d\d:\d\d:\d\d \(7 s\)", desk.window.top.banner.text)
    desk.link.fall_silent(0.0)
    desk.tick_later()
    assert desk.window.top.banner.text == ""


def test_a_gap_in_the_events_is_asked_for_and_counted(desk: Desk) -> None:
    desk.play()
    state = desk.state
    seen = state.last_event
    desk.link.push(frame(9001, events=[log("after the gap")], first_event=seen + 3))
    desk.tick()
    desk.tick()
    assert desk.sent == [Attach(seen)]
    desk.link.push(frame(9002, events=[log("one"), log("two"), log("after the gap")], first_event=seen + 1))
    desk.tick_later()
    assert [line.text for line in state.log.lines[-3:]] == ["one", "two", "after the gap"]
    assert desk.window.status.values["Events lost"] == "2"


def test_every_action_has_a_key_a_deed_and_stands_in_palette_and_menu(desk: Desk) -> None:
    entries = {entry.id: entry for entry in desk.window.palette_entries()}
    in_menus = {action for _, actions in desk.menu_actions() for action in actions}
    keys = []
    for act in ACTIONS:
        assert callable(getattr(desk.window.deeds, act.slot))
        assert entries[act.id].key
        assert desk.window.actions_[act.id] in in_menus
        keys += [key.toString() for key in desk.window.actions_[act.id].shortcuts()]
    for spec in PANELS:
        if spec.id in desk.window.docks:
            assert entries[f"panel_{spec.id}"].key
            keys.append(entries[f"panel_{spec.id}"].key)
    assert "" not in keys
    assert len(keys) == len(set(keys)), "two actions share a key, so neither would work"


def test_a_hidden_panel_is_not_refreshed_and_catches_up_when_shown(desk: Desk) -> None:
    desk.play()
    ladder = desk.window.docks["ladder"]
    ladder.hide()
    before = desk.window.hosts["ladder"].refreshes
    for _ in range(3):
        desk.tick()
    assert desk.window.hosts["ladder"].refreshes == before
    ladder.show()
    desk.tick()
    assert desk.window.hosts["ladder"].refreshes == before + 1


def test_tabs_behind_another_are_not_refreshed(desk: Desk) -> None:
    desk.play()
    before = desk.window.hosts["log"].refreshes
    desk.tick_later()
    assert desk.window.hosts["log"].refreshes == before


class _Aging(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.ages: list[float | None] = []

    def bind(self, *parts: object) -> None: ...

    def set_theme(self, theme: Theme) -> None: ...

    def refresh(self) -> None: ...

    def set_stale(self, age_s: float | None) -> None:
        self.ages.append(age_s)


def test_panels_are_told_how_old_the_market_is(desk: Desk) -> None:
    desk.play()
    panel = _Aging()
    desk.window.hosts["ladder"].replace(panel)
    desk.tick_later()
    assert panel.ages == []
    desk.link.fall_silent(7.0)
    desk.tick_later()
    desk.link.fall_silent(0.0)
    desk.tick_later()
    assert panel.ages == [pytest.approx(7.0, abs=0.5), None]
    desk.link.break_with(LinkDown("The engine stopped: gone.", [], expected=False))
    desk.tick_later()
    assert panel.ages[-1] is not None


class _Failing(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()

    def bind(self, *parts: object) -> None: ...

    def set_theme(self, theme: Theme) -> None: ...

    def refresh(self) -> None:
        raise RuntimeError("the moon is full")


def test_a_panel_that_raises_says_so_in_its_place_and_the_others_go_on(desk: Desk) -> None:
    desk.play()
    host = desk.window.hosts["ladder"]
    failures: list[BaseException] = []
    host.failed.connect(failures.append)
    broken = _Failing(desk.station.theme)
    host.replace(broken)
    for _ in range(3):
        desk.tick_later()
    assert host.is_stopped
    assert [str(error) for error in failures] == ["the moon is full"]
    assert any("the moon is full" in label.text() for label in host.findChildren(QLabel) if label.isVisible())
    others = desk.window.hosts["tape"].refreshes
    desk.tick_later()
    assert desk.window.hosts["tape"].refreshes > others
    host.start()
    desk.tick_later()
    assert not host.is_stopped


def test_the_palette_finds_every_action_by_its_name(desk: Desk) -> None:
    entries = desk.window.palette_entries()
    desk.window.deeds.open_palette()
    palette = desk.window.palette_
    for entry in entries:
        assert palette.search(entry.text)[0].text == entry.text
    assert palette.search("nxfl")[0].id == "next_fill"
    assert palette.search("zzzz") == []
    palette.close()


def test_choosing_in_the_palette_does_it(desk: Desk) -> None:
    desk.play()
    desk.key(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = desk.window.palette_
    assert palette.isVisible()
    field = palette.focusWidget()
    QTest.keyClicks(field, "light or dark")
    desk.key(Qt.Key.Key_Return, widget=field)
    assert not palette.isVisible()
    assert desk.station.settings.settings.theme == "light"


def test_a_saved_layout_comes_back_in_every_window(desk: Desk) -> None:
    desk.window.docks["watchlist"].hide()
    desk.station.new_window()
    desk.window.deeds.save_layout_as("two screens")
    desk.station.windows[1].close()
    desk.window.docks["watchlist"].show()
    desk.window.docks["ladder"].hide()
    desk.window.deeds.load_layout_named("two screens")
    QCoreApplication.processEvents()
    assert desk.window.docks["watchlist"].isHidden()
    assert not desk.window.docks["ladder"].isHidden()
    assert len(desk.station.windows) == 2
    assert desk.station.settings.settings.layout == "two screens"


def test_shipped_layouts_place_known_panels_only(desk: Desk) -> None:
    for name in desk.station.layouts.names():
        layout = desk.station.layouts.load(name)
        assert {spot.id for spot in layout.docks} <= set(desk.window.docks)
        desk.window.place_panels(layout)
        shown = {name for name, dock in desk.window.docks.items() if not dock.isHidden()}
        assert shown == {spot.id for spot in layout.docks}


@pytest.mark.parametrize("layout", ["research", "older"])
def test_a_panel_that_a_layout_lacks_covers_nothing_when_it_is_shown(desk: Desk, layout: str) -> None:
    if layout == "older":  # saved when there were no such panels
        other = QMainWindow()
        saved = Layout(title="older", windows=[saved_place(other)])
        other.deleteLater()
    else:
        saved = desk.station.layouts.load(layout)
    desk.window.place_panels(saved)
    for name in ("why", "ladder"):
        dock = desk.window.docks[name]
        assert dock.isHidden()
        dock.show()
        dock.raise_()
        QCoreApplication.processEvents()
        seen = [other for other in desk.window.docks.values() if other.host.is_seen() and other is not dock]
        assert dock.host.is_seen()
        assert not [each.objectName() for each in seen if each.geometry().intersects(dock.geometry())]
        assert not desk.window.hosts["chart"].geometry().intersects(dock.geometry())


def test_a_panels_key_brings_it_to_the_front_before_it_hides_it(desk: Desk) -> None:
    docks, actions = desk.window.docks, desk.window.actions_
    desk.window.place_panels(desk.station.layouts.load("desk"))
    docks["orders"].raise_()
    QCoreApplication.processEvents()
    behind = next(
        name
        for name, dock in docks.items()
        if dock in desk.window.tabifiedDockWidgets(docks["orders"]) and not dock.isHidden()
    )
    seen = []
    for _ in range(3):
        assert actions[f"panel_{behind}"].isChecked() is not docks[behind].isHidden()
        actions[f"panel_{behind}"].trigger()
        QCoreApplication.processEvents()
        seen.append(docks[behind].host.is_seen())
    assert seen == [True, False, True]
    assert actions[f"panel_{behind}"].isChecked()
    docks[behind].close()
    assert not actions[f"panel_{behind}"].isChecked()


def test_an_impossible_layout_name_is_refused_in_a_sentence(desk: Desk) -> None:
    desk.window.deeds.save_layout_as("../evil")
    assert "letters" in desk.window.top.banner.text
    desk.window.deeds.load_layout_named("dsk")
    assert "desk" in desk.window.top.banner.text


def test_closing_one_of_two_windows_keeps_the_session(desk: Desk) -> None:
    desk.play()
    second = desk.station.new_window()
    desk.window.close()
    desk.window = second
    desk.tick()
    finished: list[bool] = []
    desk.station.finished.connect(lambda: finished.append(True))
    closed = [desk.link.closed]
    second.close()
    assert [*closed, desk.link.closed] == [False, True]
    assert finished == [True]


class _Marking(QTranslator):
    """Brackets every text that passes through translation."""

    @override
    def translate(self, context: str, text: str, /, *_: object) -> str:
        return f"⟦{text}⟧"

    @override
    def isEmpty(self) -> bool:
        return False


def test_every_text_of_menus_docks_and_dialogs_passes_through_translation(desk: Desk, tmp_path: Path) -> None:
    marking = _Marking()
    QCoreApplication.installTranslator(marking)
    try:
        window = desk.station.new_window()
        for menu, actions in desk.menu_actions(window):
            assert menu.text().startswith("⟦")
            assert all(a.text().startswith("⟦") for a in actions if not a.isSeparator())
        assert all(dock.windowTitle().startswith("⟦") for dock in window.docks.values())
        assert all(cell.startswith("⟦") for cell in _cells(desk, window))
        window.close()
    finally:
        QCoreApplication.removeTranslator(marking)


def _cells(desk: Desk, window: object) -> list[str]:
    from app.windows.session_text import status_cells

    return [cell.name for cell in status_cells(SessionState(), desk.station.clock.figures, 0.0, 0)]


def test_both_themes_dress_the_window(desk: Desk) -> None:
    desk.play()
    for _ in range(2):
        window_colour = desk.station.theme.colour("window")
        desk.tick_later()
        picture = desk.window.grab().toImage()
        at = QPoint(desk.window.width() // 2, 12)  # between the menus and the session's name
        assert picture.pixelColor(at.x(), at.y()) == window_colour
        desk.window.deeds.toggle_theme()
    assert desk.station.settings.settings.theme == "dark"


def test_parameters_changed_in_the_panel_run_again(desk: Desk) -> None:
    desk.play()
    panel = desk.panel("strategy", StrategyPanel)
    form = panel.form.form
    assert form.values()["fast"] == 10
    form.set_value("fast", "12")
    panel.run_again()
    assert desk.runs[-1] == Run(
        instrument="EURUSD.SIM",
        simulate="fx",
        strategy="ema_cross",
        parameters={**form.values(), "fast": 12},
    )
    form.set_value("fast", "99")
    assert "smaller than" in form.error
    panel.run_again()
    assert len(desk.runs) == 2


def test_every_panel_takes_the_other_theme_whole(desk: Desk) -> None:
    desk.play()
    desk.station.set_theme(theme="light")
    desk.tick_later()
    dark, light = (themes()[name] for name in ("dark", "light"))
    for name, host in desk.window.hosts.items():
        picture = host.grab().toImage()
        counted = Counter(
            picture.pixelColor(x, y).name().upper()
            for x in range(0, picture.width(), 3)
            for y in range(0, picture.height(), 3)
        )
        # The edge of a letter may happen to have the other theme's colour; a ground or a line has it often.
        colours = {colour for colour, pixels in counted.items() if pixels > 5}
        left = colours & {dark.panel, dark.window, dark.raised, dark.line}
        assert not left, f"{name} still shows {left}"
        assert light.panel in colours


def test_a_finished_run_brings_its_results_to_the_front(desk: Desk) -> None:
    desk.station.open_run(RUN)
    desk.link.push(*scripted_session(3, 30))
    before = desk.window.hosts["results"].is_seen()
    desk.tick_later()
    desk.tick_later()
    assert not before
    assert desk.window.hosts["results"].is_seen()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_reads_on_every_ground_of_a_theme(desk: Desk, theme: str) -> None:
    desk.station.set_theme(theme=theme)
    tokens = desk.station.theme
    for ground in ("window", "panel", "raised"):
        for ink in ("text", "quiet"):
            assert _contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5, (ink, ground)


def _contrast(one: str, other: str) -> float:
    # WCAG 2.2, relative luminance and contrast ratio.
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
