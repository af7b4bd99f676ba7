"""`nexttick backtest` and `nexttick replay --headless` as a person types them."""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.commands.run_arguments import time_ns
from engine.store.store import Store
from tests.engine.session.markets import FX, quotes
from tests.recordings import recording

DAY = 1_549_238_400_000_000_000  # 2019-02-04


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Store(tmp_path / "store").add(FX, {"quotes": quotes()})
    return tmp_path / "store"


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


EMA = ("--strategy", "ema_cross", "--param", "fast=20", "--param", "slow=60")


def test_backtest_and_replay_in_random_windows_agree(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ("--instrument", FX.id, "--store", store, *EMA)
    back = run_json(capsys, "backtest", *what, "--fills", tmp_path / "a.csv")
    again = run_json(capsys, "replay", "--headless", "--windows", "random", "--seed", "5", *what)
    fast = run_json(capsys, "replay", "--headless", "--speed", "1000", *what)
    assert back["fills"] > 20
    assert back["ticks"] == 6_000
    assert set(back) == {
        "ticks", "seconds", "ticks_per_s", "orders", "fills", "final_balance", "stats", "fills_sha256",
        "warnings", "starting_balance", "net_pnl", "open_position", "unrealised_pnl",
    }  # fmt: skip
    for key in ("ticks", "orders", "fills", "final_balance", "stats", "fills_sha256"):
        assert back[key] == again[key] == fast[key]
    written = (tmp_path / "a.csv").read_bytes()
    assert hashlib.sha256(written).hexdigest() == back["fills_sha256"]
    assert written.count(b"\n") == back["fills"] + 1
    assert back["final_balance"].endswith(" USD")


def test_a_run_file_says_all_and_the_line_overrides_it(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        f"""instrument = "{FX.id}"
strategy = "ema_cross"
start = 2023-11-14T22:13:25
parameters = {{ fast = 20, slow = 60 }}
[venue]
latency_ms = 50
taker_fee = "0.0001"
""",
        encoding="utf-8",
    )
    where = ("--config", config, "--store", store)
    filed = run_json(capsys, "backtest", *where)
    assert filed["ticks"] == int((quotes().ts_init >= time_ns("2023-11-14T22:13:25")).sum())
    assert run_json(capsys, "backtest", *where, "--param", "slow=90")["fills"] != filed["fills"]
    assert run_json(capsys, "backtest", *where, "--strategy", "none")["fills"] == 0
    assert run_json(capsys, "backtest", *where, "--latency-ms", "0")["fills_sha256"] != filed["fills_sha256"]


def test_start_and_end_are_inclusive(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, last = int(quotes().ts_init[10]), int(quotes().ts_init[99])
    answer = run_json(
        capsys, "backtest", "--instrument", FX.id, "--store", store, "--start", str(first), "--end", str(last)
    )
    assert answer["ticks"] == 90


def test_a_generated_market_needs_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run_json(
        capsys,
        "backtest",
        "--simulate",
        "crypto",
        "--strategy",
        "book_imbalance",
        "--end",
        "2026-01-05T09:00:20",
    )
    assert answer["fills"] > 0
    assert answer["final_balance"].endswith(" USDT")


def test_a_person_gets_a_table(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--instrument", FX.id, "--store", str(store), *EMA]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Ticks")
    assert "6,000 in" in lines[0]
    assert len({line.index(line.split("  ")[-1].strip()) for line in lines}) == 1  # one straight column


def test_an_open_position_is_told_beside_the_balance_that_leaves_it_out(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ("--instrument", FX.id, "--store", str(store), "--strategy")
    answer = run_json(capsys, "backtest", *what, "buy_and_hold")
    amount = {
        name: Decimal(answer[name].split()[0]) for name in ("final_balance", "unrealised_pnl", "net_pnl")
    }
    assert answer["starting_balance"] == "1000000.00 USD"
    assert amount["net_pnl"] == amount["final_balance"] + amount["unrealised_pnl"] - 1_000_000
    assert amount["unrealised_pnl"] != 0
    assert answer["open_position"].startswith("+")
    assert main(["backtest", *what, "buy_and_hold"]) == 0
    assert f"{answer['open_position']}, " in capsys.readouterr().out
    assert run_json(capsys, "backtest", *what, "none")["open_position"] is None
    assert main(["backtest", *what, "none"]) == 0
    assert "Open position" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--instrument", "EURUSD.SIN"], "EURUSD.SIM"),
        (["--instrument", FX.id, "--strategy", "ema_crss"], "ema_cross"),
        (["--instrument", FX.id, *EMA, "--param", "fsat=3"], "fast"),
        (["--instrument", FX.id, *EMA[:2], "--param", "fast=0"], "from 1 to 100,000"),
        (["--instrument", FX.id, *EMA[:2], "--param", "fast=999"], "smaller than slow=500"),
        (["--instrument", FX.id, *EMA, "--param", "fast"], "NAME=VALUE"),
        (["--instrument", FX.id, "--strategy", "book_imbalance"], "needs book updates"),
        (["--instrument", FX.id, "--start", "2019-02-30"], "no date or time of the calendar"),
        (["--instrument", FX.id, "--start", "yesterday"], "no date or time"),
        (["--instrument", FX.id, "--start", "2030-01-01"], "its data run from 2023-11-14"),
        (["--instrument", FX.id, "--start", "2024-01-02", "--end", "2024-01-01"], "before the start"),
        (["--instrument", FX.id, "--config", "nowhere.toml"], "cannot be read"),
        (["--instrument", FX.id, "--fills", "/no/such/folder/f.csv"], "could not be written"),
        (["--instrument", FX.id, "--json", "/no/such/folder/r.json"], "there is no folder /no/such/folder"),
        (["--instrument", FX.id, "--latency-ms", "-4"], "0 to 3,600,000 ms"),
        (["--instrument", FX.id, "--latency-ms", "nan"], "0 to 3,600,000 ms"),
        (["--instrument", FX.id, "--latency-ms", "1e18"], "0 to 3,600,000 ms"),
        (["--simulate", "fx", "--seed", "-1"], "a whole number from 0"),
        (["--instrument", FX.id, *EMA, "--param", "trade_size=0.5"], "give 1000, or 0"),
        (["--instrument", FX.id, *EMA, "--param", "trade_size=2500"], "give 2000, or 0"),
        (["--instrument", FX.id, *EMA, "--param", "trade_size=1e30"], "too large"),
        (["--instrument", FX.id, *EMA, "--param", "on=bars", "--param", "bar=1-MINUTE-LAST"], "1-MINUTE-MID"),
        (["--instrument", FX.id, *EMA, "--param", "fast=7"], "--param fast was given twice"),
        (["--instrument", FX.id, "--instrument", "GBPUSD.SIM"], "--instrument was given twice"),
        (["--simulate", "cryto"], "crypto"),
        (["--simulate", "fx", "--instrument", "GBPUSD.SIM"], "EURUSD.SIM"),
        ([], "--instrument"),
    ],
)
def test_mistakes_give_one_sentence_and_code_2(
    arguments: list[str], words: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", *arguments, "--store", str(store)]) == 2
    (said,) = capsys.readouterr().err.splitlines()  # and nothing was said to run
    assert said.startswith("nexttick: ")
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('strateg = "none"', "strategy"),
        ("[venue]\nbalanse = 1", "balance"),
        ("strategy = [", "not TOML"),
        ('bar = 3\ninstrument = "EURUSD.SIM"', "not valid"),
        ('bar = "1-MINUTES-MID"', "MINUTE"),
    ],
)
def test_mistakes_in_a_run_file_are_named(
    text: str, words: str, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text(text, encoding="utf-8")
    arguments = ["--config", str(tmp_path / "run.toml"), "--store", str(store), "--instrument", FX.id]
    if "instrument" in text:
        arguments = arguments[:-2]
    assert main(["backtest", *arguments]) == 2
    assert words in capsys.readouterr().err


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_an_impossible_speed_is_a_sentence(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for speed, words in (("5000", "0.1 to 1000, or max"), ("fast", "or max"), ("nan", "or max")):
        arguments = ["replay", "--headless", "--speed", speed, "--instrument", FX.id, "--store", str(store)]
        assert main(arguments) == 2
        assert words in capsys.readouterr().err
    assert "0.1 to 1000, or max" in help_of("replay", capsys)


def test_an_empty_store_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, words in ((tmp_path, "is empty"), (tmp_path / "none", "does not exist")):
        assert main(["backtest", "--instrument", FX.id, "--store", str(place)]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert "import a file first" in said


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2019-02-04", False, DAY),
        ("2019-02-04", True, DAY + 86_400 * 10**9 - 1),
        ("2019-02-04T00:00:01", False, DAY + 10**9),
        ("2019-02-04T01:00:00+01:00", True, DAY),
        ("2019-02-04 00:00:00.123456789Z", False, DAY + 123_456_789),
        ("2019-02-04T00:00:00.5", False, DAY + 500_000_000),
        (str(DAY), False, DAY),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, end: bool, expected: int) -> None:
    assert time_ns(text, end=end) == expected


# Real recordings


@pytest.mark.parametrize(
    ("files", "arguments", "ticks"),
    [
        (
            "fx/dukascopy/EURUSD/2019/01/04",
            ("--instrument", "EURUSD.DUKASCOPY", "--strategy", "ema_cross"),
            136_741,
        ),
        (
            "crypto/binance_raw/spot/ethusdt_20240808.gz",
            ("--instrument", "ETHUSDT.BINANCE", "--strategy", "book_imbalance"),
            None,
        ),
    ],
    ids=["dukascopy-ema_cross", "binance-book_imbalance"],
)
def test_recordings_replay_with_the_fills_of_the_backtest(
    files: str,
    arguments: tuple[str, ...],
    ticks: int | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = recording(files)
    paths = sorted(path.glob("*h_ticks.bi5")) if path.is_dir() else [path]
    assert main(["import", *map(str, paths), *arguments[:2], "--store", str(tmp_path)]) == 0
    what: tuple[str | Path, ...] = (*arguments, "--store", tmp_path)
    back = run_json(capsys, "backtest", *what)
    again = run_json(capsys, "replay", "--headless", "--windows", "random", "--seed", "11", *what)
    assert back["fills"] > 50
    assert ticks is None or back["ticks"] == ticks
    for key in ("ticks", "orders", "fills", "final_balance", "stats", "fills_sha256"):
        assert back[key] == again[key]
