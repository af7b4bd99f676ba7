"""The data panel: what the calendar shows and tells, which findings go with a day, and what is asked for."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.messages.data import Finding, Job, Repair, StoredDay
from tests.widgets.chart.markets import theme
from widgets.data.calendar import _NAMES_PX, _WIDTHS, score_colour
from widgets.data.panel import DataPanel

INSTRUMENT = "EURUSD.DUKASCOPY"


def stored(day: str, rows: int = 1_000, score: float | None = None, **more: str) -> StoredDay:
    return StoredDay(
        **{"instrument": INSTRUMENT, "kind": "quotes", **more},
        day=day,
        rows=rows,
        size_bytes=10_000,
        score=score,
        findings=2,
    )


def finding(day: str, text: str, kind: str = "quotes") -> Finding:
    return Finding(
        instrument=INSTRUMENT,
        kind=kind,
        check="crossed",
        severity="error",
        start_ns=1_706_000_000_000_000_000,
        end_ns=1_706_000_000_000_000_000,
        day=day,
        first_row=7,
        rows=3,
        text=text,
    )


class FakeLibrary:
    def __init__(self) -> None:
        self.version = 1
        self.days: Sequence[StoredDay] = [
            stored("2024-01-22"),
            stored("2024-01-23", 90_000, 55.0),
            stored("2024-01-01", kind="bars-1-MINUTE-BID"),
            stored("2024-01-23", instrument="USDJPY.DUKASCOPY"),
        ]
        self.findings: Sequence[Finding] = [finding("2024-01-22", "one"), finding("2024-01-23", "two")]
        self.repairs: Sequence[Repair] = []
        self.jobs: Sequence[Job] = []
        self.readings = 0

    def make_old(self) -> None:
        self.readings += 1


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def panel(qtbot: QtBot, library: FakeLibrary) -> DataPanel:
    made = DataPanel(theme())
    qtbot.addWidget(made)
    made.resize(1400, 320)
    made.set_library(library)
    made.show()
    qtbot.waitExposed(made)
    made.refresh()
    return made


def shown(panel: DataPanel) -> list[str]:
    model = panel.findings.model
    return sorted(model.row(row).text for row in range(model.rowCount()))


def click(panel: DataPanel, row: int, day: str) -> None:
    view = panel.calendar
    place = QPoint(view._left(date.fromisoformat(day)) + 1, view._top(row) + 8)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_store_is_read_once_the_panel_is_on_screen(panel: DataPanel, library: FakeLibrary) -> None:
    panel.refresh()
    assert library.readings == 1


def test_a_click_on_a_day_shows_its_findings(panel: DataPanel) -> None:
    assert shown(panel) == ["one", "two"]
    click(panel, 0, "2024-01-23")
    assert panel.calendar.day is not None
    assert panel.calendar.day.rows == 90_000
    assert shown(panel) == ["two"]
    click(panel, 2, "2024-01-23")
    assert panel.calendar.instrument == "USDJPY.DUKASCOPY"
    assert shown(panel) == []


def test_a_click_on_a_name_chooses_its_newest_day(qtbot: QtBot, panel: DataPanel) -> None:
    name = QPoint(20, panel.calendar._top(0) + 8)
    QTest.mouseClick(panel.calendar.viewport(), Qt.MouseButton.LeftButton, pos=name)
    assert panel.calendar.day is not None
    assert (panel.calendar.instrument, panel.calendar.day.day) == (INSTRUMENT, "2024-01-23")
    with qtbot.assertNotEmitted(panel.replay_asked):
        QTest.mouseDClick(panel.calendar.viewport(), Qt.MouseButton.LeftButton, pos=name)
    with qtbot.waitSignal(panel.check_asked) as asked:
        panel.buttons["check"].click()
    assert asked.args == [INSTRUMENT]
    below = QPoint(20, panel.calendar._top(3) + 8)
    QTest.mouseClick(panel.calendar.viewport(), Qt.MouseButton.LeftButton, pos=below)
    assert panel.calendar.instrument == ""


def test_the_arrow_keys_go_from_day_to_day(panel: DataPanel) -> None:
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-23")
    days = []
    for _ in range(2):
        QTest.keyClick(panel.calendar, Qt.Key.Key_Left)
        days.append(panel.calendar.day and panel.calendar.day.day)
    assert days == ["2024-01-22", None]
    assert panel.calendar.instrument == INSTRUMENT


def test_home_and_end_go_to_the_ends_of_a_line_and_pages_to_other_lines(panel: DataPanel) -> None:
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-22")
    went = []
    for key in (Qt.Key.Key_End, Qt.Key.Key_Home, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        QTest.keyClick(panel.calendar, key)
        went.append((panel.calendar.instrument, panel.calendar.day and panel.calendar.day.day))
    assert went == [
        (INSTRUMENT, "2024-01-23"),
        (INSTRUMENT, "2024-01-22"),
        ("USDJPY.DUKASCOPY", None),
        (INSTRUMENT, "2024-01-22"),
    ]


def test_a_year_of_bars_is_one_wide_cell(panel: DataPanel) -> None:
    click(panel, 1, "2024-01-10")
    assert panel.calendar.day is not None
    assert panel.calendar.day.kind == "bars-1-MINUTE-BID"
    assert "2024\n1,000 rows" in panel.calendar.tip(1, date(2024, 1, 10))


def test_tips_tell_rows_and_quality(panel: DataPanel) -> None:
    assert "90,000 rows, 0.01 MB\nquality 55 of 100, 2 findings" in panel.calendar.tip(0, date(2024, 1, 23))
    assert "not checked yet" in panel.calendar.tip(0, date(2024, 1, 22))
    assert "no rows" in panel.calendar.tip(0, date(2024, 1, 2))


def test_the_chosen_day_survives_new_data(panel: DataPanel, library: FakeLibrary) -> None:
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-23")
    library.days = [stored("2023-12-01", instrument="AAA.X"), *library.days]
    library.version += 1
    panel.refresh()
    assert panel.calendar.day is not None
    assert (panel.calendar.day.instrument, panel.calendar.day.day) == (INSTRUMENT, "2024-01-23")


def many_days(first: str, count: int, instrument: str = INSTRUMENT) -> list[StoredDay]:
    start = date.fromisoformat(first)
    return [stored(str(start + timedelta(days=number)), instrument=instrument) for number in range(count)]


def left_edge(panel: DataPanel) -> str:
    """First day that is in sight."""
    view = panel.calendar
    days = view.horizontalScrollBar().value() // _WIDTHS[view._width]
    return str(view._first + timedelta(days=days))


def take(panel: DataPanel, library: FakeLibrary, days: Sequence[StoredDay]) -> None:
    library.days = days
    library.version += 1
    panel.refresh()


def test_the_newest_days_are_in_sight_at_first_and_what_is_in_sight_stays(
    qtbot: QtBot, library: FakeLibrary
) -> None:
    panel = DataPanel(theme())
    qtbot.addWidget(panel)
    panel.set_library(library)
    take(panel, library, many_days("2020-01-01", 1500))
    panel.resize(1400, 320)
    panel.show()
    qtbot.waitExposed(panel)
    across = panel.calendar.horizontalScrollBar()
    for width in (900, 1400):
        panel.resize(width, 320)
        assert 0 < across.value() == across.maximum()
    across.setValue(across.value() // 2)
    there = left_edge(panel)
    take(panel, library, [*many_days("2012-05-07", 9, instrument="AAA.X"), *library.days])
    assert left_edge(panel) == there
    panel.resize(1100, 320)
    assert left_edge(panel) == there


def test_each_month_in_sight_is_named_once_and_none_that_is_not(
    panel: DataPanel, library: FakeLibrary
) -> None:
    take(panel, library, [*library.days, *many_days("2010-01-01", 5475)])
    view = panel.calendar
    for width in range(len(_WIDTHS)):
        view._width = width
        view._fit()
        view.horizontalScrollBar().setValue(view.horizontalScrollBar().maximum() // 3)
        periods = view._periods()
        assert all(right > _NAMES_PX and left < view.viewport().width() for left, right, _ in periods)
        assert all(one[1] == other[0] for one, other in pairwise(periods))
        assert len({name for *_, name in periods}) == len(periods)
    assert _WIDTHS[0] == 1


def test_going_to_a_line_with_nothing_in_sight_goes_to_its_newest_day(
    panel: DataPanel, library: FakeLibrary
) -> None:
    take(panel, library, [*many_days("2010-01-01", 9, instrument="AAA.X"), *library.days])
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-23")
    QTest.keyClick(panel.calendar, Qt.Key.Key_Up)
    assert panel.calendar.day is not None
    assert (panel.calendar.instrument, panel.calendar.day.day) == ("AAA.X", "2010-01-09")


def test_rows_are_shaded_alike_over_all_instruments_of_a_kind(panel: DataPanel) -> None:
    few, many = stored("2024-01-22", 4, instrument="USDJPY.DUKASCOPY"), stored("2024-01-22", 53_992)
    panel.calendar.show_days([many, few])
    colours = [panel.calendar._colour(each) for each in (few, many)]
    ramp = [QColor(token) for token in theme().heat]
    assert colours[1] == ramp[-1]
    assert colours[0] in ramp[: len(ramp) // 4]


def test_a_table_that_is_cut_says_of_how_many(panel: DataPanel, library: FakeLibrary) -> None:
    assert panel.findings._count.text() == "2 of 8"
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-23")
    assert panel.findings._count.text() == "1 of 2"
    assert "the worst 1 of 2 findings" in panel._about.text()
    library.findings = [*library.findings, finding("2024-01-23", "three")]
    take(panel, library, library.days)
    assert panel.findings._count.text() == "2"
    assert "of" not in panel._about.text().split("quality")[1]


def test_a_finding_names_its_venue(panel: DataPanel) -> None:
    (column,) = (column for column in panel.findings.model.columns if column.name == "instrument")
    assert column.text(finding("2024-01-22", "one")) == INSTRUMENT


def test_nothing_is_said_to_be_right_before_it_was_checked(panel: DataPanel, library: FakeLibrary) -> None:
    library.findings = ()
    said = []
    for score, day in ((None, "2024-01-22"), (100.0, "2024-01-22"), (100.0, "2024-01-23")):
        days = [stored("2024-01-22", score=score), stored("2024-01-23")]
        take(panel, library, days)
        panel.calendar.choose(INSTRUMENT, "quotes", day)
        said.append(panel.findings.view.title)
    assert said == ["Not checked yet", "Nothing was found", "Not checked yet"]
    QTest.mouseClick(panel.calendar.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 5))
    assert panel.findings.view.title == "Nothing was found so far; 1 of 2 files are not checked yet"


def test_what_is_asked_names_what_is_chosen(qtbot: QtBot, panel: DataPanel, library: FakeLibrary) -> None:
    panel.calendar.choose(INSTRUMENT, "quotes", "2024-01-23")
    with qtbot.waitSignal(panel.check_asked) as asked:
        panel.buttons["check"].click()
    assert asked.args == [INSTRUMENT]
    assert panel.buttons["repair"].isEnabled()
    panel.findings.view.selectRow(0)
    with qtbot.waitSignal(panel.repair_asked) as asked:
        panel.buttons["repair"].click()
    assert [each.text for each in asked.args[0]] == ["two"]
    assert asked.args[1] is panel.calendar.day
    with qtbot.waitSignal(panel.place_asked) as asked:
        panel.buttons["place"].click()
    assert asked.args[0].text == "two"


def test_the_queue_shows_progress_and_outcome(qtbot: QtBot, panel: DataPanel, library: FakeLibrary) -> None:
    library.jobs = [
        Job(number=1, title="Import a", state="done", text="5 rows stored."),
        Job(number=2, title="Import b", state="running", fraction=0.25, what="Reading b"),
        Job(number=3, title="Import c", state="failed", text="c is empty."),
    ]
    library.version += 1
    panel.refresh()
    panel.show_queue()
    rows = panel.queue._rows
    assert rows[2].bar.value() == 250
    assert [rows[number].told.text() for number in (1, 2, 3)] == [
        "5 rows stored.",
        "Reading b",
        "c is empty.",
    ]
    assert panel.tabs.tabText(2) == "Queue (1)"
    assert not rows[1].cancel.isVisible()
    with qtbot.waitSignal(panel.cancel_asked) as asked:
        rows[2].cancel.click()
    assert asked.args == [2]


def test_the_queue_lies_on_the_panels_colour(panel: DataPanel, library: FakeLibrary) -> None:
    library.jobs = [Job(number=1, title="Import a", state="done", text="5 rows stored.")]
    take(panel, library, library.days)
    panel.show_queue()
    image = panel.grab().toImage()
    place = panel.queue.mapTo(panel, panel.queue.rect().bottomRight()) - QPoint(20, 20)
    assert image.pixelColor(place) == theme().colour("panel")


def test_only_an_active_repair_can_be_undone(qtbot: QtBot, panel: DataPanel, library: FakeLibrary) -> None:
    made = Repair(
        number=1,
        instrument=INSTRUMENT,
        kind="quotes",
        action="drop",
        start_ns=0,
        end_ns=1,
        rows_removed=1,
        rows_added=0,
        made_ns=0,
    )
    library.repairs = [made]
    library.version += 1
    panel.refresh()
    panel.tabs.setCurrentIndex(1)
    panel.repairs.view.selectRow(0)
    with qtbot.waitSignal(panel.undo_asked) as asked:
        panel.buttons["undo"].click()
    assert asked.args[0] is made


def test_scores_run_from_danger_to_good() -> None:
    colours = [score_colour(score, theme()).getRgb() for score in (0.0, 60.0, 95.0)]
    wanted = [theme().colour(token).getRgb() for token in ("danger", "warning", "bid")]
    assert colours == wanted
