import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.__main__ import main
from app.commands import bench_features
from app.commands.features import find_set
from app.feature_tables import tables_of
from engine.bars import BarSpec, bars_of
from engine.feeds.news import decode_news
from engine.feeds.simulated import PROFILES, Simulation, simulate
from engine.store import Store
from engine.store.series import SeriesStore

START_NS = 1_700_000_000 * 10**9


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(PROFILES["crypto"], seed=8, start_ns=START_NS, seconds=15)


@pytest.fixture(scope="module")
def store(drawn: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    Store(root).add(
        drawn.instrument, {"quotes": drawn.quotes, "trades": drawn.trades, "deltas": drawn.deltas}
    )
    fx = simulate(PROFILES["fx"], seed=8, start_ns=START_NS, seconds=15)
    Store(root).add(fx.instrument, {"quotes": fx.quotes})
    return root


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["features", *arguments, "--json", "-"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_build_writes_one_row_per_row_of_the_clock(
    store: Path, drawn: Simulation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tick.parquet"
    answer = asked(
        capsys,
        "build",
        "--instrument",
        "BTCUSDT.SIM",
        "--set",
        "tick",
        "--out",
        str(path),
        "--store",
        str(store),
    )
    frame = pl.read_parquet(path)
    assert answer["rows"] == frame.height == len(drawn.quotes)
    assert frame.columns == ["ts", *answer["columns"]]
    assert frame["ts"].to_list() == drawn.quotes.ts_init.tolist()
    assert answer["sha256"] == find_set("tick").sha256
    tick = float(drawn.instrument.tick_size) * 10**drawn.instrument.price_precision
    spread = (drawn.quotes.ask - drawn.quotes.bid) / tick
    assert frame["spread_ticks"].to_list() == pytest.approx(spread.tolist())


def test_check_is_the_documented_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "--instrument", "BTCUSDT.SIM", "--store", str(store), "--rows", "2000"]
    answer = asked(capsys, *arguments, "--set", "book")
    assert answer["features"] == list(find_set("book").outputs)
    assert answer["rows"] == 2000
    assert answer["max_relative_difference"] <= 1e-12
    assert answer["look_ahead"] == []
    answer = asked(capsys, *arguments)
    assert {each["set"] for each in answer["sets"]} == {"tick", "book", "deeplob", "bars", "demo"}
    fx = asked(capsys, "check", "--instrument", "EURUSD.SIM", "--store", str(store), "--rows", "2000")
    assert {each["set"] for each in fx["sets"]} == {"tick", "bars", "demo"}


def test_a_check_says_what_was_never_computed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "--instrument", "BTCUSDT.SIM", "--store", str(store), "--set", "tick"]
    answer = asked(capsys, *arguments)
    assert "return_60s" in answer["untested"], "there are only 15 seconds"
    assert "spread_ticks" not in answer["untested"]
    assert main(["features", *arguments]) == 0
    assert "too few rows" in capsys.readouterr().out


def test_a_check_that_fails_exits_with_1(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.commands.features.look_ahead", lambda *_: {"spread_ticks": 4})
    arguments = [
        "check",
        "--instrument",
        "BTCUSDT.SIM",
        "--store",
        str(store),
        "--rows",
        "100",
        "--set",
        "tick",
    ]
    assert asked(capsys, *arguments, code=1)["look_ahead"] == ["spread_ticks"]
    assert main(["features", *arguments]) == 1
    assert "LOOKS AHEAD at row 4" in capsys.readouterr().out


def test_bars_are_those_of_the_chart_and_known_when_their_interval_is_over(
    store: Path, drawn: Simulation
) -> None:
    path = Path(store) / "bars.toml"
    for spec in ("1-SECOND-MID", "20-TICK-LAST", "3-VOLUME-LAST"):
        path.write_text(f'clock = "bars"\nbars = "{spec}"\n[[feature]]\nname = "ema"\nperiod = 2\n')
        tables = tables_of(Store(store), find_set(str(path)), {"": "BTCUSDT.SIM"})
        found = tables["bars"].collect()
        ticks = drawn.quotes if spec.endswith("MID") else drawn.trades
        bars = bars_of(BarSpec.parse(spec), ticks)
        assert found["ts_open"].to_list() == bars.ts_open[: found.height].tolist()
        assert found.height >= len(bars) - 1 > 3
        closes = (bars.close / 10**bars.price_precision)[: found.height].tolist()
        assert found["close"].to_list() == pytest.approx(closes, rel=1e-12)
        assert found["ts"].is_sorted()
        if spec == "1-SECOND-MID":
            assert (found["ts"] == found["ts_open"] + 10**9).all()
        else:
            opened = bars.ts_open[1 : found.height]
            assert (found["ts"].to_numpy()[: len(opened)] <= opened).all()
            assert set(found["ts"].to_list()) <= set(drawn.trades.ts_init.tolist())


def test_the_book_table_has_the_best_prices_of_the_quotes(store: Path, drawn: Simulation) -> None:
    tables = tables_of(Store(store), find_set("deeplob"), {"": "BTCUSDT.SIM"}, rows=500)
    book = tables["book"].collect()
    assert book.height >= 500
    quotes = tables_of(Store(store), find_set("tick"), {"": "BTCUSDT.SIM"})["quotes"].collect()
    joined = book.join_asof(quotes, on="ts")
    assert (joined["bid_price_1"] == joined["bid"]).all()
    assert (joined["ask_size_1"] == joined["ask_size"]).all()
    assert (book["bid_price_1"] > book["bid_price_2"]).all()


def test_a_set_may_read_a_second_instrument(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pair.toml"
    path.write_text(
        'clock = "quotes"\n[[feature]]\nname = "mid"\n'
        '[[feature]]\nname = "return"\nwindow = 5\nof = "leader"\n'
    )
    arguments = [
        "check",
        "--instrument",
        "BTCUSDT.SIM",
        "--set",
        str(path),
        "--store",
        str(store),
        "--rows",
        "500",
    ]
    answer = asked(capsys, *arguments, "--of", "leader=EURUSD.SIM")
    assert answer["features"] == ["mid", "leader_return_5"]
    assert answer["untested"] == []
    assert main(["features", *arguments]) == 2
    assert "--of leader=SYMBOL.VENUE" in capsys.readouterr().err


def test_list_names_every_feature_and_set(capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "list")
    assert {"spread", "macd", "deeplob"} <= {each["name"] for each in answer["features"]}
    assert {"tick", "book", "bars"} <= {each["name"] for each in answer["sets"]}
    assert main(["features", "list"]) == 0
    assert "order_flow_imbalance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--instrument", "BTCUSDT.SMI"], "choose BTCUSDT.SIM"),
        (["check", "--instrument", "BTCUSDT.SIM", "--set", "tikc"], "choose tick"),
        (["check", "--instrument", "EURUSD.SIM", "--set", "book"], "No book updates of EURUSD.SIM"),
        (["check", "--instrument", "BTCUSDT.SIM", "--rows", "1"], "at least 3 rows"),
        (["check", "--instrument", "BTCUSDT.SIM", "--of", "leader"], "ROLE=INSTRUMENT"),
        (["build", "--instrument", "BTCUSDT.SIM", "--set", "tick"], "--out"),
        (
            ["build", "--instrument", "BTCUSDT.SIM", "--set", "tick", "--out", "/no/such/folder/x.parquet"],
            "cannot be written",
        ),
        (["chekc"], "check"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    place = ["--store", str(store)] if len(arguments) > 1 else []
    assert main(["features", *arguments, *place]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if not line.startswith("Checking")]) == 1
    assert said in lines[-1]


@pytest.mark.parametrize("name", ["tick", "book", "seed"])
def test_the_benchmarks_peer_computes_the_same_features(name: str) -> None:
    pytest.importorskip("pandas")
    tables = bench_features._tables(name, 8_000)
    ours = bench_features._batch(bench_features._features(name), tables)
    theirs = bench_features._PEERS[name](bench_features._frames(tables))
    assert set(theirs) == set(ours.columns) - {"ts"}
    assert bench_features._difference(ours, theirs) < 1e-7
    shifted = {column: values[::-1] for column, values in theirs.items()}
    assert bench_features._difference(ours, shifted) > 1e-3


def test_a_set_reads_the_news_that_concern_its_instrument(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["check", "--instrument", "EURUSD.SIM", "--set", "news", "--store", str(tmp_path / "store")]
    fx = simulate(PROFILES["fx"], seed=8, start_ns=START_NS, seconds=15)
    Store(tmp_path / "store").add(fx.instrument, {"quotes": fx.quotes})
    assert main(["features", *check]) == 2
    assert "No news of EURUSD.SIM are stored" in capsys.readouterr().err
    second = 10**9
    table = decode_news(
        b"time,title,subjects,sentiment,impact\n"
        + b"".join(
            f"{START_NS + at * second},{title},{about},{tone},{impact}\n".encode()
            for at, title, about, tone, impact in [
                (-4000, "Long ago", "", "", ""),
                (2, "Of the euro", "EUR GBP", 0.5, "high"),
                (4, "Of the yen", "JPY", -1, "high"),
                (6, "Of everything", "", -0.25, "low"),
                (8, "Of the pair", "EURUSD", 1, ""),
            ]
        ),
        "news.csv",
        "wire",
    ).series["wire"]
    SeriesStore(tmp_path / "store").add("wire", table)
    answer = asked(capsys, *check)
    assert answer["look_ahead"] == []
    assert answer["max_relative_difference"] <= 1e-12
    assert "news_sentiment_1" not in answer["untested"]
    assert {each["set"] for each in asked(capsys, *check[:3], *check[5:])["sets"]} == {
        "tick",
        "bars",
        "demo",
        "news",
    }
    assert main(["features", *check, "--series", "wier"]) == 2
    assert "choose wire" in capsys.readouterr().err
    out = tmp_path / "news.parquet"
    asked(capsys, "build", *check[1:], "--out", str(out))
    rows = pl.read_parquet(out).select("ts", "news_sentiment_1", "news_count_1h_2")
    shown = {at: rows.filter(pl.col("ts") > START_NS + at * second).row(0)[1:] for at in (0, 2, 4, 6, 8)}
    assert shown == {0: (0.0, pytest.approx(float("nan"), nan_ok=True)), 2: (0.5, 1.0), 4: (0.5, 1.0)} | {
        6: (-0.25, 1.0),
        8: (1.0, 1.0),
    }
    assert rows.filter(pl.col("ts") <= START_NS + 2 * second)["news_sentiment_1"].unique().to_list() == [0.0]
