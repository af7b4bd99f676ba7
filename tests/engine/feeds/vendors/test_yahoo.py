import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.columns import CorporateAction, CorporateActions, VendorBars
from engine.errors import UserError
from engine.feeds.adjustment import back_adjusted
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile, detect
from engine.feeds.vendors import yahoo, yahoo_csv
from engine.messages.instrument import Instrument
from tests.engine.feeds.mutations import mutations, survives
from tests.recordings import recording

AAPL = "chart-AAPL-2020-08-31-to-2020-11-07.json"
MSFT = "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
RAW, ADJUSTED = "bars-1-DAY-LAST", "bars-1-DAY-LAST-ADJUSTED"
HOUR_NS = 3_600_000_000_000


def share(symbol: str) -> Instrument:
    return Instrument(
        id=f"{symbol}.NASDAQ",
        kind="equity",
        base=symbol,
        quote="USD",
        price_precision=2,
        size_precision=0,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )


def body(name: str) -> bytes:
    """Answer in a recorded exchange."""
    exchange = json.loads(recording(f"equities/yahoo_http/{name}").read_bytes())
    return json.dumps(exchange["response"]["bodyJson"]).encode()


def source(data: bytes | str, name: str = "x.json", symbol: str = "AAPL") -> SourceFile:
    raw = data.encode() if isinstance(data, str) else data
    return SourceFile(path=Path(name), data=raw, instrument=share(symbol))


def chart(data: object, symbol: str = "AAPL") -> Decoded:
    return yahoo.decode(source(data if isinstance(data, bytes) else json.dumps(data), symbol=symbol))


def table(text: str, symbol: str = "AAPL") -> Decoded:
    return yahoo_csv.decode(source(text, "x.csv", symbol))


def bars(found: Decoded, kind: str = RAW) -> VendorBars:
    part = found.columns[kind]
    assert isinstance(part, VendorBars)
    return part


def acted(found: Decoded) -> CorporateActions:
    part = found.columns["actions"]
    assert isinstance(part, CorporateActions)
    return part


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type,misc]


def answer(**changes: Any) -> dict[str, Any]:
    """Two daily bars of the first days of 2020, as Yahoo writes them."""
    result: dict[str, Any] = {
        "meta": {
            "symbol": "AAPL",
            "regularMarketTime": 1_739_998_801,
            "currentTradingPeriod": {"regular": {"start": 1_740_061_800, "end": 1_740_085_200}},
            "dataGranularity": "1d",
        },
        "timestamp": [1_577_975_400, 1_578_061_800],
        "indicators": {
            "quote": [
                {
                    "open": [74.05999755859375, 74.2874984741211],
                    "high": [75.1500015258789, 75.1449966430664],
                    "low": [73.79750061035156, 74.125],
                    "close": [75.0875015258789, 74.35749816894531],
                    "volume": [135_480_400, 146_322_800],
                }
            ],
            "adjclose": [{"adjclose": [72.71607208251953, 72.00910949707031]}],
        },
    }
    for path, value in changes.items():
        inside: Any = result
        *parents, last = path.split("__")
        for parent in parents:
            inside = inside[int(parent)] if isinstance(inside, list) else inside[parent]
        inside[last] = value
    return {"chart": {"result": [result], "error": None}}


def test_the_recorded_days_of_apple() -> None:
    found = chart(body(AAPL))
    rows = bars(found)
    assert len(rows) == 49
    assert (rows.open[0], rows.close[0], rows.volume[0], rows.price_precision) == (
        12_758,
        12_904,
        225_702_700,
        2,
    )
    assert rows.ts_event[0] == ns(2020, 8, 31, 13, 30)
    assert rows.ts_init[0] == ns(2020, 8, 31, 20)
    assert rows.ts_event[-1] == ns(2020, 11, 6, 14, 30)
    assert (bars(found, ADJUSTED).close[0], bars(found, ADJUSTED).price_precision) == (125_826_740, 6)
    assert found.rejected == ()
    assert any("all splits up to the download" in note for note in found.notes)


