from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.columns import Aggressor, Quotes, Trades, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.vendors import metatrader_bars, metatrader_ticks
from tests.engine.feeds.files import source_file, zipped
from tests.engine.feeds.mutations import mutations, survives

START_NS = int(datetime(2019, 2, 4, tzinfo=UTC).timestamp()) * 1_000_000_000
MINUTE_NS = 60_000_000_000
MS_NS = 1_000_000

TICKS = """<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>
2019.02.04\t00:00:00.994\t1.14543\t1.14545\t\t\t6
2019.02.04\t00:00:01.271\t1.14544\t\t\t\t2
2019.02.04\t00:00:01.464\t\t1.14550\t\t\t4
2019.02.04\t00:00:02.000\t\t\t1.1455\t2.5\t56
2019.02.04\t00:00:03.000\t\t\t\t1\t80
"""
BARS = """<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>
2019.02.04\t00:00:00\t1.14543\t1.14570\t1.14542\t1.14569\t54\t700\t2
2019.02.04\t00:01:00\t1.14569\t1.14580\t1.14565\t1.14575\t61\t0\t2
"""
MT4_BARS = """2019.02.04,00:00,1.14543,1.14570,1.14542,1.14569,54
2019.02.04,00:01,1.14569,1.14580,1.14565,1.14575,61
"""
NAME = "EURUSD_M1_201902040000_201902042359.csv"


def ticks(data: str | bytes, name: str = "EURUSD_201902040000_201902042359.csv") -> Decoded:
    return metatrader_ticks.decode(source_file(data, name))


def bars(data: str | bytes, name: str = NAME, kind: str = "bars-1-MINUTE-BID") -> VendorBars:
    part = metatrader_bars.decode(source_file(data, name)).columns[kind]
    assert isinstance(part, VendorBars)
    return part


def quotes_of(found: Decoded) -> Quotes:
    part = found.columns["quotes"]
    assert isinstance(part, Quotes)
    return part


def trades_of(found: Decoded) -> Trades:
    part = found.columns["trades"]
    assert isinstance(part, Trades)
    return part


