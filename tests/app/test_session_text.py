"""The status line tells no figure that is not true now."""

from app.frame_clock import FrameFigures
from app.state.session import SessionState
from app.windows.session_text import status_cells


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