def test_the_recorded_splits_and_dividends() -> None:
    rows = acted(chart(body(AAPL)))
    assert rows.action.tolist() == [CorporateAction.SPLIT, CorporateAction.DIVIDEND]
    assert rows.ts_event.tolist() == [ns(2020, 8, 31, 13, 30), ns(2020, 11, 6, 14, 30)]
    assert (rows.numerator.tolist(), rows.denominator.tolist()) == ([4, 1], [1, 1])
    assert (rows.amount.tolist(), rows.price_precision) == ([0, 205], 3)
    dividends = acted(chart(body(MSFT), "MSFT"))
    assert (dividends.amount.tolist(), dividends.price_precision) == ([56, 56, 56, 62], 2)


def test_single_precision_prices_are_what_they_were_before() -> None:
    rows = bars(chart(answer()))
    assert rows.price_precision == 4
    assert rows.open.tolist() == [740_600, 742_875]
    assert rows.high.tolist() == [751_500, 751_450]
    assert rows.low.tolist() == [737_975, 741_250]
    assert rows.close.tolist() == [750_875, 743_575]
    plain = bars(chart(answer(indicators__quote__0__close=[75.003, 74.35749816894531])))
    assert plain.close.tolist() == [750_030, 743_575]


def test_adjusted_prices_keep_the_proportions_of_the_bar() -> None:
    found = chart(answer())
    raw, adjusted = bars(found), bars(found, ADJUSTED)
    assert adjusted.close.tolist() == [72_716_070, 72_009_110]
    factor = 72.71607 / 75.0875
    assert adjusted.high[0] == round(75.15 * factor * 1e6)
    assert adjusted.volume.tolist() == raw.volume.tolist()


@pytest.mark.parametrize(("name", "symbol"), [(AAPL, "AAPL"), (MSFT, "MSFT")])
def test_dividends_give_yahoos_own_adjusted_closes(name: str, symbol: str) -> None:
    """To 5 parts in 10 million, as Yahoo keeps 7 digits; later dividends scale all of them alike."""
    found = chart(body(name), symbol)
    mine = back_adjusted(bars(found), acted(found), splits=False, dividends=True).close / 1e6
    theirs = bars(found, ADJUSTED).close / 1e6
    assert np.allclose(mine * (theirs[-1] / mine[-1]), theirs, rtol=5e-7, atol=0)
    assert (mine[:-1] < bars(found).close[:-1] / 10 ** bars(found).price_precision).any()


def test_minutes_close_a_minute_after_they_open() -> None:
    found = chart(answer(meta__dataGranularity="1m", timestamp=[1_577_975_400, 1_577_975_460]))
    rows = bars(found, "bars-1-MINUTE-LAST")
    assert (rows.ts_init - rows.ts_event).tolist() == [60 * 10**9] * 2
    assert set(found.columns) == {"bars-1-MINUTE-LAST"}


def test_an_answer_without_bars_is_no_error() -> None:
    name = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json"
    found = chart(body(name))
    assert (found.columns, found.notes) == ({}, ("It holds no bars.",))


def test_a_bar_that_is_still_being_made_is_left_out() -> None:
    found = chart(answer(meta__regularMarketTime=1_578_070_000))
    assert len(bars(found)) == len(bars(found, ADJUSTED)) == 1
    assert found.rejected == ()
    assert any("still being made" in note for note in found.notes)
    assert len(bars(chart(answer(meta__regularMarketTime=1_578_061_800 + 23_400)))) == 2


def test_bars_without_prices_are_left_out_with_reason_and_place() -> None:
    found = chart(answer(indicators__quote__0__open=[None, 74.28]))
    assert [(each.reason, each.first_line) for each in found.rejected] == [
        ("the open is missing or no number", 1)
    ]
    unadjusted = chart(answer(indicators__adjclose__0__adjclose=[72.7, None]))
    assert (len(bars(unadjusted)), len(bars(unadjusted, ADJUSTED))) == (2, 1)
    assert [(each.reason, each.first_line) for each in unadjusted.rejected] == [
        ("the adjusted close is missing or no number", 2)
    ]


