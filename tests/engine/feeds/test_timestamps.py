import polars as pl
import pytest

from engine.feeds.timestamps import times, times_in, times_since_1970

TS = 1_549_238_400_994_000_000


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("unit", ["ms", "us"])
def test_times_that_nanoseconds_cannot_count_are_none(unit: str, zone: str | None) -> None:
    per_second = {"ms": 1_000, "us": 1_000_000}[unit]
    numbers = [TS * per_second // 10**9, 2**63 - 1, 40_000 * 365 * 86_400 * per_second, None]
    column = pl.Series(numbers, dtype=pl.Int64).cast(pl.Datetime(unit, zone))  # type: ignore[arg-type]
    found = times(column, None)
    assert found.valid.tolist() == [True, False, False, False]
    assert found.ns.tolist() == [TS, 0, 0, 0]


def test_known_units_need_no_guess() -> None:
    """Seconds of the 1980s have nine digits, which a guess could take for milliseconds of a day."""
    found = times_since_1970(pl.Series(["345479400", " 1549238400 ", "1.5", "-1", None]), 10**9, "seconds")
    assert found.valid.tolist() == [True, True, False, False, False]
    assert found.ns.tolist()[:2] == [345_479_400 * 10**9, 1_549_238_400 * 10**9]


def test_known_forms_need_no_guess() -> None:
    found = times_in("%Y%m%d %H%M%S", pl.Series(["20190203 190000", "never", None]), "text", 5)
    assert found.ns.tolist() == [1_549_238_400 * 10**9, 0, 0]
    assert found.valid.tolist() == [True, False, False]
