import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.progress import Cancelled
from engine.quality import check, findings, stored_days
from engine.store import Store
from tests.engine.quality.markets import (
    CALENDARS,
    CALENDARS_PATH,
    DAY_NS,
    FX,
    MONDAY,
    checked,
    market,
    shifted,
    walk,
    with_values,
)


@pytest.fixture
def two_days(tmp_path: Path) -> Store:
    monday = walk(5_000)
    tuesday = shifted(with_values(walk(5_000, seed=9), [70], ask=5), DAY_NS)
    store = Store(tmp_path)
    for quotes in (monday, tuesday):
        store.add(FX, {"quotes": quotes})
    return store


def test_every_file_is_listed_with_its_score_once_it_was_checked(two_days: Store) -> None:
    before = stored_days(two_days)
    assert [(each.day, each.rows, each.score) for each in before] == [
        ("2019-02-04", 5_000, None),
        ("2019-02-05", 5_000, None),
    ]
    assert [each.size_bytes for each in before] == [
        path.stat().st_size for path in two_days.files(FX.id, "quotes")
    ]
    result = check(two_days, FX.id, CALENDARS)
    after = stored_days(two_days)
    assert [each.score for each in after] == [each.score for each in result.days]
    assert [each.findings for each in after] == [sum(each.counts.values()) for each in result.days]
    assert findings(two_days, FX.id) == result.findings
    assert [each.check for each in result.findings if each.day == "2019-02-05"] == ["crossed", "spike"]


def test_a_day_that_changed_is_unchecked_and_the_others_are_not(two_days: Store) -> None:
    check(two_days, FX.id, CALENDARS)
    two_days.add(FX, {"quotes": shifted(walk(10, seed=4), DAY_NS + 1)})
    monday, tuesday = stored_days(two_days)
    assert monday.score is not None
    assert (tuesday.score, tuesday.rows, tuesday.findings) == (None, 5_010, 0)
    assert {each.day for each in findings(two_days, FX.id)} <= {"2019-02-04"}


def test_a_check_of_one_day_keeps_what_is_known_of_the_others(two_days: Store) -> None:
    check(two_days, FX.id, CALENDARS, end_ns=MONDAY + 1)
    assert [each.score is None for each in stored_days(two_days)] == [False, True]
    result = check(two_days, FX.id, CALENDARS, start_ns=MONDAY + DAY_NS)
    assert [each.day for each in result.days] == ["2019-02-05"]
    assert [each.score is None for each in stored_days(two_days)] == [False, False]


def test_a_result_that_cannot_be_read_counts_as_none(two_days: Store) -> None:
    check(two_days, FX.id, CALENDARS)
    path = two_days.root / FX.id / "quality.json"
    for text in ("{", '{"version": 0}'):
        path.write_text(text)
        assert [each.score for each in stored_days(two_days)] == [None, None]
        assert findings(two_days, FX.id) == []
    check(two_days, FX.id, CALENDARS)
    assert all(each.score is not None for each in stored_days(two_days))


def test_a_damaged_file_is_listed_at_the_bottom_of_the_scale(two_days: Store) -> None:
    path = two_days.files(FX.id, "quotes")[0]
    path.write_bytes(b"PAR1")
    first, second = stored_days(two_days)
    assert (first.rows, first.score) == (0, 0)
    assert (second.rows, second.score) == (5_000, None)


def test_a_check_that_is_cancelled_keeps_nothing(two_days: Store) -> None:
    with pytest.raises(Cancelled):
        check(two_days, FX.id, CALENDARS, cancelled=lambda: True)
    assert [each.score for each in stored_days(two_days)] == [None, None]
    assert not list((two_days.root / FX.id).glob("*quality*"))


def test_progress_runs_from_start_to_end(tmp_path: Path) -> None:
    made, told = market(10), []
    parts = {"quotes": made.quotes, "trades": made.trades, "deltas": made.deltas}
    checked(tmp_path, parts, made.instrument, progress=lambda fraction, what: told.append((fraction, what)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert told[-1][1] == "Done"
    assert any(what == "Rebuilding the book" for _, what in told)


def test_only_what_is_asked_for_is_checked(tmp_path: Path) -> None:
    made = market(10)
    parts = {"quotes": made.quotes, "trades": made.trades, "deltas": made.deltas}
    result = checked(tmp_path, parts, made.instrument, kinds=["trades"])
    assert [each.kind for each in result.kinds] == ["trades"]
    for asked, said in (
        ({"kinds": ["quote"]}, "choose quotes"),
        ({"start_ns": MONDAY + DAY_NS}, "in that time"),
    ):
        with pytest.raises(UserError, match=said):
            check(Store(tmp_path), made.instrument.id, CALENDARS, **asked)


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    made = market(10)
    result = checked(tmp_path, {"trades": made.trades, "deltas": made.deltas}, made.instrument)
    assert result.notes == [
        "There are no quotes to compare the trades with.",
        "No book update could be compared with a quote, for want of a snapshot or quotes.",
    ]


def test_a_check_of_currencies_brings_no_pandas(two_days: Store) -> None:
    """The library of exchanges' calendars does, so it is imported for an exchange only."""
    code = (
        "import sys; from pathlib import Path; from engine.quality import Calendars, check;"
        "from engine.store import Store;"
        f"calendars = Calendars.load(Path({str(CALENDARS_PATH)!r}));"
        f"check(Store(Path({str(two_days.root)!r})), {FX.id!r}, calendars);"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CALENDARS_PATH.parents[1])
