"""The log keeps the newest lines and counts the rest."""

from app.state.log import LogState
from engine.link.builders import fill, log


def test_the_bound_drops_the_oldest_and_counts_them() -> None:
    state = LogState(capacity=3)
    state.apply([log(str(i)) for i in range(2)])
    assert (state.version, state.dropped) == (2, 0)
    state.apply([log(str(i)) for i in range(2, 7)])
    assert [line.text for line in state.lines] == ["4", "5", "6"]
    assert (state.version, state.dropped) == (7, 4)


def test_only_log_lines_are_taken() -> None:
    state = LogState()
    state.apply([fill(), log("x")])
    assert [line.text for line in state.lines] == ["x"]
