"""Tables for the tests, and sets that hold every feature a clock can have."""

from typing import Any

import numpy as np
import polars as pl

from ai.features import FEATURES, FeatureSet, Market
from ai.features.sources import BOOK_FIELDS, columns_of

TICK = Market(tick_size=0.01)
SECOND = 10**9

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "spread": [{"unit": "ticks"}, {"unit": "bps"}],
    "microprice": [{"unit": "price"}, {"unit": "bps"}],
    "order_flow_imbalance": [{"window": 7}, {"window": "2s"}],
    "imbalance": [{"levels": 1}, {"levels": 5}, {"levels": 10}],
    "depth_score": [{"levels": 10, "decay": 0.5}, {"levels": 3, "decay": 0.0}],
    "trade_sign": [{"rule": "aggressor"}, {"rule": "tick"}],
    "signed_volume": [{"window": 5, "rule": "aggressor"}, {"window": "3s", "rule": "tick"}],
    "rolling_volume": [{"window": 1}, {"window": 20}, {"window": "5s"}],
    "vwap_deviation": [{"window": 20}, {"window": "5s"}],
    "return": [{"window": 1}, {"window": 20}, {"window": "5s"}],
    "realised_volatility": [{"window": 20}, {"window": "5s"}],
    "ema": [{"period": 1}, {"period": 5}],
    "rsi": [{"period": 4}],
    "macd": [{"fast": 3, "slow": 6, "signal": 4}],
    "atr": [{"period": 4}],
    "bollinger": [{"period": 5, "deviations": 2.0}],
    "news_sentiment": [{"window": 1}, {"window": 5}, {"window": "3s"}],
    "news_count": [{"window": "3s"}, {"window": 7, "least": 2}],
}
"""Parameters that the tests try; features that are not named here have none."""


def everything(clock: str) -> FeatureSet:
    """Every feature that can run on this clock's own stream, with all its variants."""
    entries = [
        {"name": name, **variant}
        for name, kind in FEATURES.items()
        if clock in kind.streams
        for variant in VARIANTS.get(name, [{}])
    ]
    return FeatureSet.of(f"all_{clock}", {"clock": clock, "bars": "1-MINUTE-LAST", "feature": entries})


def of_news() -> FeatureSet:
    """Every feature of headlines, with all its variants, beside one of quotes, on the clock of quotes."""
    entries = [
        {"name": name, **variant}
        for name, kind in FEATURES.items()
        if kind.streams == ("news",)
        for variant in VARIANTS[name]
    ]
    return FeatureSet.of("news", {"clock": "quotes", "feature": [{"name": "mid"}, *entries]})


def stamps(random: np.random.Generator, rows: int, mean_ns: int = SECOND // 4) -> np.ndarray[Any, Any]:
    """Ascending times in bursts, a fifth of them equal to the one before."""
    gaps = random.exponential(mean_ns, rows) * (random.random(rows) > 0.2)
    return 1_700_000_000 * SECOND + np.cumsum(gaps.astype(np.int64))


def table(stream: str, rows: int, seed: int = 1, levels: int = 10) -> pl.LazyFrame:
    """Random but consistent table of one stream; books have missing levels, sizes are sometimes 0."""
    random = np.random.default_rng(seed)
    mid = 100.0 + np.cumsum(random.integers(-2, 3, rows)) * 0.01
    sizes = {name: random.integers(0, 50, rows) / 8.0 for name in ("bid_size", "ask_size", "size")}
    columns: dict[str, Any] = {"ts": stamps(random, rows)}
    if stream == "quotes":
        columns |= {"bid": mid - 0.01, "ask": mid + random.integers(1, 4, rows) * 0.01}
        columns |= {name: sizes[name] for name in ("bid_size", "ask_size")}
    elif stream == "trades":
        columns |= {"price": mid, "size": sizes["size"], "aggressor": random.integers(0, 3, rows) * 1.0}
    elif stream == "bars":
        high, low = mid + random.integers(0, 5, rows) * 0.01, mid - random.integers(0, 5, rows) * 0.01
        columns |= {"ts_open": columns["ts"] - SECOND, "open": mid, "high": high, "low": low}
        columns |= {"close": (high + low) / 2, "volume": sizes["size"]}
    elif stream == "news":
        columns |= {"sentiment": random.integers(-8, 9, rows) / 8.0}
        columns |= {"importance": random.integers(0, 4, rows) * 1.0}
    else:
        columns |= _book(random, mid, levels)
    return pl.DataFrame(columns).lazy()


def _book(random: np.random.Generator, mid: np.ndarray[Any, Any], levels: int) -> dict[str, Any]:
    columns, rows = {}, len(mid)
    shown = {side: random.integers(0 if rows > 5 else 1, levels + 1, rows) for side in ("bid", "ask")}
    for level in range(1, levels + 1):
        for field in BOOK_FIELDS:
            side = field[:3]
            missing = shown[side] < level
            if field.endswith("price"):
                price = mid + (0.01 if side == "ask" else -0.01) * level
                columns[f"{field}_{level}"] = np.where(missing, np.nan, price)
            else:
                columns[f"{field}_{level}"] = np.where(missing, 0.0, random.integers(1, 90, rows) / 8.0)
    assert set(columns) == set(columns_of("book", levels)) - {"ts"}
    return columns
