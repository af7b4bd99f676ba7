"""What is true of the real recordings."""

from pathlib import Path

import pytest

from engine.feeds.importing import import_files
from engine.feeds.reader import Source
from engine.quality import Checked, check
from engine.store import Store
from tests.engine.feeds.files import known
from tests.engine.quality.markets import CALENDARS
from tests.recordings import recording


def checked(tmp_path: Path, instrument: str, *names: str) -> Checked:
    store = Store(tmp_path)
    for name in names:
        import_files([recording(name)], instrument, store, known(), Source(crossed="keep"))
    return check(store, instrument, CALENDARS)


def test_the_day_of_dukascopy_is_clean_and_its_candles_are_those_of_its_ticks(tmp_path: Path) -> None:
    folder = "fx/dukascopy/EURUSD/2019/01/04"
    candles = [f"{folder}/{side}_candles_min_1.bi5" for side in ("BID", "ASK")]
    result = checked(tmp_path, "EURUSD.DUKASCOPY", folder, *candles)
    assert {each.kind: each.rows for each in result.kinds} == {
        "quotes": 136_741,
        "bars-1-MINUTE-ASK": 1_440,
        "bars-1-MINUTE-BID": 1_440,
    }
    assert (result.findings, result.score, result.notes) == ([], 100, [])


def test_fxcm_is_told_for_its_crossed_share(tmp_path: Path) -> None:
    result = checked(tmp_path, "EURUSD.FXCM", "fx/fxcm_lean/20140501_quote.zip")
    (kind,) = result.kinds
    crossed, locked = kind.reasons
    assert set(result.counts["quotes"]) == {"crossed", "locked"}
    assert crossed.check == "crossed"
    assert crossed.affected == pytest.approx(3_991 / 51_053)
    assert locked.affected == pytest.approx(5_409 / 51_053)
    assert crossed.text.endswith("findings in 7.8 % of the rows")
    assert result.score == pytest.approx(100 - crossed.points - locked.points)
    assert 50 < (result.score or 0) < 60


def test_oanda_has_no_fault_but_the_jump_of_the_payrolls(tmp_path: Path) -> None:
    names = [f"fx/oanda_lean/{day}_quote.zip" for day in ("20140501", "20140502")]
    result = checked(tmp_path, "EURUSD.OANDA", *names)
    (jump,) = result.findings
    assert (jump.check, jump.severity, jump.day) == ("spike", "note", "2014-05-02")
    assert 12.5 * 3_600 <= (jump.start_ns // 10**9) % 86_400 < 12.6 * 3_600  # 08:30 in New York
    assert result.score == 100


@pytest.mark.parametrize(
    ("instrument", "names"),
    [
        ("ETHUSDT.BINANCE", ["spot/ethusdt_20240808.gz", "spot/ethusdt_20240809.gz"]),
        ("ETHUSDT-PERP.BINANCE", ["usdm/ethusdt_20240808.gz"]),
    ],
)
def test_binance_books_trades_and_numbers_agree(tmp_path: Path, instrument: str, names: list[str]) -> None:
    """All that is doubtful is the recorder's clock, 1.27 s behind, and a sweep of the spot book."""
    result = checked(tmp_path, instrument, *(f"crypto/binance_raw/{name}" for name in names))
    assert {each.kind for each in result.kinds} == {"quotes", "trades", "deltas"}
    assert {each.severity for each in result.findings} == {"note"}
    behind = [each for each in result.findings if each.check == "time-reversed"]
    assert all(1_250 < (each.value or 0) < 1_280 for each in behind)
    others = [each for each in result.findings if each.check != "time-reversed"]
    assert [each.check for each in others] == (["spike"] if instrument == "ETHUSDT.BINANCE" else [])
    assert result.score == 100
