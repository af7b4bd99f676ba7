"""The transport's buttons, keys and timeline send what they say, and show what the session says."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from engine.link.scripted import START_NS, ScriptedLink, frame, transport
from engine.messages.commands import (
    CancelSeek,
    Finish,
    Pause,
    Play,
    Seek,
    SetLoop,
    SetSpeed,
    Step,
    StepTo,
)
from engine.messages.events import Phase
from tests.gui.conftest import RUN, Desk
from widgets.transport.speed import LADDER, next_speed, slider_position, speed_at

SECOND = 1_000_000_000
Key = Qt.Key
NO = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def show(desk: Desk, phase: Phase, **more: Any) -> None:
    clock = transport(phase=phase, **more)
    number = len(desk.link.acknowledged) + 1000
    desk.link.push(msgspec.structs.replace(frame(number), transport=clock))
    desk.tick()


@pytest.mark.parametrize(
    ("key", "modifier", "command"),
    [
        (Key.Key_Space, NO, Pause()),
        (Key.Key_Right, NO, StepTo(Step.TICK)),
        (Key.Key_Right, SHIFT, StepTo(Step.FILL)),
        (Key.Key_Home, NO, Seek(START_NS)),
        (Key.Key_End, NO, Finish()),
        (Key.Key_0, NO, SetSpeed(0.0)),
        (Key.Key_Plus, NO, SetSpeed(2.0)),
        (Key.Key_Minus, NO, SetSpeed(0.5)),
        (Key.Key_Backslash, NO, SetLoop(None, None)),
    ],
)
def test_a_key_sends_its_command(
    desk: Desk, key: Key, modifier: Qt.KeyboardModifier, command: object
) -> None:
    desk.play()
    desk.key(key, modifier)
    assert desk.sent == [command]


def test_space_plays_and_pauses_wherever_the_focus_is(desk: Desk) -> None:
    desk.play()
    button = desk.window.findChild(QToolButton, "transport_start")
    assert button is not None
    button.setFocus()
    desk.key(Key.Key_Space, widget=button)
    show(desk, Phase.PAUSED)
    desk.key(Key.Key_Space, widget=button)
    assert desk.sent == [Pause(), Play()]


def test_back_one_step_seeks_to_the_tick_before_the_latest(desk: Desk) -> None:
    desk.play()
    state = desk.state
    times = sorted(
        {int(ts) for m in state.markets.values() for tape in (m.quotes, m.trades) for ts in tape.rows["ts"]}
    )
    desk.key(Key.Key_Left)
    assert desk.sent == [Seek(times[-2])]


def test_previous_fill_seeks_to_the_last_fill(desk: Desk) -> None:
    desk.play()
    state = desk.state
    desk.key(Key.Key_Left, SHIFT)
    assert desk.sent == [Seek(max(fill.ts for fill in state.orders.fills if fill.ts < desk.clock.now))]


def test_two_marks_make_a_loop_and_one_says_what_is_missing(desk: Desk) -> None:
    desk.play()
    desk.key(Key.Key_BracketRight)
    assert "[" in desk.window.top.banner.text
    desk.key(Key.Key_BracketLeft)
    begin = desk.session.now
    show(desk, Phase.PLAYING, now=begin + 5 * SECOND)
    desk.key(Key.Key_BracketRight)
    assert desk.sent == [SetLoop(begin, begin + 5 * SECOND)]


def test_dragging_the_timeline_seeks_once_at_the_time_let_go(desk: Desk) -> None:
    desk.play()
    line = desk.window.top.transport.timeline
    middle = line.height() // 2
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(40, middle))
    QTest.mouseMove(line, QPoint(200, middle))
    QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(300, middle))
    assert desk.sent == [Seek(line.time_at(300))]
    assert START_NS < line.time_at(300) < START_NS + 3600 * SECOND


def test_seeking_shows_progress_and_can_be_cancelled(desk: Desk) -> None:
    desk.play()
    bar = desk.window.top.transport
    seen = [bar.is_seeking]
    show(desk, Phase.SEEKING, progress=0.4)
    seen.append(bar.is_seeking)
    cancel = next(b for b in bar.findChildren(QPushButton) if b.isVisible())
    desk.click(cancel)
    assert desk.sent == [CancelSeek()]
    show(desk, Phase.PAUSED)
    assert [*seen, bar.is_seeking] == [False, True, False]


def test_escape_cancels_only_a_seek(desk: Desk) -> None:
    desk.play()
    desk.key(Key.Key_Escape)
    assert desk.sent == []
    show(desk, Phase.SEEKING, progress=0.1)
    desk.key(Key.Key_Escape)
    assert desk.sent == [CancelSeek()]


def test_the_clock_shows_the_digits_that_the_data_have(desk: Desk) -> None:
    desk.play()
    show(desk, Phase.PAUSED, now=START_NS + 1_234_567_890)
    assert desk.window.top.transport.time_text.endswith("12:00:01.234567890")
    desk.window.top.transport.set_time_precision(3)
    assert desk.window.top.transport.time_text.endswith("12:00:01.234")


def test_the_step_unit_key_goes_round_all_units(desk: Desk) -> None:
    desk.play()
    for _ in Step:
        desk.key(Key.Key_U)
        desk.key(Key.Key_Right)
    assert {command.unit for command in desk.sent if isinstance(command, StepTo)} == set(Step)


def test_bookmarks_are_kept_for_the_instrument(desk: Desk) -> None:
    desk.play()
    now = desk.session.now
    desk.key(Key.Key_B)
    assert desk.station.settings.settings.bookmarks == {"EURUSD.SIM": [now]}
    show(desk, Phase.PAUSED, now=now + 9 * SECOND)
    desk.key(Key.Key_P)
    assert desk.sent == [Seek(now)]
    show(desk, Phase.PAUSED, now=now)
    desk.key(Key.Key_B)
    assert desk.station.settings.settings.bookmarks == {}


def test_speed_slider_is_logarithmic_and_snaps_to_the_ladder() -> None:
    assert [speed_at(slider_position(factor)) for factor in LADDER] == list(LADDER)
    assert slider_position(0.1) == 0
    assert slider_position(10) == 200
    assert slider_position(1000) == 400
    assert next_speed(1000, 1) == 0
    assert next_speed(0, -1) == 1000
    assert next_speed(0.1, -1) == 0.1


def test_without_a_session_the_keys_do_nothing(desk: Desk) -> None:
    for key in (Key.Key_Space, Key.Key_Right, Key.Key_Left, Key.Key_Home, Key.Key_B, Key.Key_Plus):
        desk.key(key)
    desk.tick()
    assert desk.links == []


def test_scripted_links_are_closed_with_their_session(desk: Desk) -> None:
    desk.play()
    first: ScriptedLink = desk.link
    desk.play()
    assert first.closed


def _places(desk: Desk) -> list[QRect]:
    bar = desk.window.top.transport
    return [child.geometry() for child in bar.findChildren(QWidget) if child.parentWidget() is bar]


def test_nothing_moves_when_the_step_changes_or_a_seek_runs(desk: Desk) -> None:
    desk.play()
    show(desk, Phase.PAUSED)
    before = _places(desk)
    for unit in Step:
        desk.window.top.transport.set_step_unit(unit)
        desk.tick()
        assert _places(desk) == before, unit
    show(desk, Phase.SEEKING, progress=0.4)
    assert _places(desk) == before


def test_marks_and_head_of_the_timeline_stay_above_its_times(desk: Desk) -> None:
    desk.play(2)
    line = desk.window.top.transport.timeline
    line.set_bookmarks([START_NS])
    show(desk, Phase.PAUSED, now=START_NS)
    with_head = line.grab().toImage()
    show(desk, Phase.PAUSED, now=START_NS + 1_800 * SECOND)
    without = line.grab().toImage()
    text = _rows_of_text(desk, without)
    assert text, "the times are painted"
    assert [y for y in text if _row(with_head, y) != _row(without, y)] == []


def _rows_of_text(desk: Desk, picture: QImage) -> list[int]:
    ground = desk.station.theme.colour("panel").rgb()
    below_the_line = range(picture.height() // 2, picture.height())
    return [y for y in below_the_line if set(_row(picture, y)) != {ground}]


def _row(picture: QImage, y: int) -> list[int]:
    return [picture.pixel(x, y) for x in range(60)]


def test_the_clock_keeps_the_digits_of_the_first_data(desk: Desk) -> None:
    desk.station.open_run(RUN)
    fine = [(START_NS + 1_234_567, 1.1, 1.2, 1.0, 1.0)]
    coarse = [(START_NS + SECOND + n, 1.1, 1.2, 1.0, 1.0) for n in range(0, 600_000_000, 1_000_000)]
    desk.link.push(frame(1, quotes=fine))
    desk.tick_later()
    desk.tick_later()
    assert len(desk.window.top.transport.time_text.rpartition(".")[2]) == 9
    desk.link.push(frame(2, quotes=coarse))
    desk.tick_later()
    desk.tick_later()
    assert len(desk.window.top.transport.time_text.rpartition(".")[2]) == 9
