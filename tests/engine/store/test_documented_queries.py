import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from engine.columns import VendorBars, bars_kind
from engine.store import Store
from engine.store.corrections import Correction
from engine.store.repairs import apply
from tests.engine.store.rows import EURUSD, NOON_NS, quotes, trades

ROOT = Path(__file__).resolve().parents[3]
MINUTE = 60_000_000_000


def blocks(language: str) -> list[str]:
    text = (ROOT / "engine/store/MAINTENANCE.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two minutes of quotes and trades, bars, and a repair."""
    root = tmp_path_factory.mktemp("store")
    store = Store(root)
    ts = np.array([NOON_NS], np.int64)
    bars = VendorBars(
        ts_event=ts,
        ts_init=ts + MINUTE,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), np.array([114_500], np.int64)),
        price_precision=5,
        size_precision=0,
    )
    times = [0, 10, MINUTE, MINUTE + 10]
    store.add(
        EURUSD,
        {
            "quotes": quotes([*times, MINUTE + 20], [114_500, 114_510, 114_520, 114_530, 1]),
            "trades": trades([5, 15, MINUTE + 5], [114_501, 114_499, 114_521], [1, 2, 3]),
            bars_kind("1-MINUTE-LAST"): bars,
        },
    )
    apply(store, EURUSD.id, Correction(kind="quotes", action="drop", start_ns=NOON_NS + MINUTE + 20))
    return root


def price(text: str) -> Decimal:
    return Decimal(text)


TICKS = [price("1.14500"), price("1.14510"), price("1.14520"), price("1.14530")]
MINUTES = [
    tuple(map(price, ("1.14501", "1.14501", "1.14499", "1.14499", "14"))),
    tuple(map(price, ("1.14521", "1.14521", "1.14521", "1.14521", "7"))),
]
WITH_QUOTES = [
    tuple(map(price, ("1.14501", "1.14500", "1.14501"))),
    tuple(map(price, ("1.14499", "1.14510", "1.14511"))),
    tuple(map(price, ("1.14521", "1.14520", "1.14521"))),
]


def test_polars_answers_as_documented(folder: Path) -> None:
    ticks, minutes, joined = (
        eval(block.replace("STORE", folder.as_posix()), {"pl": pl})  # noqa: S307 - our own document
        for block in blocks("python")
    )
    assert ticks["bid"].to_list() == TICKS
    assert minutes.select("open", "high", "low", "close", "volume").rows() == MINUTES
    assert joined.select("price", "bid", "ask").rows() == WITH_QUOTES


def test_duckdb_answers_as_documented(folder: Path) -> None:
    answers: list[list[tuple[Any, ...]]] = [
        duckdb.sql(block.replace("STORE", folder.as_posix())).fetchall() for block in blocks("sql")
    ]
    ticks, minutes, bars, joined, removed = answers
    assert [row[1] for row in ticks] == TICKS
    assert [row[1:] for row in minutes] == MINUTES
    assert bars[0][1:] == (price("1.14500"),) * 4
    assert [row[1:] for row in joined] == WITH_QUOTES
    assert len(removed) == 1
