"""`nexttick data merge | sync | correlate | convert` as a person or a script uses them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app.__main__ import main
from engine.store import Store
from tests.engine.cross_asset.test_merging import instrument, quotes
from tests.recordings import recording

SECOND = 1_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    random = np.random.default_rng(1)
    for name in ("EURUSD.A", "GBPUSD.A"):
        times = np.sort(random.choice(np.arange(1, 1_000), 300, replace=False)) * SECOND
        Store(root).add(instrument(name), {"quotes": quotes(times.tolist())})
    return root


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    assert main(["data", *map(str, words), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["data", *map(str, words)]) == 2
    return capsys.readouterr().err


def test_merge_writes_exact_rows_in_order(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rows.csv"
    found = answer(capsys, "merge", "EURUSD.A", "GBPUSD.A", "--store", store, "--csv", out)
    assert found["rows"] == {"EURUSD.A": 300, "GBPUSD.A": 300}
    assert found["doubt"] == ""
    rows = list(csv.DictReader(out.read_text().splitlines()))
    keys = [(int(row["ts_event_ns"]), row["instrument"]) for row in rows]
    assert keys == sorted(keys)
    assert rows[0]["bid"] == "1.00001"


def test_merge_tells_where_only_some_carry_a_time_of_their_venue(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = quotes([5 * SECOND])
    late = rows.with_arrays({"ts_init": rows.ts_init + SECOND})
    Store(store).add(instrument("AUDUSD.B"), {"quotes": late})
    words = ("merge", "EURUSD.A", "AUDUSD.B", "--store", store, "--csv", tmp_path / "rows.csv")
    assert main(["data", *map(str, words)]) == 0
    assert "quotes of EURUSD.A have no time of the venue" in capsys.readouterr().out


def test_sync_and_correlate_answer_what_they_say(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sync.csv"
    words = ("EURUSD.A", "GBPUSD.A", "--store", store)
    found = answer(capsys, "sync", *words, "--every", "10s", "--csv", out)
    assert found["rows"] == len(out.read_text().splitlines()) - 1 > 50
    found = answer(capsys, "correlate", *words, "--every", "5s", "--lead-lag", "20s", "--shift", "5s")
    assert found["correlations"]["matrix"][0][0] == pytest.approx(1.0)  # type: ignore[index]
    assert len(found["lead_lag"]["shifts_ns"]) == 9  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["correlate", "EURUSD.A"], "at least 2 instruments"),
        (["correlate", "EURUSD.A", "GBPUSD.A", "--sampling", "previous"], "choose previous-tick"),
        (["correlate", "EURUSD.A", "GBPUSD.A", "--every", "fast"], "no length of time"),
        (["correlate", "EURUSD.A", "GBPUSD.A", "--from", "2020-01-01"], "no time in common"),
        (["merge", "EURUSD.A", "GBPUSD.A", "--kind", "deltas", "--csv", "x.csv"], "choose quotes or trades"),
        (["convert", "many", "EUR", "USD", "--at", "2020-01-01"], "is no amount"),
        (["convert", "1", "EUR", "CHF", "--at", "2020-01-01"], "from EUR to CHF"),
        (["convert", "1", "EUR", "USD", "--at", "2020-01-01"], "The last rate of EURUSD.A"),
        (["convert", "1", "EUR", "USD", "--at", "2020-01-01", "--oldest", "long"], "no length of time"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    told = refusal(capsys, *words, "--store", store)
    assert said in told
    assert told.count("\n") == 1


def test_an_amount_is_told_with_the_age_of_its_rates(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = 5_000 * SECOND
    Store(store).add(instrument("EURUSD.B"), {"quotes": quotes([last], bid=109_999)})
    words = ("convert", "100", "EUR", "USD", "--at", last + 2 * SECOND, "--store", store)
    found = answer(capsys, *words)
    assert found["amount"] == "110.000500"
    rate = {"instrument": "EURUSD.B", "inverted": False, "mid": "1.100005"}
    assert found["rates"] == [rate | {"ts_ns": last, "age_ns": 2 * SECOND}]
    assert main(["data", *map(str, words)]) == 0
    assert "by the mid of EURUSD.B of 1970-01-01 01:23:20 UTC, 2 s old" in capsys.readouterr().out
    assert "more than 1 s old" in refusal(capsys, *words, "--oldest", "1s")


def test_a_missing_venue_time_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spot quotes of the recording carry no venue time: by receipt the two markets move together."""
    store = tmp_path / "store"
    for market, name in (("spot", "ETHUSDT.BINANCE"), ("usdm", "ETHUSDT-PERP.BINANCE")):
        file = recording(f"crypto/binance_raw/{market}/ethusdt_20240808.gz")
        assert main(["import", str(file), "--instrument", name, "--store", str(store), "--json", "-"]) == 0
    capsys.readouterr()
    words = ("correlate", "ETHUSDT.BINANCE", "ETHUSDT-PERP.BINANCE", "--every", "1s", "--store", store)
    by_event = answer(capsys, *words)["correlations"]
    assert "ETHUSDT.BINANCE have no time of the venue" in by_event["doubt"]  # type: ignore[index]
    received = answer(capsys, *words, "--by", "received")["correlations"]
    assert received["doubt"] == ""  # type: ignore[index]
    assert received["matrix"][0][1] > 0.8  # type: ignore[index]