def test_an_empty_field_repeats_the_last_value() -> None:
    rows = quotes_of(ticks(TICKS))
    assert ((rows.ts_event - START_NS) // MS_NS).tolist() == [994, 1271, 1464]
    assert (rows.bid.tolist(), rows.price_precision) == ([114_543, 114_544, 114_544], 5)
    assert rows.ask.tolist() == [114_545, 114_545, 114_550]


def test_trades_are_rows_whose_flags_say_so() -> None:
    rows = trades_of(ticks(TICKS))
    assert ((rows.ts_event - START_NS) // MS_NS).tolist() == [2_000, 3_000]
    assert (rows.price.tolist(), rows.price_precision) == ([11_455, 11_455], 4)
    assert (rows.size.tolist(), rows.size_precision) == ([25, 10], 1)
    assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER]


def test_the_servers_zone_is_never_passed_over() -> None:
    for found in (ticks(TICKS), metatrader_bars.decode(source_file(BARS, NAME))):
        assert "server" in found.timestamps
        assert any("broker's server" in note for note in found.notes)


def test_the_zone_that_the_user_says_turns_times_to_utc() -> None:
    """Athens is two hours ahead in winter; a day there begins at 22:00 UTC."""
    for decode, text, name in (
        (metatrader_ticks.decode, TICKS, "x.csv"),
        (metatrader_bars.decode, BARS, NAME),
        (metatrader_bars.decode, MT4_BARS, "EURUSD1.csv"),
    ):
        plain = decode(source_file(text, name))
        told = decode(source_file(text, name, zone="Europe/Athens"))
        assert not any("broker's server" in note for note in told.notes)
        assert "Europe/Athens" in told.timestamps
        for kind, part in plain.columns.items():
            assert (part.ts_event - told.columns[kind].ts_event == 2 * 60 * MINUTE_NS).all()
    day = f"{BARS.splitlines()[0]}\n2019.02.04\t00:00:00\t1\t2\t1\t2\t3\t0\t1\n"
    found = metatrader_bars.decode(source_file(day, "EURUSD_D1.csv", zone="Europe/Athens"))
    assert found.columns["bars-1-DAY-BID"].ts_event.tolist() == [START_NS - 2 * 60 * MINUTE_NS]


@pytest.mark.parametrize("flags", ["", "0"])
def test_without_flags_the_fields_tell_what_changed(flags: str) -> None:
    text = "".join(
        f"{line}\n".replace(line[line.rfind("\t") :], f"\t{flags}", 1) for line in TICKS.splitlines()[1:]
    )
    head = TICKS.splitlines()[0]
    found = ticks(f"{head}\n{text}")
    assert len(quotes_of(found)) == 3
    assert len(trades_of(found)) == 2
    zeros = f"{head}\n2019.02.04\t00:00:00.994\t1.14543\t1.14545\t0\t0\t{flags}\n"
    assert set(ticks(zeros).columns) == {"quotes"}


def test_flags_of_deals_without_a_last_price_make_no_trade() -> None:
    """Some currency brokers set 32 and 64 in every row."""
    found = ticks(TICKS.splitlines()[0] + "\n2019.02.04\t00:00:00.994\t1.14543\t1.14545\t\t\t102\n")
    assert set(found.columns) == {"quotes"}


def test_rows_that_cannot_be_taken_are_told() -> None:
    head = TICKS.splitlines()[0]
    lines = (
        "2019.02.04\t00:00:00.1\t1.1\t\t\t\t2",
        "2019.02.04\t00:00:00.2\tx\t1.2\t\t\t6",
        "2019.02.04\tnever\t1.1\t1.2\t\t\t6",
        "2019.02.04\t00:00:00.4\t\t\t\t\t32",
        "2019.02.04\t00:00:00.5\t0\t1.2\t\t\t6",
        "2019.02.04\t00:00:00.6\t\t\t0\t5\t24",
        "2019.02.04\t00:00:00.7\t1.1\t1.2\t\t\t6",
    )
    found = ticks("\n".join((head, *lines)))
    assert len(quotes_of(found)) == 1
    assert {(each.reason, each.count, each.first_line) for each in found.rejected} == {
        ("neither quote nor trade changed in it", 1, 5),
        ("the time is missing, malformed or outside 1980 to 2199", 1, 4),
        ("the ask is missing or no number", 1, 2),
        ("the bid is missing or no number", 1, 3),
        ("the bid is not above 0", 1, 6),
        ("the last is not above 0", 1, 7),
    }


def test_bars_keep_every_digit_and_close_when_they_end() -> None:
    rows = bars(BARS)
    assert (rows.ts_event - START_NS).tolist() == [0, MINUTE_NS]
    assert (rows.ts_init - rows.ts_event).tolist() == [MINUTE_NS, MINUTE_NS]
    assert rows.open.tolist() == [114_543, 114_569]
    assert rows.high.tolist() == [114_570, 114_580]
    assert rows.low.tolist() == [114_542, 114_565]
    assert rows.close.tolist() == [114_569, 114_575]
    assert rows.volume.tolist() == [54, 61]


def test_volume_is_told_for_what_it_is() -> None:
    found = metatrader_bars.decode(source_file(BARS, NAME))
    assert any("how many ticks" in note for note in found.notes)


def test_exports_of_both_programs_are_the_same_bars() -> None:
    five = bars(BARS)
    for name, data in (
        ("EURUSD1.csv", MT4_BARS.encode()),
        ("EURUSD1.csv", MT4_BARS.replace("\n", "\r\n").encode()),
        (NAME, BARS.encode("utf-16")),
        ("EURUSD_M1.zip", zipped({NAME: BARS})),
    ):
        rows = bars(data, name)
        assert [rows.open.tolist(), rows.ts_event.tolist()] == [five.open.tolist(), five.ts_event.tolist()]
        assert detect(Path(name), data).name == "metatrader-bars"
    assert detect(Path("ticks.csv"), TICKS.encode()).name == "metatrader-ticks"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("EURUSD_H4_2019.csv", "2019.02.04\t04:00:00", "bars-4-HOUR-BID"),
        ("EURUSD_D1.csv", "2019.02.04\t00:00:00", "bars-1-DAY-BID"),
        ("EURUSD_Daily_201902040000_201902080000.csv", "2019.02.04\t00:00:00", "bars-1-DAY-BID"),
        ("EURUSD_M15_2019.csv", "2019.02.04\t00:15:00", "bars-15-MINUTE-BID"),
    ],
)
def test_the_name_tells_how_long_a_bar_is(name: str, text: str, kind: str) -> None:
    head = BARS.splitlines()[0]
    assert len(bars(f"{head}\n{text}\t1\t2\t1\t2\t3\t0\t1\n", name, kind)) == 1


def test_days_have_no_time() -> None:
    head = BARS.splitlines()[0].replace("<TIME>\t", "")
    days = "".join(f"2019.02.0{day}\t1\t2\t1\t2\t3\t0\t1\n" for day in (4, 5))
    rows = bars(f"{head}\n{days}", "x.csv", "bars-1-DAY-BID")
    assert rows.ts_event[0] == START_NS


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("EURUSD_Weekly_2019.csv", BARS, "604,800 seconds"),
        ("EURUSD10080.csv", MT4_BARS, "604,800 seconds"),
        ("x.csv", "\n".join(BARS.splitlines()[:2]), "how long a bar is"),
        ("x.csv", BARS.replace("<LOW>", "<X>"), "no column <LOW>"),
        ("x.csv", "2019.02.04,00:00,1,2,1,2\n2019.02.04,00:01,1,2,1,2", "not those that MetaTrader writes"),
    ],
)
def test_other_bars_are_refused(name: str, data: str, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        metatrader_bars.decode(source_file(data, name))


def test_damaged_exports_are_refused_or_told() -> None:
    for damaged in mutations(TICKS.encode(), 150):
        survives(metatrader_ticks.decode, source_file(damaged, "x.csv"))
    for text in (BARS, MT4_BARS):
        for damaged in mutations(text.encode(), 100):
            survives(metatrader_bars.decode, source_file(damaged, NAME))