def test_events_that_cannot_be_are_left_out() -> None:
    events = {
        "dividends": {"1": {"amount": 0.5, "date": 1_578_061_800}, "2": {"amount": 0, "date": 1_578_061_800}},
        "capitalGains": {"3": {"amount": 0.25, "date": 1_577_975_400}},
        "splits": {
            "4": {"numerator": 1.5, "denominator": 1, "date": 1_578_061_800},
            "5": {"numerator": 2, "denominator": 0, "date": 1_578_061_800},
        },
    }
    found = chart(answer(events=events))
    rows = acted(found)
    assert rows.action.tolist() == [CorporateAction.DIVIDEND, CorporateAction.DIVIDEND, CorporateAction.SPLIT]
    assert (rows.amount.tolist(), rows.price_precision) == ([25, 50, 0], 2)
    assert (rows.numerator.tolist(), rows.denominator.tolist()) == ([1, 1, 3], [1, 1, 2])
    assert [(each.reason, each.count) for each in found.rejected] == [
        ("a split or dividend is of nothing", 2)
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found."}}},
            "No data found$",
        ),
        ({"chart": {"result": [], "error": None}}, "no result"),
        ({"chart": []}, "no chart"),
        (answer(meta__symbol="MSFT"), "of MSFT, not AAPL"),
        (answer(meta__dataGranularity="1wk"), "bars are of 1wk"),
        (answer(meta__currentTradingPeriod={}), "no regular"),
        (answer(timestamp=[1_577_975_400]), "not equally long"),
        (answer(indicators__quote=[]), "no list of the open"),
    ],
)
def test_other_answers_are_refused(document: object, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        chart(document)


@pytest.mark.parametrize(
    ("theirs", "mine"), [("BRK-B", "BRK-B"), ("VOD.L", "VOD"), ("EURUSD=X", "EURUSD"), ("^GSPC", "GSPC")]
)
def test_yahoos_ways_to_write_a_symbol_are_understood(theirs: str, mine: str) -> None:
    assert len(bars(chart(answer(meta__symbol=theirs), mine))) == 2


OLD = """Date,Open,High,Low,Close,Adj Close,Volume
2020-01-02,74.059998,75.150002,73.797501,75.087502,72.716072,135480400
2020-01-03,74.287498,75.144997,74.125000,74.357498,72.009109,146322800
"""
HISTORY = """Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2020-08-28 00:00:00-04:00,123.0,124.0,122.0,123.5,187151600,0.0,0.0
2020-08-31 00:00:00-04:00,125.0,128.0,123.0,126.5,225702700,0.0,4.0
2020-11-06 00:00:00-05:00,115.0,117.0,114.0,116.5,114457900,0.205,0.0
"""
DOWNLOADED = """Price,Adj Close,Adj Close,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume
Ticker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT
Date,,,,,,,,,,,,
2020-01-02,72.71607,153.3,75.0875,160.62,75.15,160.73,73.7975,158.33,74.06,158.78,135480400,22622100
2020-01-03,72.00911,151.4,74.3575,158.62,75.145,159.95,74.125,158.06,74.2875,158.32,146322800,21116200
"""


def test_the_sites_old_table() -> None:
    found = table(OLD)
    rows = bars(found)
    assert rows.ts_event.tolist() == [ns(2020, 1, 2), ns(2020, 1, 3)]
    assert rows.ts_init.tolist() == [ns(2020, 1, 3), ns(2020, 1, 4)]
    assert (rows.close[0], rows.price_precision) == (75_087_502, 6)
    assert bars(found, ADJUSTED).close.tolist() == [72_716_072, 72_009_109]
    assert any("midnight" in note for note in found.notes)


def test_what_yfinance_adjusted_is_never_stored_as_traded() -> None:
    found = table(HISTORY)
    assert set(found.columns) == {ADJUSTED, "actions"}
    assert bars(found, ADJUSTED).ts_event[0] == ns(2020, 8, 28, 4)
    assert any("auto_adjust=False" in note for note in found.notes)
    rows = acted(found)
    assert rows.action.tolist() == [CorporateAction.SPLIT, CorporateAction.DIVIDEND]
    assert (rows.numerator.tolist(), rows.denominator.tolist()) == ([4, 1], [1, 1])
    assert (rows.amount.tolist(), rows.price_precision) == ([0, 205], 3)
    assert rows.ts_event.tolist() == [ns(2020, 8, 31, 4), ns(2020, 11, 6, 5)]


def test_a_reverse_split_is_whole_shares() -> None:
    rows = acted(table(HISTORY.replace("0.0,4.0", "0.0,0.1")))
    assert (rows.numerator[0], rows.denominator[0]) == (1, 10)


def test_a_table_of_several_tickers_gives_the_instruments() -> None:
    found = table(DOWNLOADED, "MSFT")
    assert bars(found).close.tolist() == [16_062, 15_862]
    assert bars(found, ADJUSTED).close.tolist() == [153_300_000, 151_400_000]
    assert any("AAPL" in note for note in found.notes)
    with pytest.raises(Undecodable, match="its tickers are AAPL, MSFT, not IBM"):
        table(DOWNLOADED, "IBM")


def test_minutes_of_yfinance_are_no_days() -> None:
    text = "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits\n" + "".join(
        f"2025-01-31 09:{minute}:00-05:00,1,2,1,2,5,0.0,0.0\n" for minute in (30, 31, 32)
    )
    rows = bars(table(text), "bars-1-MINUTE-LAST")
    assert rows.ts_event[0] == ns(2025, 1, 31, 14, 30)
    assert (rows.ts_init - rows.ts_event).tolist() == [60 * 10**9] * 3


def test_each_form_is_recognised() -> None:
    assert detect(Path("x.json"), json.dumps(answer(), indent=1).encode()).name == "yahoo"
    for text in (OLD, HISTORY, DOWNLOADED):
        assert detect(Path("x.csv"), text.encode()).name == "yahoo-csv"
    assert (
        detect(Path("x.csv"), b"Date,Open,High,Low,Close,Volume\n2020-01-02,1,2,1,2,3\n").name != "yahoo-csv"
    )


def test_damaged_files_are_refused_or_told() -> None:
    for damaged in mutations(body("chart-AAPL.json"), 150):
        survives(yahoo.decode, source(damaged))
    for damaged in mutations(body(AAPL), 30):
        survives(yahoo.decode, source(damaged))
    for text in (OLD, HISTORY, DOWNLOADED):
        for damaged in mutations(text.encode(), 100):
            survives(yahoo_csv.decode, source(damaged, "x.csv"))


def daily(*closes: int) -> VendorBars:
    days = np.arange(len(closes)) * 24 * HOUR_NS
    prices = np.array(closes)
    return VendorBars(
        ts_event=days,
        ts_init=days + HOUR_NS,
        **dict.fromkeys(("open", "high", "low", "close"), prices),
        volume=np.full(len(closes), 100),
        price_precision=2,
        size_precision=0,
    )


def action(day: int, *, amount: int = 0, numerator: int = 1, denominator: int = 1) -> CorporateActions:
    kind = CorporateAction.DIVIDEND if amount else CorporateAction.SPLIT
    at = np.array([day * 24 * HOUR_NS])
    return CorporateActions(
        ts_event=at,
        ts_init=at,
        action=np.array([kind], np.uint8),
        amount=np.array([amount]),
        numerator=np.array([numerator]),
        denominator=np.array([denominator]),
        price_precision=2,
        size_precision=0,
    )


def test_a_split_changes_what_was_before_it() -> None:
    adjusted = back_adjusted(
        daily(400_00, 404_00, 101_00), action(2, numerator=4), splits=True, dividends=True
    )
    assert adjusted.close.tolist() == [100_000_000, 101_000_000, 101_000_000]
    assert adjusted.volume.tolist() == [400, 400, 100]


def test_a_dividend_is_taken_from_the_close_before_it() -> None:
    adjusted = back_adjusted(
        daily(100_00, 100_00, 98_00), action(2, amount=2_00), splits=True, dividends=True
    )
    assert adjusted.close.tolist() == [98_000_000, 98_000_000, 98_000_000]
    assert adjusted.volume.tolist() == [100, 100, 100]


def test_only_what_is_asked_for_is_adjusted() -> None:
    both = CorporateActions.concat([action(1, numerator=2), action(2, amount=1_00)])
    rows = daily(200_00, 100_00, 99_00)
    assert back_adjusted(rows, both, splits=False, dividends=False).close.tolist() == [
        200_000_000,
        100_000_000,
        99_000_000,
    ]
    assert back_adjusted(rows, both, splits=True, dividends=False).close[0] == 100_000_000
    assert back_adjusted(rows, both, splits=True, dividends=True).close[0] == 99_000_000


def test_actions_outside_the_bars_change_nothing() -> None:
    for day in (0, 5):
        adjusted = back_adjusted(daily(100_00, 50_00), action(day, numerator=2), splits=True, dividends=True)
        assert adjusted.close.tolist() == [100_000_000, 50_000_000]


def test_a_dividend_of_the_whole_price_is_refused() -> None:
    with pytest.raises(UserError, match="not below the close of 100"):
        back_adjusted(daily(100_00, 1_00), action(1, amount=100_00), splits=True, dividends=True)
