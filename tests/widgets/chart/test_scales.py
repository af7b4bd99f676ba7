"""Labels are round, far enough apart, and as precise as the zoom."""

import pytest

from widgets.chart import scales

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_700_006_400 * SECOND  # 2023-11-15 00:00 UTC


@pytest.mark.parametrize("pixels_per_tick", [0.01, 0.3, 2.0, 7.0, 44.0, 300.0])
def test_price_labels_are_whole_ticks_and_do_not_touch(pixels_per_tick: float) -> None:
    step = scales.price_step(0.25, 0.25 / pixels_per_tick, 40)
    assert (step / 0.25) == pytest.approx(round(step / 0.25))
    assert step / 0.25 * pixels_per_tick >= min(40, 0.999 * pixels_per_tick * 10)
    assert str(round(step / 0.25)).rstrip("0") in {"1", "2", "5"}


@pytest.mark.parametrize(
    ("scale_ns", "text"),
    [
        (10 * SECOND, "00:15"),
        (SECOND // 5, "00:00:30"),
        (SECOND // 1000, "00:00:00.100"),
        (1_000, "00:00:00.000100"),
        (1, "00:00:00.000000100"),
    ],
)
def test_time_labels_are_as_precise_as_the_zoom(scale_ns: int, text: str) -> None:
    step = scales.time_step(scale_ns, 90)
    assert step >= 90 * scale_ns
    labels = scales.times(START, START + 1000 * scale_ns, step)
    assert labels[0].text == "2023-11-15"
    assert labels[0].strong
    assert labels[1].text == text


def test_days_are_labelled_by_date() -> None:
    step = scales.time_step(3600 * SECOND, 90)
    labels = scales.times(START, START + 30 * DAY, step)
    assert [label.text for label in labels][:2] == ["2023-11-16", "2023-11-23"] or all(
        label.strong for label in labels
    )


def test_price_labels_lie_inside_the_range() -> None:
    assert scales.prices(99.9, 101.1, 0.5) == [100.0, 100.5, 101.0]
