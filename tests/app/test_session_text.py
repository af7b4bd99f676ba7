"""The status line tells no figure that is not true now."""

import pytest

from app.frame_clock import FrameFigures
from app.state.session import SessionState
from app.windows.session_text import status_cells
from engine.link.scripted import connection, control, frame
from engine.messages.events import AnyEvent
from engine.messages.run import Mode


def _values(figures: FrameFigures, *, one_process: bool = False) -> dict[str, str]:
    cells = status_cells(SessionState(), figures, 0.0, 300 * 2**20, one_process=one_process)
    return {cell.name: cell.value for cell in cells}


def test_the_delay_to_paint_is_unknown_before_a_tick_and_while_none_comes() -> None:
    now = [100.0]
    figures = FrameFigures(clock=lambda: now[0])
    assert _values(figures)["Tick to paint"] == "–"
    figures.painted(16.0, 12.0)
    assert _values(figures)["Tick to paint"] == "12 ms"
    now[0] += 1.9
    figures.painted(16.0, None)
    assert _values(figures)["Tick to paint"] == "12 ms"
    now[0] += 0.2
    figures.painted(16.0, None)
    assert _values(figures)["Tick to paint"] == "–"


def test_one_process_has_one_memory() -> None:
    assert _values(FrameFigures())["Memory"] == "300 + 0 MB"
    assert _values(FrameFigures(), one_process=True)["Memory"] == "300 MB"


def _live(*events: AnyEvent, mode: Mode = "paper", age_s: float | None = 0.0) -> dict[str, tuple[str, str]]:
    state = SessionState()
    state.apply(frame(1, control=control(mode, feed_age_s=age_s), events=events))
    cells = status_cells(state, FrameFigures(), 0.0, 0)
    return {cell.name: (cell.value, cell.token) for cell in cells}


@pytest.mark.parametrize(
    ("age_s", "told"),
    [
        (None, ("–", "text")),
        (0.0, ("0.0 s", "text")),
        (2.94, ("2.9 s", "text")),
        (3.5, ("3.5 s", "warning")),
        (75.0, ("75.0 s", "danger")),
    ],
)
def test_the_age_of_a_live_feed_is_told_zero_included(age_s: float | None, told: tuple[str, str]) -> None:
    assert _live(age_s=age_s)["Feed age"] == told


def test_each_connection_says_how_it_is() -> None:
    said = _live(
        connection("binance data", "connecting"),
        connection("binance orders", "connected"),
        connection("binance orders", "reconnecting", attempt=3),
        connection("store", "ended"),
    )
    assert said["binance data"] == ("connecting", "warning")
    assert said["binance orders"] == ("reconnecting, 3", "danger")
    assert said["store"] == ("ended", "danger")


def test_a_replay_has_neither_connection_nor_feed() -> None:
    said = _live(connection("feed"), mode="replay", age_s=9.0)
    assert not {"feed", "Feed age"} & set(said)
