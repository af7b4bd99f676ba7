"""The view moves by whole pixels and keeps what is under the mouse under the mouse."""

from hypothesis import given
from hypothesis import strategies as st

from widgets.chart.view import View

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


def _view(scale_ns: int = SECOND) -> View:
    view = View(scale_ns=scale_ns, auto_time=False)
    view.resize(1000, 400)
    view.low, view.high = 90.0, 110.0
    view.follow(NOW, NOW)
    return view


def test_following_keeps_now_in_view_with_room_after_it() -> None:
    view = _view()
    assert 900 <= view.x_of(NOW) < 950
    view.follow(NOW + 10 * SECOND, NOW)
    assert view.x_of(NOW) < view.x_of(NOW + 10 * SECOND) < 950


def test_a_young_history_fills_the_view_until_a_person_zooms() -> None:
    view = View()
    view.resize(1000, 400)
    spans = []
    for seconds in (0, 15, 30, 100, 250, 5000):
        view.follow(NOW + seconds * SECOND, NOW)
        assert seconds > 300 or view.left_ns <= NOW
        spans.append(round(view.width * view.scale_ns / SECOND))
    assert spans == [20, 20, 40, 150, 300, 300]
    view.zoom_time(500, 0.1)
    view.follow(NOW + 6000 * SECOND, NOW)
    assert round(view.width * view.scale_ns / SECOND) == 30


def test_chosen_bars_are_wide_enough_to_read() -> None:
    view = _view()
    view.following = False
    view.show_bars(60 * SECOND)
    assert 5 <= 60 * SECOND / view.scale_ns <= 10
    assert 900 <= view.x_of(NOW) < 950


def test_panning_sideways_stops_following() -> None:
    view = _view()
    left = view.left_ns
    view.pan(25, 0)
    assert not view.following
    assert view.left_ns == left - 25 * SECOND
    view.follow(NOW + 3600 * SECOND, NOW)
    assert view.left_ns == left - 25 * SECOND


@given(st.integers(0, 999), st.floats(0.3, 3.0), st.integers(1, 10**12))
def test_zooming_keeps_the_time_under_the_mouse(x: int, factor: float, scale_ns: int) -> None:
    view = _view(scale_ns)
    before = view.time_at(x)
    view.zoom_time(x, factor)
    assert abs(view.x_of(before) - x) <= 1
    assert view.left_ns % view.scale_ns == 0


def test_zooming_in_ends_at_a_nanosecond_and_out_at_a_day_per_pixel() -> None:
    view = _view()
    for _ in range(300):
        view.zoom_time(500, 0.5)
    assert view.scale_ns == 1
    for _ in range(300):
        view.zoom_time(500, 2.0)
    assert view.scale_ns == 86_400 * SECOND


def test_zooming_prices_keeps_the_price_under_the_mouse_and_stays_put() -> None:
    view = _view()
    before = view.price_at(100)
    view.zoom_price(100, 0.5, 0.01)
    assert abs(view.price_at(100) - before) < 1e-9
    assert view.high - view.low == 10.0
    assert not view.auto_price
    assert not view.fit_price(0.0, 1000.0, 1.0)


def test_the_price_range_holds_still_while_prices_stay_inside_it() -> None:
    view = _view()
    assert view.fit_price(50.0, 60.0, 1.0)
    range_then = view.low, view.high
    assert view.low < 50.0 < 60.0 < view.high
    assert not view.fit_price(51.0, 60.5, 1.0)
    assert (view.low, view.high) == range_then
    assert view.fit_price(51.0, 70.0, 1.0)
    assert view.high > 70.0


def test_no_visible_price_leaves_the_range_alone() -> None:
    view = _view()
    assert not view.fit_price(float("nan"), float("nan"), 1.0)
    assert (view.low, view.high) == (90.0, 110.0)


def test_resizing_keeps_the_right_edge() -> None:
    view = _view()
    right = view.right_ns
    view.resize(600, 300)
    assert view.right_ns == right
