from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.quality import Calendars
from engine.quality.calendars import Sessions
from tests.engine.quality.markets import CALENDARS, CRYPTO, DAY_NS, FX, HOUR_NS, at


def an(kind: str, venue: str, base: str = "X") -> Instrument:
    return replace(FX, id=f"X.{venue}", kind=kind, base=base)


def open_hours(instrument: Instrument, start: str, end: str) -> float:
    low, high = at(start), at(end)
    sessions = CALENDARS.sessions(instrument, low, high)
    return int(sessions.open_ns(np.array([low]), np.array([high]))[0]) / HOUR_NS


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("2019-02-03T22:00:00", "2019-02-08T22:00:00"),  # winter in New York
        ("2019-06-02T21:00:00", "2019-06-07T21:00:00"),  # summer
        ("2019-03-10T21:00:00", "2019-03-15T21:00:00"),  # the Sunday on which its clocks go forward
    ],
)
def test_currencies_trade_from_sunday_to_friday_in_new_york(opens: str, closes: str) -> None:
    sessions = CALENDARS.sessions(FX, at(opens), at(closes))
    inside = (sessions.opens >= at(opens)) & (sessions.closes <= at(closes))
    assert (sessions.opens[inside][0], sessions.closes[inside][-1]) == (at(opens), at(closes))
    assert open_hours(FX, opens, closes) == 120


def test_currencies_rest_on_christmas_and_new_year_but_not_around() -> None:
    assert open_hours(FX, "2018-12-24T22:00:00", "2018-12-25T22:00:00") == 0
    assert open_hours(FX, "2018-12-25T22:00:00", "2018-12-31T22:00:00") == 4 * 24
    assert open_hours(FX, "2018-12-31T22:00:00", "2019-01-01T22:00:00") == 0


def test_metals_pause_an_hour_a_day() -> None:
    gold = an("fx", "DUKASCOPY", base="XAU")
    assert open_hours(gold, "2019-02-04T00:00:00", "2019-02-05T00:00:00") == 23


def test_coins_trade_always_and_in_utc_days() -> None:
    assert open_hours(CRYPTO, "2018-12-24T13:00:00", "2019-01-02T13:00:00") == 9 * 24
    sessions = CALENDARS.sessions(CRYPTO, at("2019-01-01T13:00:00"), at("2019-01-03T13:00:00"))
    assert sessions.opens.tolist() == [at(f"2019-01-0{day}T00:00:00") for day in (1, 2, 3)]
    assert sessions.within(at("2019-01-01T13:00:00"), at("2019-01-03T13:00:00")) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "venue", "start", "end", "hours"),
    [
        ("equity", "NASDAQ", "2019-07-03T00:00:00", "2019-07-05T00:00:00", 3.5),  # half a day, then none
        ("equity", "XHKG", "2019-02-04T00:00:00", "2019-02-09T00:00:00", 8),  # New Year: half a day, 3 off
        ("equity", "XTKS", "2019-02-12T00:00:00", "2019-02-13T00:00:00", 5),  # lunch from 11:30 to 12:30
        ("future", "GLBX", "2019-02-05T00:00:00", "2019-02-06T00:00:00", 23),  # halts 16:00 to 17:00 Chicago
    ],
)
def test_exchanges_keep_their_own_calendars(
    kind: str, venue: str, start: str, end: str, hours: float
) -> None:
    assert open_hours(an(kind, venue), start, end) == hours


def test_open_time_is_counted_inside_and_between_sessions() -> None:
    sessions = Sessions(np.array([10, 30]), np.array([20, 40]))
    times = np.array([0, 10, 15, 20, 25, 30, 39, 40, 99])
    assert sessions.open_before(times).tolist() == [0, 0, 5, 10, 10, 10, 19, 20, 20]


def test_what_no_calendar_is_named_for_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "calendars.toml"
    path.write_text('[kinds]\nfx = "nowhere"\n')
    with pytest.raises(UserError, match=r"No calendar is named for X\.ANY; add its kind \(spot\)"):
        Calendars.load(path).sessions(an("spot", "ANY"), 0, DAY_NS)
    with pytest.raises(UserError, match="'nowhere', which nobody knows"):
        Calendars.load(path).sessions(FX, 0, DAY_NS)


@pytest.mark.parametrize(
    "text",
    [
        "kinds",
        "[kinds]\nfx = 3",
        '[kinds]\n[week.a]\nzone = "Nowhere/At"\nopens = "17:00"\ncloses = "17:00"\ndays = []',
        '[kinds]\n[week.a]\nzone = "UTC"\nopens = "25:00"\ncloses = "17:00"\ndays = []',
        '[kinds]\n[week.a]\nzone = "UTC"\nopens = "05:00"\ncloses = "17:00"\ndays = ["Funday"]',
        '[kinds]\n[week.a]\nzone = "UTC"\nopens = "05:00"\ncloses = "17:00"\ndays = []\nholidays = ["13-40"]',
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calendars.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"calendars\.toml cannot be used: .*; correct it"):
        Calendars.load(path)
